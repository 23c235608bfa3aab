/*
 * A template and its data: the page, a partial, a parent and the data as JSON, with lines "===" in
 * between. Members of the data take the type that a row's column of that name has.
 */
#include "base/mustache.h"
#include "fuzz.h"

/* Rows of the database hold more types than JSON has. */
static void
dress(struct value *v)
{
	for (size_t i = 0; v->type == VALUE_LIST && i < v->list.n; i++)
		dress(v->list.items[i]);
	for (size_t i = 0; v->type == VALUE_MAP && i < v->map.n; i++) {
		const struct member *m = &v->map.members[i];
		if (m->value->type == VALUE_INT && str_ends(m->key, "_at"))
			m->value->type = VALUE_TIME;
		else if (m->value->type == VALUE_INT && str_ends(m->key, "_usd"))
			m->value->type = VALUE_MONEY;
		else if (m->value->type == VALUE_TEXT && str_ends(m->key, "phone"))
			m->value->type = VALUE_PHONE;
		dress(m->value);
	}
}

static bool
has(struct str s, const char *what)
{
	return str_find(s, what) < s.n;
}

/* Without any markup of its own and without a raw tag, a template lets none of the data's through.
 */
static bool
is_tame(struct str all)
{
	return !has(all, "<") && !has(all, "{{{") && !has(all, "&") && !has(all, "=");
}

static void
render(
    struct arena *a, enum mustache_escape escape, struct str templates[3], const struct value *data)
{
	static const char *const names[] = {"page", "partial", "parent"};
	struct mustache_set *set = mustache_set_new(a, escape);
	struct error e = {0};
	bool tame = escape == MUSTACHE_HTML;
	for (size_t i = 0; i < 3; i++) {
		if (mustache_add(set, names[i], templates[i], &e))
			tame = tame && is_tame(templates[i]);
		else
			MUST(e.kind == ERR_INVALID && str_starts(str_of(e.message), "Line "));
	}
	struct buf out;
	buf_init(&out, a);
	if (!mustache_has(set, str_of("page")))
		return;
	bool good = mustache_render(set, a, "page", data, &out, &e);
	MUST(good || e.kind == ERR_INVALID);
	MUST(!tame || !has(buf_view(&out), "<"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct str rest = fuzz_input(data, size), templates[3];
	struct error e = {0};
	for (size_t i = 0; i < 3; i++)
		templates[i] = fuzz_section(&rest);
	struct value *model = json_parse(a, rest, &e);
	if (!model)
		model = value_map(a);
	dress(model);
	render(a, MUSTACHE_HTML, templates, model);
	render(a, MUSTACHE_PLAIN, templates, model);
	return 0;
}
