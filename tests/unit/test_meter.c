/* Counters that processes share: nothing is lost, and counting costs next to nothing. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/meter.h"

static const struct route table[] = {
    {GET, "/leads/{id}", NULL, NULL, ROLE_VIEWER, 0, 0},
    {POST | PUT, "/leads", NULL, NULL, ROLE_MEMBER, 0, 0},
};
enum { ROUTES = sizeof(table) / sizeof(table[0]) };

static char dir[] = "/tmp/trunkline-meter-XXXXXX";

static int
start(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
empty(void **state)
{
	(void)state;
	char line[100];
	snprintf(line, sizeof(line), "rm -rf %s/*", dir);
	return system(line); /* NOLINT(cert-env33-c) */
}

static int
stop(void **state)
{
	return empty(state) || rmdir(dir);
}

static struct meter *
open_meter(struct arena *a, const char *pool, size_t n)
{
	struct error e = {0};
	struct meter *m = meter_open(a, dir, pool, table, n, &e);
	if (!m)
		fail_msg("%s", e.message);
	return m;
}

static uint64_t
count(const struct meter_row *row, size_t class)
{
	uint64_t n = 0;
	for (size_t i = 0; i <= METER_BOUNDS; i++)
		n += row->classes[class].counts[i];
	return n;
}

static void
rows_classes_and_bounds(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct meter *m = open_meter(a, "web", ROUTES);
	meter_count(m, 0, 200, 0);
	meter_count(m, 0, 204, 1000);
	meter_count(m, 0, 404, 1001);
	meter_count(m, 1, 303, 5000001);
	meter_count(m, 1, 503, 90000000);
	meter_count(m, ROUTES, 404, 10);
	meter_count(m, ROUTES + 1, 404, 10); /* no such row */
	meter_count(m, 1, 0, -5);            /* no status, and a clock that is not */
	meter_count(NULL, 0, 200, 1);
	struct meter_row *rows;
	assert_int_equal(meter_read(a, dir, &rows), 3);
	assert_string_equal(rows[0].pool, "web");
	assert_string_equal(rows[0].route, "/leads/{id}");
	assert_string_equal(rows[0].method, "GET");
	assert_string_equal(rows[1].method, "POST,PUT");
	assert_string_equal(rows[2].route, "");
	assert_int_equal(rows[0].classes[0].counts[0], 2);
	assert_int_equal(rows[0].classes[0].sum_us, 1000);
	assert_int_equal(rows[0].classes[2].counts[1], 1);
	assert_int_equal(rows[1].classes[1].counts[METER_BOUNDS], 1);
	assert_int_equal(count(&rows[1], 3), 2);
	assert_int_equal(count(&rows[2], 2), 1);
	arena_free(a);
}

static void
who_ends_leaves_what_was_counted(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	meter_count(open_meter(a, "hook", ROUTES), 0, 200, 10);
	/* Another worker of the same program, and one of a newer one that has other routes. */
	meter_count(open_meter(a, "hook", ROUTES), 0, 200, 10);
	meter_count(open_meter(a, "hook", ROUTES - 1), 0, 200, 10);
	meter_count(open_meter(a, "web", ROUTES), 0, 200, 10);
	struct meter_row *rows;
	assert_int_equal(meter_read(a, dir, &rows), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(count(&rows[i], 0), strcmp(rows[i].pool, "hook") == 0 ? 3 : 1);
	arena_free(a);
}

static void
many_at_once_lose_nothing(void **state)
{
	enum { PROCESSES = 6, EACH = 50000 };
	(void)state;
	struct arena *a = arena_new(4096);
	for (int k = 0; k < PROCESSES; k++)
		if (fork() == 0) {
			struct error e = {0};
			struct meter *m = meter_open(a, dir, "web", table, ROUTES, &e);
			for (int i = 0; m && i < EACH; i++)
				meter_count(m, 0, 200, i % 3000);
			_exit(m == NULL);
		}
	for (int k = 0, status; k < PROCESSES; k++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	struct meter_row *rows;
	assert_int_equal(meter_read(a, dir, &rows), 1);
	assert_int_equal(count(&rows[0], 0), PROCESSES * EACH);
	arena_free(a);
}

static void
counting_is_cheap(void **state)
{
	enum { TIMES = 1000000 };
	(void)state;
	struct arena *a = arena_new(4096);
	struct meter *m = open_meter(a, "web", ROUTES);
	int64_t before = clock_monotonic();
	for (int i = 0; i < TIMES; i++)
		meter_count(m, (size_t)i % ROUTES, 200, i % 100000);
	int64_t ns = (clock_monotonic() - before) * 1000 / TIMES;
	print_message("counting a request: %d ns\n", (int)ns);
	assert_true(ns < 1000);
	arena_free(a);
}

static void
what_is_not_ours_is_left_alone(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct meter_row *rows;
	const char *const texts[] = {
	    "", "TLMETER1", "not a counter, but long enough to be taken for one"};
	for (size_t i = 0; i < 3; i++) {
		FILE *f = fopen(arena_printf(a, "%s/metrics-x%zu", dir, i), "we");
		fputs(texts[i], f);
		fclose(f);
	}
	/* A head that promises more than there is. */
	char lie[64] = "TLMETER1web";
	lie[24] = 100;
	int fd = open(arena_printf(a, "%s/metrics-lie", dir), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, lie, sizeof(lie)), sizeof(lie));
	close(fd);
	assert_int_equal(meter_read(a, dir, &rows), 0);
	assert_int_equal(meter_read(a, "/nonexistent", &rows), 0);
	assert_null(meter_open(a, "/nonexistent", "web", table, ROUTES, &e));
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(rows_classes_and_bounds, empty),
	    cmocka_unit_test_teardown(who_ends_leaves_what_was_counted, empty),
	    cmocka_unit_test_teardown(many_at_once_lose_nothing, empty),
	    cmocka_unit_test_teardown(counting_is_cheap, empty),
	    cmocka_unit_test_teardown(what_is_not_ours_is_left_alone, empty),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
