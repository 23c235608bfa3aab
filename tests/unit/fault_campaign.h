#ifndef FAULT_CAMPAIGN_H
#define FAULT_CAMPAIGN_H
/* In the house of fault.h: a campaign under way, its calls, and what Bland tells of them. */
#include "base/crypto.h"
#include "fault.h"
#include "providers/bland.h"
#include "store/campaign.h"
#include "store/dial.h"
#include "store/event.h"

enum { MOST_CALLS = 200, LEASE = 30, LEADS = 3000 };

static int64_t campaign;
static const char *run_id;

/* One campaign of many leads that may all be called now; the limits do not limit. */
static inline int
start(void **state)
{
	struct error e = {0};
	struct value *fields;
	int64_t n = 0;
	bool changed = false;
	if (house_start(state))
		return -1;
	house_number(
	    "insert into leads (client_id, phone, contact, zones) select 1, '+1212' || 2000000 + i, "
	    "'Ada', '{America/New_York}' from generate_series(1, 3000) i");
	house_number("insert into consents (client_id, lead_id, channel, granted, source, at) "
		     "select 1, id, 'call', true, 'a test', timestamptz '2026-01-05' from leads");
	house_number("update provider_limits set concurrency = 100000, pace_per_second = 100");
	struct db *db = house_open();
	fields = value_map(house.a);
	value_set_text(house.a, fields, "name", "Faults");
	value_set_int(house.a, fields, "concurrency", 1000);
	value_set_int(house.a, fields, "pace_per_second", 100);
	run_id = crypto_uuid(house.a);
	bool good = campaign_put(db, house.a, 1, 0, fields, 0, clock_now(), &campaign, &e) &&
		    campaign_enrol(db, house.a, campaign, 0, NULL, clock_now(), &n, &e) &&
		    campaign_do(db, house.a, 1, campaign, CAMPAIGN_START, 0, clock_now(), &changed,
			NULL, &e);
	if (!good)
		fprintf(stderr, "%s\n", e.message);
	db_close(db);
	return good && n == LEADS ? 0 : -1;
}

/* The id of a call that is claimed now, NULL where nothing was. */
static inline const char *
claim(struct db *db, struct error *e)
{
	house_wait(2);
	if (!dial_claim(
		db, house.a, 1, 1, run_id, LEASE, true, clock_now(), "boot", clock_monotonic(), e))
		return NULL;
	const struct value *answer = dial_claimed(db, house.a, e);
	/* The server may still be busy with the claim whose connection was cut. */
	if (value_flag(answer, "busy")) {
		usleep(5000);
		return claim(db, e);
	}
	const struct value *ids = value_get(answer, "calls");
	if (!value_truthy(ids) || !dial_calls(db, house.a, ids, e))
		return NULL;
	const struct value *calls = db_answer(db, house.a, e);
	if (!calls || calls->list.n == 0)
		return NULL;
	return value_strz(house.a, calls->list.items[0], "id");
}

static inline const char *
claimed(struct db *db)
{
	struct error e = {0};
	const char *id = claim(db, &e);
	if (!id)
		fail_msg("nothing could be claimed: %s", e.message);
	return id;
}

static inline bool
settle(struct db *db, const char *id, struct error *e)
{
	struct value *list = value_list(house.a),
		     *r = value_push(house.a, list, value_map(house.a));
	value_set_text(house.a, r, "call_id", id);
	value_set_text(house.a, r, "verdict", "placed");
	value_set_text(house.a, r, "reason", "");
	value_set(house.a, r, "provider_call_id", value_printf(house.a, "at-bland-%s", id));
	value_set_int(house.a, r, "deadline_ms", 3600000);
	value_set_int(house.a, r, "lookup_ms", 1000);
	return dial_settle(db, house.a, list, clock_now(), e) && db_answer(db, house.a, e);
}

static inline struct event
event_of(const char *id)
{
	const char *body = arena_printf(house.a,
	    "{\"call_id\":\"at-bland-%s\",\"status\":\"completed\",\"completed\":true,"
	    "\"answered_by\":\"human\",\"corrected_duration\":\"39\",\"disposition_tag\":\"INTERESTED\","
	    "\"metadata\":{\"attempt_id\":\"%s\"}}",
	    id, id);
	return (struct event){.provider = "bland",
	    .body = str_of(body),
	    .signature = "good",
	    .headers = value_map(house.a),
	    .report = bland_report_read(house.a, str_of(body))};
}

/* "select … where id = the call" as a number. */
static inline long
about(const char *what, const char *id)
{
	return house_number(
	    arena_printf(house.a, "select %s from calls where id = '%s'", what, id));
}

static inline long
events_of(const char *id)
{
	return house_number(arena_printf(
	    house.a, "select count(*) from events where provider_call_id = 'at-bland-%s'", id));
}

static inline void
nobody_has_two_calls(void)
{
	assert_int_equal(
	    house_number("select count(*) from (select from calls group by enrollment_id "
			 "having count(*) > 1) x"),
	    0);
}

/* Runs ${body} with a fault at 1, 2, … of each kind until it passes without one. */
static inline void
each_fault(bool (*body)(struct db *db, enum fault_kind kind, int n))
{
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		bool fired = true;
		for (int n = 1; fired; n++) {
			struct db *db = house_open();
			assert_true(n < MOST_CALLS);
			fired = body(db, (enum fault_kind)kind, n);
			nobody_has_two_calls();
			db_close(db);
		}
	}
}

#endif
