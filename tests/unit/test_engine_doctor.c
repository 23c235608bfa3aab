/* What the doctor finds wrong, and that it finds nothing where nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "engine/doctor.h"
#include "fault.h"
#include "store/dial.h"

static char dir[] = "/tmp/trunkline-doctor-XXXXXX";

static int
start(void **state)
{
	char spool[60];
	if (house_start(state) || !mkdtemp(dir))
		return -1;
	clock_freeze(0);
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	return mkdir(spool, 0700);
}

static int
stop(void **state)
{
	char spool[60];
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	rmdir(spool);
	rmdir(dir);
	return house_stop(state);
}

static struct config
healthy(void)
{
	return (struct config){.base_url = "https://calls.example",
	    .callback_url = "",
	    .secret_key = "0123456789012345678901234567890123456789",
	    .admin_token = "0123456789abcdef",
	    .bland_api_key = "key",
	    .bland_webhook_secret = "secret",
	    .state_dir = dir,
	    .template_dir = "templates",
	    .sql_dir = "sql"};
}

static const char *
visit(const struct config *config, struct db *db, int *bad)
{
	struct error away = {.kind = ERR_UNAVAILABLE, .message = "The database is away"};
	struct buf out;
	buf_init(&out, house.a);
	*bad = doctor_run(config, db, &away, house.a, &out);
	return out.p;
}

static void
all_is_well(void **state)
{
	struct error e = {0};
	struct config config = healthy();
	struct db *db = house_open();
	int bad;
	(void)state;
	assert_true(
	    dial_run_seen(db, house.a, crypto_uuid(house.a), "here", getpid(), 0, clock_now(), &e));
	const char *said = visit(&config, db, &bad);
	/* a disk may well be nearly full here */
	if (strstr(said, "less than 1 GB"))
		bad--;
	if (bad)
		fail_msg("%s", said);
	db_close(db);
}

static void
each_fault_is_named(void **state)
{
	struct config config = healthy();
	struct db *db = house_open();
	int bad;
	(void)state;
	house_number("delete from dialer_runs");
	config.base_url = "http://calls.example";
	config.bland_api_key = "";
	config.state_dir = "/nonexistent";
	config.template_dir = "/nonexistent";
	config.sql_dir = "tests/unit";
	const char *said = visit(&config, db, &bad);
	static const char *const words[] = {"has never run", "must begin with https://",
	    "no key of Bland", "cannot be written", "templates"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(said, words[i]))
			fail_msg("%s is missing in:\n%s", words[i], said);
	assert_true(bad >= 5);
	db_close(db);
}

static void
other_faults(void **state)
{
	struct error e = {0};
	struct config config = healthy();
	struct db *db = house_open();
	int bad;
	(void)state;
	config.base_url = "https://localhost:8443";
	config.admin_token = "short";
	int64_t before = clock_now();
	clock_freeze(before - 3600 * CLOCK_SECOND);
	assert_true(dial_run_seen(db, house.a, crypto_uuid(house.a), "here", getpid(), 0,
	    clock_now() - 600 * CLOCK_SECOND, &e));
	const char *said = visit(&config, db, &bad);
	clock_freeze(0);
	assert_non_null(strstr(said, "fewer than 16 characters"));
	assert_non_null(strstr(said, "providers cannot send their events here"));
	assert_non_null(strstr(said, "s apart"));
	assert_non_null(strstr(said, "was last seen"));
	config = healthy();
	config.base_url = "https://calls.example/";
	config.bland_webhook_secret = "";
	said = visit(&config, db, &bad);
	assert_non_null(strstr(said, "must not end with a slash"));
	assert_non_null(strstr(said, "no webhook secret"));
	db_close(db);
}

static void
without_a_database(void **state)
{
	struct config config = healthy();
	int bad;
	(void)state;
	const char *said = visit(&config, NULL, &bad);
	assert_non_null(strstr(said, "The database is away. Is PostgreSQL running"));
	assert_true(bad >= 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_is_well),
	    cmocka_unit_test(each_fault_is_named),
	    cmocka_unit_test(other_faults),
	    cmocka_unit_test(without_a_database),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
