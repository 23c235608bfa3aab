#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <string.h>

#include "rules/diff.h"

/* As a patch reads: " same", "-removed", "+added", with / for the line ends. */
static const char *
shown(struct arena *a, const char *before, const char *after)
{
	const struct value *d = diff_lines(a, str_of(before), str_of(after));
	struct buf b;
	buf_init(&b, a);
	for (size_t i = 0; i < d->list.n; i++) {
		const struct value *line = d->list.items[i];
		buf_puts(&b, value_flag(line, "added")     ? "+"
			     : value_flag(line, "removed") ? "-"
							   : " ");
		assert_int_equal(value_flag(line, "added") + value_flag(line, "removed") +
				     value_flag(line, "same"),
		    1);
		buf_str(&b, value_str(line, "text"));
		buf_putc(&b, '/');
	}
	return b.p;
}

static void
cases(void **state)
{
	(void)state;
	static const struct {
		const char *before, *after, *want;
	} all[] = {
	    {"", "", ""},
	    {"a", "a", " a/"},
	    {"a\nb\n", "a\nb", " a/ b/"},
	    {"a\r\nb", "a\nb", " a/ b/"},
	    {"", "a\nb", "+a/+b/"},
	    {"a\nb", "", "-a/-b/"},
	    {"a\nb\nc", "a\nx\nc", " a/-b/+x/ c/"},
	    {"a\nb\nc", "b\nc\nd", "-a/ b/ c/+d/"},
	    {"a\n\nb", "a\nb", " a/-/ b/"},
	    {"one\ntwo\nthree\nfour", "zero\ntwo\nfour\nfive",
		"-one/+zero/ two/-three/ four/+five/"},
	};
	struct arena *a = arena_new(1 << 16);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_string_equal(shown(a, all[i].before, all[i].after), all[i].want);
	arena_free(a);
}

/* Whatever the texts: what is not added is the old text, what is not removed the new one. */
static void
both_texts_are_in_it(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	unsigned lot = 7;
	for (int round = 0; round < 60; round++) {
		struct buf texts[2], back[2];
		for (int t = 0; t < 2; t++) {
			buf_init(&texts[t], a);
			buf_init(&back[t], a);
			int lines = round < 50 ? round : 700;
			for (int i = 0; i < lines; i++, lot = lot * 1103515245 + 12345)
				buf_printf(&texts[t], "%u\n", lot >> 16 & 7);
		}
		const struct value *d = diff_lines(a, buf_view(&texts[0]), buf_view(&texts[1]));
		for (size_t i = 0; i < d->list.n; i++) {
			const struct value *line = d->list.items[i];
			for (int t = 0; t < 2; t++)
				if (!value_flag(line, t ? "removed" : "added"))
					buf_printf(
					    &back[t], "%.*s\n", STR_ARG(value_str(line, "text")));
		}
		assert_true(str_eq(buf_view(&texts[0]), buf_view(&back[0])));
		assert_true(str_eq(buf_view(&texts[1]), buf_view(&back[1])));
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cases), cmocka_unit_test(both_texts_are_in_it)};
	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
