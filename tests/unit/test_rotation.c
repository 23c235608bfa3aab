/* Which backups stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "rules/rotation.h"

enum { MOST = 400 };

static int64_t
at(const char *text)
{
	int64_t micros = 0;
	assert_true(clock_parse(str_of(text), &micros));
	return micros;
}

static size_t
kept(const bool *keep, size_t n)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += keep[i];
	return sum;
}

/* One a night for a year: 7 days; of the 4 weeks the newest is today's and the rest are Sundays, of
 * which one is among the days; of the 6 months today's counts as one. */
static void
a_year_of_nights(void **state)
{
	const struct rotation r = {7, 4, 6};
	int64_t made[MOST], today = at("2026-11-20T02:15:00Z");
	bool keep[MOST];
	(void)state;
	for (int i = 0; i < 365; i++)
		made[i] = today - i * 86400 * CLOCK_SECOND;
	rotation_choose(&r, made, 365, keep);
	for (int i = 0; i < 7; i++)
		assert_true(keep[i]);
	assert_true(keep[5]);   /* Sunday the 15th */
	assert_true(keep[12]);  /* the 8th */
	assert_true(keep[19]);  /* the 1st of November */
	assert_false(keep[26]); /* a fifth week */
	assert_true(keep[20]);  /* 31 October */
	assert_true(keep[51]);  /* 30 September */
	assert_true(keep[81]);  /* 31 August */
	assert_true(keep[112]); /* 31 July */
	assert_true(keep[143]); /* 30 June */
	assert_false(keep[173]);
	assert_int_equal(kept(keep, 365), 7 + 2 + 5);
}

/* A machine that was off for weeks keeps what it has. */
static void
gaps_cost_nothing(void **state)
{
	const struct rotation r = {2, 0, 0};
	const int64_t made[] = {at("2026-11-20T02:00:00Z"), at("2026-03-01T02:00:00Z"),
	    at("2026-03-01T01:00:00Z"), at("2026-02-01T02:00:00Z")};
	bool keep[4];
	(void)state;
	rotation_choose(&r, made, 4, keep);
	assert_true(keep[0] && keep[1]);
	assert_false(keep[2] || keep[3]);
}

static void
newest_always_stays(void **state)
{
	const struct rotation none = {0, 0, 0};
	const int64_t made[] = {2 * CLOCK_SECOND, CLOCK_SECOND};
	bool keep[2];
	(void)state;
	rotation_choose(&none, made, 2, keep);
	assert_true(keep[0]);
	assert_false(keep[1]);
	rotation_choose(&none, made, 0, keep);
}

/* Weeks begin on Monday. */
static void
weeks_begin_on_monday(void **state)
{
	const struct rotation r = {0, 2, 0};
	const int64_t made[] = {at("2026-11-16T00:00:01Z"), at("2026-11-15T23:59:59Z"),
	    at("2026-11-09T00:00:01Z"), at("2026-11-08T23:00:00Z")};
	bool keep[4];
	(void)state;
	rotation_choose(&r, made, 4, keep);
	assert_true(keep[0] && keep[1]);
	assert_false(keep[2] || keep[3]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_year_of_nights),
	    cmocka_unit_test(gaps_cost_nothing),
	    cmocka_unit_test(newest_always_stays),
	    cmocka_unit_test(weeks_begin_on_monday),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
