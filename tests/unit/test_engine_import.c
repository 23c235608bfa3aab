/* Files of leads: the command's way, jobs, what is wrong with lines and files, stopping and going
 * on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/jobs.h"
#include "fault.h"
#include "store/campaign.h"
#include "store/import.h"
#include "store/job.h"

static char dir[] = "/tmp/trunkline-import-XXXXXX";
static struct config config;
static struct db *db;

static int
start(void **state)
{
	char spool[60];
	if (house_start(state) || !mkdtemp(dir))
		return -1;
	log_open("jobs", LOG_ERROR + 1);
	config = (struct config){.state_dir = dir,
	    .default_country = "US",
	    .database_url = house.url,
	    .dialer_budget = 20};
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	db = house_open();
	return mkdir(spool, 0700);
}

static int
stop(void **state)
{
	char command[80];
	db_close(db);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? house_stop(state) : -1; // NOLINT(cert-env33-c)
}

static const char *
file(const char *name, struct str text)
{
	const char *path = arena_printf(house.a, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
	return path;
}

static struct import_wish
wish(const char *path)
{
	struct import_wish w = {.client_id = 1, .path = path, .options = value_map(house.a)};
	return w;
}

/* What became of a file, as `trunkline import` shows it. */
static const struct value *
imported(struct import_wish *w, struct import_made *made)
{
	struct error e = {0};
	if (!import_file(&config, db, house.a, w, made, &e))
		fail_msg("%s", e.message);
	const struct value *i = import_find(db, house.a, 1, made->id, &e);
	assert_non_null(i);
	return i;
}

static enum error_kind
refused(struct import_wish *w, const char *words)
{
	struct error e = {0};
	struct import_made made;
	assert_false(import_file(&config, db, house.a, w, &made, &e));
	if (!strstr(e.message, words))
		fail_msg("\"%s\" is missing in: %s", words, e.message);
	return e.kind;
}

static long
leads(const char *where)
{
	return house_number(arena_printf(house.a, "select count(*) from leads where %s", where));
}

static void
the_command_imports_and_waits(void **state)
{
	(void)state;
	struct import_made made;
	struct import_wish w = wish(
	    file("one.csv", STR("Phone,First Name,Last Name,Opt in,Notes,Plan,Prompt\n"
				"(212) 200-0001,Ada,Lovelace,yes,\"a\\b\tc\nd\re\",gold,default\n"
				"212-200-0002,,Bob,no,,,\n"
				"+1 212 200 0003,Carl,,2025-03-04,,,\n"
				"2122000004,Dora,,maybe,,,\n")));
	const struct value *i = imported(&w, &made);
	assert_string_equal(value_strz(house.a, i, "state"), "done");
	assert_string_equal(made.consent, "column");
	assert_string_equal(w.file_name, "one.csv");
	assert_int_equal(leads("phone like '+1212200000%'"), 4);
	assert_int_equal(leads("contact = 'Ada Lovelace' and attributes->>'plan' = 'gold' and "
			       "notes = E'a\\\\b\\tc\\nd\\re' and prompt_name = 'default'"),
	    1);
	assert_int_equal(house_number("select count(*) from consents where granted"), 2);
	assert_int_equal(house_number("select count(*) from consents where not granted"), 1);
	/* nothing is left in the spool */
	assert_int_equal(rmdir(arena_printf(house.a, "%s/spool", dir)), 0);
	assert_int_equal(mkdir(arena_printf(house.a, "%s/spool", dir), 0700), 0);
	/* the same bytes once more: said, and taken */
	struct import_made again;
	w = wish(arena_printf(house.a, "%s/one.csv", dir));
	imported(&w, &again);
	assert_int_equal(again.same_as, made.id);
	assert_int_equal(leads("phone like '+1212200000%'"), 4);
}

static void
lines_are_refused_with_reasons(void **state)
{
	static const char *const reasons[] = {"no phone number", "too long for a phone number",
	    "longer than 200 characters", "has 6 fields", "never closed",
	    "longer than 20000 characters", "longer than 20000"};
	struct buf b;
	struct import_made made;
	(void)state;
	buf_init(&b, house.a);
	buf_puts(&b, "phone,name,notes,hobby\n,nobody,,\n");
	buf_puts(&b, "+1212200");
	for (int i = 0; i < 120; i++)
		buf_putc(&b, '1');
	buf_puts(&b, ",long number,,\n+12122000011,");
	for (int i = 0; i < 300; i++)
		buf_putc(&b, 'n');
	buf_puts(&b, ",,\n+12122000012,a,b,c,d,e\n+12122000013,,");
	for (int i = 0; i < 21000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, ",\n+12122000014,,,");
	for (int i = 0; i < 21000; i++)
		buf_putc(&b, 'y');
	buf_puts(&b, "\n+12122000015,good,,\n+12122000016,\"open,,\n");
	struct import_wish w = wish(file("two.csv", buf_view(&b)));
	value_set_text(house.a, w.options, "consent", "none");
	assert_string_equal(value_strz(house.a, imported(&w, &made), "state"), "done");
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (house_number(arena_printf(house.a,
			"select count(*) from import_lines where import_id = %lld and reason like '%%%s%%'",
			(long long)made.id, reasons[i])) < 1)
			fail_msg("no line was refused because: %s", reasons[i]);
	assert_int_equal(leads("phone like '+121220000%' and contact = 'good'"), 1);
}

static void
files_are_refused_in_words(void **state)
{
	(void)state;
	struct import_wish w = wish("/nonexistent/list.csv");
	assert_int_equal(refused(&w, "No such file"), ERR_INVALID);
	w = wish(file("empty.csv", STR("")));
	assert_int_equal(refused(&w, "empty"), ERR_INVALID);
	w = wish(file("header.csv", STR("phone,name\n")));
	assert_int_equal(refused(&w, "no rows besides its header"), ERR_INVALID);
	w = wish(file("nophone.csv", STR("name,city\nAda,Paris\n")));
	assert_int_equal(refused(&w, "No column holds phone numbers"), ERR_INVALID);
	w = wish(file("three.csv", STR("phone,name\n+12122000021,Ada\n")));
	value_set_text(house.a, w.options, "consent", "attested");
	assert_int_equal(refused(&w, "Say where these people gave their consent"), ERR_INVALID);
	w = wish(file("three.csv", STR("phone,name\n+12122000021,Ada\n")));
	value_set_text(house.a, w.options, "consent", "column");
	assert_int_equal(refused(&w, "no column about consent"), ERR_INVALID);
	const char *state_dir = config.state_dir;
	config.state_dir = "/nonexistent";
	w = wish(file("three.csv", STR("phone,name\n+12122000021,Ada\n")));
	assert_int_equal(refused(&w, "No such file"), ERR_UNAVAILABLE);
	config.state_dir = state_dir;
}

static void
what_the_options_say_is_done(void **state)
{
	struct import_made made;
	(void)state;
	struct import_wish w = wish(file("four.txt", STR("030 1234567\tM\xFCller\n")));
	value_set_text(house.a, w.options, "delimiter", "tab");
	value_set_text(house.a, w.options, "header", "no");
	value_set_text(house.a, w.options, "encoding", "Windows-1252");
	value_set_text(house.a, w.options, "default_country", "DE");
	imported(&w, &made);
	assert_int_equal(leads("phone = '+49301234567'"), 1);
	w = wish(file("five.txt", STR("phone|name\n+12122000031|Ada\n")));
	value_set_text(house.a, w.options, "delimiter", "|");
	value_set_text(house.a, w.options, "header", "yes");
	imported(&w, &made);
	assert_int_equal(leads("phone = '+12122000031' and contact = 'Ada'"), 1);
}

/* Puts a file into the queue and leaves it there. */
static int64_t
queued(const char *name, struct str text, bool ask, struct import_made *made)
{
	struct error e = {0};
	struct import_wish w = wish(file(arena_printf(house.a, "spool/%s", name), text));
	w.file_name = name;
	w.sha256 = name;
	w.size = (int64_t)text.n;
	w.ask = ask;
	if (!import_add(&config, db, house.a, &w, made, &e))
		fail_msg("%s", e.message);
	return made->id;
}

static const char *
state_of(int64_t id)
{
	struct error e = {0};
	return value_strz(house.a, import_find(db, house.a, 1, id, &e), "state");
}

static void
a_person_is_asked_where_it_is_not_clear(void **state)
{
	struct import_made made;
	(void)state;
	queued("ask.csv", STR("a,b\nx,y\n"), true, &made);
	assert_true(made.asks);
	assert_string_equal(state_of(made.id), "mapping");
	queued("sure.csv", STR("phone,consent\n+12122000041,yes\n"), true, &made);
	assert_false(made.asks);
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_string_equal(state_of(made.id), "done");
}

static bool
at_once(void *ctx)
{
	return --*(int *)ctx < 0;
}

static struct str
many(int rows, int from)
{
	struct buf b;
	buf_init(&b, house.a);
	buf_puts(&b, "phone,name\n");
	for (int i = 0; i < rows; i++)
		buf_printf(&b, "+1312%07d,Ada %d\n", from + i, i);
	return buf_view(&b);
}

static void
a_worker_that_is_told_to_stop_is_followed_by_another(void **state)
{
	struct import_made made;
	struct error e = {0};
	int64_t ran = 0;
	int batches = 1;
	(void)state;
	queued("many.csv", many(12000, 2000000), false, &made);
	struct import_worker w = {.config = &config, .db = db, .stop = at_once, .ctx = &batches};
	assert_true(jobs_one(&w, house.a, &ran, &e));
	assert_int_equal(ran, made.id);
	assert_string_not_equal(state_of(made.id), "done");
	long there = leads("phone like '+1312%'");
	assert_true(there > 0 && there < 12000);
	house_wait(1);
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_string_equal(state_of(made.id), "done");
	assert_int_equal(leads("phone like '+1312%'"), 12000);
	/* and undone */
	assert_true(import_ask_undo(db, house.a, 1, made.id, clock_now(), &e));
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_int_equal(leads("phone like '+1312%'"), 0);
}

static void
a_job_that_is_canceled_or_lost_its_file_ends(void **state)
{
	struct import_made made;
	struct error e = {0};
	const char *unused = NULL;
	(void)state;
	queued("gone.csv", many(10, 3000000), false, &made);
	unlink(arena_printf(house.a, "%s/spool/gone.csv", dir));
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_string_equal(state_of(made.id), "failed");
	queued("broken.csv", many(10, 3000000), false, &made);
	file("spool/broken.csv", STR("\x89PNG\r\n\x1a\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_string_equal(state_of(made.id), "failed");
	queued("canceled.csv", many(10, 3000000), false, &made);
	assert_true(import_ask_cancel(db, house.a, 1, made.id, clock_now(), &unused, &e));
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_string_equal(state_of(made.id), "canceled");
	assert_int_equal(leads("phone like '+13123%'"), 0);
}

/* Three pieces of a hundred; the first is there at once. */
static void
large_campaign(int64_t *id)
{
	struct error e = {0};
	int64_t n = 0;
	house_number(
	    "create or replace function job_size() returns int language sql as 'select 100'");
	house_number("delete from jobs");
	house_number("delete from leads");
	house_number("insert into leads (client_id, phone)"
		     " select 1, '+1602' || 2000000 + n from generate_series(1, 250) n");
	*id = house_number(
	    "insert into campaigns (client_id, name) values (1, gen_random_uuid()) returning id");
	assert_true(campaign_enrol(db, house.a, *id, 0, NULL, clock_now(), &n, &e));
	assert_int_equal(n, 100);
}

static long
enrolled(int64_t campaign)
{
	return house_number(arena_printf(house.a,
	    "select count(*) from enrollments where campaign_id = %lld", (long long)campaign));
}

static void
what_a_page_began_is_gone_on_with(void **state)
{
	int64_t campaign, left = 0;
	struct error e = {0};
	(void)state;
	large_campaign(&campaign);
	assert_true(job_left(db, house.a, campaign, 0, &left, &e));
	assert_int_equal(left, 150);
	assert_int_equal(jobs_run(&config, -1, true), 0);
	assert_true(job_left(db, house.a, campaign, 0, &left, &e));
	assert_int_equal(left, 0);
	assert_int_equal(enrolled(campaign), 250);
	assert_int_equal(house_number("select count(*) from jobs"), 0);
}

static void
one_piece(void *ctx)
{
	struct error e = {0};
	bool worked;
	assert_true(job_step(ctx, house.a, clock_now(), &worked, &e));
}

/* Between two batches of an import, which does not wait for it either. */
static void
it_is_gone_on_with_beside_an_import(void **state)
{
	int64_t campaign, ran;
	struct import_made made;
	struct error e = {0};
	struct db *other = house_open();
	(void)state;
	large_campaign(&campaign);
	queued("beside.csv", many(12000, 4000000), false, &made);
	struct import_worker w = {.config = &config, .db = db, .aside = one_piece, .ctx = other};
	assert_true(jobs_one(&w, house.a, &ran, &e));
	assert_string_equal(state_of(made.id), "done");
	assert_true(enrolled(campaign) >= 200); /* those that the import brings are pending too */
	db_close(other);
}

/* Each fault leaves a whole piece or none, and the next one goes on from there. */
static void
a_database_that_fails_in_mid_piece(void **state)
{
	(void)state;
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		bool fired = true;
		for (int n = 1; fired; n++) {
			struct error e = {0};
			int64_t campaign;
			bool worked = true;
			large_campaign(&campaign);
			fault_arm((enum fault_kind)kind, n);
			(void)!job_step(db, house.a, clock_now(), &worked, &e);
			fired = fault_disarm();
			long there = enrolled(campaign);
			if (there != 100 && there != 200)
				fail_msg("%s %d: %ld leads", fault_names[kind], n, there);
			for (worked = true; worked;) {
				assert_true(db_refresh(db, &e));
				assert_true(job_step(db, house.a, clock_now(), &worked, &e));
			}
			assert_int_equal(enrolled(campaign), 250);
		}
	}
}

/* Told to stop before it began; and a database that is away. */
static void
jobs_end_when_they_are_told_to(void **state)
{
	uint64_t one = 1;
	int signals = eventfd(0, EFD_CLOEXEC);
	struct config away = config;
	(void)state;
	assert_int_equal(write(signals, &one, sizeof(one)), sizeof(one));
	assert_int_equal(jobs_run(&config, signals, false), 0);
	close(signals);
	away.dialer_budget = 1;
	assert_int_equal(jobs_run(&away, -1, false), 0);
	away.database_url = "host=/nonexistent";
	assert_int_equal(jobs_run(&away, -1, true), 1);
}

/* Each fault of the database breaks the job off; the next one goes on, and nobody is there twice.
 */
static void
a_database_that_fails_in_mid_job(void **state)
{
	(void)state;
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		bool fired = true;
		for (int n = 1; fired; n++) {
			struct import_made made;
			struct error e = {0};
			int64_t ran = 0;
			house_number("delete from leads where phone like '+1415%'");
			queued("faults.csv",
			    STR("phone\n+14152000001\n+14152000002\n+14152000003\n"), false, &made);
			struct import_worker w = {.config = &config, .db = db};
			fault_arm((enum fault_kind)kind, n);
			(void)!jobs_one(&w, house.a, &ran, &e);
			fired = fault_disarm();
			long there = leads("phone like '+1415%'");
			if (there != 0 && there != 3)
				fail_msg("%s %d: %ld leads", fault_names[kind], n, there);
			for (int i = 0; i < 5 && strcmp(state_of(made.id), "done") != 0; i++) {
				house_wait(IMPORT_LEASE_SECONDS + 1);
				assert_true(db_refresh(db, &e));
				(void)!jobs_one(&w, house.a, &ran, &e);
			}
			if (strcmp(state_of(made.id), "done") != 0)
				fail_msg(
				    "%s %d: it ended %s", fault_names[kind], n, state_of(made.id));
			assert_int_equal(leads("phone like '+1415%'"), 3);
			const struct value *i = import_find(db, house.a, 1, made.id, &e);
			assert_int_equal(value_num(i, "rows_created"), 3);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_command_imports_and_waits),
	    cmocka_unit_test(lines_are_refused_with_reasons),
	    cmocka_unit_test(files_are_refused_in_words),
	    cmocka_unit_test(what_the_options_say_is_done),
	    cmocka_unit_test(a_person_is_asked_where_it_is_not_clear),
	    cmocka_unit_test(a_worker_that_is_told_to_stop_is_followed_by_another),
	    cmocka_unit_test(a_job_that_is_canceled_or_lost_its_file_ends),
	    cmocka_unit_test(what_a_page_began_is_gone_on_with),
	    cmocka_unit_test(it_is_gone_on_with_beside_an_import),
	    cmocka_unit_test(a_database_that_fails_in_mid_piece),
	    cmocka_unit_test(jobs_end_when_they_are_told_to),
	    cmocka_unit_test(a_database_that_fails_in_mid_job),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
