/* Another program that is run to its end. */
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

#include "base/child.h"

static bool
shell(struct arena *a, const char *script, const char *const *extra, int input, struct error *e)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	return child_run(a, argv, extra, input, 0, e);
}

static void
answers_and_last_words(void **state)
{
	struct arena *a = arena_new(1024);
	struct error e = {0};
	const char *const nothing[] = {"no-such-program", NULL};
	(void)state;
	/* A folder of the tester's that may not be entered would be another reason. */
	setenv("PATH", "/usr/bin:/bin", 1);
	assert_true(shell(a, "echo unseen; exit 0", NULL, -1, &e));
	assert_false(shell(a, "echo first >&2; echo 'the reason' >&2; exit 3", NULL, -1, &e));
	assert_string_equal(e.message, "sh failed: the reason");
	assert_false(shell(a, "kill -9 $$", NULL, -1, &e));
	assert_string_equal(e.message, "sh failed: it was ended");
	assert_false(child_run(a, nothing, NULL, -1, 0, &e));
	assert_string_equal(e.message, "no-such-program cannot be run: No such file or directory");
	assert_false(shell(a, "exit 75", NULL, -1, &e));
	assert_string_equal(e.message, "sh failed: it ended with status 75");
	/* More than a pipe holds does not block it. */
	assert_false(
	    shell(a, "head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2; exit 1",
		NULL, -1, &e));
	assert_string_equal(e.message, "sh failed: end");
	arena_free(a);
}

static void
environment_and_input(void **state)
{
	struct arena *a = arena_new(1024);
	struct error e = {0};
	const char *const extra[] = {"TOLD=yes", NULL};
	(void)state;
	int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
	assert_true(shell(a, "test \"$TOLD\" = yes && ! read x", extra, -1, &e));
	assert_true(fd < 0 || shell(a, "cat >/dev/null", NULL, fd, &e));
	assert_null(getenv("TOLD"));
	close(fd);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_and_last_words),
	    cmocka_unit_test(environment_and_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
