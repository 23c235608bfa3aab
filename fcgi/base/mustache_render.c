/* Runs the instructions of a template against a stack of contexts. */
#include <string.h>

#include "base/mustache_state.h"

enum { MOST_CONTEXTS = 200, MOST_TEMPLATES = 64 };

/* What a parent tag overrides: the blocks directly inside it. The outermost that names a block
 * wins. */
struct arguments {
	const struct template *t;
	int from, to;
	const struct arguments *outer;
};

struct render {
	const struct mustache_set *set;
	struct arena *a;
	struct buf *out;
	struct error *e;
	const struct value *contexts[MOST_CONTEXTS];
	int depth;
	int templates; /* how many are being rendered inside each other */
	const struct arguments *arguments;
	struct str indent;
};

static bool run(struct render *r, const struct template *t, int from, int to);

static inline bool
is_key(const struct member *m, struct str key)
{
	return m->key.n == key.n &&
	       (key.n == 0 || (m->key.p[0] == key.p[0] && memcmp(m->key.p, key.p, key.n) == 0));
}

/* Concurrent renderings may write the hint at the same time; any of their answers will do. */
static const struct value *
map_get(const struct value *map, struct part *part)
{
	size_t i = __atomic_load_n(&part->hint, __ATOMIC_RELAXED);
	if (i < map->map.n && is_key(&map->map.members[i], part->key))
		return map->map.members[i].value;
	for (i = 0; i < map->map.n; i++)
		if (is_key(&map->map.members[i], part->key)) {
			__atomic_store_n(&part->hint, i, __ATOMIC_RELAXED);
			return map->map.members[i].value;
		}
	return NULL;
}

static const struct value *
lookup(const struct render *r, const struct op *op)
{
	const struct value *v = NULL;
	int next = 0;
	if (op->from_context) {
		v = r->contexts[r->depth - 1];
	} else {
		/* Presentations are for dotted names only: {{#name}}{{label}}{{/name}} means the
		 * label of the row, not that of the name. */
		for (int i = r->depth - 1; i >= 0 && !v; i--)
			if (r->contexts[i] && r->contexts[i]->type == VALUE_MAP)
				v = map_get(r->contexts[i], &op->parts[0]);
		next = 1;
	}
	for (; v && next < op->n_parts; next++) {
		struct part *part = &op->parts[next];
		v = v->type == VALUE_MAP ? map_get(v, part) : value_member(r->a, v, part->key);
	}
	return v;
}

static void
put_indent(struct render *r, const struct op *op)
{
	if (r->indent.n && op->line_start)
		buf_str(r->out, r->indent);
}

static void
put_text(struct render *r, const struct op *op)
{
	if (!r->indent.n) {
		buf_add(r->out, op->text.p, op->text.n);
		return;
	}
	struct str s = op->text;
	bool begins = op->line_start;
	while (s.n) {
		size_t end = str_chr(s, '\n');
		end += end < s.n;
		if (begins)
			buf_str(r->out, r->indent);
		buf_add(r->out, s.p, end);
		s = str_sub(s, end, s.n);
		begins = true;
	}
}

static void
put_value(struct render *r, const struct op *op)
{
	const struct value *v = lookup(r, op);
	if (!v)
		return;
	bool escapes = op->kind == OP_VALUE && r->set->escape == MUSTACHE_HTML;
	if (escapes && (v->type == VALUE_TEXT || v->type == VALUE_PHONE))
		buf_html(r->out, v->s);
	else
		value_print(r->out, v); /* numbers and times have nothing that HTML minds */
}

static bool
run_with(struct render *r, const struct template *t, int from, int to, const struct value *context)
{
	if (r->depth == MOST_CONTEXTS)
		return error_set(r->e, ERR_INVALID, "Sections are nested too deeply.");
	r->contexts[r->depth++] = context;
	bool good = run(r, t, from, to);
	r->depth--;
	return good;
}

static bool
run_section(struct render *r, const struct template *t, int at)
{
	const struct op *op = &t->ops[at];
	const struct value *v = lookup(r, op);
	if (op->kind == OP_INVERTED)
		return value_truthy(v) || run(r, t, at + 1, op->end);
	if (!value_truthy(v))
		return true;
	if (v->type != VALUE_LIST)
		return run_with(r, t, at + 1, op->end, v);
	for (size_t i = 0; i < v->list.n; i++)
		if (!run_with(r, t, at + 1, op->end, v->list.items[i]))
			return false;
	return true;
}

static const struct template *
target(struct render *r, struct op *op)
{
	if (!op->dynamic) {
		struct template *t = __atomic_load_n(&op->target, __ATOMIC_RELAXED);
		if (!t && (t = mustache_find(r->set, op->text)))
			__atomic_store_n(&op->target, t, __ATOMIC_RELAXED);
		return t;
	}
	const struct value *v = lookup(r, op);
	return v && v->type == VALUE_TEXT ? mustache_find(r->set, v->s) : NULL;
}

static struct str
deeper(struct render *r, struct str more)
{
	if (!more.n)
		return r->indent;
	if (!r->indent.n)
		return more;
	return str_of(arena_printf(r->a, "%.*s%.*s", STR_ARG(r->indent), STR_ARG(more)));
}

static bool
run_template(struct render *r, struct op *op, const struct arguments *arguments)
{
	const struct template *t = target(r, op);
	if (!t)
		return true;
	if (r->templates == MOST_TEMPLATES)
		return error_set(r->e, ERR_INVALID,
		    "Partial %s is nested too deeply; does it include itself?", t->name);
	struct str indent = r->indent;
	const struct arguments *outer = r->arguments;
	r->indent = deeper(r, op->indent);
	r->arguments = arguments;
	r->templates++;
	bool good = run(r, t, 0, t->count);
	r->templates--;
	r->arguments = outer;
	r->indent = indent;
	return good;
}

/* The block of that name among the arguments, from the outermost inwards. */
static const struct arguments *
find_argument(const struct render *r, struct str name, int *at)
{
	const struct arguments *found = NULL;
	for (const struct arguments *g = r->arguments; g; g = g->outer)
		for (int i = g->from; i < g->to; i = g->t->ops[i].end)
			if (g->t->ops[i].kind == OP_BLOCK && str_eq(g->t->ops[i].text, name)) {
				found = g;
				*at = i;
				break;
			}
	return found;
}

/* What overrides a block belongs to the template that says so: blocks inside it are overridden by
 * that template's own arguments, never by itself. */
static bool
run_block(struct render *r, const struct template *t, int at)
{
	const struct op *op = &t->ops[at];
	int i = 0;
	const struct arguments *g = find_argument(r, op->text, &i), *inner = r->arguments;
	if (!g)
		return run(r, t, at + 1, op->end);
	struct str indent = r->indent;
	r->indent = deeper(r, op->indent);
	r->arguments = g->outer;
	int from = i + 1, to = g->t->ops[i].end;
	if (op->indent.n && from < to && !g->t->ops[from].line_start)
		buf_str(r->out, r->indent);
	bool good = run(r, g->t, from, to);
	r->arguments = inner;
	r->indent = indent;
	return good;
}

static bool
run(struct render *r, const struct template *t, int from, int to)
{
	bool good = true;
	for (int i = from; good && i < to; i = t->ops[i].end) {
		struct op *op = &t->ops[i];
		if (op->kind != OP_TEXT)
			put_indent(r, op);
		switch (op->kind) {
		case OP_TEXT:
			put_text(r, op);
			break;
		case OP_VALUE:
		case OP_RAW:
			put_value(r, op);
			break;
		case OP_SECTION:
		case OP_INVERTED:
			good = run_section(r, t, i);
			break;
		case OP_PARTIAL:
			good = run_template(r, op, NULL);
			break;
		case OP_PARENT: {
			struct arguments g = {t, i + 1, op->end, r->arguments};
			good = run_template(r, op, &g);
			break;
		}
		case OP_BLOCK:
			good = run_block(r, t, i);
			break;
		}
	}
	return good;
}

bool
mustache_render(const struct mustache_set *set, struct arena *scratch, const char *name,
    const struct value *model, struct buf *out, struct error *e)
{
	const struct template *t = mustache_find(set, str_of(name));
	if (!t)
		return error_set(e, ERR_INTERNAL, "There is no template %s.", name);
	struct render r = {
	    .set = set, .a = scratch, .out = out, .e = e, .contexts = {model}, .depth = 1};
	return run(&r, t, 0, t->count);
}
