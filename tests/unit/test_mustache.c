#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mustache.h"

/* The official specification's tests; lambdas are not part of ours. */
static const struct {
	const char *file;
	int least; /* so that an empty or cut file is noticed */
} specs[] = {{"comments", 12}, {"delimiters", 14}, {"interpolation", 40}, {"inverted", 22},
    {"partials", 12}, {"sections", 34}, {"~dynamic-names", 21}, {"~inheritance", 27}};

static struct str
read_file(struct arena *a, const char *path)
{
	struct buf b;
	char chunk[4096];
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg(
		    "%s is missing; set TRUNKLINE_SHARED to the folder that holds mustache-spec",
		    path);
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	return buf_view(&b);
}

static void
run_case(struct arena *a, const char *file, const struct value *test)
{
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	const struct value *partials = value_get(test, "partials");
	for (size_t i = 0; partials && partials->type == VALUE_MAP && i < partials->map.n; i++) {
		const struct member *m = &partials->map.members[i];
		if (!mustache_add(set, str_dup(a, m->key), m->value->s, &e))
			fail_msg("%s", e.message);
	}
	if (!mustache_add(set, "\x01test", value_str(test, "template"), &e))
		fail_msg("%s", e.message);
	buf_init(&out, a);
	if (!mustache_render(set, a, "\x01test", value_get(test, "data"), &out, &e))
		fail_msg("%s", e.message);
	if (!str_eq(buf_view(&out), value_str(test, "expected")))
		fail_msg("%s: %.*s: %.*s\n expected %s\n got      %s", file,
		    STR_ARG(value_str(test, "name")), STR_ARG(value_str(test, "desc")),
		    json_text(a, value_get(test, "expected")),
		    json_text(a, value_text(a, buf_view(&out))));
}

static void
run_spec(const char *file, int least)
{
	struct arena *a = arena_new(65536);
	struct error e = {0};
	const char *dir = getenv("TRUNKLINE_SHARED");
	struct str text = read_file(
	    a, arena_printf(a, "%s/mustache-spec/%s.json", dir && *dir ? dir : "../shared", file));
	const struct value *spec = json_parse(a, text, &e);
	if (!spec)
		fail_msg("%s: %s", file, e.message);
	const struct value *tests = value_get(spec, "tests");
	assert_true(tests && (int)tests->list.n >= least);
	for (size_t i = 0; i < tests->list.n; i++)
		run_case(a, file, tests->list.items[i]);
	arena_free(a);
}

static void
spec(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		run_spec(specs[i].file, specs[i].least);
}

static const char *
render(struct arena *a, enum mustache_escape escape, const char *text, const char *json)
{
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, escape);
	struct value *model = json_parse(a, str_of(json), &e);
	if (!model || !mustache_add(set, "t", str_of(text), &e))
		fail_msg("%s", e.message);
	buf_init(&out, a);
	if (!mustache_render(set, a, "t", model, &out, &e))
		fail_msg("%s", e.message);
	return out.p;
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
bad_templates_name_their_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {{"a\nb {{#x}}\nc", "Line 2"}, {"{{/x}}", "Line 1"},
	    {"{{#a}}{{#b}}{{/a}}{{/b}}", "Line 1"}, {"\n\n{{x", "Line 3"}, {"{{}}", "Line 1"},
	    {"{{=}}", "Line 1"}, {"{{=a b c=}}", "Line 1"}, {"{{{x}}", "Line 1"},
	    {"{{! never", "Line 1"}, {"{{<p}}{{$b}}{{/p}}", "Line 1"}};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = {0};
		struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
		assert_false(mustache_add(set, "t", str_of(bad[i].text), &e));
		assert_int_equal(e.kind, ERR_INVALID);
		if (!strstr(e.message, bad[i].says))
			fail_msg("%s: %s", bad[i].text, e.message);
	}
	arena_free(a);
}

static void
endless_templates_end(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct buf out, deep;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	assert_true(mustache_add(set, "t", STR("x{{>t}}"), &e));
	buf_init(&out, a);
	assert_false(mustache_render(set, a, "t", value_map(a), &out, &e));
	buf_init(&deep, a);
	for (int i = 0; i < 5000; i++)
		buf_puts(&deep, "{{#a}}");
	assert_false(mustache_add(set, "deep", buf_view(&deep), &e));
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
	    cmocka_unit_test(spec),
	    cmocka_unit_test(plain_sets_do_not_escape),
	    cmocka_unit_test(presentation_is_asked_for_by_name),
	    cmocka_unit_test(bad_templates_name_their_line),
	    cmocka_unit_test(endless_templates_end),
	    cmocka_unit_test(a_template_can_be_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
