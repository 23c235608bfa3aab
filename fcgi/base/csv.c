#include "base/csv.h"

#include <string.h>

#include "base/csv_state.h"

static void
set_kinds(struct csv *c)
{
	for (int i = 0; i < 256; i++)
		c->kinds[i] = i < 0x20 || i == 0x7F ? CONTROL : PLAIN;
	c->kinds['\t'] = PLAIN;
	c->kinds['\n'] = c->kinds['\r'] = c->kinds[0] = STOP;
	c->kinds[(unsigned char)c->delimiter] = STOP;
}

struct csv *
csv_new(struct arena *a, char delimiter)
{
	struct csv *c = arena_new_of(a, struct csv);
	c->p = arena_alloc(a, CAPACITY);
	c->delimiter = delimiter;
	c->line = 1;
	set_kinds(c);
	return c;
}

char *
csv_room(struct csv *c, size_t *room)
{
	if (c->start) {
		memmove(c->p, c->p + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	*room = CAPACITY - c->end;
	return c->p + c->end;
}

void
csv_fed(struct csv *c, size_t n)
{
	c->end += n;
	if (n == 0)
		c->ended = true;
}

void
csv_expect(struct csv *c, size_t columns)
{
	c->expected = columns;
}

static int64_t
count_lines(const struct csv *c, size_t from, size_t to)
{
	int64_t n = 0;
	for (size_t i = from; i < to; i++)
		n += c->p[i] == '\n' || (c->p[i] == '\r' && !(i + 1 < to && c->p[i + 1] == '\n'));
	return n;
}

/* Passes over the next line end from ${at}; SIZE_MAX where there is none yet. */
static size_t
next_line(const struct csv *c, size_t at)
{
	size_t i = csv_line_end(c, at, c->end);
	if (i == c->end)
		return c->ended ? i : SIZE_MAX;
	if (c->p[i] == '\n')
		return i + 1;
	if (i + 1 == c->end && !c->ended)
		return SIZE_MAX;
	return i + 1 < c->end && c->p[i + 1] == '\n' ? i + 2 : i + 1;
}

static enum csv_next
skip_line(struct csv *c)
{
	size_t to = next_line(c, c->start);
	if (to == SIZE_MAX) {
		c->start =
		    c->end && c->p[c->end - 1] == '\r' && c->end > c->start ? c->end - 1 : c->end;
		return CSV_HUNGRY;
	}
	c->start = to;
	c->line++;
	c->skipping = false;
	return CSV_ROW;
}

static void
raw_text(struct csv *c, size_t to)
{
	size_t n = to - c->start < CSV_RAW_MAX ? to - c->start : CSV_RAW_MAX;
	char *p = c->p + c->start;
	while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (n == CSV_RAW_MAX)
		while (n && ((unsigned char)p[n] & 0xC0) == 0x80)
			n--;
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\0')
			p[i] = ' ';
	c->fields[0] = (struct str){p, n};
}

static enum csv_next
damaged(struct csv *c, const struct csv_attempt *t, struct csv_row *out)
{
	size_t to = next_line(c, t->offence);
	if (to == SIZE_MAX && c->end - c->start <= CSV_ROW_MAX)
		return CSV_HUNGRY;
	*out = (struct csv_row){c->line, c->fields, 1, c->damage};
	c->skipping = to == SIZE_MAX;
	if (c->skipping)
		to = c->end && c->p[c->end - 1] == '\r' ? c->end - 1 : c->end;
	raw_text(c, to);
	c->line += count_lines(c, c->start, to);
	c->start = to;
	return CSV_ROW;
}

static size_t
without_doubled_quotes(char *p, size_t n)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		p[to++] = p[i];
		if (p[i] == '"')
			i++;
	}
	return to;
}

static bool
is_blank(const struct csv *c)
{
	if (c->n != 1)
		return false;
	for (size_t i = c->spans[0].from; i < c->spans[0].to; i++)
		if (c->p[i] != ' ' && c->p[i] != '\t' &&
		    c->kinds[(unsigned char)c->p[i]] != CONTROL)
			return false;
	return true;
}

static void
hand_out(struct csv *c, size_t to, struct csv_row *out)
{
	int64_t lines = 1;
	*out = (struct csv_row){c->line, c->fields, c->n, NULL};
	for (size_t i = 0; i < c->n; i++)
		if (c->spans[i].lines)
			lines = count_lines(c, c->start, to);
	for (size_t i = 0; i < c->n; i++) {
		struct csv_span *s = &c->spans[i];
		c->fields[i] = (struct str){c->p + s->from, s->to - s->from};
		for (size_t k = s->from; s->controls && k < s->to; k++)
			if (c->kinds[(unsigned char)c->p[k]] == CONTROL)
				c->p[k] = ' ';
		if (s->doubled)
			c->fields[i].n = without_doubled_quotes(c->p + s->from, s->to - s->from);
	}
	c->line += lines;
	c->start = to;
}

enum csv_next
csv_next(struct csv *c, struct csv_row *out)
{
	for (;;) {
		if (c->skipping && skip_line(c) == CSV_HUNGRY)
			return c->ended ? CSV_END : CSV_HUNGRY;
		if (c->start == c->end)
			return c->ended ? CSV_END : CSV_HUNGRY;
		struct csv_attempt t;
		enum csv_step step = csv_read_row(c, &t);
		if (step == HUNGRY)
			return CSV_HUNGRY;
		if (step == BAD)
			return damaged(c, &t, out);
		if (!is_blank(c)) {
			hand_out(c, t.at, out);
			return CSV_ROW;
		}
		c->start = t.at;
		c->line++;
	}
}

/* How well a delimiter explains the first rows: columns, times how many rows agree on them. */
static double
score(struct csv *c, char delimiter)
{
	size_t saved = c->start, first = 0, rows = 0, same = 0;
	c->delimiter = delimiter;
	set_kinds(c);
	while (rows < 50 && c->start < c->end) {
		struct csv_attempt t;
		enum csv_step step = csv_read_row(c, &t);
		size_t to = step == BAD ? next_line(c, t.offence) : t.at;
		if (step == HUNGRY || to == SIZE_MAX)
			break;
		if (step == ROW && !is_blank(c)) {
			first = first ? first : c->n;
			same += c->n == first;
			rows++;
		}
		c->start = to;
	}
	c->start = saved;
	if (!rows || first < 2)
		return 0;
	double share = (double)same / (double)rows;
	return share * share * (double)(first < 20 ? first : 20);
}

static char
sep_line(struct csv *c)
{
	struct str s = {c->p + c->start, c->end - c->start};
	size_t to = next_line(c, c->start);
	if (to == SIZE_MAX || !(str_starts(s, "sep=") || str_starts(s, "SEP=")) || s.n < 5)
		return '\0';
	if (csv_line_end(c, c->start, c->end) - c->start != 5 || strchr("\"\r\n ", s.p[4]))
		return '\0';
	c->start = to;
	c->line++;
	return s.p[4];
}

static void
use_delimiter(struct csv *c, char delimiter)
{
	c->delimiter = delimiter;
	set_kinds(c);
}

void
csv_delimiter(struct csv *c, char delimiter)
{
	sep_line(c);
	use_delimiter(c, delimiter);
}

char
csv_sniff(struct csv *c)
{
	static const char candidates[] = ",;\t|";
	char best = sep_line(c);
	double most = 0;
	if (best) {
		use_delimiter(c, best);
		return best;
	}
	best = ',';
	for (size_t i = 0; i < sizeof(candidates) - 1; i++) {
		double points = score(c, candidates[i]);
		if (points > most) {
			most = points;
			best = candidates[i];
		}
	}
	use_delimiter(c, best);
	return best;
}
