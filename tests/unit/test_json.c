#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/json.h"

static void
there_and_back(void **state)
{
	static const char *const texts[] = {"{}", "[]", "null", "true", "-7", "\"\"", "0.1",
	    "-1e+300", "{\"a\":[1,2.5,\"\xC3\xA9\\n\\\"\",null,{\"b\":false}]}", "9007199254740993",
	    "-9223372036854775808", "{\"z\":1,\"a\":2}"};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error e = {0};
		struct value *v = json_parse(a, str_of(texts[i]), &e);
		if (!v)
			fail_msg("%s: %s", texts[i], e.message);
		assert_string_equal(json_text(a, v), texts[i]);
	}
	arena_free(a);
}

static void
escapes_are_read(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct value *v = json_parse(a, STR(" \"\\u00e9\\ud83d\\ude00\\t\\/\" "), NULL);
	assert_true(v && str_is(v->s, "\xC3\xA9\xF0\x9F\x98\x80\t/"));
	arena_free(a);
}

static void
what_is_not_json_is_refused(void **state)
{
	static const char *const texts[] = {"", " ", "{", "{\"a\":1,\"a\":2}", "[1,]", "{'a':1}",
	    "nul", "1 2", "\"\\ud800\"", "\"\xff\"", "{\"a\":\"\\u0000\"}", "[1e999]", "NaN", "01",
	    "+1", "\"a\nb\"", "9223372036854775808", "{\"a\" 1}", "[1 2]", "// x\n1",
	    "{\"\\u0000\":1}"};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error e = {0};
		if (json_parse(a, str_of(texts[i]), &e))
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(e.kind, ERR_MALFORMED);
	}
	struct error e = {0};
	assert_null(json_parse(a, (struct str){"1\0", 2}, &e));
	assert_null(json_parse(a, (struct str){0}, NULL));
	assert_null(json_parse(a, STR("{\n  \"a\": x}"), &e));
	assert_non_null(strstr(e.message, "line 2"));
	arena_free(a);
}

static struct str
nested(struct arena *a, int depth)
{
	struct buf b;
	buf_init(&b, a);
	for (int i = 0; i < depth; i++)
		buf_putc(&b, '[');
	for (int i = 0; i < depth; i++)
		buf_putc(&b, ']');
	return buf_view(&b);
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct error e = {0};
	struct str fits = nested(a, 2000);
	const struct value *v = json_parse(a, fits, &e);
	assert_non_null(v);
	assert_true(str_eq(str_of(json_text(a, v)), fits));
	assert_null(json_parse(a, nested(a, 2100), &e));
	assert_int_equal(e.kind, ERR_MALFORMED);
	assert_null(json_parse(a, nested(a, 500000), &e));
	arena_free(a);
}

static void
our_own_types_are_written(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct value *m = value_map(a);
	value_set(a, m, "at", value_time(a, INT64_C(1767625200) * CLOCK_SECOND + 120000));
	value_set(a, m, "to", value_phone(a, STR("+15550100002")));
	value_set(a, m, "cost", value_money(a, 140000));
	value_set(a, m, "none", value_real(a, 1.0 / 0.0));
	value_set(a, m, "null", NULL);
	assert_string_equal(json_text(a, m),
	    "{\"at\":\"2026-01-05T15:00:00.120000Z\",\"to\":\"+15550100002\",\"cost\":0.14,"
	    "\"none\":null,\"null\":null}");
	assert_string_equal(
	    json_text(a, value_money(a, INT64_C(12345678901234))), "12345678.901234");
	assert_string_equal(json_text(a, value_money(a, -1)), "-0.000001");
	assert_string_equal(json_text(a, value_money(a, -2000000)), "-2");
	assert_string_equal(json_text(a, NULL), "null");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(escapes_are_read),
	    cmocka_unit_test(what_is_not_json_is_refused),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(our_own_types_are_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
