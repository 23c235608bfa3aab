/*
 * Webhooks that are applied together while PostgreSQL fails at each of its calls: each request gets
 * the verdict of its own event or a reason, nothing is applied twice, and the provider's next try
 * goes through. One event that the database will not take does no harm to the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>
#include <poll.h>

#include "fault_campaign.h"
#include "hooks/batch.h"

enum { TOGETHER = 3 };

static struct app app;
static bool in_one_step; /* as while the lane's connection was never reached */

static bool
refresh(struct app *of, struct error *e)
{
	return db_refresh(of->db, e);
}

static void
apply(struct request *const *rqs)
{
	batch_begin(&app, rqs, TOGETHER);
	while (!batch_ready(&app)) {
		struct pollfd p = {batch_socket(&app), POLLIN, 0};
		(void)poll(&p, 1, 1000);
	}
	batch_end(&app, rqs, TOGETHER);
}

/* Requests about ${evs}, as their handlers leave them. */
static struct request **
requests_of(const struct event *evs)
{
	struct request **rqs = arena_new_array(house.a, struct request *, TOGETHER);
	for (int i = 0; i < TOGETHER; i++) {
		rqs[i] = arena_new_of(house.a, struct request);
		*rqs[i] = (struct request){.arena = house.a, .app = &app};
		batch_add(rqs[i], &evs[i]);
	}
	return rqs;
}

/* NULL where it was not received, which is told in ${e}. */
static const char *
verdict_of(const struct request *rq, struct error *e)
{
	const struct event *ev;
	const char *verdict;
	return batch_verdict(rq, &ev, &verdict, e) ? verdict : NULL;
}

/* Two calls that were placed, and what came of them; the second event comes twice. */
static void
two_calls(struct db *db, const char **ids, struct event *evs)
{
	struct error e = {0};
	for (int i = 0; i < 2; i++) {
		ids[i] = claimed(db);
		assert_true(settle(db, ids[i], &e));
		evs[i] = event_of(ids[i]);
	}
	evs[2] = evs[1];
}

static bool
receiving(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	const char *ids[2];
	struct event evs[TOGETHER];
	app = (struct app){.db = db, .refresh = refresh};
	two_calls(db, ids, evs);
	struct request **rqs = requests_of(evs);
	fault_arm(kind, n);
	if (!in_one_step)
		batch_open(house.url, 20000);
	apply(rqs);
	bool fired = fault_disarm();
	house_quiet();
	for (int i = 0; i < 2; i++) {
		bool ended = about("(state = 'ended')::int", ids[i]) == 1;
		assert_true(verdict_of(rqs[i], &e) ? ended : fired && e.message[0]);
		assert_int_equal(events_of(ids[i]), ended);
	}
	assert_true(db_refresh(db, &e));
	rqs = requests_of(evs);
	apply(rqs);
	for (int i = 0; i < TOGETHER; i++)
		assert_non_null(verdict_of(rqs[i], &e));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(events_of(ids[i]), 1);
		assert_int_equal(about("(outcome = 'interested')::int", ids[i]), 1);
	}
	batch_close();
	return fired;
}

static void
each_gets_its_verdict_or_a_reason(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		in_one_step = i;
		each_fault(receiving);
	}
}

static void
one_that_cannot_be_taken_harms_nobody(void **state)
{
	struct error e = {0};
	const char *ids[2];
	struct event evs[TOGETHER];
	struct db *db = house_open();
	(void)state;
	app = (struct app){.db = db, .refresh = refresh};
	for (int i = 0; i < 2; i++) {
		two_calls(db, ids, evs);
		struct value *broken = bland_report_read(house.a, evs[0].body);
		value_set_text(house.a, broken, "duration_seconds", "a while");
		evs[0].report = broken;
		if (i)
			batch_open(house.url, 20000);
		struct request **rqs = requests_of(evs);
		apply(rqs);
		assert_null(verdict_of(rqs[0], &e));
		assert_true(e.message[0]);
		assert_string_equal(verdict_of(rqs[1], &e), "applied");
		assert_string_equal(verdict_of(rqs[2], &e), "duplicate");
		assert_int_equal(about("(state = 'placed')::int", ids[0]), 1);
		assert_int_equal(about("(state = 'ended')::int", ids[1]), 1);
	}
	batch_close();
	db_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_gets_its_verdict_or_a_reason),
	    cmocka_unit_test(one_that_cannot_be_taken_harms_nobody),
	};
	return cmocka_run_group_tests(tests, start, house_stop);
}
