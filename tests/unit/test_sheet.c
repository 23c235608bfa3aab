#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/sheet.h"
#include "base/sheet_number.h"
#include "base/spool.h"

/* All rows as 1:[a][b], then the error's message, if any. */
static char *
contents(struct arena *a, const char *name)
{
	struct error e = {0};
	struct csv_row row;
	struct buf out;
	buf_init(&out, a);
	struct sheet *s =
	    sheet_open(a, arena_printf(a, "tests/unit/files/%s.xlsx", name), NULL, &e);
	while (s && sheet_next(s, &row, &e)) {
		buf_printf(&out, "%lld%s:", (long long)row.line, row.damage ? "!" : "");
		for (size_t i = 0; i < row.n; i++)
			buf_printf(&out, "[%.*s]", STR_ARG(row.fields[i]));
		buf_putc(&out, '\n');
	}
	buf_puts(&out, e.message);
	return out.p;
}

static void
cells_read_as_people_see_them(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_true(
	    str_starts(str_of(contents(a, "plain")), "1:[phone][name]\n2:[+15550100002][N 2]\n"));
	assert_string_equal(contents(a, "shared"),
	    "1:[phone][name]\n2:[+15550100001][Zo\xC3\xAB & S\xC3\xB6hne]\n3:[+15550100001][Rich text]\n"
	    "4:[+15550100001]\n");
	assert_string_equal(contents(a, "numbers"),
	    "1:[ha][hb][hc][hd][he][hf][hg][hh][hi][hj][hk][hl]\n"
	    "2:[15550100002][15550100002][2026-01-05][2026-01-05][2026-01-05 15:30:00][02134][12][TRUE][][0.3]"
	    "[-5.25][1900-02-28]\n");
	assert_string_equal(contents(a, "since_1904"), "1:[phone][name]\n2:[2026-01-05]\n");
	assert_string_equal(contents(a, "gaps"), "1:[phone][name]\n7:[][only b][][4]\n11:[last]\n");
	assert_string_equal(contents(a, "header_only"), "1:[phone][name]\n");
	assert_string_equal(contents(a, "empty"), "");
	assert_true(str_starts(str_of(contents(a, "hidden_first")), "1:[phone]"));
	assert_string_equal(contents(a, "wide"), "1:[phone][name]\n2!:[]\n3:[+15550100003][N 3]\n");
	arena_free(a);
}

static void
hostile_files_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *message;
	} cases[] = {
	    {"bomb", "far more"},
	    {"bomb_rows", "far more"},
	    {"entities", "The file"},
	    {"outside", "document type"},
	    {"broken_xml", "not well-formed"},
	    {"cut_xml", "damaged"},
	    {"truncated", "incomplete"},
	    {"bad_index", "not there"},
	    {"no_workbook", "not an Excel workbook"},
	    {"no_sheet", "first sheet is missing"},
	    {"no_such_file", "damaged"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(4096);
		char *got = contents(a, cases[i].name);
		if (!strstr(got, cases[i].message))
			fail_msg("%s: %.200s", cases[i].name, got);
		assert_null(strstr(got, "root:"));
		assert_null(strstr(got, "hahaha"));
		assert_true(
		    arena_footprint(a) < 1 << 21 || strcmp(cases[i].name, "bomb_rows") == 0);
		arena_free(a);
	}
}

static void
number_formats_are_understood(void **state)
{
	(void)state;
	static const struct {
		const char *code;
		int format;
	} cases[] = {
	    {"General", SHEET_NUMBER},
	    {"0.00", SHEET_NUMBER},
	    {"#,##0 \"days\"", SHEET_NUMBER},
	    {"[Red]0", SHEET_NUMBER},
	    {"0;yyyy", SHEET_NUMBER},
	    {"yyyy-mm-dd", SHEET_DATE},
	    {"[$-409]d mmm yy", SHEET_DATE},
	    {"[h]:mm", SHEET_DATE},
	    {"\\d0", SHEET_NUMBER},
	    {"00000", SHEET_ZEROS + 5},
	    {"\"unclosed", SHEET_NUMBER},
	    {"\\", SHEET_NUMBER},
	    {"[", SHEET_NUMBER},
	    {"", SHEET_NUMBER},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sheet_format_of(str_of(cases[i].code)), cases[i].format);
	assert_int_equal(sheet_format_builtin(14), SHEET_DATE);
	assert_int_equal(sheet_format_builtin(9), SHEET_NUMBER);
}

static void
numbers_are_printed_in_full(void **state)
{
	(void)state;
	static const struct {
		const char *raw;
		int format;
		const char *text;
	} cases[] = {
	    {"1.5550100002E+10", SHEET_NUMBER, "15550100002"},
	    {"123456789012345", SHEET_NUMBER, "123456789012345"},
	    {"1E+20", SHEET_NUMBER, "1e+20"},
	    {"7", SHEET_ZEROS + 5, "00007"},
	    {"0.5", SHEET_DATE, "12:00:00"},
	    {"60", SHEET_DATE, "1900-02-28"},
	    {"61", SHEET_DATE, "1900-03-01"},
	    {"99999999", SHEET_DATE, "99999999"},
	    {"-1", SHEET_DATE, "-1"},
	    {"abc", SHEET_NUMBER, "abc"},
	    {"", SHEET_DATE, ""},
	};
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		buf_init(&out, a);
		sheet_number_print(&out, str_of(cases[i].raw), cases[i].format, false);
		assert_string_equal(out.p, cases[i].text);
	}
	arena_free(a);
}

static void
spooled_texts_come_back_from_disk(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct spool *s = spool_new(a, NULL, &e);
	char room[64];
	size_t n;
	for (int i = 0; i < 50000; i++)
		assert_true(spool_add(s, str_of(arena_printf(a, "text number %d", i)), &e));
	assert_int_equal(spool_count(s), 50000);
	for (int i = 0; i < 50000; i += 7) {
		int k = i * 31 % 50000;
		assert_true(spool_get(s, (size_t)k, room, sizeof(room), &n, &e));
		assert_true(str_is((struct str){room, n}, arena_printf(a, "text number %d", k)));
	}
	assert_true(spool_get(s, 49999, room, 4, &n, &e));
	assert_int_equal(n, strlen("text number 49999"));
	assert_false(spool_get(s, 50000, room, sizeof(room), &n, &e));
	assert_null(spool_new(a, "/no/such/folder", &e));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cells_read_as_people_see_them),
	    cmocka_unit_test(hostile_files_are_refused),
	    cmocka_unit_test(number_formats_are_understood),
	    cmocka_unit_test(numbers_are_printed_in_full),
	    cmocka_unit_test(spooled_texts_come_back_from_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
