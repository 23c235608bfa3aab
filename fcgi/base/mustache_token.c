/* Template text to tokens: text, line ends and tags. */
#include <string.h>

#include "base/mustache_state.h"

enum { MOST_NAME = 250 };

static void
push(struct tokens *c, enum token_kind kind, struct str s)
{
	if (c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		c->items = arena_grow(
		    c->a, c->items, c->cap * sizeof(struct token), cap * sizeof(struct token));
		c->cap = cap;
	}
	c->items[c->count++] = (struct token){.kind = kind, .s = s, .line = c->line};
}

static void
push_text(struct tokens *c, struct str s)
{
	while (s.n) {
		size_t end = str_chr(s, '\n');
		size_t text = end < s.n && end && s.p[end - 1] == '\r' ? end - 1 : end;
		if (text)
			push(c, T_TEXT, str_sub(s, 0, text));
		if (end == s.n)
			return;
		push(c, T_NEWLINE, str_sub(s, text, end + 1));
		c->line++;
		s = str_sub(s, end + 1, s.n);
	}
}

static size_t
find_str(struct str s, struct str needle)
{
	const char *at = s.n >= needle.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

/* How much of ${s} comes before the first blank. */
static size_t
word(struct str s)
{
	size_t n = 0;
	while (n < s.n && !memchr(" \t\r\n", s.p[n], 4))
		n++;
	return n;
}

static bool
set_delimiters(struct tokens *c, struct str s, struct error *e)
{
	s = str_trim(s);
	size_t blank = word(s);
	struct str left = str_sub(s, 0, blank), right = str_trim(str_sub(s, blank, s.n));
	if (!left.n || !right.n || word(right) < right.n || str_chr(left, '=') < left.n ||
	    str_chr(right, '=') < right.n)
		return error_set(e, ERR_INVALID, "Line %d: bad delimiters.", c->line);
	c->open = left;
	c->close = right;
	return true;
}

static int
lines_in(struct str s)
{
	int n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static bool
push_tag(struct tokens *c, struct str inside, bool raw, struct error *e)
{
	static const char sigils[] = "&#^/!>$<";
	static const enum token_kind kinds[] = {
	    T_RAW, T_OPEN, T_INVERTED, T_CLOSE, T_COMMENT, T_PARTIAL, T_BLOCK, T_PARENT};
	struct str s = str_trim(inside);
	enum token_kind kind = raw ? T_RAW : T_VALUE;
	const char *sigil = !raw && s.n && s.p[0] ? strchr(sigils, s.p[0]) : NULL;
	if (sigil) {
		kind = kinds[sigil - sigils];
		s = str_trim(str_sub(s, 1, s.n));
	}
	bool dynamic = (kind == T_PARTIAL || kind == T_PARENT) && s.n && s.p[0] == '*';
	if (kind != T_COMMENT && (s.n <= (dynamic ? 1U : 0U) || s.n > MOST_NAME))
		return error_set(e, ERR_INVALID, "Line %d: a tag without a usable name.", c->line);
	push(c, kind, s);
	c->line += lines_in(inside);
	return true;
}

/* One tag at the front of *${s}, which begins with the opening delimiter. */
static bool
take_tag(struct tokens *c, struct str *s, struct error *e)
{
	struct str rest = str_sub(*s, c->open.n, s->n);
	bool triple = str_is(c->open, "{{") && rest.n && rest.p[0] == '{';
	bool equals = rest.n && rest.p[0] == '=';
	struct str closer = c->close;
	if (triple)
		closer = STR("}}}");
	else if (equals)
		closer = str_of(arena_printf(c->a, "=%.*s", STR_ARG(c->close)));
	if (triple || equals)
		rest = str_sub(rest, 1, rest.n);
	size_t end = find_str(rest, closer);
	if (end == rest.n)
		return error_set(e, ERR_INVALID, "Line %d: a tag is not closed.", c->line);
	struct str inside = str_sub(rest, 0, end);
	*s = str_sub(rest, end + closer.n, rest.n);
	if (equals) {
		push(c, T_DELIMITER, inside);
		c->line += lines_in(inside);
		return set_delimiters(c, inside, e);
	}
	return push_tag(c, inside, triple, e);
}

bool
mustache_tokenize(struct tokens *c, struct str s, struct error *e)
{
	c->open = STR("{{");
	c->close = STR("}}");
	c->line = 1;
	while (s.n) {
		size_t at = find_str(s, c->open);
		push_text(c, str_sub(s, 0, at));
		s = str_sub(s, at, s.n);
		if (s.n && !take_tag(c, &s, e))
			return false;
	}
	return true;
}
