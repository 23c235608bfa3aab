/* E-mail through a command: what it is given, and commands that fail, hang or are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/mail.h"

static char dir[] = "/tmp/trunkline-mail-XXXXXX";

static int
start(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	char line[100];
	snprintf(line, sizeof(line), "rm -rf %s", dir);
	return system(line); /* NOLINT(cert-env33-c) */
}

static const char *
command(struct arena *a, const char *name, const char *text)
{
	const char *path = arena_printf(a, "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static const char *
content(struct arena *a, const char *name)
{
	char text[200000];
	FILE *f = fopen(arena_printf(a, "%s/%s", dir, name), "re");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	return arena_strndup(a, text, n);
}

static void
a_message_is_handed_over_whole(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct buf body;
	const char *path =
	    command(a, "good", arena_printf(a, "echo \"$@\" > %s/words; cat > %s/got", dir, dir));
	buf_init(&body, a);
	for (int i = 0; i < 20000; i++) /* more than a pipe holds */
		buf_puts(&body, "line\n");
	if (!mail_send(path, "trunkline@a.example", "me@b.example", "Trunkline: x", buf_view(&body),
		10000, &e))
		fail_msg("%s", e.message);
	const char *got = content(a, "got");
	assert_string_equal(content(a, "words"), "-t -i\n");
	assert_true(str_starts(str_of(got),
	    "From: Trunkline <trunkline@a.example>\nTo: me@b.example\nSubject: Trunkline: x\n"));
	assert_non_null(strstr(got, "charset=utf-8"));
	assert_string_equal(strstr(got, "\n\n") + 2, body.p);
	arena_free(a);
}

static void
what_goes_wrong_is_said(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct str body = STR("x\n");
	assert_false(mail_send("/nonexistent/sendmail", "a@a", "b@b", "s", body, 5000, &e));
	assert_non_null(strstr(e.message, "cannot be run"));
	assert_false(mail_send(
	    command(a, "bad", "cat > /dev/null; exit 75"), "a@a", "b@b", "s", body, 5000, &e));
	assert_non_null(strstr(e.message, "status 75"));
	assert_false(
	    mail_send(command(a, "talks", "cat > /dev/null; echo no such host >&2; exit 1"), "a@a",
		"b@b", "s", body, 5000, &e));
	assert_non_null(strstr(e.message, "failed: no such host"));
	assert_false(
	    mail_send(command(a, "deaf", "exec 0<&-; exit 1"), "a@a", "b@b", "s", body, 5000, &e));
	int64_t before = clock_monotonic();
	assert_false(
	    mail_send(command(a, "slow", "exec sleep 60"), "a@a", "b@b", "s", body, 300, &e));
	assert_non_null(strstr(e.message, "in time"));
	assert_false(mail_send(
	    command(a, "silent", "exec 2>&-; exec sleep 60"), "a@a", "b@b", "s", body, 300, &e));
	assert_non_null(strstr(e.message, "in time"));
	assert_true(clock_monotonic() - before < 10 * CLOCK_SECOND);
	arena_free(a);
}

static void
addresses(void **state)
{
	(void)state;
	struct error e = {0};
	static const char *const good[] = {
	    "a@b.example", "a.b+c@d.example, e@f.example", "x@localhost"};
	static const char *const bad[] = {"", "a", "@b", "a@", "a@b@c", "a b@c.example",
	    "a@b.example,", "a@b.example\nBcc: c@d.example", "-oQ/tmp@b.example", "<a@b.example>",
	    "a@.b", ","};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!mail_check(str_of(good[i]), &e))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (mail_check(str_of(bad[i]), &e))
			fail_msg("%s was taken", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_is_handed_over_whole),
	    cmocka_unit_test(what_goes_wrong_is_said),
	    cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
