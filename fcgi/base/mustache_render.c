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

static const struct value *
lookup(struct render *r, const struct op *op)
{
	const struct value *v = NULL;
	int next = 1;
	if (op->path[0].n == 1 && op->path[0].p[0] == '.')
		v = r->contexts[r->depth - 1];
	else
		for (int i = r->depth - 1; i >= 0 && !v; i--) {
			const struct value *c = r->contexts[i];
			v = c->type == VALUE_MAP ? value_get_str(c, op->path[0])
						 : value_member(r->a, c, op->path[0]);
		}
	for (; v && next < op->parts; next++)
		v = value_member(r->a, v, op->path[next]);
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
	if (op->kind == OP_RAW || r->set->escape == MUSTACHE_PLAIN) {
		value_print(r->out, v);
	} else if (v->type == VALUE_TEXT) {
		buf_html(r->out, v->s);
	} else if (v->type == VALUE_INT || v->type == VALUE_BOOL || v->type == VALUE_PHONE) {
		value_print(r->out, v);
	} else {
		struct buf b;
		buf_init(&b, r->a);
		value_print(&b, v);
		buf_html(r->out, buf_view(&b));
	}
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
		if (!op->target)
			op->target = mustache_find(r->set, op->text);
		return op->target;
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
		return error_set(
		    r->e, ERR_INVALID, "Partial %s includes itself without end.", t->name);
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

static bool
run_block(struct render *r, const struct template *t, int at)
{
	const struct op *op = &t->ops[at];
	int i = 0;
	const struct arguments *g = find_argument(r, op->text, &i);
	if (!g)
		return run(r, t, at + 1, op->end);
	struct str indent = r->indent;
	r->indent = deeper(r, op->indent);
	int from = i + 1, to = g->t->ops[i].end;
	if (op->indent.n && from < to && !g->t->ops[from].line_start)
		buf_str(r->out, r->indent);
	bool good = run(r, g->t, from, to);
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
