#include "rules/render.h"

#include <string.h>

#include "base/mustache.h"
#include "rules/columns.h"

enum { MOST_VALUE = 500, MOST_RESULT = 20000 };

/* What a placeholder says where neither the lead, nor the text, nor the version knows better. */
static const struct {
	const char *name, *text;
} fallbacks[] = {{"contact", "there"}, {"name", "there"}, {"first_name", "there"}, {"company", "your company"},
    {"rep", "our team"}, {"agent", "our team"}};

struct job {
	struct arena *a;
	const struct value *values, *defaults;
	struct value *missing; /* may be NULL */
	struct value *model;
	struct value *names;
	struct buf out;
	int tags;
};

/* Data stays data: one line's worth of printable text. */
static struct str
clean(struct arena *a, struct str s)
{
	struct buf b;
	buf_init(&b, a);
	if (s.n > MOST_VALUE) {
		s.n = MOST_VALUE;
		while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		buf_putc(&b, c < 0x20 || c == 0x7F ? ' ' : (char)c);
	}
	return str_trim(buf_view(&b));
}

static struct str
text_of(struct arena *a, const struct value *map, struct str name)
{
	const struct value *v = value_get_str(map, name);
	if (!v || v->type == VALUE_MAP || v->type == VALUE_LIST)
		return (struct str){0};
	struct buf b;
	buf_init(&b, a);
	value_print(&b, v);
	return clean(a, buf_view(&b));
}

static bool
list_has(const struct value *list, struct str s)
{
	for (size_t i = 0; i < list->list.n; i++)
		if (str_eq(list->list.items[i]->s, s))
			return true;
	return false;
}

static struct str
fallback_of(struct str name)
{
	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(fallbacks[0]); i++)
		if (str_is(name, fallbacks[i].name))
			return str_of(fallbacks[i].text);
	return (struct str){0};
}

static struct str
resolve(struct job *j, struct str name, struct str inline_default)
{
	struct str text = text_of(j->a, j->values, name);
	if (text.n)
		return text;
	if (j->missing && !list_has(j->missing, name))
		value_push(j->a, j->missing, value_text(j->a, name));
	if (inline_default.n)
		return inline_default;
	text = text_of(j->a, j->defaults, name);
	return text.n ? text : fallback_of(name);
}

/*
 * A value's tag becomes {{v1}}, {{v2}}, … with a member of its own, since every place may state another
 * default. Sections, comments and delimiters go through as they are.
 */
static void
put_tag(struct job *j, struct str inside, struct str whole)
{
	struct str s = str_trim(inside);
	if (s.n && strchr("#^/!=><$", s.p[0])) {
		buf_str(&j->out, whole);
		return;
	}
	if (s.n && s.p[0] == '&')
		s = str_trim(str_sub(s, 1, s.n));
	struct str rest = s, shown = str_trim(str_cut(&rest, '|'));
	struct str name = str_of(columns_key(j->a, shown));
	if (!name.n) {
		buf_str(&j->out, whole);
		return;
	}
	if (!list_has(j->names, name))
		value_push(j->a, j->names, value_text(j->a, name));
	const char *key = arena_printf(j->a, "v%d", ++j->tags);
	value_set(j->a, j->model, key, value_text(j->a, resolve(j, name, str_trim(rest))));
	buf_printf(&j->out, "{{%s}}", key);
}

static bool
rewrite(struct job *j, struct str text, struct error *e)
{
	struct str s = text;
	while (s.n) {
		size_t open = str_find(s, "{{");
		buf_str(&j->out, str_sub(s, 0, open));
		s = str_sub(s, open, s.n);
		if (!s.n)
			return true;
		bool triple = s.n > 2 && s.p[2] == '{';
		struct str rest = str_sub(s, triple ? 3 : 2, s.n);
		size_t close = str_find(rest, triple ? "}}}" : "}}");
		if (close == rest.n) {
			int line = 1;
			for (const char *p = text.p; p < s.p; p++)
				line += *p == '\n';
			return error_set(e, ERR_INVALID, "Line %d: a {{placeholder}} is not closed.", line);
		}
		size_t n = (triple ? 3 : 2) + close + (triple ? 3 : 2);
		put_tag(j, str_sub(rest, 0, close), str_sub(s, 0, n));
		s = str_sub(s, n, s.n);
	}
	return true;
}

static void
start(struct job *j, struct arena *a)
{
	j->a = a;
	j->model = value_map(a);
	j->names = value_list(a);
	buf_init(&j->out, a);
}

bool
render_prompt(struct arena *a, struct str text, const struct value *values, const struct value *defaults,
    struct str *out, struct value *missing, struct error *e)
{
	struct job j = {.values = values, .defaults = defaults, .missing = missing};
	start(&j, a);
	if (!rewrite(&j, text, e))
		return false;
	for (size_t i = 0; values && i < values->map.n; i++)
		if (!value_get_str(j.model, values->map.members[i].key))
			value_set_str(a, j.model, values->map.members[i].key, values->map.members[i].value);
	struct buf result;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_PLAIN);
	buf_init(&result, a);
	if (!mustache_add(set, "prompt", buf_view(&j.out), e) ||
	    !mustache_render(set, a, "prompt", j.model, &result, e))
		return false;
	if (result.n > MOST_RESULT)
		return error_set(e, ERR_INVALID, "The prompt is too long: %zu bytes; %d are allowed.", result.n,
		    MOST_RESULT);
	*out = buf_view(&result);
	return true;
}

struct value *
render_names(struct arena *a, struct str text, struct error *e)
{
	struct job j = {0};
	start(&j, a);
	return rewrite(&j, text, e) ? j.names : NULL;
}

static struct str
first_word(struct str s)
{
	s = str_trim(s);
	return str_sub(s, 0, str_chr(s, ' '));
}

struct value *
render_values(struct arena *a, const struct value *lead, const char *rep)
{
	static const char *const own[] = {"phone", "contact", "company", "email", "location", "region", "source",
	    "assigned_agent", "notes", "list"};
	struct value *values = value_map(a);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct value *v = value_get(lead, own[i]);
		if (v && v->type != VALUE_NULL)
			value_set(a, values, own[i], v);
	}
	struct str contact = value_str(lead, "contact"), agent = value_str(lead, "assigned_agent");
	value_set(a, values, "name", value_text(a, contact));
	if (rep && *rep)
		value_set_text(a, values, "rep", rep);
	else if (agent.n)
		value_set(a, values, "rep", value_text(a, agent));
	value_set(a, values, "agent", value_text(a, agent));
	const struct value *more = value_get(lead, "attributes");
	for (size_t i = 0; more && more->type == VALUE_MAP && i < more->map.n; i++) {
		struct str key = str_of(columns_key(a, more->map.members[i].key));
		if (!value_get_str(values, key) || !value_truthy(value_get_str(values, key)))
			value_set_str(a, values, key, more->map.members[i].value);
	}
	if (!value_get(values, "first_name"))
		value_set(a, values, "first_name", value_text(a, first_word(contact)));
	return values;
}
