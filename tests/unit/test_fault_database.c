/* What becomes of statements, transactions, streams and migrations when PostgreSQL fails under
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "fault.h"
#include "queries.h"
#include "store/lead.h"
#include "store/setting.h"
#include "store/user.h"

enum { MOST = 400, LEADS = 300 };

/* Runs ${op} with a fault at call 1, 2, … of each kind, on a connection of its own; ${check} is
 * told whether it said that it passed, then the next try must pass. */
static void
each_fault(bool (*op)(struct db *db, struct error *e), void (*check)(bool passed))
{
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		for (int n = 1;; n++) {
			struct error e = {0}, again = {0};
			struct db *db = house_open();
			assert_true(n < MOST);
			fault_arm((enum fault_kind)kind, n);
			bool passed = op(db, &e);
			bool fired = fault_disarm();
			if (!passed && !fired)
				fail_msg("failed without a fault: %s", e.message);
			if (!passed && (e.kind == ERR_NONE || !e.message[0]))
				fail_msg("%s %d: no reason was given", fault_names[kind], n);
			check(passed);
			if (!db_refresh(db, &again) || !op(db, &again))
				fail_msg(
				    "%s %d: the next try: %s", fault_names[kind], n, again.message);
			check(true);
			db_close(db);
			arena_reset(house.a);
			if (!fired)
				break;
		}
	}
}

static void
nothing(bool passed)
{
	(void)passed;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static bool
open_and_listen(struct db *unused, struct error *e)
{
	(void)unused;
	struct db *db = db_open(house.url, "second", 1000, e);
	bool good = db && db_listen(db, "dialer", e);
	db_close(db);
	return good;
}

static void
connections_are_opened_whole_or_not_at_all(void **state)
{
	(void)state;
	each_fault(open_and_listen, nothing);
}

/* A connection that is cut while nobody looks is made anew, with its settings and its LISTEN. */
static void
a_refreshed_connection_is_as_good_as_new(void **state)
{
	struct error e = {0};
	struct db *db = house_open();
	(void)state;
	assert_true(db_listen(db, "dialer", &e));
	for (int n = 1, fired = 1; fired; n++) {
		house_number("select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity "
			     "where application_name = 'faults'");
		fault_arm(FAULT_BEFORE, n);
		bool good = db_refresh(db, &e);
		fired = fault_disarm();
		assert_true(good || fired);
		assert_true(db_refresh(db, &e));
	}
	const struct value *row = db_row(db, house.a, q_health_clock, &e);
	if (!row)
		fail_msg("%s", e.message);
	house_number("notify dialer");
	assert_true(db_wait(db, 5000));
	db_close(db);
}

/* --- transactions -------------------------------------------------------------------------------
 */

static bool
two_rows(struct db *db, struct error *e)
{
	int64_t now = clock_now();
	if (!db_begin(db, e))
		return false;
	if (setting_put(db, house.a, 1, "rep", STR("Sam"), 0, now, e) &&
	    setting_put(db, house.a, 1, "voice_id", STR("maya"), 0, now, e))
		return db_commit(db, e);
	db_rollback(db);
	return false;
}

static void
both_or_none(bool passed)
{
	long n = house_number("select count(*) from settings where name in ('rep', 'voice_id')");
	assert_true(n == 2 || (n == 0 && !passed));
	assert_int_equal(
	    house_number("select count(*) from pg_stat_activity where application_name = "
			 "'faults' and state like 'idle in transaction%' and pid <> "
			 "pg_backend_pid() and xact_start < now() - interval '20 s'"),
	    0);
	if (passed)
		house_number("delete from settings");
}

static void
a_transaction_is_whole_or_not_there(void **state)
{
	(void)state;
	house_number("delete from settings");
	each_fault(two_rows, both_or_none);
}

/* --- streams ------------------------------------------------------------------------------------
 */

static int rows_seen;

static bool
seen(void *ctx, const struct value *row, struct error *e)
{
	(void)ctx;
	(void)e;
	assert_true(value_str(row, "phone").n > 0);
	rows_seen++;
	return true;
}

static bool
read_stream(struct db *db, struct error *e)
{
	rows_seen = 0;
	return lead_export(db, house.a, 1, value_map(house.a), 1000, seen, NULL, e);
}

static void
whole_stream(bool passed)
{
	if (passed)
		assert_int_equal(rows_seen, LEADS);
}

static void
a_broken_stream_never_passes_for_whole(void **state)
{
	(void)state;
	house_number("insert into leads (client_id, phone, contact) "
		     "select 1, '+1212' || 2000000 + i, 'Ada' from generate_series(1, 300) i");
	/* a fault for each of some hundred rows would only say the same again */
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		for (int n = 1; n < 40; n++) {
			struct error e = {0};
			struct db *db = house_open();
			fault_arm((enum fault_kind)kind, n);
			bool passed = read_stream(db, &e);
			fault_disarm();
			whole_stream(passed);
			assert_true(db_refresh(db, &e));
			assert_true(read_stream(db, &e));
			whole_stream(true);
			db_close(db);
			arena_reset(house.a);
		}
	}
}

/* --- several statements in one flight ----------------------------------------------------------
 */

/* Two statements without a filter, three with one. */
static bool
read_screen(struct db *db, const char *filter, struct error *e)
{
	struct lead_place place = {.filter = json_parse(house.a, str_of(filter), e), .limit = 51};
	struct lead_screen screen = {0};
	assert_non_null(place.filter);
	if (!lead_screen(db, house.a, 1, &place, 1001, clock_now(), &screen, e))
		return false;
	assert_int_equal(screen.rows->list.n, 51);
	assert_int_equal(screen.matches, LEADS);
	assert_int_equal(value_get(screen.choices, "lists")->type, VALUE_LIST);
	return true;
}

static bool
read_all(struct db *db, struct error *e)
{
	return read_screen(db, "{}", e);
}

static bool
read_some(struct db *db, struct error *e)
{
	return read_screen(db, "{\"status\": \"pending\"}", e);
}

static void
a_flight_is_whole_or_not_there(void **state)
{
	(void)state;
	each_fault(read_all, nothing);
	each_fault(read_some, nothing);
}

/* A migration makes plans stale, a restarted server forgets them: nobody is to notice. */
static void
a_flight_departs_again_where_the_server_forgot(void **state)
{
	struct error e = {0};
	struct db *db = house_open();
	(void)state;
	assert_true(read_all(db, &e));
	assert_true(db_script(db, "deallocate lead_choices", &e));
	assert_true(read_all(db, &e));
	assert_true(db_script(db, "deallocate all", &e));
	assert_true(read_some(db, &e));
	assert_int_equal(e.kind, ERR_NONE);
	db_close(db);
}

static void
a_flight_tells_what_was_wrong(void **state)
{
	struct error e = {0};
	struct db *db = house_open();
	(void)state;
	assert_false(read_screen(db, "{\"import\": \"none\"}", &e));
	assert_int_equal(e.kind, ERR_INVALID);
	assert_non_null(strstr(e.message, "none"));
	assert_true(read_all(db, &e));
	/* Within a transaction nothing is tried twice. */
	assert_true(db_begin(db, &e));
	assert_true(read_all(db, &e));
	assert_true(db_script(db, "deallocate lead_list", &e));
	assert_false(read_all(db, &e));
	db_rollback(db);
	db_close(db);
}

/* --- accounts -----------------------------------------------------------------------------------
 */

static bool
add_and_find(struct db *db, struct error *e)
{
	int64_t id = 0, client = 0;
	if (user_by_email(db, house.a, STR("ada@example.test"), &client, &id, e))
		return true;
	return e->kind == ERR_NOT_FOUND &&
	       user_add(db, house.a, 1, STR("ada@example.test"), STR("Ada"), STR("member"),
		   "a good long password", &id, e);
}

static void
one_account(bool passed)
{
	long n = house_number("select count(*) from users where email = 'ada@example.test'");
	assert_true(n == 1 || (n == 0 && !passed));
	if (passed)
		house_number("delete from users where email = 'ada@example.test'");
}

static void
an_account_is_made_once(void **state)
{
	(void)state;
	each_fault(add_and_find, one_account);
}

/* --- migrations ---------------------------------------------------------------------------------
 */

static void
file(const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/sql/%s", house.sql, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
small_schema(void)
{
	char path[200];
	snprintf(house.sql, sizeof(house.sql), "/tmp/trunkline-faults-XXXXXX");
	assert_non_null(mkdtemp(house.sql));
	static const char *const folders[] = {"sql", "sql/migrations", "sql/functions"};
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", house.sql, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	file("migrations/0001_one.sql",
	    "create table schema_migrations (name text primary key, version integer unique, "
	    "checksum text not null, applied_at timestamptz not null);"
	    "create table one (x int); insert into one values (1);");
	file("migrations/0002_two.sql", "create table two (x int); insert into one values (2);");
	file("functions/f.sql",
	    "create or replace function f() returns int language sql as 'select 1';");
	file("functions/g.sql",
	    "create or replace function g() returns int language sql as 'select 2';");
}

/* Each fault meets an empty database; the next run, by another process, finishes what was begun. */
static void
migrations_go_on_where_they_broke_off(void **state)
{
	char url[200], path[200];
	(void)state;
	small_schema();
	house_number("create database fresh");
	snprintf(url, sizeof(url), "host=%s dbname=fresh user=trunkline", house.dir);
	snprintf(path, sizeof(path), "%s/sql", house.sql);
	PGconn *watch = house.watch;
	house.watch = PQconnectdb(url);
	house_number("set client_min_messages = error");
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		bool fired = true;
		for (int n = 1; fired; n++) {
			struct error e = {0};
			struct migrate_report report;
			house_number("drop schema public cascade; create schema public");
			struct db *db = db_open(url, "migrate", 0, &e);
			assert_non_null(db);
			fault_arm((enum fault_kind)kind, n);
			bool good = migrate_run(db, house.a, path, &report, &e);
			fired = fault_disarm();
			assert_true(good || fired);
			db_close(db);
			db = db_open(url, "migrate", 0, &e);
			if (!db || !migrate_run(db, house.a, path, &report, &e))
				fail_msg("%s %d: %s", fault_names[kind], n, e.message);
			db_close(db);
			/* each of them once */
			assert_int_equal(house_number("select sum(x) from one"), 3);
			assert_int_equal(house_number("select f() + g() from two"), -1);
			arena_reset(house.a);
		}
	}
	PQfinish(house.watch);
	house.watch = watch;
	snprintf(path, sizeof(path), "rm -rf %s", house.sql);
	assert_int_equal(system(path), 0); // NOLINT(cert-env33-c)
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(connections_are_opened_whole_or_not_at_all),
	    cmocka_unit_test(a_refreshed_connection_is_as_good_as_new),
	    cmocka_unit_test(a_transaction_is_whole_or_not_there),
	    cmocka_unit_test(a_broken_stream_never_passes_for_whole),
	    cmocka_unit_test(a_flight_is_whole_or_not_there),
	    cmocka_unit_test(a_flight_departs_again_where_the_server_forgot),
	    cmocka_unit_test(a_flight_tells_what_was_wrong),
	    cmocka_unit_test(an_account_is_made_once),
	    cmocka_unit_test(migrations_go_on_where_they_broke_off),
	};
	return cmocka_run_group_tests(tests, house_start, house_stop);
}
