#include "rules/render.h"

#include <string.h>

#include "base/mustache.h"
#include "rules/columns.h"
#include "rules/render_clean.h"

enum { MOST_DEPTH = 20 };

/* What a placeholder says where neither the lead, nor the text, nor the version knows better. */
static const struct {
	const char *name, *text;
} fallbacks[] = {{"contact", "there"}, {"name", "there"}, {"first_name", "there"},
    {"company", "your company"}, {"rep", "our team"}, {"agent", "our team"}};

/* A section of a text: {{#name}}, {{^name}}. Those around others come before them. */
struct section {
	char kind;
	struct str name;
	int around; /* the one that it stands in, or NONE */
};

/* A place where a value goes. */
struct place {
	struct str name, stated; /* stated: the default that stands there, cleaned */
	const char *key;         /* of the value in the model */
	int around;
};

enum { NONE = -1 };

struct render {
	struct mustache_set *set; /* of one template, with the keys in place of the names */
	struct section *sections;
	struct place *places;
	int nsections, nplaces;
	struct value *names;
};

/* The reading of a text. */
struct reading {
	struct arena *a;
	struct render *r;
	struct buf out;
	struct str text; /* the whole, for telling the line */
	int open[MOST_DEPTH];
	int depth;
};

/* --- values ------------------------------------------------------------------------------------
 */

static struct str
text_of(struct arena *a, const struct value *map, struct str name)
{
	const struct value *v = value_get_str(map, name);
	if (!v || v->type == VALUE_MAP || v->type == VALUE_LIST)
		return STR("");
	struct buf b;
	buf_init(&b, a);
	value_print(&b, v);
	return render_clean(a, buf_view(&b));
}

static bool
list_has(const struct value *list, struct str s)
{
	for (size_t i = 0; i < list->list.n; i++)
		if (str_eq(list->list.items[i]->s, s))
			return true;
	return false;
}

static void
list_once(struct arena *a, struct value *list, struct str s)
{
	if (list && !list_has(list, s))
		value_push(a, list, value_text(a, s));
}

static struct str
fallback_of(struct str name)
{
	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(fallbacks[0]); i++)
		if (str_is(name, fallbacks[i].name))
			return str_of(fallbacks[i].text);
	return STR("");
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool
wrong(const struct reading *g, const char *at, struct error *e, const char *what)
{
	int line = 1;
	for (const char *p = g->text.p; p < at; p++)
		line += *p == '\n';
	return error_set(e, ERR_INVALID, "Line %d: %s", line, what);
}

static int
around(const struct reading *g)
{
	return g->depth ? g->open[g->depth - 1] : NONE;
}

/* A section stays one, over the cleaned value, so that mustache itself drops or keeps what it
 * encloses. */
static bool
put_section(struct reading *g, char kind, struct str name, const char *at, struct error *e)
{
	struct render *r = g->r;
	if (kind == '/') {
		if (!g->depth || !str_eq(r->sections[around(g)].name, name))
			return wrong(g, at, e, "a {{/section}} ends that was not open.");
		g->depth--;
	} else {
		if (g->depth == MOST_DEPTH)
			return wrong(g, at, e, "sections are nested too deeply.");
		r->sections[r->nsections] = (struct section){kind, name, around(g)};
		g->open[g->depth++] = r->nsections++;
		list_once(g->a, r->names, name);
	}
	buf_printf(&g->out, "{{%c%.*s}}", kind, STR_ARG(name));
	return true;
}

/*
 * A value's tag becomes {{@1}}, {{@2}}, … with a member of its own, since every place may state
 * another default, and no column can be called so.
 */
static bool
put_tag(struct reading *g, struct str inside, const char *at, struct error *e)
{
	struct render *r = g->r;
	struct str s = str_trim(inside);
	char kind = '\0';
	if (s.n)
		kind = s.p[0];
	if (str_find(s, "{{") < s.n)
		return wrong(g, at, e, "a {{placeholder}} is not closed.");
	if (kind == '!')
		return true;
	if (kind && strchr("=><$", kind))
		return wrong(g, at, e,
		    "only {{name}}, {{name|default}}, {{#name}}…{{/name}} and {{^name}}…{{/name}} can be used.");
	if (kind && strchr("&#^/", kind))
		s = str_sub(s, 1, s.n);
	struct str rest = s, shown = str_cut(&rest, '|');
	struct str name = str_of(columns_key(g->a, str_trim(shown)));
	if (!name.n)
		return wrong(g, at, e, "a placeholder has no name.");
	if (kind && strchr("#^/", kind))
		return put_section(g, kind, name, at, e);
	list_once(g->a, r->names, name);
	const char *key = arena_printf(g->a, "@%d", r->nplaces + 1);
	/* The default's braces go, too: one at its end would make a pair with what follows. */
	r->places[r->nplaces++] =
	    (struct place){name, render_clean(g->a, str_trim(rest)), key, around(g)};
	buf_printf(&g->out, "{{%s}}", key);
	return true;
}

static bool
rewrite(struct reading *g, struct error *e)
{
	for (struct str s = g->text; s.n;) {
		size_t open = str_find(s, "{{");
		buf_str(&g->out, str_sub(s, 0, open));
		s = str_sub(s, open, s.n);
		if (!s.n)
			break;
		bool triple = s.n > 2 && s.p[2] == '{';
		size_t braces = triple ? 3 : 2;
		struct str rest = str_sub(s, braces, s.n);
		size_t close = str_find(rest, triple ? "}}}" : "}}");
		if (close == rest.n)
			return wrong(g, s.p, e, "a {{placeholder}} is not closed.");
		if (!put_tag(g, str_sub(rest, 0, close), s.p, e))
			return false;
		s = str_sub(rest, close + braces, rest.n);
	}
	return !g->depth || wrong(g, g->text.p + g->text.n, e, "a {{#section}} is not ended.");
}

static int
tags_of(struct str text)
{
	int n = 0;
	for (size_t at; (at = str_find(text, "{{")) < text.n; n++)
		text = str_sub(text, at + 2, text.n);
	return n;
}

/* Without the template: enough for knowing the names. */
static bool
read_text(struct arena *a, struct str text, struct reading *g, struct error *e)
{
	int most = tags_of(text);
	struct render *r = arena_new_of(a, struct render);
	*r = (struct render){.names = value_list(a),
	    .sections = arena_new_array(a, struct section, most + 1),
	    .places = arena_new_array(a, struct place, most + 1)};
	*g = (struct reading){.a = a, .r = r, .text = text};
	buf_init(&g->out, a);
	return rewrite(g, e);
}

struct render *
render_read(struct arena *a, struct str text, struct error *e)
{
	struct reading g;
	if (!read_text(a, str_copy(a, text), &g, e))
		return NULL;
	g.r->set = mustache_set_new(a, MUSTACHE_PLAIN);
	return mustache_add(g.r->set, "prompt", buf_view(&g.out), e) ? g.r : NULL;
}

struct value *
render_names(struct arena *a, struct str text, struct error *e)
{
	struct reading g;
	return read_text(a, text, &g, e) ? g.r->names : NULL;
}

/* --- filling -----------------------------------------------------------------------------------
 */

static struct str
resolve(struct arena *a, const struct place *p, struct str text, const struct value *defaults)
{
	if (text.n)
		return text;
	if (p->stated.n)
		return p->stated;
	text = text_of(a, defaults, p->name);
	return text.n ? text : fallback_of(p->name);
}

static struct value *
model_of(struct arena *a, const struct render *r, const struct value *values,
    const struct value *defaults, struct value *missing)
{
	struct value *model = value_map(a);
	bool *hidden = arena_new_array(a, bool, r->nsections + 1);
	for (int i = 0; i < r->nsections; i++) {
		const struct section *s = &r->sections[i];
		struct str text = text_of(a, values, s->name);
		hidden[i] =
		    (s->kind == '#') == (text.n == 0) || (s->around != NONE && hidden[s->around]);
		value_set_str(a, model, s->name, value_text(a, text));
	}
	for (int i = 0; i < r->nplaces; i++) {
		const struct place *p = &r->places[i];
		struct str text = text_of(a, values, p->name);
		if (!text.n && (p->around == NONE || !hidden[p->around]))
			list_once(a, missing, p->name);
		value_set(a, model, p->key, value_text(a, resolve(a, p, text, defaults)));
	}
	return model;
}

bool
render_fill(struct arena *a, const struct render *r, const struct value *values,
    const struct value *defaults, struct str *out, struct value *missing, struct error *e)
{
	struct buf result;
	buf_init(&result, a);
	if (!mustache_render(
		r->set, a, "prompt", model_of(a, r, values, defaults, missing), &result, e))
		return false;
	if (result.n > RENDER_MOST)
		return error_set(e, ERR_INVALID, "The text is too long: %zu bytes; %d are allowed.",
		    result.n, RENDER_MOST);
	*out = buf_view(&result);
	return true;
}

bool
render_prompt(struct arena *a, struct str text, const struct value *values,
    const struct value *defaults, struct str *out, struct value *missing, struct error *e)
{
	const struct render *r = render_read(a, text, e);
	return r && render_fill(a, r, values, defaults, out, missing, e);
}

struct value *
render_used(struct arena *a, const struct render *r, const struct value *values)
{
	struct value *used = value_map(a);
	for (size_t i = 0; i < r->names->list.n; i++) {
		struct str name = r->names->list.items[i]->s, value = text_of(a, values, name);
		if (value.n)
			value_set_str(a, used, name, value_text(a, value));
	}
	return used;
}
