#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define AT INT64_C(1795305600) /* 2026-11-22T00:00:00Z */

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
	clock_freeze(0);
	arena_free(a);
	return 0;
}

static const char *
rfc3339(int64_t micros)
{
	struct buf b;
	buf_init(&b, a);
	clock_print_rfc3339(&b, micros);
	return b.p;
}

/* As the C library has them, from the first to the last year of four digits. */
static void
dates_are_those_of_the_calendar(void **state)
{
	enum { FIRST = -719162, LAST = 2932896, DAY = 86400, STEP = 11 };
	(void)state;
	for (int64_t day = FIRST; day <= LAST; day += STEP) {
		char expected[40];
		struct tm tm;
		time_t t = day * DAY + (day * 7919 % DAY + DAY) % DAY;
		gmtime_r(&t, &tm);
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_string_equal(rfc3339(t * CLOCK_SECOND), expected);
		arena_reset(a);
	}
	assert_string_equal(rfc3339(-1), "1969-12-31T23:59:59.999999Z");
	assert_string_equal(
	    rfc3339((int64_t)(LAST + 1) * DAY * CLOCK_SECOND), "10000-01-01T00:00:00Z");
	/* As far as time goes; how these are written matters less than that they are. */
	assert_true(*rfc3339(INT64_MAX) == '2');
	assert_true(*rfc3339(INT64_MIN) == '2');
}

static void
instants_are_read(void **state)
{
	static const char *const good[][2] = {{"2026-01-05T15:00:00Z", "2026-01-05T15:00:00Z"},
	    {"2026-01-05t15:00:00z", "2026-01-05T15:00:00Z"},
	    {"2026-01-05 15:00:00", "2026-01-05T15:00:00Z"}, {"2026-01-05", "2026-01-05T00:00:00Z"},
	    {" 2026-01-05T15:00Z ", "2026-01-05T15:00:00Z"},
	    {"2026-01-05 15:00:00.12+00", "2026-01-05T15:00:00.120000Z"},
	    {"2026-01-05T15:00:00.123456789Z", "2026-01-05T15:00:00.123456Z"},
	    {"2026-01-05T15:00:00-05:00", "2026-01-05T20:00:00Z"},
	    {"2026-01-05T15:00:00+0530", "2026-01-05T09:30:00Z"},
	    {"2026-01-05 15:00:00 -05", "2026-01-05T20:00:00Z"},
	    {"2024-02-29 23:59:59+00", "2024-02-29T23:59:59Z"},
	    {"2000-02-29", "2000-02-29T00:00:00Z"},
	    {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"},
	    {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"}};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t t;
		if (!clock_parse(str_of(good[i][0]), &t))
			fail_msg("refused: %s", good[i][0]);
		assert_string_equal(rfc3339(t), good[i][1]);
	}
}

static void
what_is_no_instant_is_refused(void **state)
{
	static const char *const bad[] = {"", "yesterday", "2026", "2026-1-5",
	    "2026-13-01T00:00:00Z", "2026-00-01", "2026-01-00", "2026-02-30T00:00:00Z",
	    "2025-02-29", "1900-02-29", "2026-04-31", "2026-01-05T25:00:00Z",
	    "2026-01-05T24:00:00Z", "2026-01-05T10:60Z", "2026-01-05T10:00:61Z", "2026-01-05T",
	    "2026-01-05T10", "2026-01-05T10:00:", "2026-01-05T10:00:00.", "2026-01-05T10:00:00+25",
	    "2026-01-05T10:00:00+01:60", "2026-01-05T10:00:00Zulu", "2026-01-05T10:00:00 PST",
	    "infinity", "2026/01/05", "2026-01-05T10:00.5Z", "-2026-01-05", "20260105T100000Z",
	    "2026-01-05T10:00:00+1"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t t;
		if (clock_parse(str_of(bad[i]), &t))
			fail_msg("accepted: %s as %s", bad[i], rfc3339(t));
	}
	int64_t t;
	assert_false(clock_parse((struct str){"2026-01-05\00010:00:00Z", 20}, &t));
	assert_false(clock_parse((struct str){"2026-01-05T10:00:00\00001", 22}, &t));
}

static const char *
ago(int64_t seconds)
{
	struct buf b;
	buf_init(&b, a);
	clock_print_ago(&b, clock_now() - seconds * CLOCK_SECOND);
	return b.p;
}

static void
distances_in_words(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {{0, "just now"}, {9, "just now"}, {10, "10 s ago"}, {59, "59 s ago"},
	    {60, "1 min ago"}, {240, "4 min ago"}, {3599, "59 min ago"}, {3600, "1 h ago"},
	    {86399, "23 h ago"}, {86400, "1 day ago"}, {3 * 86400, "3 days ago"},
	    {-5, "in a moment"}, {-7200, "in 2 h"}, {-86400, "in 1 day"}, {-40, "in 40 s"}};
	(void)state;
	clock_freeze(AT * CLOCK_SECOND);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ago(cases[i].seconds), cases[i].text);
	struct buf b;
	buf_init(&b, a);
	clock_print_ago(&b, INT64_MIN);
	clock_print_ago(&b, INT64_MAX);
	clock_freeze(0);
}

static const char *
local(int64_t seconds)
{
	struct buf b;
	buf_init(&b, a);
	clock_print_local(&b, seconds * CLOCK_SECOND, "%Y-%m-%d %H:%M %Z");
	return b.p;
}

/* First: nobody has chosen a zone yet, and the machine's own is not what counts. */
static void
without_a_choice_it_is_utc(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	assert_string_equal(local(AT), "2026-11-22 00:00 UTC");
}

static void
wall_clocks_of_zones(void **state)
{
	static const char *const nonsense[] = {
	    "Mars/Olympus", "", "../../../etc/passwd", ":/etc/passwd", "EST5EDT4,bad", "UTC;"};
	(void)state;
	clock_set_zone("America/New_York");
	assert_string_equal(local(AT), "2026-11-21 19:00 EST");
	assert_string_equal(local(AT - 120 * 86400), "2026-07-24 20:00 EDT");
	struct buf b;
	buf_init(&b, a);
	clock_print_zone(&b, AT * CLOCK_SECOND, "Europe/Berlin", "%H:%M");
	assert_string_equal(b.p, "01:00");
	assert_string_equal(local(AT), "2026-11-21 19:00 EST"); /* the viewer's is kept */
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		clock_set_zone("America/New_York");
		clock_set_zone(nonsense[i]);
		assert_string_equal(local(AT), "2026-11-22 00:00 UTC");
	}
	clock_set_zone("America/New_York");
	clock_set_zone(NULL);
	assert_string_equal(local(AT), "2026-11-22 00:00 UTC");
}

static void
time_passes_unless_frozen(void **state)
{
	(void)state;
	int64_t before = clock_monotonic();
	assert_true(clock_monotonic() >= before);
	assert_true(clock_now() > INT64_C(1700000000) * CLOCK_SECOND);
	clock_freeze(42);
	assert_int_equal(clock_now(), 42);
	clock_freeze(0);
	assert_true(clock_now() > 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_choice_it_is_utc),
	    cmocka_unit_test(dates_are_those_of_the_calendar),
	    cmocka_unit_test(instants_are_read),
	    cmocka_unit_test(what_is_no_instant_is_refused),
	    cmocka_unit_test(distances_in_words),
	    cmocka_unit_test(wall_clocks_of_zones),
	    cmocka_unit_test(time_passes_unless_frozen),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
