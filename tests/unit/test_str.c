#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <string.h>

#include "base/str.h"

static struct arena *a;

static int
open_arena(void **state)
{
	(void)state;
	a = arena_new(4096);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void
views(void **state)
{
	(void)state;
	struct str none = {0}, s = STR("abcdef");
	assert_true(str_is(str_of(NULL), ""));
	assert_true(str_eq(none, STR("")));
	assert_true(str_is(str_sub(s, 1, 3), "bc"));
	assert_true(str_is(str_sub(s, 4, 99), "ef"));
	assert_true(str_is(str_sub(s, 5, 2), ""));
	assert_int_equal(str_sub(none, 3, 9).n, 0);
	assert_false(str_eq(STR("ab"), STR("abc")));
	assert_true(str_is_nocase(STR("Content-Type"), "content-TYPE"));
	assert_false(str_is_nocase(STR("Content-Typ"), "content-type"));
	assert_true(str_starts(s, "abc") && !str_starts(s, "bc") && !str_starts(none, "a"));
	assert_true(str_ends(s, "def") && !str_ends(s, "xabcdef") && !str_ends(none, "a"));
	assert_int_equal(str_find(s, "cd"), 2);
	assert_int_equal(str_find(s, "cx"), 6);
	assert_int_equal(str_find(none, "x"), 0);
	assert_int_equal(str_find_nocase(s, "EF"), 4);
	assert_int_equal(str_find_nocase(s, "fg"), 6);
	assert_int_equal(str_chr(s, 'c'), 2);
	assert_int_equal(str_chr(s, 'z'), 6);
}

static void
cutting(void **state)
{
	(void)state;
	struct str rest = STR("a,b,,c");
	assert_true(str_is(str_cut(&rest, ','), "a") && str_is(rest, "b,,c"));
	assert_true(str_is(str_cut(&rest, ','), "b") && str_is(rest, ",c"));
	assert_true(str_is(str_cut(&rest, ','), "") && str_is(rest, "c"));
	assert_true(str_is(str_cut(&rest, ','), "c") && str_is(rest, ""));
	assert_true(str_is(str_cut(&rest, ','), "") && rest.n == 0);
}

static void
trimming(void **state)
{
	static const char *const cases[][2] = {{"  a b \t\r\n", "a b"}, {"", ""}, {" \n ", ""},
	    {"\xC2\xA0 x\xC2\xA0", "x"}, {"\xC2\xA0", ""}, {"\xC3\xA0", "\xC3\xA0"},
	    {"\v\fx", "x"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(str_is(str_trim(str_of(cases[i][0])), cases[i][1]));
	assert_int_equal(str_trim((struct str){"\0", 1}).n, 1);
	assert_int_equal(str_trim((struct str){0}).n, 0);
}

static void
integers(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} good[] = {{"0", 0}, {"-0", 0}, {"007", 7}, {"-9223372036854775808", INT64_MIN},
	    {"9223372036854775807", INT64_MAX}};
	static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "--1",
	    "9223372036854775808", "-9223372036854775809", "99999999999999999999999999999"};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t n = 1;
		assert_true(str_to_int(str_of(good[i].text), &n) && n == good[i].n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t n = 42;
		if (str_to_int(str_of(bad[i]), &n) || n != 42)
			fail_msg("accepted: %s", bad[i]);
	}
	int64_t n;
	assert_false(str_to_int((struct str){"1\0002", 3}, &n));
}

static void
numbers(void **state)
{
	static const char *const bad[] = {"", "-", ".", "inf", "-inf", "nan", "-nan", "0x1p3",
	    "1e999", "-1e999", "2.5x", " 1", "1 ", "+1", "1,5", "infinity"};
	(void)state;
	double d;
	assert_true(str_to_double(STR("2.5"), &d) && d == 2.5);
	assert_true(str_to_double(STR("-1e3"), &d) && d == -1000);
	assert_true(str_to_double(STR(".5"), &d) && d == 0.5);
	assert_true(str_to_double(STR("1e-999"), &d) && d == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (str_to_double(str_of(bad[i]), &d))
			fail_msg("accepted: %s", bad[i]);
}

/* Ill-formed sequences of RFC 3629 and Unicode's table 3-7. */
static void
utf8(void **state)
{
	static const char *const good[] = {"", "Zo\xC3\xAB", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
	    "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBE"};
	static const char *const bad[] = {"\xC0\xAF", "\xC1\xBF", "\x80", "\xE0\x9F\xBF",
	    "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3",
	    "\xE2\x82", "\xF0\x9F\x98", "\xC3(", "\xFF", "\xFE"};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(str_is_utf8(str_of(good[i])));
		assert_true(str_is(str_utf8(a, str_of(good[i])), good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct str mended = str_utf8(a, str_of(bad[i]));
		assert_false(str_is_utf8(str_of(bad[i])));
		assert_true(str_is_utf8(mended) && str_starts(mended, "\xEF\xBF\xBD"));
	}
	assert_false(str_is_utf8((struct str){"a\0b", 3}));
	assert_true(str_is(str_utf8(a, (struct str){"a\0b", 3}), "a\xEF\xBF\xBD"
								 "b"));
}

static void
copies(void **state)
{
	(void)state;
	struct str s = str_sub(STR("abcdef"), 1, 3), copy = str_copy(a, s);
	assert_string_equal(str_dup(a, s), "bc");
	assert_true(str_eq(copy, s) && copy.p != s.p && copy.p[copy.n] == '\0');
}

static void
buffers_grow_and_stay_terminated(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, a);
	assert_string_equal(b.p, "");
	buf_add(&b, NULL, 0);
	for (int i = 0; i < 10000; i++) {
		buf_printf(&b, "%d,", i);
		assert_int_equal(b.p[b.n], 0);
	}
	assert_int_equal(b.n, 48890);
	assert_true(str_ends(buf_view(&b), ",9999,"));
	char *big = arena_alloc(a, 200000);
	memset(big, 'x', 200000);
	buf_add(&b, big, 200000);
	assert_int_equal(b.n, 248890);
	assert_int_equal(strlen(b.p), b.n);
	struct buf other;
	buf_init(&other, a);
	buf_reserve(&other, 100000);
	assert_true(other.cap > 100000 && other.n == 0);
}

static const char *
whole(int64_t i)
{
	struct buf b;
	buf_init(&b, a);
	buf_int(&b, i);
	return b.p;
}

static void
whole_numbers(void **state)
{
	(void)state;
	assert_string_equal(whole(0), "0");
	assert_string_equal(whole(-7), "-7");
	assert_string_equal(whole(1234567890), "1234567890");
	assert_string_equal(whole(INT64_MAX), "9223372036854775807");
	assert_string_equal(whole(INT64_MIN), "-9223372036854775808");
}

static const char *
written(void (*how)(struct buf *, struct str), struct str s)
{
	struct buf b;
	buf_init(&b, a);
	how(&b, s);
	return b.p;
}

static void
escaping(void **state)
{
	(void)state;
	assert_string_equal(
	    written(buf_html, STR("<a href=\"x\">'&")), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
	assert_string_equal(written(buf_html, STR("Zo\xC3\xAB")), "Zo\xC3\xAB");
	assert_string_equal(written(buf_html, (struct str){0}), "");
	assert_string_equal(
	    written(buf_url, STR("a b/\xC3\xAB?&=+~-._")), "a%20b%2F%C3%AB%3F%26%3D%2B~-._");
	assert_string_equal(written(buf_json, STR("\"\\\n\t\x01\x7F/\xC3\xAB")),
	    "\"\\\"\\\\\\n\\u0009\\u0001\x7F/\xC3\xAB\"");
	assert_string_equal(written(buf_json, (struct str){"a\0b", 3}), "\"a\\u0000b\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(views),
	    cmocka_unit_test(cutting),
	    cmocka_unit_test(trimming),
	    cmocka_unit_test(integers),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(utf8),
	    cmocka_unit_test(copies),
	    cmocka_unit_test(buffers_grow_and_stay_terminated),
	    cmocka_unit_test(whole_numbers),
	    cmocka_unit_test(escaping),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
