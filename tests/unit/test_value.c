#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "base/clock.h"
#include "base/value.h"

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

static struct value *
text(struct arena *a, const char *s)
{
	return value_textz(a, s);
}

static void
presentations_of_numbers(void **state)
{
	static const struct {
		int64_t n;
		const char *grouped, *duration;
	} ints[] = {{0, "0", "0:00"}, {75, "75", "1:15"}, {999, "999", "16:39"},
	    {1234, "1,234", "20:34"}, {1234567, "1,234,567", "342:56:07"},
	    {3600, "3,600", "1:00:00"}, {-1234, "-1,234", "-20:34"},
	    {-123456, "-123,456", "-34:17:36"},
	    {INT64_MIN, "-9,223,372,036,854,775,808", "-2562047788015215:30:08"}};
	static const struct {
		int64_t micros;
		const char *plain, *usd;
	} money[] = {{1250000, "1.25", "$1.25"}, {0, "0.00", "$0.00"}, {140000, "0.14", "$0.14"},
	    {-2500000, "-2.50", "-$2.50"}, {4999, "0.00", "$0.00"}, {5000, "0.01", "$0.01"},
	    {-4000, "0.00", "$0.00"}, {1999999, "2.00", "$2.00"},
	    {105391320000, "105391.32", "$105,391.32"},
	    {INT64_MIN, "-9223372036854.78", "-$9,223,372,036,854.78"}};
	(void)state;
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		assert_string_equal(shown(a, value_int(a, ints[i].n), "grouped"), ints[i].grouped);
		assert_string_equal(
		    shown(a, value_int(a, ints[i].n), "duration"), ints[i].duration);
	}
	assert_string_equal(value_counted(a, 1, "lead"), "1 lead");
	assert_string_equal(value_counted(a, 0, "lead"), "0 leads");
	assert_string_equal(value_counted(a, 24997, "lead"), "24,997 leads");
	for (size_t i = 0; i < sizeof(money) / sizeof(money[0]); i++) {
		struct value *m = value_map(a);
		value_set(a, m, "m", value_money(a, money[i].micros));
		assert_string_equal(shown(a, m, "m"), money[i].plain);
		assert_string_equal(shown(a, value_get(m, "m"), "usd"), money[i].usd);
	}
	arena_free(a);
}

static void
presentations_of_text(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_string_equal(shown(a, text(a, "no_answer"), "label"), "No answer");
	assert_string_equal(shown(a, text(a, ""), "label"), "");
	assert_string_equal(shown(a, text(a, "jane van doe"), "initials"), "JV");
	assert_string_equal(shown(a, text(a, "\xC3\x89mile Zola"), "initials"), "\xC3\x89Z");
	assert_string_equal(shown(a, text(a, "  "), "initials"), "");
	assert_string_equal(shown(a, text(a, "short enough"), "short"), "short enough");
	struct buf b;
	buf_init(&b, a);
	for (int i = 0; i < 80; i++)
		buf_puts(&b, "\xC3\xA9"); /* 80 characters of two bytes */
	assert_string_equal(shown(a, value_text(a, buf_view(&b)), "short"), b.p);
	const char *cut = arena_printf(a, "%s\xE2\x80\xA6", b.p);
	buf_puts(&b, "x");
	assert_string_equal(shown(a, value_text(a, buf_view(&b)), "short"), cut);
	assert_string_equal(
	    shown(a, value_phone(a, STR("+12125550150")), "pretty"), "(212) 555-0150");
	assert_string_equal(
	    shown(a, value_phone(a, STR("+442079460000")), "pretty"), "+442079460000");
	arena_free(a);
}

static void
presentations_of_times_and_lists(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	clock_freeze(INT64_C(1795219200) * CLOCK_SECOND); /* 2026-11-21 00:00:00Z */
	clock_set_zone("America/New_York");
	struct value *when = value_time(a, clock_now() - 240 * CLOCK_SECOND);
	assert_string_equal(shown(a, when, "ago"), "4 min ago");
	assert_string_equal(shown(a, when, "local"), "Fri 20 Nov 2026, 18:56:00 EST");
	assert_string_equal(shown(a, when, "day"), "20 Nov");
	assert_string_equal(shown(a, when, "clock"), "18:56");
	clock_set_zone(NULL);
	clock_freeze(0);
	struct value *list = value_list(a);
	assert_string_equal(shown(a, list, "count"), "0");
	assert_false(value_truthy(value_member(a, list, STR("any"))));
	value_push(a, list, value_null(a));
	assert_string_equal(shown(a, list, "count"), "1");
	assert_true(value_truthy(value_member(a, list, STR("any"))));
	assert_true(value_truthy(value_member(a, value_int(a, 3), STR("any"))));
	assert_false(value_truthy(value_member(a, text(a, ""), STR("any"))));
	assert_null(value_member(a, value_int(a, 1), STR("nonsense")));
	assert_null(value_member(a, NULL, STR("any")));
	assert_null(value_member(a, value_map(a), STR("any"))); /* a map's members are its own */
	arena_free(a);
}

static void
what_a_section_takes_for_true(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct value *list = value_list(a);
	assert_false(value_truthy(NULL) || value_truthy(value_null(a)) || value_truthy(list));
	assert_false(value_truthy(value_bool(a, false)) || value_truthy(value_int(a, 0)) ||
		     value_truthy(value_real(a, 0)) || value_truthy(text(a, "")) ||
		     value_truthy(value_money(a, 0)) || value_truthy(value_phone(a, STR(""))));
	value_push(a, list, value_null(a));
	assert_true(value_truthy(list) && value_truthy(value_map(a)) &&
		    value_truthy(value_bool(a, true)) && value_truthy(value_int(a, -1)) &&
		    value_truthy(value_real(a, 0.5)) && value_truthy(text(a, "0")) &&
		    value_truthy(value_money(a, 1)) && value_truthy(value_time(a, 0)));
	arena_free(a);
}

static void
maps_keep_order_and_find_by_key(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct value *m = value_map(a);
	for (int i = 0; i < 500; i++)
		value_add(a, m, str_of(arena_printf(a, "k%d", i)), value_int(a, i));
	assert_int_equal(m->map.n, 500);
	assert_true(str_is(m->map.members[499].key, "k499"));
	assert_int_equal(value_num(m, "k321"), 321);
	assert_null(value_get(m, "k500"));
	value_set_bool(a, m, "k3", true);
	assert_true(value_flag(m, "k3") && m->map.n == 500);
	value_set_text(a, m, "none", NULL);
	assert_false(value_has(m, "none"));
	assert_non_null(value_get(m, "none"));
	assert_null(value_strz(a, m, "none"));
	value_set_text(a, m, "s", "text");
	assert_string_equal(value_strz(a, m, "s"), "text");
	value_set(a, m, "r", value_real(a, 2.75));
	assert_true(value_dbl(m, "r") == 2.75 && value_num(m, "r") == 2 && value_dbl(m, "k4") == 4);
	value_set(a, m, "huge", value_real(a, 1e300));
	assert_int_equal(value_num(m, "huge"), 0);
	value_set(a, m, "t", value_time(a, 77));
	assert_int_equal(value_micros(m, "t"), 77);
	assert_int_equal(value_micros(m, "k4"), 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(presentations_of_numbers),
	    cmocka_unit_test(presentations_of_text),
	    cmocka_unit_test(presentations_of_times_and_lists),
	    cmocka_unit_test(what_a_section_takes_for_true),
	    cmocka_unit_test(maps_keep_order_and_find_by_key),
	    cmocka_unit_test(reading_what_is_not_there_is_neutral),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
