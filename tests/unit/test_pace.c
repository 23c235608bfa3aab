/* Never more than the pace in any second, and no less than nearly that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/pace.h"

enum { MOST = 1000 };

/* Sends as fast as it may for ${seconds}; the times at which requests left. */
static size_t
run(struct pace *p, double client, double campaign, int seconds, int64_t *left)
{
	size_t n = 0;
	int64_t now = 5 * CLOCK_SECOND, end = now + seconds * CLOCK_SECOND;
	while (now < end && n < MOST) {
		int64_t wait = pace_wait(p, 1, client, 7, campaign, now);
		if (wait == 0)
			left[n++] = now;
		now += wait;
	}
	return n;
}

static size_t
most_in_a_second(const int64_t *left, size_t n)
{
	size_t most = 0;
	for (size_t i = 0, j = 0; j < n; j++) {
		while (left[j] - left[i] >= CLOCK_SECOND)
			i++;
		most = j - i + 1 > most ? j - i + 1 : most;
	}
	return most;
}

static void
any_second_holds_the_pace(void **state)
{
	struct arena *a = arena_new(4096);
	int64_t left[MOST];
	(void)state;
	size_t n = run(pace_new(a), 20, 100, 10, left);
	assert_int_equal(most_in_a_second(left, n), 20);
	assert_in_range(n, 180, 200);
	n = run(pace_new(a), 100, 7.9, 10, left);
	assert_int_equal(most_in_a_second(left, n), 7);
	arena_free(a);
}

static void
less_than_one_a_second(void **state)
{
	struct arena *a = arena_new(4096);
	int64_t left[MOST];
	(void)state;
	size_t n = run(pace_new(a), 0.25, 100, 20, left);
	assert_int_equal(n, 5);
	assert_true(left[1] - left[0] >= 4 * CLOCK_SECOND);
	arena_free(a);
}

static void
campaigns_share_their_clients_pace(void **state)
{
	struct arena *a = arena_new(4096);
	struct pace *p = pace_new(a);
	int64_t now = 5 * CLOCK_SECOND;
	(void)state;
	assert_int_equal(pace_wait(p, 1, 2, 7, 100, now), 0);
	assert_int_equal(pace_wait(p, 1, 2, 8, 100, now), 0);
	assert_true(pace_wait(p, 1, 2, 9, 100, now) > 0);
	assert_int_equal(pace_wait(p, 2, 2, 10, 100, now), 0);
	arena_free(a);
}

static void
a_changed_pace_gives_no_second_burst(void **state)
{
	struct arena *a = arena_new(4096);
	struct pace *p = pace_new(a);
	int64_t now = clock_monotonic();
	(void)state;
	assert_int_equal(pace_wait(p, 1, 100, 7, 2, now), 0);
	assert_int_equal(pace_wait(p, 1, 100, 7, 2, now), 0);
	assert_true(pace_wait(p, 1, 100, 7, 3, now) > 0);
	arena_free(a);
}

static void
who_takes_over_begins_with_nothing(void **state)
{
	struct arena *a = arena_new(4096);
	struct pace *p = pace_new(a);
	int64_t now = 5 * CLOCK_SECOND;
	(void)state;
	assert_int_equal(pace_wait(p, 1, 2, 7, 2, now), 0);
	pace_fill(p, now);
	assert_true(pace_wait(p, 1, 2, 7, 2, now + CLOCK_SECOND / 2) > 0);
	assert_true(pace_wait(p, 2, 2, 8, 2, now + CLOCK_SECOND / 2) > 0);
	assert_int_equal(pace_wait(p, 1, 2, 7, 2, now + 2 * CLOCK_SECOND), 0);
	assert_int_equal(pace_wait(p, 2, 2, 8, 2, now + 2 * CLOCK_SECOND), 0);
	arena_free(a);
}

static void
very_fast_is_not_held_back(void **state)
{
	struct arena *a = arena_new(4096);
	struct pace *p = pace_new(a);
	(void)state;
	for (int i = 0; i < 20000; i++)
		assert_int_equal(pace_wait(p, 1, 1e6, 7, 1e6, CLOCK_SECOND), 0);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_second_holds_the_pace),
	    cmocka_unit_test(less_than_one_a_second),
	    cmocka_unit_test(campaigns_share_their_clients_pace),
	    cmocka_unit_test(a_changed_pace_gives_no_second_burst),
	    cmocka_unit_test(who_takes_over_begins_with_nothing),
	    cmocka_unit_test(very_fast_is_not_held_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
