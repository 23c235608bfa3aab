#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mustache.h"

static const char *
render_value(
    struct arena *a, enum mustache_escape escape, const char *text, const struct value *model)
{
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, escape);
	buf_init(&out, a);
	if (!mustache_add(set, "t", str_of(text), &e) ||
	    !mustache_render(set, a, "t", model, &out, &e))
		fail_msg("%s", e.message);
	return out.p;
}

static const char *
render(struct arena *a, enum mustache_escape escape, const char *text, const char *json)
{
	struct error e = {0};
	struct value *model = json_parse(a, str_of(json), &e);
	if (!model)
		fail_msg("%s", e.message);
	return render_value(a, escape, text, model);
}

static void
plain_sets_do_not_escape(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_string_equal(render(a, MUSTACHE_PLAIN, "{{x}}", "{\"x\":\"<&>\"}"), "<&>");
	assert_string_equal(render(a, MUSTACHE_HTML, "{{x}}", "{\"x\":\"<&>\"}"), "&lt;&amp;&gt;");
	arena_free(a);
}

static void
presentation_is_asked_for_by_name(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_string_equal(
	    render(a, MUSTACHE_HTML, "{{n.grouped}}", "{\"n\":1234567}"), "1,234,567");
	assert_string_equal(
	    render(a, MUSTACHE_HTML, "{{s.label}}", "{\"s\":\"no_answer\"}"), "No answer");
	assert_string_equal(
	    render(a, MUSTACHE_HTML, "{{#s}}{{.label}}{{/s}}", "{\"s\":\"busy\"}"), "Busy");
	assert_string_equal(render(a, MUSTACHE_HTML, "{{l.count}}", "{\"l\":[1,2,3]}"), "3");
	arena_free(a);
}

static void
presentation_of_our_own_types(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct value *m = value_map(a);
	clock_freeze(INT64_C(1795219200) * CLOCK_SECOND);
	value_set(a, m, "t", value_time(a, clock_now() - 240 * CLOCK_SECOND));
	value_set(a, m, "cost", value_money(a, 1250000));
	value_set(a, m, "to", value_phone(a, STR("+12125550150")));
	value_set(a, m, "odd", value_phone(a, STR("<b>")));
	assert_string_equal(render_value(a, MUSTACHE_HTML,
				"{{t}} {{t.ago}} {{#t}}{{.ago}}{{/t}} {{cost}} {{cost.usd}} {{to}} "
				"{{to.pretty}} {{odd}} {{&odd}}",
				m),
	    "2026-11-20T23:56:00Z 4 min ago 4 min ago 1.25 $1.25 +12125550150 (212) 555-0150 "
	    "&lt;b&gt; <b>");
	clock_freeze(0);
	arena_free(a);
}

/* A text in the way does not hide a row's own member behind its presentation. */
static void
bare_names_come_from_maps(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_string_equal(render(a, MUSTACHE_HTML, "{{#name}}{{label}} {{.label}}{{/name}}",
				"{\"name\":\"jane_doe\",\"label\":\"Lead\"}"),
	    "Lead Jane doe");
	assert_string_equal(
	    render(a, MUSTACHE_HTML, "{{#rows}}{{x}}{{y}};{{/rows}}",
		"{\"y\":9,\"rows\":[{\"x\":1},{\"z\":0,\"x\":2},{\"y\":3,\"x\":4},{},5]}"),
	    "19;29;43;9;9;");
	arena_free(a);
}

static void
bad_templates_name_their_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {{"a\nb {{#x}}\nc", "Line 2: "}, {"{{/x}}", "Line 1: "},
	    {"{{#a}}{{#b}}{{/a}}{{/b}}", "Line 1: "}, {"\n\n{{x", "Line 3: "}, {"{{}}", "Line 1: "},
	    {"{{=}}", "Line 1: "}, {"{{=a b c=}}", "Line 1: "}, {"{{{x}}", "Line 1: "},
	    {"{{! never", "Line 1: "}, {"{{<p}}{{$b}}{{/p}}", "Line 1: "}, {"{{", "Line 1: "},
	    {"{{{}}}", "Line 1: "}, {"{{{ }}}", "Line 1: "}, {"{{&}}", "Line 1: "},
	    {"{{>*}}", "Line 1: "}, {"{{<* }}", "Line 1: "}, {"{{= =}}", "Line 1: "},
	    {"{{=a\tb\tc=}}", "Line 1: "}, {"{{=| |=}}|x", "Line 1: "}, {"{{#}}", "Line 1: "},
	    {"{{!\n\n}}\n{{/x}}", "Line 4: "}, {"{{x\n}}{{/x}}", "Line 2: "},
	    {"\r\n{{^x}}", "Line 2: "}, {"{{=<% %>=}}\n<%={{ }}=%>\n{{#x}}", "Line 3: "},
	    {"{{x}}{{y}}\n{{z}", "Line 2: "}};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = {0};
		struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
		if (mustache_add(set, "t", str_of(bad[i].text), &e))
			fail_msg("accepted: %s", bad[i].text);
		assert_int_equal(e.kind, ERR_INVALID);
		if (!str_starts(str_of(e.message), bad[i].says))
			fail_msg("%s: %s", bad[i].text, e.message);
		assert_false(mustache_has(set, STR("t")));
	}
	struct buf name;
	buf_init(&name, a);
	buf_printf(&name, "{{%0999d}}", 1);
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	assert_false(mustache_add(set, "t", buf_view(&name), NULL));
	arena_free(a);
}

/* Every beginning of a template with all kinds of tags either compiles and renders, or is refused.
 */
static void
cut_and_bent_templates_do_no_harm(void **state)
{
	static const char whole[] =
	    "a {{x}} {{{y}}} {{&z}}\n {{#s}}\n{{.}} {{/s}}\n{{^i}}no{{/i}}\n"
	    "{{! c }}\n{{=<% %>=}}\n<%x%>\n<%={{ }}=%>\n  {{>p}}\n{{>*d}}\n"
	    "  {{<p}}\n {{$b}}\n  q\n {{/b}}\n{{/p}}\n{{$b}}w{{/b}}\r\n{{x.y.z}}{{...}}";
	static const char odd[] = "{}#^/!=<>$*&. \n\r\0\xC3x";
	(void)state;
	struct arena *a = arena_new(65536), *kept = arena_new(4096);
	struct value *model = json_parse(kept,
	    STR("{\"x\":{\"y\":1},\"y\":\"<\",\"z\":\"&\",\"s\":[1,\"2\",[3]],\"d\":\"p\"}"), NULL);
	int good = 0, bad = 0;
	for (size_t i = 0; i < sizeof(whole); i++)
		for (size_t k = 0; k < sizeof(odd); k++) {
			struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
			struct buf out;
			/* On the heap, so that reading past its end is noticed. */
			char *text = arena_alloc(a, sizeof(whole) - 1);
			size_t n = k ? sizeof(whole) - 1 : i;
			memcpy(text, whole, n);
			if (k && i < n)
				text[i] = odd[k - 1];
			buf_init(&out, a);
			assert_true(mustache_add(set, "p", STR("[{{$b}}dflt{{/b}}]\n"), NULL));
			if (mustache_add(set, "t", (struct str){text, n}, NULL) &&
			    mustache_render(set, a, "t", model, &out, NULL))
				good++;
			else
				bad++;
			arena_reset(a);
		}
	assert_true(good > 1000 && bad > 1000);
	arena_free(kept);
	arena_free(a);
}

static void
refuses_to_render(struct mustache_set *set, struct arena *a, const char *text, const char *json)
{
	struct error e = {0};
	struct buf out;
	buf_init(&out, a);
	if (!mustache_add(set, "t", str_of(text), &e))
		fail_msg("%s", e.message);
	assert_false(mustache_render(set, a, "t", json_parse(a, str_of(json), NULL), &out, &e));
	assert_int_equal(e.kind, ERR_INVALID);
}

static void
endless_templates_end(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	refuses_to_render(set, a, "x{{>t}}", "{}");
	refuses_to_render(set, a, "{{>*n}}", "{\"n\":\"t\"}");
	refuses_to_render(set, a, "{{<t}}{{$b}}x{{/b}}{{/t}}", "{}");
	refuses_to_render(set, a, "{{#x}}{{>t}}{{>t}}{{/x}}", "{\"x\":[1,2,3]}");
	refuses_to_render(set, a, "  {{>t}}\n", "{}"); /* an indentation that grows and grows */
	/* As much stack as can be had: every template nests as deep as it may. */
	struct buf deep;
	buf_init(&deep, a);
	for (int i = 0; i < 100; i++)
		buf_puts(&deep, "{{^no}}");
	buf_puts(&deep, "{{>t}}");
	for (int i = 0; i < 100; i++)
		buf_puts(&deep, "{{/no}}");
	refuses_to_render(set, a, deep.p, "{}");
	/* ... and every section is a context. */
	refuses_to_render(
	    set, a, "{{#x}}{{#x}}{{#x}}{{#x}}{{>t}}{{/x}}{{/x}}{{/x}}{{/x}}", "{\"x\":true}");
	arena_free(a);
}

static void
nesting_is_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	for (int depth = 99; depth < 5000; depth += 4900) {
		struct error e = {0};
		struct buf text;
		buf_init(&text, a);
		for (int i = 0; i < depth; i++)
			buf_puts(&text, "{{#a}}");
		for (int i = 0; i < depth; i++)
			buf_puts(&text, "{{/a}}");
		struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
		assert_int_equal(mustache_add(set, "t", buf_view(&text), &e), depth < 100);
	}
	arena_free(a);
}

/* An override that holds a block of its own name: that block is not overridden by itself. */
static void
overrides_do_not_override_themselves(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	assert_true(mustache_add(set, "p", STR("[{{$b}}p{{/b}}]"), &e));
	assert_true(
	    mustache_add(set, "m", STR("{{<p}}{{$b}}m({{$b}}inner{{/b}}){{/b}}{{/p}}"), &e));
	assert_true(mustache_add(set, "t", STR("{{>m}} {{<m}}{{$b}}t{{/b}}{{/m}}"), &e));
	buf_init(&out, a);
	assert_true(mustache_render(set, a, "t", value_map(a), &out, &e));
	assert_string_equal(out.p, "[m(inner)] [t]");
	arena_free(a);
}

static void
huge_pages(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct error e = {0};
	struct buf text, out;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	struct value *m = value_map(a), *rows = value_set(a, m, "rows", value_list(a));
	for (int i = 0; i < 100000; i++)
		value_push(a, rows, value_int(a, i % 10));
	buf_init(&text, a);
	for (int i = 0; i < 50000; i++)
		buf_puts(&text, "{{x}}<\n");
	buf_puts(&text, "{{#rows}}{{.}}{{/rows}}");
	assert_true(mustache_add(set, "t", buf_view(&text), &e));
	buf_init(&out, a);
	assert_true(mustache_render(set, a, "t", m, &out, &e));
	assert_int_equal(out.n, 50000 * 2 + 100000);
	assert_true(str_ends(buf_view(&out), "7890123456789"));
	arena_free(a);
}

static void
put(struct arena *a, const char *dir, const char *name, const char *text)
{
	int fd = open(arena_printf(a, "%s/%s", dir, name), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
folders_give_names(void **state)
{
	static const char *const folders[] = {"partials", "mail", "prompts"};
	static const char *const files[][2] = {{"leads.mustache", "{{>chip}}!"},
	    {"partials/chip.mustache", "chip"}, {"mail/welcome.mustache", "hello"},
	    {"prompts/default.txt", "{{never compiled"}, {"notes.mustache~", "{{"},
	    {".x.mustache", "{{"}};
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	char dir[] = "/tmp/trunkline-templates-XXXXXX";
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(mkdir(arena_printf(a, "%s/%s", dir, folders[i]), 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put(a, dir, files[i][0], files[i][1]);
	if (!mustache_add_dir(set, dir, &e))
		fail_msg("%s", e.message);
	assert_true(mustache_has(set, STR("leads")) && mustache_has(set, STR("chip")) &&
		    mustache_has(set, STR("mail/welcome")));
	assert_false(mustache_has(set, STR("partials/chip")) || mustache_has(set, STR("default")));
	buf_init(&out, a);
	assert_true(mustache_render(set, a, "leads", value_map(a), &out, &e));
	assert_string_equal(out.p, "chip!");
	assert_false(mustache_render(set, a, "nowhere", value_map(a), &out, &e));
	assert_int_equal(e.kind, ERR_INTERNAL);
	put(a, dir, "bad.mustache", "\n{{#x}}");
	assert_false(mustache_add_dir(set, dir, &e));
	assert_int_equal(e.kind, ERR_INVALID);
	assert_non_null(strstr(e.message, "bad.mustache: Line 2: "));
	unlink(arena_printf(a, "%s/bad.mustache", dir));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(arena_printf(a, "%s/%s", dir, files[i][0]));
	for (size_t i = 0; i < 3; i++)
		rmdir(arena_printf(a, "%s/%s", dir, folders[i]));
	assert_int_equal(rmdir(dir), 0);
	assert_false(mustache_add_dir(set, dir, &e));
	arena_free(a);
}

static void
a_template_can_be_replaced(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	assert_true(mustache_add(set, "p", STR("old"), &e));
	assert_true(mustache_add(set, "t", STR("{{>p}}"), &e));
	buf_init(&out, a);
	assert_true(mustache_render(set, a, "t", value_map(a), &out, &e));
	assert_true(mustache_add(set, "p", STR("new"), &e));
	assert_false(mustache_add(set, "p", STR("{{#"), &e));
	assert_true(mustache_render(set, a, "t", value_map(a), &out, &e));
	assert_string_equal(out.p, "oldnew");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_sets_do_not_escape),
	    cmocka_unit_test(presentation_is_asked_for_by_name),
	    cmocka_unit_test(presentation_of_our_own_types),
	    cmocka_unit_test(bare_names_come_from_maps),
	    cmocka_unit_test(bad_templates_name_their_line),
	    cmocka_unit_test(cut_and_bent_templates_do_no_harm),
	    cmocka_unit_test(endless_templates_end),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(overrides_do_not_override_themselves),
	    cmocka_unit_test(huge_pages),
	    cmocka_unit_test(folders_give_names),
	    cmocka_unit_test(a_template_can_be_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
