#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"

static const char key[] = "0123456789abcdef0123456789abcdef";
static struct arena *a;
static struct config c;

static int
clean(void **state)
{
	static const char *const names[] = {"DATABASE_URL", "BASE_URL", "SECRET_KEY", "CONCURRENCY",
	    "SANDBOX", "BLAND_API_KEY", "BLAND_WEBHOOK_ALLOW_UNSIGNED", "VOICE_ID", "TIME_ZONE",
	    "HTTP_TIMEOUT", "CREDENTIALS_DIRECTORY"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("SECRET_KEY", key, 1);
	if (!a)
		a = arena_new(4096);
	memset(&c, 0, sizeof(c));
	return 0;
}

static int
release(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void
load(void)
{
	struct error e = {0};
	if (!config_load(&c, a, &e))
		fail_msg("%s", e.message);
}

static void
refuses(const char *name, const char *text)
{
	struct error e = {0};
	setenv(name, text, 1);
	if (config_load(&c, a, &e))
		fail_msg("accepted: %s=%s", name, text);
	assert_int_equal(e.kind, ERR_INVALID);
	assert_string_equal(e.field, name);
	assert_non_null(strstr(e.message, name));
	unsetenv(name);
}

static void
defaults_hold_where_nothing_is_said(void **state)
{
	(void)state;
	setenv("VOICE_ID", "", 1);
	load();
	assert_int_equal(c.concurrency, 3);
	assert_string_equal(c.bland_base_url, "https://api.bland.ai");
	assert_string_equal(c.voice_id, "maya");
	assert_string_equal(c.bland_api_key, "");
	assert_false(c.sandbox);
	assert_false(c.bland_webhook_allow_unsigned);
	assert_string_equal(c.secret_key, key);
}

static void
the_environment_is_read(void **state)
{
	static const char *const yes[] = {"1", "true", "yes", "on", "TRUE"};
	static const char *const no[] = {"0", "false", "no", "off", ""};
	(void)state;
	setenv("CONCURRENCY", "12", 1);
	setenv("TIME_ZONE", "Europe/Berlin", 1);
	for (size_t i = 0; i < 5; i++) {
		setenv("SANDBOX", yes[i], 1);
		load();
		assert_true(c.sandbox);
		setenv("SANDBOX", no[i], 1);
		load();
		assert_false(c.sandbox);
	}
	assert_int_equal(c.concurrency, 12);
	assert_string_equal(c.time_zone, "Europe/Berlin");
}

static void
bad_settings_are_named(void **state)
{
	(void)state;
	refuses("CONCURRENCY", "three");
	refuses("CONCURRENCY", "-1");
	refuses("HTTP_TIMEOUT", "1.5");
	refuses("SANDBOX", "ture");
	refuses("BLAND_WEBHOOK_ALLOW_UNSIGNED", "2");
	refuses("SECRET_KEY", "too short");
	refuses("SECRET_KEY", "");
}

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
credentials_come_before_the_environment(void **state)
{
	(void)state;
	char dir[] = "/tmp/trunkline-credentials-XXXXXX";
	assert_non_null(mkdtemp(dir));
	char *path = arena_printf(a, "%s/BLAND_API_KEY", dir);
	put(path, "  sk-from-file\n");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	setenv("BLAND_API_KEY", "sk-from-environment", 1);
	setenv("VOICE_ID", "nat", 1);
	load();
	assert_string_equal(c.bland_api_key, "sk-from-file");
	assert_string_equal(c.voice_id, "nat");
	put(path, "\n");
	load();
	assert_string_equal(c.bland_api_key, "sk-from-environment");
	unlink(path);
	char *key_path = arena_printf(a, "%s/SECRET_KEY", dir);
	unsetenv("SECRET_KEY");
	put(key_path, "a credential of more than thirty-two characters\n");
	load();
	assert_string_equal(c.secret_key, "a credential of more than thirty-two characters");
	unlink(key_path);
	rmdir(dir);
}

static void
secrets_are_not_printed(void **state)
{
	static const char *const addresses[] = {"postgres://app:hunter2@db/trunkline",
	    "host=db user=app password=hunter2", "host=db PASSWORD='hunter2'"};
	(void)state;
	setenv("BLAND_API_KEY", "sk-hunter2", 1);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct buf out;
		setenv("DATABASE_URL", addresses[i], 1);
		load();
		buf_init(&out, a);
		config_print(&c, &out);
		assert_null(strstr(out.p, "hunter2"));
		assert_null(strstr(out.p, key));
		assert_non_null(strstr(out.p, "BLAND_API_KEY=(set)\n"));
		assert_non_null(strstr(out.p, "DATABASE_URL=(set)\n"));
		assert_non_null(strstr(out.p, "ADMIN_TOKEN=\n"));
		assert_non_null(strstr(out.p, "CONCURRENCY=3\n"));
		assert_non_null(strstr(out.p, "SANDBOX=0\n"));
		assert_non_null(strstr(out.p, "BASE_URL=https://localhost:8443\n"));
	}
	struct buf out;
	setenv("DATABASE_URL", "host=/run/postgresql dbname=x", 1);
	load();
	buf_init(&out, a);
	config_print(&c, &out);
	assert_non_null(strstr(out.p, "DATABASE_URL=host=/run/postgresql dbname=x\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(defaults_hold_where_nothing_is_said, clean),
	    cmocka_unit_test_setup(the_environment_is_read, clean),
	    cmocka_unit_test_setup(bad_settings_are_named, clean),
	    cmocka_unit_test_setup(credentials_come_before_the_environment, clean),
	    cmocka_unit_test_setup(secrets_are_not_printed, clean),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
