/*
 * The dialer's parts while PostgreSQL fails at each of their calls: what was claimed is there to be
 * placed, an answer stays until it is recorded, and what went silent is asked about again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>
#include <poll.h>

#include "engine/dialer.h"
#include "fault_campaign.h"

/* Nobody listens there. */
static const struct config config = {.bland_api_key = "key",
    .bland_base_url = "http://127.0.0.1:1",
    .base_url = "https://calls.example",
    .callback_url = "",
    .secret_key = "0123456789012345678901234567890123456789",
    .sandbox = true,
    .http_timeout = 3,
    .lookup_first = 1,
    .call_deadline = 60};

static struct config
config_here(void)
{
	struct config here = config;
	here.database_url = house.url;
	return here;
}

static struct dialer
dialer_of(const struct config *c, struct db *db, struct arena *a)
{
	return (struct dialer){.config = c,
	    .db = db,
	    .settler = db,
	    .own = a,
	    .tick = a,
	    .pace = pace_new(a),
	    .run = run_id,
	    .host = "here",
	    .boot = "boot"};
}

/* Until the claim under way has been read. */
static bool
claim_through(struct dialer *d, struct error *e)
{
	bool idle = false;
	if (!claim_begin(d, 1, e))
		return false;
	while (claim_go_on(d, &idle, e)) {
		if (idle)
			return true;
		struct pollfd p = {claim_socket(d), POLLIN, 0};
		(void)poll(&p, 1, 1000);
	}
	return false;
}

static bool
claiming(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	struct arena *a = arena_new(8192);
	struct config here = config_here();
	struct dialer d = dialer_of(&here, db, a);
	house_wait(2);
	fault_arm(kind, n);
	d.claim = claim_open(&d, &e);
	bool passed = d.claim && claim_through(&d, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	if (!d.claim) /* its supervisor starts it again */
		d.claim = claim_open(&d, &e);
	assert_non_null(d.claim);
	house_wait(2);
	for (int i = 0; claim_room(&d) == MOST_PLACING; i++) {
		/* The server may still be busy with the claim whose connection was cut. */
		assert_true(i < 1000);
		assert_true(claim_through(&d, &e));
	}
	assert_int_equal(claim_room(&d), MOST_PLACING - 1);
	claim_close(d.claim);
	arena_free(a);
	return fired;
}

static void
what_is_claimed_is_there_to_be_placed(void **state)
{
	(void)state;
	house_number("update provider_limits set pace_per_second = 1");
	each_fault(claiming);
	house_number("update provider_limits set pace_per_second = 100");
}

static void
answered(struct dialer *d, const char *id)
{
	struct arena *a = arena_new(1024);
	struct value *r = value_map(a);
	value_set_text(a, r, "call_id", id);
	value_set_text(a, r, "verdict", "placed");
	value_set(a, r, "provider_call_id", value_printf(a, "at-bland-%s", id));
	settle_later(d, a, r);
}

static bool
settling(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	struct arena *a = arena_new(8192);
	struct dialer d = dialer_of(&config, db, a);
	d.last_reply = &d.replies;
	const char *ids[2];
	for (int i = 0; i < 2; i++)
		answered(&d, ids[i] = claimed(db));
	fault_arm(kind, n);
	bool passed = settle_replies(&d, true, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	assert_int_equal(d.waiting, passed ? 0 : 2);
	assert_true(passed || settle_replies(&d, true, &e));
	assert_int_equal(d.waiting, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(about("(state = 'placed')::int", ids[i]), 1);
	arena_free(a);
	return fired;
}

static void
an_answer_stays_until_it_is_recorded(void **state)
{
	(void)state;
	each_fault(settling);
}

/* Asks about all that is due; nobody answers. */
static bool
reconcile_once(struct dialer *d, struct error *e)
{
	bool good = reconcile(d, 1, e);
	while (d->looking)
		client_drive(d->client, NULL, 0, 100);
	return good;
}

static bool
asking(struct db *db, enum fault_kind kind, int n)
{
	struct error e = {0};
	struct arena *a = arena_new(8192);
	struct dialer d = dialer_of(&config, db, a);
	d.client = client_open("", &e);
	assert_non_null(d.client);
	house_number("delete from calls");
	const char *id = claimed(db);
	house_wait(LEASE + 1);
	assert_true(reconcile_once(&d, &e)); /* nobody knows of it from now on */
	house_wait(2);
	fault_arm(kind, n);
	bool passed = reconcile_once(&d, &e);
	bool fired = fault_disarm();
	house_quiet();
	assert_true(passed || (fired && e.message[0]));
	assert_int_equal(about("(state = 'ambiguous')::int", id), 1);
	/* whatever was lost, it is asked about again, when its lease is over at the latest */
	long away = about("away", id);
	house_wait(120);
	assert_true(db_refresh(db, &e) && reconcile_once(&d, &e));
	assert_int_equal(about("away", id), away + 1);
	client_close(d.client);
	arena_free(a);
	clock_freeze((HOUSE_NOW + 86400 * 7) * CLOCK_SECOND);
	return fired;
}

static void
what_went_silent_is_asked_about_again(void **state)
{
	(void)state;
	each_fault(asking);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_claimed_is_there_to_be_placed),
	    cmocka_unit_test(an_answer_stays_until_it_is_recorded),
	    cmocka_unit_test(what_went_silent_is_asked_about_again),
	};
	return cmocka_run_group_tests(tests, start, house_stop);
}
