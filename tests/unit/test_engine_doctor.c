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
#include "store/setting.h"

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
	    .run_dir = dir,
	    .alert_email = "",
	    .sendmail = "/nonexistent",
	    .disk_low_mb = 0,
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

/* A test's machine has no nginx, no certificate, no safe disk settings and perhaps no time server.
 */
static bool
of_this_machine(struct str name)
{
	static const char *const names[] = {
	    "clock is set", "sockets", "nginx", "postgresql", "backup", "permissions"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

static void
all_is_well(void **state)
{
	struct error e = {0};
	struct config config = healthy();
	struct db *db = house_open();
	(void)state;
	assert_true(
	    dial_run_seen(db, house.a, crypto_uuid(house.a), "here", getpid(), 0, clock_now(), &e));
	struct value *all = doctor_examine(&config, db, NULL, house.a);
	for (size_t i = 0; i < all->list.n; i++) {
		struct str name = value_str(all->list.items[i], "name");
		if (!value_flag(all->list.items[i], "ok") && !of_this_machine(name))
			fail_msg("%.*s: %.*s", STR_ARG(name),
			    STR_ARG(value_str(all->list.items[i], "finding")));
	}
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
	config.disk_low_mb = INT64_C(1) << 40;
	config.alert_email = "somebody@example.com";
	struct error e = {0};
	assert_true(setting_seal(db, house.a, &config, 1, "alert_webhook", STR("https://h.example"),
	    0, clock_now(), &e));
	config.secret_key = "another key, which is long enough, too";
	config.template_dir = "/nonexistent";
	config.sql_dir = "tests/unit";
	const char *said = visit(&config, db, &bad);
	static const char *const words[] = {"has never run", "must begin with https://",
	    "no key of Bland", "cannot be written", "templates", "nobody listens at",
	    "does not answer", "are free on the disk", "another SECRET_KEY", "cannot be run"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strstr(said, words[i]))
			fail_msg("%s is missing in:\n%s", words[i], said);
	assert_true(bad >= 10);
	assert_true(
	    setting_seal(db, house.a, &config, 1, "alert_webhook", STR(""), 0, clock_now(), &e));
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
