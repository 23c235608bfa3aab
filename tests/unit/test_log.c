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
#include "base/json.h"
#include "base/log.h"

static int kept = -1, reader = -1;

/* stderr becomes a pipe for the length of one line. */
static void
divert(void)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	kept = dup(STDERR_FILENO);
	reader = ends[0];
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
}

static struct str
caught(struct arena *a)
{
	char text[8192];
	ssize_t n = read(reader, text, sizeof(text));
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(reader);
	return n > 0 ? (struct str){arena_strndup(a, text, (size_t)n), (size_t)n} : STR("");
}

static struct value *
line(struct arena *a)
{
	struct error e = {0};
	struct str text = caught(a);
	assert_true(str_ends(text, "}\n"));
	assert_int_equal(str_chr(text, '\n'), text.n - 1);
	struct value *v = json_parse(a, text, &e);
	if (!v)
		fail_msg("%.*s: %s", STR_ARG(text), e.message);
	return v;
}

static void
a_line_is_one_json_object(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	clock_freeze(INT64_C(1795305600) * CLOCK_SECOND);
	log_open("unit", LOG_INFO);
	log_context("req-1");
	divert();
	log_warn("call \"placed\"\n", LOG_TEXT("call", "c\t7"), LOG_INT("ms", -12));
	struct value *v = line(a);
	assert_true(str_is(value_str(v, "time"), "2026-11-22T00:00:00Z"));
	assert_true(str_is(value_str(v, "level"), "warn"));
	assert_true(str_is(value_str(v, "program"), "unit"));
	assert_true(str_is(value_str(v, "msg"), "call \"placed\"\n"));
	assert_true(str_is(value_str(v, "request"), "req-1"));
	assert_true(str_is(value_str(v, "call"), "c\t7"));
	assert_int_equal(value_num(v, "ms"), -12);
	assert_int_equal(value_num(v, "pid"), getpid());
	log_context(NULL);
	divert();
	log_info("plain");
	assert_false(value_has(line(a), "request"));
	clock_freeze(0);
	arena_free(a);
}

static void
ill_formed_text_does_not_break_a_line(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	log_open("unit", LOG_INFO);
	divert();
	log_error("path \xff\xc3", LOG_TEXT("agent", "\xc0\xaf"), LOG_TEXT("none", NULL));
	struct value *v = line(a);
	assert_true(str_is(value_str(v, "msg"), "path \xEF\xBF\xBD\xEF\xBF\xBD"));
	assert_true(str_is(value_str(v, "none"), ""));
	arena_free(a);
}

static void
telephone_numbers_are_masked(void **state)
{
	static const char *const numbers[][2] = {{"+15550100002", "+1555\xE2\x80\xA6"
								  "02"},
	    {"+442079460000", "+4420\xE2\x80\xA6"
			      "00"},
	    {"+4930123", "\xE2\x80\xA6"}, {"", "\xE2\x80\xA6"}, {NULL, "\xE2\x80\xA6"}};
	(void)state;
	struct arena *a = arena_new(4096);
	log_open("unit", LOG_INFO);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		divert();
		log_info("call", LOG_PHONE("to", numbers[i][0]));
		assert_true(str_is(value_str(line(a), "to"), numbers[i][1]));
	}
	arena_free(a);
}

static void
the_least_level_is_kept(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	log_open("unit", LOG_WARN);
	divert();
	log_debug("no");
	log_info("no");
	assert_int_equal(caught(a).n, 0);
	divert();
	log_error("yes");
	assert_true(str_is(value_str(line(a), "level"), "error"));
	assert_int_equal(log_level_of("debug"), LOG_DEBUG);
	assert_int_equal(log_level_of("error"), LOG_ERROR);
	assert_int_equal(log_level_of("warn"), LOG_WARN);
	assert_int_equal(log_level_of("loud"), LOG_INFO);
	arena_free(a);
}

static void
numbers_and_secrets_are_masked(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	divert();
	log_warn("database", LOG_TEXT("why", "bad value +15550100002, +4930123456 and +12; 2+2"),
	    LOG_TEXT("auth", "Authorization: Bearer abc.def-ghi, password=hunter2 dbname=x"),
	    LOG_TEXT("plain", "Bears pass by"));
	struct value *v = line(a);
	assert_string_equal(value_strz(a, v, "why"), "bad value +1555…02, +4930…56 and +12; 2+2");
	assert_string_equal(
	    value_strz(a, v, "auth"), "Authorization: Bearer …, password=… dbname=x");
	assert_string_equal(value_strz(a, v, "plain"), "Bears pass by");
	arena_free(a);
}

/* As systemd.exec(5) says: device and inode of the stream that the journal reads. */
static void
the_journal_is_told_the_level(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct stat st;
	char stream[64];
	divert();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("test", LOG_INFO);
	log_error("one");
	struct str text = caught(a);
	assert_true(str_starts(text, "<3>{\"time\":"));
	divert();
	log_open("test", LOG_INFO); /* another pipe: stderr was led elsewhere */
	log_error("two");
	assert_true(str_starts(caught(a), "{\"time\":"));
	unsetenv("JOURNAL_STREAM");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_one_json_object),
	    cmocka_unit_test(ill_formed_text_does_not_break_a_line),
	    cmocka_unit_test(telephone_numbers_are_masked),
	    cmocka_unit_test(the_least_level_is_kept),
	    cmocka_unit_test(numbers_and_secrets_are_masked),
	    cmocka_unit_test(the_journal_is_told_the_level),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
