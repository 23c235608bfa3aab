#include "rules/render.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mustache.h"
#include "rules/columns.h"

enum { MOST_VALUE = 500, MOST_DEPTH = 20 };

/* What a placeholder says where neither the lead, nor the text, nor the version knows better. */
static const struct {
	const char *name, *text;
} fallbacks[] = {{"contact", "there"}, {"name", "there"}, {"first_name", "there"},
    {"company", "your company"}, {"rep", "our team"}, {"agent", "our team"}};

struct job {
	struct arena *a;
	const struct value *values, *defaults;
	struct value *missing; /* may be NULL */
	struct value *model, *names;
	struct buf out;
	struct str text; /* the whole, for telling the line */
	struct {
		struct str name;
		bool hides;
	} open[MOST_DEPTH]; /* sections around the place */
	int depth, hidden;  /* how many of them, and how many of those do not show */
	int tags;
};

/* --- values ------------------------------------------------------------------------------------
 */

/* The length of an invisible character at the front (zero width, direction marks), or 0. */
static size_t
invisible(struct str s)
{
	static const char *const ranges[][2] = {{"\xE2\x80\x8B", "\xE2\x80\x8F"},
	    {"\xE2\x80\xA8", "\xE2\x80\xAE"}, {"\xE2\x81\xA0", "\xE2\x81\xAF"},
	    {"\xEF\xBB\xBF", "\xEF\xBB\xBF"}};
	if (s.n >= 2 && (unsigned char)s.p[0] == 0xC2 && (unsigned char)s.p[1] < 0xA0)
		return 2; /* C1 controls */
	for (size_t i = 0; s.n >= 3 && i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (memcmp(s.p, ranges[i][0], 3) >= 0 && memcmp(s.p, ranges[i][1], 3) <= 0)
			return 3;
	return 0;
}

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
	for (size_t i = 0, skip; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((skip = invisible(str_sub(s, i, s.n)))) {
			i += skip - 1;
			continue;
		}
		c = c == '{' ? '(' : c == '}' ? ')' : c < 0x20 || c == 0x7F ? ' ' : c;
		if (c != ' ' || (b.n && b.p[b.n - 1] != ' '))
			buf_putc(&b, (char)c);
	}
	return str_trim(buf_view(&b));
}

static struct str
text_of(struct arena *a, const struct value *map, struct str name)
{
	const struct value *v = value_get_str(map, name);
	if (!v || v->type == VALUE_MAP || v->type == VALUE_LIST)
		return STR("");
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

static struct str
resolve(struct job *j, struct str name, struct str stated)
{
	struct str text = text_of(j->a, j->values, name);
	if (text.n)
		return text;
	if (!j->hidden)
		list_once(j->a, j->missing, name);
	/* Its braces, too: one at its end would make a pair with what follows. */
	if (stated.n)
		return clean(j->a, stated);
	text = text_of(j->a, j->defaults, name);
	return text.n ? text : fallback_of(name);
}

/* --- tags --------------------------------------------------------------------------------------
 */

static bool
wrong(struct job *j, const char *at, struct error *e, const char *what)
{
	int line = 1;
	for (const char *p = j->text.p; p < at; p++)
		line += *p == '\n';
	return error_set(e, ERR_INVALID, "Line %d: %s", line, what);
}

/* A section stays one, over the cleaned value, so that mustache itself drops or keeps what it
 * encloses. */
static bool
put_section(struct job *j, char kind, struct str name, const char *at, struct error *e)
{
	if (kind == '/') {
		if (!j->depth || !str_eq(j->open[j->depth - 1].name, name))
			return wrong(j, at, e, "a {{/section}} ends that was not open.");
		j->hidden -= j->open[--j->depth].hides;
	} else {
		if (j->depth == MOST_DEPTH)
			return wrong(j, at, e, "sections are nested too deeply.");
		struct str text = text_of(j->a, j->values, name);
		bool hides = (kind == '#') == (text.n == 0);
		j->open[j->depth].name = name;
		j->open[j->depth++].hides = hides;
		j->hidden += hides;
		value_set_str(j->a, j->model, name, value_text(j->a, text));
		list_once(j->a, j->names, name);
	}
	buf_printf(&j->out, "{{%c%.*s}}", kind, STR_ARG(name));
	return true;
}

/*
 * A value's tag becomes {{@1}}, {{@2}}, … with a member of its own, since every place may state
 * another default, and no column can be called so.
 */
static bool
put_tag(struct job *j, struct str inside, const char *at, struct error *e)
{
	struct str s = str_trim(inside);
	char kind = '\0';
	if (s.n)
		kind = s.p[0];
	if (str_find(s, "{{") < s.n)
		return wrong(j, at, e, "a {{placeholder}} is not closed.");
	if (kind == '!')
		return true;
	if (kind && strchr("=><$", kind))
		return wrong(j, at, e,
		    "only {{name}}, {{name|default}}, {{#name}}…{{/name}} and {{^name}}…{{/name}} can be used.");
	if (kind && strchr("&#^/", kind))
		s = str_sub(s, 1, s.n);
	struct str rest = s, shown = str_cut(&rest, '|');
	struct str name = str_of(columns_key(j->a, str_trim(shown)));
	if (!name.n)
		return wrong(j, at, e, "a placeholder has no name.");
	if (kind && strchr("#^/", kind))
		return put_section(j, kind, name, at, e);
	list_once(j->a, j->names, name);
	const char *key = arena_printf(j->a, "@%d", ++j->tags);
	value_set(j->a, j->model, key, value_text(j->a, resolve(j, name, str_trim(rest))));
	buf_printf(&j->out, "{{%s}}", key);
	return true;
}

static bool
rewrite(struct job *j, struct error *e)
{
	for (struct str s = j->text; s.n;) {
		size_t open = str_find(s, "{{");
		buf_str(&j->out, str_sub(s, 0, open));
		s = str_sub(s, open, s.n);
		if (!s.n)
			break;
		bool triple = s.n > 2 && s.p[2] == '{';
		size_t braces = triple ? 3 : 2;
		struct str rest = str_sub(s, braces, s.n);
		size_t close = str_find(rest, triple ? "}}}" : "}}");
		if (close == rest.n)
			return wrong(j, s.p, e, "a {{placeholder}} is not closed.");
		if (!put_tag(j, str_sub(rest, 0, close), s.p, e))
			return false;
		s = str_sub(rest, close + braces, rest.n);
	}
	return !j->depth || wrong(j, j->text.p + j->text.n, e, "a {{#section}} is not ended.");
}

static struct job
begin(struct arena *a, struct str text)
{
	struct job j = {.a = a, .text = text, .model = value_map(a), .names = value_list(a)};
	buf_init(&j.out, a);
	return j;
}

bool
render_prompt(struct arena *a, struct str text, const struct value *values,
    const struct value *defaults, struct str *out, struct value *missing, struct error *e)
{
	struct job j = begin(a, text);
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_PLAIN);
	struct buf result;
	buf_init(&result, a);
	j.values = values;
	j.defaults = defaults;
	j.missing = missing;
	if (!rewrite(&j, e) || !mustache_add(set, "prompt", buf_view(&j.out), e) ||
	    !mustache_render(set, a, "prompt", j.model, &result, e))
		return false;
	if (result.n > RENDER_MOST)
		return error_set(e, ERR_INVALID, "The text is too long: %zu bytes; %d are allowed.",
		    result.n, RENDER_MOST);
	*out = buf_view(&result);
	return true;
}

struct value *
render_names(struct arena *a, struct str text, struct error *e)
{
	struct job j = begin(a, text);
	return rewrite(&j, e) ? j.names : NULL;
}

struct value *
render_used(struct arena *a, struct str text, const struct value *values)
{
	struct value *names = render_names(a, text, NULL), *used = value_map(a);
	for (size_t i = 0; names && i < names->list.n; i++) {
		struct str name = names->list.items[i]->s, value = text_of(a, values, name);
		if (value.n)
			value_set_str(a, used, name, value_text(a, value));
	}
	return used;
}

/* --- a lead's values -----------------------------------------------------------------------------
 */

/* "Ada Lovelace", "Lovelace, Ada" -> "Ada" */
static struct str
first_name(struct str contact)
{
	struct str after = contact, before = str_cut(&after, ',');
	struct str s = str_trim(str_trim(after).n ? after : before);
	return str_sub(s, 0, str_chr(s, ' '));
}

/* Days begin, and clocks are changed, at full quarters of an hour; until the next one the date of a
 * zone is as it was. Finding it out reads a file. */
static struct value *
today(struct arena *a, const struct value *lead)
{
	enum { KEPT = 64, QUARTER = 900 };
	static struct {
		char zone[64], text[64];
		int64_t quarter;
	} kept[KEPT];
	int64_t now = clock_now(), quarter = now / CLOCK_SECOND / QUARTER;
	const char *zone = value_strz(a, lead, "time_zone");
	unsigned hash = 5381;
	for (const char *p = zone ? zone : ""; *p; p++)
		hash = hash * 33 + (unsigned char)*p;
	hash %= KEPT;
	if (kept[hash].quarter != quarter || strcmp(kept[hash].zone, zone ? zone : "") != 0) {
		struct buf b;
		buf_init(&b, a);
		clock_print_zone(&b, now, zone, "%A, %e %B %Y");
		snprintf(kept[hash].zone, sizeof(kept[hash].zone), "%s", zone ? zone : "");
		snprintf(kept[hash].text, sizeof(kept[hash].text), "%.*s",
		    STR_ARG(clean(a, buf_view(&b))));
		kept[hash].quarter = quarter;
	}
	return value_textz(a, arena_strdup(a, kept[hash].text));
}

static void
add_attributes(struct arena *a, struct value *values, const struct value *more)
{
	for (size_t i = 0; more && more->type == VALUE_MAP && i < more->map.n; i++) {
		struct str key = str_of(columns_key(a, more->map.members[i].key));
		const struct value *own = value_get_str(values, key);
		if (key.n && (!own || !value_truthy(own)))
			value_set_str(a, values, key, more->map.members[i].value);
	}
}

struct value *
render_values(struct arena *a, const struct value *lead, const char *rep)
{
	static const char *const own[] = {"phone", "contact", "company", "email", "location",
	    "region", "source", "assigned_agent", "notes", "list"};
	struct value *values = value_map(a);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct value *v = value_get(lead, own[i]);
		if (v && v->type != VALUE_NULL)
			value_set(a, values, own[i], v);
	}
	struct str contact = value_str(lead, "contact"), agent = value_str(lead, "assigned_agent");
	value_set(a, values, "name", value_text(a, contact));
	value_set(a, values, "agent", value_text(a, agent));
	value_set(a, values, "rep", value_text(a, rep && *rep ? str_of(rep) : agent));
	value_set(a, values, "today", today(a, lead));
	add_attributes(a, values, value_get(lead, "attributes"));
	if (!value_truthy(value_get(values, "first_name")))
		value_set(a, values, "first_name", value_text(a, first_name(contact)));
	return values;
}
