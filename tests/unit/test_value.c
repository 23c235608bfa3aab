#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/json.h"

static const char *
shown(struct arena *a, const struct value *v, const char *member)
{
	const struct value *m = value_member(a, v, str_of(member));
	struct buf b;
	if (!m)
		return NULL;
	buf_init(&b, a);
	value_print(&b, m);
	return b.p;
}

static void
presentations(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	clock_freeze(INT64_C(1795219200) * CLOCK_SECOND); /* 2026-11-21 00:00:00Z */
	struct value *when = value_time(a, clock_now() - 240 * CLOCK_SECOND);
	assert_string_equal(shown(a, when, "ago"), "4 min ago");
	assert_string_equal(shown(a, value_int(a, 1234567), "grouped"), "1,234,567");
	assert_string_equal(shown(a, value_int(a, -1234), "grouped"), "-1,234");
	assert_string_equal(shown(a, value_int(a, 75), "duration"), "1:15");
	assert_string_equal(shown(a, value_money(a, 1250000), "usd"), "$1.25");
	assert_string_equal(shown(a, value_textz(a, "no_answer"), "label"), "No answer");
	assert_string_equal(
	    shown(a, value_phone(a, STR("+12125550150")), "pretty"), "(212) 555-0150");
	assert_null(value_member(a, value_int(a, 1), STR("nonsense")));
	struct value *list = value_list(a);
	value_push(a, list, value_null(a));
	assert_string_equal(shown(a, list, "count"), "1");
	assert_true(value_truthy(value_member(a, list, STR("any"))));
	assert_false(value_truthy(value_member(a, value_list(a), STR("any"))));
	clock_freeze(0);
	arena_free(a);
}

static void
reading_what_is_not_there_is_neutral(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_null(value_get(NULL, "x"));
	assert_int_equal(value_num(NULL, "x"), 0);
	assert_int_equal(value_str(value_int(a, 3), "x").n, 0);
	assert_false(value_truthy(NULL));
	struct value *m = value_map(a);
	value_set_int(a, m, "n", 1);
	value_set_int(a, m, "n", 2);
	assert_int_equal(m->map.n, 1);
	assert_int_equal(value_num(m, "n"), 2);
	assert_int_equal(value_str(m, "n").n, 0);
	arena_free(a);
}

static void
json_there_and_back(void **state)
{
	static const char *const texts[] = {"{}", "[]", "null", "true", "-7", "\"\"",
	    "{\"a\":[1,2.5,\"\\u00e9\\n\\\"\",null,{\"b\":false}]}", "9007199254740993"};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error e = {0};
		struct value *v = json_parse(a, str_of(texts[i]), &e);
		if (!v)
			fail_msg("%s: %s", texts[i], e.message);
		struct value *again = json_parse(a, str_of(json_text(a, v)), &e);
		assert_string_equal(json_text(a, v), json_text(a, again));
	}
	assert_string_equal(
	    json_text(a, json_parse(a, STR("9007199254740993"), NULL)), "9007199254740993");
	arena_free(a);
}

static void
bad_json_is_refused(void **state)
{
	static const char *const texts[] = {"", "{", "{\"a\":1,\"a\":2}", "[1,]", "{'a':1}", "nul",
	    "1 2", "\"\\ud800\"", "\"\xff\"", "{\"a\":\"\\u0000\"}", "[1e999]"};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error e = {0};
		if (json_parse(a, str_of(texts[i]), &e))
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(e.kind, ERR_MALFORMED);
	}
	struct buf deep;
	struct error e = {0};
	buf_init(&deep, a);
	for (int i = 0; i < 100000; i++)
		buf_putc(&deep, '[');
	assert_null(json_parse(a, buf_view(&deep), &e));
	arena_free(a);
}

static void
instants(void **state)
{
	static const struct {
		const char *text, *rfc3339;
	} good[] = {{"2026-01-05T15:00:00Z", "2026-01-05T15:00:00Z"},
	    {"2026-01-05 15:00:00.12+00", "2026-01-05T15:00:00.120000Z"},
	    {"2026-01-05T15:00:00.120+00:00", "2026-01-05T15:00:00.120000Z"},
	    {"2026-01-05T15:00:00-05:00", "2026-01-05T20:00:00Z"},
	    {"2024-02-29 23:59:59+00", "2024-02-29T23:59:59Z"}};
	static const char *const bad[] = {"", "yesterday", "2026-13-01T00:00:00Z",
	    "2026-02-30T00:00:00Z", "2026-01-05T25:00:00Z"};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf b;
		int64_t t;
		buf_init(&b, a);
		if (!clock_parse(str_of(good[i].text), &t))
			fail_msg("refused: %s", good[i].text);
		clock_print_rfc3339(&b, t);
		assert_string_equal(b.p, good[i].rfc3339);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t t;
		if (clock_parse(str_of(bad[i]), &t))
			fail_msg("accepted: %s", bad[i]);
	}
	arena_free(a);
}

static void
strings(void **state)
{
	(void)state;
	struct arena *a = arena_new(256);
	int64_t n;
	double d;
	assert_true(str_to_int(STR("-9223372036854775808"), &n) && n == INT64_MIN);
	assert_false(str_to_int(STR("9223372036854775808"), &n));
	assert_false(str_to_int(STR("1 "), &n));
	assert_false(str_to_int(STR(""), &n));
	assert_true(str_to_double(STR("2.5"), &d) && d == 2.5);
	assert_false(str_to_double(STR("2.5x"), &d));
	assert_true(str_is_utf8(STR("Zoë")));
	assert_false(str_is_utf8(STR("\xc0\xaf")));
	assert_false(str_is_utf8((struct str){"a\0b", 3}));
	assert_true(str_eq(str_utf8(a, STR("a\xff")), STR("a\xef\xbf\xbd")));
	struct str rest = STR("a,b,,c"), first = str_cut(&rest, ',');
	assert_true(str_is(first, "a") && str_is(rest, "b,,c"));
	struct buf b;
	buf_init(&b, a);
	buf_html(&b, STR("<a href=\"x\">'&"));
	assert_string_equal(b.p, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%d,", i);
	assert_true(b.n > 40000 && b.p[b.n] == '\0');
	assert_true(arena_footprint(a) > 40000);
	arena_reset(a);
	assert_true(arena_footprint(a) < 40000);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(presentations),
	    cmocka_unit_test(reading_what_is_not_there_is_neutral),
	    cmocka_unit_test(json_there_and_back),
	    cmocka_unit_test(bad_json_is_refused),
	    cmocka_unit_test(instants),
	    cmocka_unit_test(strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
