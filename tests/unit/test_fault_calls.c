/*
 * A call's life, from claim to report, while PostgreSQL fails at each of its calls: no lead has two
 * calls, no report is applied twice or half, and the next try goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "fault_campaign.h"

static bool
report(struct db *db, const char *id, const char **verdict, struct error *e)
{
	struct event ev = event_of(id);
	return event_receive(db, house.a, clock_now(), &ev, verdict, e);
}

static bool
claiming(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	long before = house_number("select count(*) from calls");
	fault_arm(kind, n);
	bool passed = claim(db, &e) != NULL;
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	long made = house_number("select count(*) from calls") - before;
	/* where the answer was lost the row is there, under a lease that will end */
	assert_true(made == 1 || (made == 0 && !passed));
	assert_true(db_refresh(db, &e));
	claimed(db);
	return fired;
}

static void
a_claim_is_a_row_or_nothing(void **state)
{
	(void)state;
	each_fault(claiming);
}

static bool
settling(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	const char *id = claimed(db);
	fault_arm(kind, n);
	bool passed = settle(db, id, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	bool placed = about("(state = 'placed')::int", id) == 1;
	assert_true(placed || (!passed && about("(state = 'placing')::int", id) == 1));
	assert_int_equal(about("(provider_call_id is not null)::int", id), placed);
	/* what is not known to have been written is written once more */
	assert_true(db_refresh(db, &e) && settle(db, id, &e));
	assert_int_equal(about("(state = 'placed')::int", id), 1);
	return fired;
}

static void
an_answer_is_settled_whole(void **state)
{
	(void)state;
	each_fault(settling);
}

static bool
reporting(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	const char *id = claimed(db), *verdict = NULL;
	assert_true(settle(db, id, &e));
	fault_arm(kind, n);
	bool passed = report(db, id, &verdict, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	/* stored and applied, or neither */
	bool ended = about("(state = 'ended')::int", id) == 1;
	assert_true(ended || !passed);
	assert_int_equal(events_of(id), ended);
	/* the provider comes again */
	assert_true(db_refresh(db, &e) && report(db, id, &verdict, &e));
	assert_string_equal(verdict, ended ? "duplicate" : "applied");
	assert_int_equal(events_of(id), 1);
	assert_int_equal(about("(outcome = 'interested')::int", id), 1);
	assert_true(report(db, id, &verdict, &e));
	assert_string_equal(verdict, "duplicate");
	return fired;
}

static void
a_report_is_applied_once_and_whole(void **state)
{
	(void)state;
	each_fault(reporting);
}

static bool two_steps;

static bool
receive(struct db *db, const struct event *evs, size_t n, const char **verdicts, struct error *e)
{
	bool wake;
	if (!two_steps)
		return event_receive_all(db, house.a, clock_now(), evs, n, verdicts, e);
	return event_send_all(db, house.a, clock_now(), evs, n, e) &&
	       event_answer_all(db, house.a, n, verdicts, &wake, e);
}

/* Three that came together, one of them twice: all are received or none. */
static bool
reporting_together(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	const char *ids[2], *verdicts[3] = {NULL};
	struct event evs[3];
	for (int i = 0; i < 2; i++) {
		ids[i] = claimed(db);
		assert_true(settle(db, ids[i], &e));
		evs[i] = event_of(ids[i]);
	}
	evs[2] = evs[1];
	fault_arm(kind, n);
	bool passed = receive(db, evs, 3, verdicts, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	bool ended = about("(state = 'ended')::int", ids[0]) == 1;
	assert_true(ended || !passed);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(events_of(ids[i]), ended);
		assert_int_equal(about("(state = 'ended')::int", ids[i]), ended);
	}
	assert_true(db_refresh(db, &e) && receive(db, evs, 3, verdicts, &e));
	assert_string_equal(verdicts[0], ended ? "duplicate" : "applied");
	assert_string_equal(verdicts[2], "duplicate");
	for (int i = 0; i < 2; i++)
		assert_int_equal(about("(outcome = 'interested')::int", ids[i]), 1);
	return fired;
}

static void
reports_that_come_together_are_applied_once(void **state)
{
	(void)state;
	each_fault(reporting_together);
	two_steps = true;
	each_fault(reporting_together);
	two_steps = false;
}

/* The lease ends, the provider is asked, and does not know the call. */
static bool
look_up(struct db *db, const char *id, struct error *e)
{
	if (!dial_expire(db, house.a, 1000, "another-boot 0", clock_now(), e))
		return false;
	house_wait(2);
	const struct value *rows = dial_lookups(db, house.a, 1, 1000, 60, clock_now(), e);
	for (size_t i = 0; rows && i < rows->list.n; i++) {
		struct str found = value_str(rows->list.items[i], "id");
		if (str_is(found, id) &&
		    !dial_lookup_done(db, house.a, found, "absent", NULL, 1000, clock_now(), e))
			return false;
	}
	return rows != NULL;
}

static bool
looking_up(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	const char *id = claimed(db);
	house_wait(LEASE + 1);
	fault_arm(kind, n);
	bool passed = look_up(db, id, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	/* three times absent, each after a while: never placed, so it may be tried again */
	for (int i = 0; i < 20 && about("(state <> 'ended')::int", id) == 1; i++) {
		house_wait(3600);
		assert_true(db_refresh(db, &e) && look_up(db, id, &e));
	}
	assert_int_equal(about("(state = 'ended')::int", id), 1);
	assert_int_equal(about("(provider_call_id is null)::int", id), 1);
	/* back to noon */
	clock_freeze((HOUSE_NOW + 86400 * 7) * CLOCK_SECOND);
	return fired;
}

static void
what_nobody_knows_of_is_resolved(void **state)
{
	(void)state;
	each_fault(looking_up);
}

static bool
pausing(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	bool changed;
	static const enum campaign_act acts[] = {CAMPAIGN_PAUSE, CAMPAIGN_START};
	bool fired = false;
	for (size_t i = 0; i < 2; i++) {
		fault_arm(kind, n);
		bool passed = campaign_do(
		    db, house.a, 1, campaign, acts[i], 0, clock_now(), &changed, NULL, &e);
		fired = fault_disarm() || fired;
		house_quiet();
		assert_true(passed || fired);
		assert_true(db_refresh(db, &e));
		/* pressing the button once more does no harm */
		assert_true(campaign_do(
		    db, house.a, 1, campaign, acts[i], 0, clock_now(), &changed, NULL, &e));
		assert_int_equal(
		    house_number("select count(*) from campaigns where state = 'running'"), i);
	}
	return fired;
}

static void
buttons_may_be_pressed_again(void **state)
{
	(void)state;
	each_fault(pausing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_claim_is_a_row_or_nothing),
	    cmocka_unit_test(an_answer_is_settled_whole),
	    cmocka_unit_test(a_report_is_applied_once_and_whole),
	    cmocka_unit_test(reports_that_come_together_are_applied_once),
	    cmocka_unit_test(buttons_may_be_pressed_again),
	    cmocka_unit_test(what_nobody_knows_of_is_resolved),
	};
	return cmocka_run_group_tests(tests, start, house_stop);
}
