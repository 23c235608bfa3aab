/*
 * Whole runs of the dialer against a provider that answers as each test says: placing, what a lost
 * answer leads to, and what becomes of calls that went silent. The wall clock stands still but for
 * what house_wait adds, so days pass in a moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/dialer.h"
#include "fake_bland.h"
#include "fault.h"
#include "store/campaign.h"

/* --- the house ----------------------------------------------------------------------------------
 */

static struct config config;
static int64_t campaign;

static int
start(void **state)
{
	static char url[60];
	if (house_start(state))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	log_open("dialer", LOG_ERROR + 1);
	if (!bland_start(url, sizeof(url)))
		return -1;
	config = (struct config){.database_url = house.url,
	    .base_url = "https://calls.example",
	    .callback_url = "",
	    .secret_key = "0123456789012345678901234567890123456789",
	    .bland_api_key = "key",
	    .bland_base_url = url,
	    .bland_webhook_secret = "secret",
	    .voice_id = "maya",
	    .ca_file = "",
	    .default_country = "US",
	    .time_zone = "UTC",
	    .sandbox = true,
	    .concurrency = 100,
	    .dialer_budget = 20,
	    .http_timeout = 3,
	    .lookup_first = 1,
	    .call_deadline = 60};
	return 0;
}

static int
stop(void **state)
{
	bland_stop();
	return house_stop(state);
}

/* One lead in a running campaign of its own; what was there before has gone. */
static int
fresh(void **state)
{
	struct error e = {0};
	int64_t n = 0;
	bool changed;
	(void)state;
	house_number(
	    "truncate leads, campaigns, calls, provider_ids, events, alerts, suppressions, settings, dialer_runs "
	    "cascade");
	house_number(
	    "update provider_limits set concurrency = 100, pace_per_second = 100, hold_until = null,"
	    " stopped_reason = null, stopped_at = null, failures = 0");
	house_number("insert into leads (client_id, phone, contact, zones) "
		     "values (1, '+12122000001', 'Ada', '{America/New_York}')");
	house_number("insert into consents (client_id, lead_id, channel, granted, source, at) "
		     "select 1, id, 'call', true, 'a test', timestamptz '2026-01-05' from leads");
	clock_freeze(HOUSE_NOW * CLOCK_SECOND);
	struct db *db = house_open();
	struct value *fields = value_map(house.a);
	value_set_text(house.a, fields, "name", "one");
	bool good = campaign_put(db, house.a, 1, 0, fields, 0, clock_now(), &campaign, &e) &&
		    campaign_enrol(db, house.a, campaign, 0, NULL, clock_now(), &n, &e) &&
		    campaign_do(db, house.a, 1, campaign, CAMPAIGN_START, 0, clock_now(), &changed,
			NULL, &e);
	db_close(db);
	if (!good)
		fprintf(stderr, "%s\n", e.message);
	bland.post = (struct answer){200, "{\"status\":\"success\",\"call_id\":\"b-1\"}"};
	bland.list = (struct answer){200, "{\"calls\":[]}"};
	bland.call = (struct answer){404, "{}"};
	bland.posts = bland.lists = bland.calls = 0;
	return good && n == 1 ? 0 : -1;
}

/* Ends a run as soon as ${sql} is true, or after some seconds. */
struct watcher {
	const char *sql;
	int signals;
	PGconn *conn;
};

static void *
watch(void *arg)
{
	struct watcher *w = arg;
	uint64_t one = 1;
	fault_exempt = true;
	for (int i = 0; i < 1500; i++) {
		PGresult *res = FAULT_REAL(PQexec)(w->conn, w->sql);
		bool yes = PQntuples(res) && strcmp(PQgetvalue(res, 0, 0), "t") == 0;
		PQclear(res);
		if (yes)
			break;
		usleep(10000);
	}
	(void)!write(w->signals, &one, sizeof(one));
	return NULL;
}

/* A run of the dialer until ${sql} ("select …") answers true; fails where it never does. */
static void
run_until(const char *sql)
{
	pthread_t thread;
	struct watcher w = {.sql = sql, .signals = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	struct arena *a = arena_new(8192);
	w.conn = FAULT_REAL(PQconnectdb)(house.url);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	/* a fault may keep it from starting; its supervisor starts another */
	if (dialer_run(&config, a, w.signals) != 0 && !fault.fired)
		fail_msg("it did not start");
	pthread_join(thread, NULL);
	PQfinish(w.conn);
	close(w.signals);
	arena_free(a);
	char *check = arena_printf(house.a, "select ((%s))::int", sql);
	if (house_number(check) == 1)
		return;
	fault.inside++;
	PGresult *res =
	    PQexec(house.watch, "select string_agg(to_jsonb(c)::text, ' ') from calls c");
	fault.inside--;
	fail_msg("never came: %s; posts %d, lists %d, the calls: %s", sql, bland.posts, bland.lists,
	    PQgetvalue(res, 0, 0));
}

#define STATE_IS(x) "select bool_or(state = '" x "') from calls"
static const char final[] =
    "{\"call_id\":\"b-1\",\"status\":\"completed\",\"completed\":true,"
    "\"answered_by\":\"human\",\"corrected_duration\":\"39\","
    "\"disposition_tag\":\"INTERESTED\",\"metadata\":{\"attempt_id\":\"@id\"}}";
static const char going[] = "{\"call_id\":\"b-1\",\"completed\":false,\"status\":null,"
			    "\"queue_status\":\"started\",\"started_at\":\"2026-11-18T17:00:01Z\","
			    "\"metadata\":{\"attempt_id\":\"@id\"}}";
static const char other[] =
    "{\"call_id\":\"b-0\",\"completed\":true,\"status\":\"completed\",\"metadata\":{}}";

/* --- placing ------------------------------------------------------------------------------------
 */

static void
a_call_is_placed_and_asked_for_when_it_stays_silent(void **state)
{
	(void)state;
	run_until(STATE_IS("placed"));
	assert_int_equal(bland.posts, 1);
	/* still going, then away, then unreadable, then over */
	static const struct answer answers[] = {
	    {200, going}, {500, "x"}, {200, "no JSON"}, {0, NULL}};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		int before = bland.calls;
		bland.call = answers[i];
		house_wait(3600);
		for (int k = 0; k < 20 && bland.calls == before; k++) {
			house_wait(60);
			run_until("select pg_sleep(0.1) is not null");
		}
		assert_true(bland.calls > before);
	}
	bland.call = (struct answer){200, final};
	house_wait(3600);
	run_until(STATE_IS("ended"));
	assert_int_equal(
	    house_number("select count(*) from calls where outcome = 'interested'"), 1);
	assert_int_equal(bland.posts, 1);
}

/* More than begin together (engine/claim.c): each is sent once all the same. */
static void
many_are_placed_in_turns(void **state)
{
	(void)state;
	bland.post = (struct answer){200, "{\"status\":\"success\",\"call_id\":\"@id\"}"};
	house_number(
	    "insert into leads (client_id, phone, zones) select 1, '+1212' || 2100000 + n, "
	    "'{America/New_York}' from generate_series(1, 200) n");
	house_number("insert into consents (client_id, lead_id, channel, granted, source, at) "
		     "select 1, id, 'call', true, 'a test', timestamptz '2026-01-05' from leads "
		     "where phone > '+12121'");
	house_number(
	    "insert into enrollments (client_id, campaign_id, lead_id, due_at) select 1, c.id, l.id, "
	    "timestamptz '2026-01-05' from campaigns c, leads l where l.phone > '+12121' "
	    "on conflict do nothing");
	house_number("update campaigns set concurrency = 1000, pace_per_second = 5000");
	house_number("update provider_limits set concurrency = 1000, pace_per_second = 5000");
	run_until(
	    "select count(distinct provider_call_id) = 201 from calls where state = 'placed'");
	assert_int_equal(bland.posts, 201);
	assert_int_equal(house_number("select count(*) from calls"), 201);
}

/* A process that slept between the claim and the sending sends nothing. */
static void
a_lease_that_ran_out_sends_nothing(void **state)
{
	(void)state;
	struct error e = {0};
	struct arena *a = arena_new(8192);
	struct dialer d = {.config = &config,
	    .db = house_open(),
	    .settler = house_open(),
	    .client = client_open("", &e),
	    .pace = pace_new(a),
	    .own = a,
	    .tick = a,
	    .boot = "boot"};
	d.last_reply = &d.replies;
	struct value *call = value_map(a);
	value_set_text(a, call, "id", "00000000-0000-4000-8000-000000000001");
	value_set_int(a, call, "client_id", 1);
	value_set_int(a, call, "campaign_id", campaign);
	value_set_int(
	    a, call, "prompt_version_id", house_number("select max(id) from prompt_versions"));
	value_set_text(a, call, "phone", "+12122000001");
	place_call(&d, call, clock_monotonic() - 10 * CLOCK_SECOND);
	assert_int_equal(d.placing, 0);
	assert_int_equal(d.waiting, 1);
	assert_int_equal(bland.posts, 0);
	assert_true(settle_replies(&d, true, &e));
	assert_int_equal(d.waiting, 0);
	client_close(d.client);
	db_close(d.settler);
	db_close(d.db);
	arena_free(a);
}

/* A run that was killed on this machine just now holds nobody up: its process is seen to be gone.
 */
static void
what_a_dead_run_held_is_taken_over(void **state)
{
	char host[256] = "";
	(void)state;
	gethostname(host, sizeof(host) - 1);
	house_number(arena_printf(house.a,
	    "insert into dialer_runs (id, host, pid, started_at, seen_at) values "
	    "('00000000-0000-4000-8000-00000000dead', '%s', 2147483647, now(), now())",
	    host));
	house_number("update provider_limits set claimed_boot = null, claimed_at = "
		     "timestamptz '2026-11-18 17:00:00+00', "
		     "claimed_by = '00000000-0000-4000-8000-00000000dead'");
	run_until(STATE_IS("placed"));
	assert_int_equal(house_number("select count(*) from dialer_runs where ended_at is not null "
				      "and pid = 2147483647"),
	    1);
	assert_int_equal(bland.posts, 1);
}

/* Runs of a moment, an hour apart, until ${sql} holds. */
static void
days_until(const char *sql)
{
	for (int i = 0; i < 30; i++) {
		char *check = arena_printf(house.a, "select ((%s))::int", sql);
		if (house_number(check) == 1)
			return;
		/* noon of the next day: calling hours */
		house_wait(86400);
		/* the run before this one is as long ago by the clock that does not jump */
		house_number("update provider_limits set claimed_by = null");
		run_until("select pg_sleep(0.15) is not null");
	}
	fail_msg("never came: %s", sql);
}

static void
a_placed_call_that_the_provider_no_longer_knows_ends(void **state)
{
	(void)state;
	run_until(STATE_IS("placed"));
	days_until(
	    "select count(*) = 1 from calls where state = 'ended' and outcome is not null and "
	    "provider_call_id = 'b-1'");
}

static void
a_lost_answer_is_looked_for_and_found(void **state)
{
	(void)state;
	bland.post = (struct answer){0, NULL};
	run_until(STATE_IS("ambiguous"));
	/* calls of somebody else to the same number come first */
	bland.list = (struct answer){200, "{\"calls\":[{\"call_id\":\"b-0\"},{\"c_id\":\"b-1\"}]}"};
	bland.call = (struct answer){200, going};
	house_wait(5);
	run_until(STATE_IS("placed"));
	assert_int_equal(bland.posts, 1);
	assert_int_equal(house_number("select count(*) from calls"), 1);
}

static void
a_lost_answer_is_looked_for_and_over(void **state)
{
	(void)state;
	bland.post = (struct answer){0, NULL};
	run_until(STATE_IS("ambiguous"));
	bland.list = (struct answer){200, "{\"calls\":[{\"call_id\":\"b-1\"}]}"};
	bland.call = (struct answer){200, final};
	house_wait(5);
	run_until(STATE_IS("ended"));
	assert_int_equal(bland.posts, 1);
}

/* Three times absent: it was never placed, and only then is it tried again. */
static void
an_absent_call_is_tried_again(void **state)
{
	(void)state;
	bland.post = (struct answer){0, NULL};
	run_until(STATE_IS("ambiguous"));
	static const struct answer lists[] = {{500, "x"}, {200, "no JSON"}, {200, "{}"}, {0, NULL},
	    {200, "{\"calls\":[{\"call_id\":\"b-0\"}]}"},
	    {200, "{\"calls\":[{\"call_id\":\"b-0\"}]}"}};
	static const struct answer calls[] = {
	    {404, ""}, {404, ""}, {404, ""}, {404, ""}, {404, ""}, {200, other}};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		bland.list = lists[i];
		bland.call = calls[i];
		house_wait(600);
		run_until("select pg_sleep(0.2) is not null");
	}
	assert_true(bland.lists >= 3);
	bland.post = (struct answer){200, "{\"status\":\"success\",\"call_id\":\"b-1\"}"};
	days_until("select count(*) = 2 from calls");
	assert_int_equal(
	    house_number("select count(*) from calls where provider_call_id is null"), 1);
}

static void
a_refused_key_stops_everything(void **state)
{
	(void)state;
	bland.post = (struct answer){401, "{\"message\":\"Unauthorized\"}"};
	run_until("select stopped_reason is not null from provider_limits");
	assert_int_equal(bland.posts, 1);
}

static void
without_a_key_nothing_is_sent(void **state)
{
	(void)state;
	config.bland_api_key = "";
	run_until("select stopped_reason is not null from provider_limits");
	config.bland_api_key = "key";
	assert_int_equal(bland.posts, 0);
}

static void
a_broken_prompt_pauses_the_campaign(void **state)
{
	(void)state;
	house_number(
	    "update prompt_versions set body = 'Hello {{#a}} you' where body not like 'Hello {{#a}}%'");
	run_until("select state = 'paused' from campaigns");
	assert_int_equal(bland.posts, 0);
	house_number("update prompt_versions set body = 'Hello {{contact}}'");
}

/* --- trouble ------------------------------------------------------------------------------------
 */

static void
nobody_listens(void **state)
{
	const char *url = config.bland_base_url;
	(void)state;
	config.bland_base_url = "http://127.0.0.1:1";
	/* nothing left the house, so it is simply tried again */
	run_until("select count(*) >= 1 from calls where state = 'ended'");
	config.bland_base_url = url;
	assert_int_equal(
	    house_number("select count(*) from calls where provider_call_id is not null"), 0);
}

/* Whatever the database does, the lead is dialled once. */
static void
a_database_that_fails_in_mid_run(void **state)
{
	for (int n = 8; n < 64; n += 4) {
		if (fresh(state))
			fail();
		fault_arm(n % 2 ? FAULT_BEFORE : FAULT_REFUSED, n);
		run_until("select pg_sleep(0.6) is not null");
		fault_disarm();
		if (bland.posts > 1)
			fail_msg("fault %d: %d POSTs", n, bland.posts);
		/* a campaign that the fault paused would go on by a person's hand */
		days_until("select bool_or(state in ('placed', 'ambiguous', 'ended')) from calls");
		assert_true(bland.posts <= 1 || house_number("select count(*) from calls") > 1);
	}
}

static void
what_keeps_it_from_starting(void **state)
{
	struct arena *a = arena_new(8192);
	struct config away = config;
	(void)state;
	away.database_url = "host=/nonexistent dbname=x";
	assert_int_equal(dialer_run(&away, a, -1), 1);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_call_is_placed_and_asked_for_when_it_stays_silent, fresh),
	    cmocka_unit_test_setup(many_are_placed_in_turns, fresh),
	    cmocka_unit_test_setup(a_lease_that_ran_out_sends_nothing, fresh),
	    cmocka_unit_test_setup(what_a_dead_run_held_is_taken_over, fresh),
	    cmocka_unit_test_setup(a_placed_call_that_the_provider_no_longer_knows_ends, fresh),
	    cmocka_unit_test_setup(a_lost_answer_is_looked_for_and_found, fresh),
	    cmocka_unit_test_setup(a_lost_answer_is_looked_for_and_over, fresh),
	    cmocka_unit_test_setup(an_absent_call_is_tried_again, fresh),
	    cmocka_unit_test_setup(a_refused_key_stops_everything, fresh),
	    cmocka_unit_test_setup(without_a_key_nothing_is_sent, fresh),
	    cmocka_unit_test_setup(a_broken_prompt_pauses_the_campaign, fresh),
	    cmocka_unit_test_setup(nobody_listens, fresh),
	    cmocka_unit_test(a_database_that_fails_in_mid_run),
	    cmocka_unit_test(what_keeps_it_from_starting),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
