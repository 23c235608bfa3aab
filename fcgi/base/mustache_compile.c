/*
 * Tokens to instructions: a line of nothing but structural tags vanishes (the specification's
 * "standalone" rules), every opening tag learns where it ends, and names are split.
 */
#include <string.h>

#include "base/mustache_state.h"

struct compiler {
	struct arena *a, *scratch; /* what stays, and what only compiling needs */
	struct token *tokens;
	size_t count;
	size_t *opener; /* for each closing tag the index of what it closes */
	struct op *ops;
	int n, op_cap;
};

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
	size_t tags, inheritance;
	bool structural, keeps_end;
};

/* {{$x}}{{/x}} outside a parent opened on this line: its own line end stays. */
static bool
holds_block(const struct compiler *c, const struct line *l)
{
	int parents = 0;
	for (size_t i = l->from; i < l->to; i++) {
		const struct token *t = &c->tokens[i];
		parents += t->kind == T_PARENT;
		if (t->kind == T_CLOSE && c->tokens[c->opener[i]].kind == T_PARENT)
			parents--;
		if (t->kind == T_CLOSE && c->tokens[c->opener[i]].kind == T_BLOCK &&
		    c->opener[i] >= l->from && parents <= 0)
			return true;
	}
	return false;
}

static void
weigh_line(const struct compiler *c, struct line *l)
{
	bool words = false;
	for (size_t i = l->from; i < l->to; i++) {
		const struct token *t = &c->tokens[i];
		if (t->kind == T_TEXT) {
			words = words || !is_blank(t->s);
			continue;
		}
		enum token_kind kind = t->kind == T_CLOSE ? c->tokens[c->opener[i]].kind : t->kind;
		words = words || kind == T_VALUE || kind == T_RAW;
		l->tags++;
		l->inheritance += kind == T_PARENT || kind == T_BLOCK;
	}
	l->structural = !words && l->tags && (l->tags == 1 || l->inheritance == l->tags);
	l->keeps_end = l->structural && holds_block(c, l);
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
		if (t->kind == T_TEXT) {
			t->dropped = true;
			if (!last)
				indent = t->s;
			continue;
		}
		if (!last)
			t->indent = indent;
		last = t;
	}
	if (has_end && !l->keeps_end)
		c->tokens[l->to].dropped = true;
}

static void
settle_lines(struct compiler *c)
{
	for (size_t from = 0; from < c->count;) {
		struct line l = {.from = from, .to = from};
		while (l.to < c->count && c->tokens[l.to].kind != T_NEWLINE)
			l.to++;
		weigh_line(c, &l);
		settle_line(c, &l, l.to < c->count);
		from = l.to + 1;
	}
}

/* For each closing tag the index of what it closes. */
static bool
pair(struct compiler *c, struct error *e)
{
	size_t stack[MUSTACHE_NESTING];
	int depth = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct token *t = &c->tokens[i];
		if (t->kind == T_OPEN || t->kind == T_INVERTED || t->kind == T_PARENT ||
		    t->kind == T_BLOCK) {
			if (depth == MUSTACHE_NESTING)
				return error_set(e, ERR_INVALID,
				    "Line %d: sections are nested too deeply.", t->line);
			stack[depth++] = i;
		} else if (t->kind == T_CLOSE) {
			if (!depth || !str_eq(c->tokens[stack[depth - 1]].s, t->s))
				return error_set(e, ERR_INVALID,
				    "Line %d: {{/%.*s}} closes nothing that is open.", t->line,
				    STR_ARG(t->s));
			c->opener[i] = stack[--depth];
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
split_name(struct arena *a, struct op *op)
{
	struct str s = op->text;
	int dots = 0;
	op->from_context = s.n && s.p[0] == '.';
	if (op->from_context)
		s = str_sub(s, 1, s.n);
	for (size_t i = 0; i < s.n; i++)
		dots += s.p[i] == '.';
	op->parts = arena_new_array(a, struct part, dots + 1);
	while (s.n)
		op->parts[op->n_parts++].key = str_cut(&s, '.');
}

static struct op *
emit(struct compiler *c, enum op_kind kind, const struct token *t)
{
	if (c->n == c->op_cap) {
		int cap = c->op_cap * 2;
		c->ops = arena_grow(c->scratch, c->ops, (size_t)c->op_cap * sizeof(struct op),
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
	for (size_t i = block + 1; i < c->count && c->tokens[i].kind != T_NEWLINE; i++)
		if (!c->tokens[i].dropped)
			return (struct str){0};
	size_t i = block + 1;
	while (i < c->count && c->tokens[i].kind != T_NEWLINE)
		i++;
	if (++i >= c->count || c->tokens[i].kind == T_CLOSE)
		return (struct str){0};
	const struct token *t = &c->tokens[i];
	if (t->kind != T_TEXT)
		return t->indent;
	size_t n = 0;
	while (n < t->s.n && (t->s.p[n] == ' ' || t->s.p[n] == '\t'))
		n++;
	bool closes = n == t->s.n && i + 1 < c->count && c->tokens[i + 1].kind == T_CLOSE;
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
		split_name(c->a, op);
}

static void
build(struct compiler *c)
{
	static const enum op_kind kinds[] = {[T_VALUE] = OP_VALUE,
	    [T_RAW] = OP_RAW,
	    [T_OPEN] = OP_SECTION,
	    [T_INVERTED] = OP_INVERTED,
	    [T_PARTIAL] = OP_PARTIAL,
	    [T_PARENT] = OP_PARENT};
	struct nesting stack[MUSTACHE_NESTING + 1] = {{.op = -1}};
	int depth = 0;
	bool line_begins = true;
	for (size_t i = 0; i < c->count; i++) {
		const struct token *t = &c->tokens[i];
		const struct nesting *outer = &stack[depth];
		struct nesting own = {.op = c->n, .dedent = outer->dedent};
		if (t->kind == T_TEXT && !t->dropped)
			emit_text(c, t, line_begins ? dedent(t->s, outer->dedent) : t->s);
		else if (t->kind == T_NEWLINE && !t->dropped)
			emit_text(c, t, t->s);
		else if (t->kind == T_BLOCK)
			open_block(c, i, outer, &own);
		else if (t->kind >= T_VALUE && t->kind != T_CLOSE && t->kind != T_COMMENT &&
			 t->kind != T_DELIMITER)
			emit_name(c, kinds[t->kind], t, outer->dedent);
		else if (t->kind == T_CLOSE)
			c->ops[stack[depth--].op].end = c->n;
		if (t->kind == T_OPEN || t->kind == T_INVERTED || t->kind == T_PARENT ||
		    t->kind == T_BLOCK)
			stack[++depth] = own;
		line_begins = t->kind == T_NEWLINE;
	}
}

static bool
compile(struct compiler *c, struct template *t, struct str text, struct error *e)
{
	struct tokens tokens = {.a = c->scratch};
	if (!mustache_tokenize(&tokens, text, e))
		return false;
	c->tokens = tokens.items;
	c->count = tokens.count;
	c->opener = arena_new_array(c->scratch, size_t, c->count + 1);
	if (!pair(c, e))
		return false;
	settle_lines(c);
	c->op_cap = 32;
	c->ops = arena_new_array(c->scratch, struct op, c->op_cap);
	build(c);
	t->count = c->n;
	t->ops = arena_new_array(c->a, struct op, c->n + 1);
	if (c->n)
		memcpy(t->ops, c->ops, (size_t)c->n * sizeof(struct op));
	return true;
}

bool
mustache_compile(struct arena *a, struct template *t, struct str text, struct error *e)
{
	struct compiler c = {.a = a, .scratch = arena_new(16384)};
	bool good = compile(&c, t, text, e);
	arena_free(c.scratch);
	return good;
}
