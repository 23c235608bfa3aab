#include <stdio.h>
#include <string.h>

#include "base/csv_state.h"

static enum csv_step
bad_column(struct csv *c, struct csv_attempt *t, size_t offence, const char *what)
{
	t->offence = offence;
	snprintf(c->damage, sizeof(c->damage), "column %zu: %s", c->n + 1, what);
	return BAD;
}

static enum csv_step
bad_row(struct csv *c, struct csv_attempt *t, size_t offence, const char *what)
{
	t->offence = offence;
	snprintf(c->damage, sizeof(c->damage), "%s", what);
	return BAD;
}

static const char too_long[] = "holds more than 64 KB";
static const char unclosed[] = "its opening quote is never closed";
static const char stray[] = "text follows its closing quote";
static const char has_nul[] = "holds a NUL byte";

/* The byte at t->at ends a field: passes over it. */
static enum csv_step
field_end(struct csv *c, struct csv_attempt *t)
{
	if (t->at == c->end)
		return c->ended ? ROW : HUNGRY;
	char ch = c->p[t->at];
	if (ch == '\r' && t->at + 1 == c->end && !c->ended)
		return HUNGRY;
	t->at++;
	if (ch == c->delimiter)
		return FIELD;
	if (ch == '\r' && t->at < c->end && c->p[t->at] == '\n')
		t->at++;
	return ROW;
}

/* Looks over the inside of a quoted field: notes control characters and line ends. */
static bool
inspect(struct csv *c, struct csv_span *s)
{
	for (size_t i = s->from; i < s->to; i++) {
		unsigned char ch = (unsigned char)c->p[i];
		if (c->kinds[ch] == PLAIN)
			continue;
		if (ch == 0)
			return false;
		if (c->kinds[ch] == CONTROL)
			s->controls = true;
		else if (ch != (unsigned char)c->delimiter)
			s->lines = true;
	}
	return true;
}

static enum csv_step
quoted(struct csv *c, struct csv_attempt *t, struct csv_span *s)
{
	size_t open = t->at++;
	size_t q = s->from = t->at;
	size_t most = s->from + CSV_FIELD_MAX + 1;
	for (;;) {
		size_t to = c->end < most ? c->end : most;
		const char *hit = q < to ? memchr(c->p + q, '"', to - q) : NULL;
		if (!hit && c->end >= most)
			return bad_column(c, t, open,
			    memchr(c->p + open, '\n', most - open) ? unclosed : too_long);
		if (!hit)
			return c->ended ? bad_column(c, t, open, unclosed) : HUNGRY;
		q = (size_t)(hit - c->p) + 1;
		if (q == c->end && !c->ended)
			return HUNGRY;
		if (q == c->end || c->p[q] != '"')
			break;
		s->doubled = true;
		q++;
	}
	s->to = q - 1;
	if (!inspect(c, s))
		return bad_column(c, t, open, has_nul);
	while (q < c->end && c->p[q] == ' ')
		q++;
	t->at = q;
	if (q < c->end && (c->kinds[(unsigned char)c->p[q]] != STOP || c->p[q] == '\0'))
		return bad_column(c, t, open, s->lines ? unclosed : stray);
	return field_end(c, t);
}

static enum csv_step
unquoted(struct csv *c, struct csv_attempt *t, struct csv_span *s)
{
	s->from = t->at;
	size_t i = t->at, end = c->end;
	const char *p = c->p;
	for (;; i++) {
		while (i < end && c->kinds[(unsigned char)p[i]] == PLAIN)
			i++;
		if (i == end || c->kinds[(unsigned char)p[i]] == STOP)
			break;
		s->controls = true;
	}
	s->to = t->at = i;
	if (i - s->from > CSV_FIELD_MAX)
		return bad_column(c, t, s->from, too_long);
	if (i < end && p[i] == '\0')
		return bad_column(c, t, s->from, has_nul);
	return field_end(c, t);
}

static enum csv_step
read_field(struct csv *c, struct csv_attempt *t)
{
	if (c->n == CSV_COLUMNS_MAX)
		return bad_row(c, t, t->at, "it has more than 200 columns");
	struct csv_span *s = &c->spans[c->n];
	*s = (struct csv_span){0};
	size_t i = t->at;
	while (i < c->end && c->p[i] == ' ')
		i++;
	if (i < c->end && c->p[i] == '"') {
		t->at = i;
		return quoted(c, t, s);
	}
	return unquoted(c, t, s);
}

static bool
is_numeric_column(const char *p, size_t n)
{
	size_t digits = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			digits++;
		else if (!strchr(" +-().\"", p[i]) || !p[i])
			return false;
	}
	return digits >= 7;
}

/* A line on its own that has the right number of columns, one of them a long number. */
static bool
looks_like_row(const struct csv *c, size_t from, size_t to, bool *full)
{
	size_t columns = 1, begin = from;
	bool number = false;
	for (size_t i = from; i <= to; i++) {
		if (i < to && c->p[i] != c->delimiter)
			continue;
		number = number || is_numeric_column(c->p + begin, i - begin);
		begin = i + 1;
		columns += i < to;
	}
	*full = columns == c->expected;
	return *full && number;
}

size_t
csv_line_end(const struct csv *c, size_t from, size_t to)
{
	while (from < to && c->p[from] != '\n' && c->p[from] != '\r')
		from++;
	return from;
}

/*
 * A field of several lines in a row that is complete: did an unclosed quote swallow other rows?
 * It did when one of the inner lines is a row by itself, or when both the first and the last are,
 * or when the row has more columns than it should.
 */
static bool
swallowed(const struct csv *c, size_t row_end)
{
	if (c->expected < 2)
		return false;
	size_t at = csv_line_end(c, c->start, row_end);
	bool first, full;
	looks_like_row(c, c->start, at, &first);
	while (at < row_end) {
		size_t from = at + 1, to = csv_line_end(c, from, row_end);
		if (from < to && looks_like_row(c, from, to, &full) && (first || to + 2 < row_end))
			return true;
		at = to;
	}
	return c->n > c->expected;
}

enum csv_step
csv_read_row(struct csv *c, struct csv_attempt *t)
{
	*t = (struct csv_attempt){c->start, c->start};
	c->n = 0;
	size_t first_lines = 0;
	for (;;) {
		size_t begin = t->at;
		enum csv_step step = read_field(c, t);
		if (step == HUNGRY && c->end - c->start <= CSV_ROW_MAX)
			return HUNGRY;
		if (step == BAD)
			return BAD;
		if (step == HUNGRY || t->at - c->start > CSV_ROW_MAX)
			return bad_row(c, t, begin, "it is longer than 256 KB");
		if (c->spans[c->n].lines && !first_lines)
			first_lines = c->n + 1;
		c->n++;
		if (step != ROW)
			continue;
		if (!first_lines || !swallowed(c, t->at))
			return ROW;
		c->n = first_lines - 1;
		return bad_column(c, t, c->spans[c->n].from, unclosed);
	}
}
