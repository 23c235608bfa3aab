/*
 * Template text to instructions, in three steps: tokens (text, line ends, tags), lines (a line of
 * nothing but structural tags vanishes, as the specification's "standalone" rules say), and
 * instructions with their ends.
 */
#include <string.h>

#include "base/mustache_state.h"

enum { MOST_NESTING = 100, MOST_NAME = 250 };

enum kind {
	TEXT,
	NEWLINE,
	VALUE,
	RAW,
	OPEN,
	INVERTED,
	CLOSE,
	COMMENT,
	DELIMITER,
	PARTIAL,
	PARENT,
	BLOCK
};

struct token {
	enum kind kind;
	struct str s; /* the text, or the tag's name */
	int line;
	bool dropped, first; /* first: the first thing of a line that stays */
	struct str indent;   /* blanks before a standalone tag */
	bool ends_line;      /* a tag that closed a structural line */
};

struct compiler {
	struct arena *a;
	struct token *tokens;
	size_t count, cap;
	struct op *ops;
	int n, op_cap;
	struct str open, close; /* delimiters */
	int line;
};

/* --- tokens ----------------------------------------------------------------------------------- */

static void
push(struct compiler *c, enum kind kind, struct str s)
{
	if (c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		c->tokens = arena_grow(
		    c->a, c->tokens, c->cap * sizeof(struct token), cap * sizeof(struct token));
		c->cap = cap;
	}
	c->tokens[c->count++] = (struct token){.kind = kind, .s = s, .line = c->line};
}

static void
push_text(struct compiler *c, struct str s)
{
	while (s.n) {
		size_t end = str_chr(s, '\n');
		size_t text = end < s.n && end && s.p[end - 1] == '\r' ? end - 1 : end;
		if (text)
			push(c, TEXT, str_sub(s, 0, text));
		if (end == s.n)
			return;
		push(c, NEWLINE, str_sub(s, text, end + 1));
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

static bool
set_delimiters(struct compiler *c, struct str s, struct error *e)
{
	s = str_trim(s);
	size_t blank = 0, rest;
	while (blank < s.n && !strchr(" \t\r\n", s.p[blank]))
		blank++;
	for (rest = blank; rest < s.n && strchr(" \t\r\n", s.p[rest]);)
		rest++;
	struct str left = str_sub(s, 0, blank), right = str_sub(s, rest, s.n);
	if (!left.n || !right.n || str_chr(left, '=') < left.n || str_chr(right, '=') < right.n ||
	    str_chr(right, ' ') < right.n)
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
push_tag(struct compiler *c, struct str inside, struct error *e)
{
	static const char sigils[] = "&#^/!>$<";
	static const enum kind kinds[] = {
	    RAW, OPEN, INVERTED, CLOSE, COMMENT, PARTIAL, BLOCK, PARENT};
	struct str s = str_trim(inside);
	enum kind kind = VALUE;
	const char *sigil = s.n ? strchr(sigils, s.p[0]) : NULL;
	if (sigil && *sigil) {
		kind = kinds[sigil - sigils];
		s = str_trim(str_sub(s, 1, s.n));
	}
	if (kind != COMMENT && (!s.n || s.n > MOST_NAME))
		return error_set(e, ERR_INVALID, "Line %d: a tag without a usable name.", c->line);
	push(c, kind, s);
	c->line += lines_in(inside);
	return true;
}

/* One tag at the front of *${s}, which begins with the opening delimiter. */
static bool
take_tag(struct compiler *c, struct str *s, struct error *e)
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
		push(c, DELIMITER, inside);
		c->line += lines_in(inside);
		return set_delimiters(c, inside, e);
	}
	if (triple) {
		if (!str_trim(inside).n)
			return error_set(e, ERR_INVALID, "Line %d: a tag without a name.", c->line);
		push(c, RAW, str_trim(inside));
		c->line += lines_in(inside);
		return true;
	}
	return push_tag(c, inside, e);
}

static bool
tokenize(struct compiler *c, struct str s, struct error *e)
{
	while (s.n) {
		size_t at = find_str(s, c->open);
		push_text(c, str_sub(s, 0, at));
		s = str_sub(s, at, s.n);
		if (s.n && !take_tag(c, &s, e))
			return false;
	}
	return true;
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool
is_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t')
			return false;
	return true;
}

struct line {
	size_t from, to; /* tokens, without the line end */
	size_t tags, inheritance, closes;
	bool structural, keeps_end;
};

/* {{$x}}{{/x}} outside a parent opened on this line: its own line end stays. */
static bool
holds_block(const struct compiler *c, const struct line *l, const size_t *opener)
{
	int parents = 0;
	for (size_t i = l->from; i < l->to; i++) {
		const struct token *t = &c->tokens[i];
		parents += t->kind == PARENT;
		if (t->kind == CLOSE && c->tokens[opener[i]].kind == PARENT)
			parents--;
		if (t->kind == CLOSE && c->tokens[opener[i]].kind == BLOCK &&
		    opener[i] >= l->from && parents <= 0)
			return true;
	}
	return false;
}

static void
weigh_line(const struct compiler *c, struct line *l, const size_t *opener)
{
	bool words = false;
	for (size_t i = l->from; i < l->to; i++) {
		const struct token *t = &c->tokens[i];
		if (t->kind == TEXT) {
			words = words || !is_blank(t->s);
			continue;
		}
		enum kind kind = t->kind == CLOSE ? c->tokens[opener[i]].kind : t->kind;
		words = words || kind == VALUE || kind == RAW;
		l->tags++;
		l->inheritance += kind == PARENT || kind == BLOCK;
	}
	l->structural = !words && l->tags && (l->tags == 1 || l->inheritance == l->tags);
	l->keeps_end = l->structural && holds_block(c, l, opener);
}

static void
settle_line(struct compiler *c, struct line *l, bool has_end)
{
	if (!l->structural) {
		if (l->from < l->to + (has_end ? 1 : 0))
			c->tokens[l->from].first = true;
		return;
	}
	struct str indent = {0};
	struct token *last = NULL;
	for (size_t i = l->from; i < l->to; i++) {
		struct token *t = &c->tokens[i];
		if (t->kind == TEXT) {
			t->dropped = true;
			if (!last)
				indent = t->s;
			continue;
		}
		if (!last)
			t->indent = indent;
		last = t;
	}
	last->ends_line = !l->keeps_end;
	if (has_end && !l->keeps_end)
		c->tokens[l->to].dropped = true;
}

static void
settle_lines(struct compiler *c, const size_t *opener)
{
	for (size_t from = 0; from < c->count;) {
		struct line l = {.from = from, .to = from};
		while (l.to < c->count && c->tokens[l.to].kind != NEWLINE)
			l.to++;
		weigh_line(c, &l, opener);
		settle_line(c, &l, l.to < c->count);
		from = l.to + 1;
	}
}

/* For each closing tag the index of what it closes. */
static bool
pair(struct compiler *c, size_t *opener, struct error *e)
{
	size_t stack[MOST_NESTING];
	int depth = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct token *t = &c->tokens[i];
		if (t->kind == OPEN || t->kind == INVERTED || t->kind == PARENT ||
		    t->kind == BLOCK) {
			if (depth == MOST_NESTING)
				return error_set(e, ERR_INVALID,
				    "Line %d: sections are nested too deeply.", t->line);
			stack[depth++] = i;
		} else if (t->kind == CLOSE) {
			if (!depth || !str_eq(c->tokens[stack[depth - 1]].s, t->s))
				return error_set(e, ERR_INVALID,
				    "Line %d: {{/%.*s}} closes nothing that is open.", t->line,
				    STR_ARG(t->s));
			opener[i] = stack[--depth];
		}
	}
	if (!depth)
		return true;
	const struct token *t = &c->tokens[stack[depth - 1]];
	return error_set(
	    e, ERR_INVALID, "Line %d: {{%.*s}} is not closed.", t->line, STR_ARG(t->s));
}

/* --- instructions ----------------------------------------------------------------------------- */

static void
split_path(struct arena *a, struct op *op)
{
	struct str s = op->text;
	op->path = arena_new_array(a, struct str, s.n + 1);
	if (s.n && s.p[0] == '.') {
		op->path[op->parts++] = STR(".");
		s = str_sub(s, 1, s.n);
	}
	while (s.n)
		op->path[op->parts++] = str_cut(&s, '.');
}

static struct op *
emit(struct compiler *c, enum op_kind kind, const struct token *t)
{
	if (c->n == c->op_cap) {
		int cap = c->op_cap ? c->op_cap * 2 : 32;
		c->ops = arena_grow(c->a, c->ops, (size_t)c->op_cap * sizeof(struct op),
		    (size_t)cap * sizeof(struct op));
		c->op_cap = cap;
	}
	struct op *op = &c->ops[c->n++];
	*op = (struct op){
	    .kind = kind, .text = t->s, .line_start = t->first, .indent = t->indent, .end = c->n};
	return op;
}

static void
emit_text(struct compiler *c, const struct token *t, struct str s)
{
	struct op *last = c->n ? &c->ops[c->n - 1] : NULL;
	/* Text that follows on in the source becomes one instruction, unless a section begins or
	 * ends between. */
	if (last && last->kind == OP_TEXT && last->text.p + last->text.n == s.p &&
	    last->end == c->n) {
		last->text.n += s.n;
		return;
	}
	emit(c, OP_TEXT, t)->text = s;
}

/* The blanks that begin the first line inside a block whose tag ended its line. */
static struct str
inner_indent(const struct compiler *c, size_t block)
{
	for (size_t i = block + 1; i < c->count && c->tokens[i].kind != NEWLINE; i++)
		if (!c->tokens[i].dropped)
			return (struct str){0};
	size_t i = block + 1;
	while (i < c->count && c->tokens[i].kind != NEWLINE)
		i++;
	if (++i >= c->count || c->tokens[i].kind == CLOSE)
		return (struct str){0};
	const struct token *t = &c->tokens[i];
	if (t->kind != TEXT)
		return t->indent;
	size_t n = 0;
	while (n < t->s.n && (t->s.p[n] == ' ' || t->s.p[n] == '\t'))
		n++;
	bool closes = n == t->s.n && i + 1 < c->count && c->tokens[i + 1].kind == CLOSE;
	return closes ? (struct str){0} : str_sub(t->s, 0, n);
}

/* Cuts at most ${n} blanks off the front: what an argument's own lines are indented by. */
static struct str
dedent(struct str s, size_t n)
{
	size_t i = 0;
	while (i < n && i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	return str_sub(s, i, s.n);
}

struct nesting {
	int op;
	size_t dedent; /* of the lines inside */
};

static void
open_block(struct compiler *c, size_t i, const struct nesting *outer, struct nesting *own)
{
	const struct token *t = &c->tokens[i];
	bool argument = outer->op >= 0 && c->ops[outer->op].kind == OP_PARENT;
	struct op *op = emit(c, OP_BLOCK, t);
	struct str inner = inner_indent(c, i);
	op->indent = dedent(op->indent, outer->dedent);
	if (argument)
		own->dedent = inner.n;
	else if (inner.n)
		op->indent = dedent(inner, outer->dedent);
}

static void
emit_name(struct compiler *c, enum op_kind kind, const struct token *t, size_t dedent_by)
{
	struct op *op = emit(c, kind, t);
	op->indent = dedent(op->indent, dedent_by);
	if ((kind == OP_PARTIAL || kind == OP_PARENT) && op->text.p[0] == '*') {
		op->dynamic = true;
		op->text = str_trim(str_sub(op->text, 1, op->text.n));
	}
	if (op->dynamic || (kind != OP_PARTIAL && kind != OP_PARENT))
		split_path(c->a, op);
}

static void
build(struct compiler *c)
{
	static const enum op_kind kinds[] = {[VALUE] = OP_VALUE,
	    [RAW] = OP_RAW,
	    [OPEN] = OP_SECTION,
	    [INVERTED] = OP_INVERTED,
	    [PARTIAL] = OP_PARTIAL,
	    [PARENT] = OP_PARENT};
	struct nesting stack[MOST_NESTING + 1] = {{.op = -1}};
	int depth = 0;
	bool line_begins = true;
	for (size_t i = 0; i < c->count; i++) {
		const struct token *t = &c->tokens[i];
		const struct nesting *outer = &stack[depth];
		struct nesting own = {.op = c->n, .dedent = outer->dedent};
		if (t->kind == TEXT && !t->dropped)
			emit_text(c, t, line_begins ? dedent(t->s, outer->dedent) : t->s);
		else if (t->kind == NEWLINE && !t->dropped)
			emit_text(c, t, t->s);
		else if (t->kind == BLOCK)
			open_block(c, i, outer, &own);
		else if (t->kind >= VALUE && t->kind != CLOSE && t->kind != COMMENT &&
			 t->kind != DELIMITER)
			emit_name(c, kinds[t->kind], t, outer->dedent);
		else if (t->kind == CLOSE)
			c->ops[stack[depth--].op].end = c->n;
		if (t->kind == OPEN || t->kind == INVERTED || t->kind == PARENT || t->kind == BLOCK)
			stack[++depth] = own;
		line_begins = t->kind == NEWLINE;
	}
}

bool
mustache_compile(struct arena *a, struct template *t, struct str text, struct error *e)
{
	struct compiler c = {.a = a, .open = STR("{{"), .close = STR("}}"), .line = 1};
	if (!tokenize(&c, text, e))
		return false;
	size_t *opener = arena_new_array(a, size_t, c.count + 1);
	if (!pair(&c, opener, e))
		return false;
	settle_lines(&c, opener);
	build(&c);
	t->ops = c.ops;
	t->count = c.n;
	return true;
}
