#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/table.h"

struct expectation {
	const char *file, *encoding;
	char delimiter;
	bool header;
	size_t columns, rows, damaged;
	int64_t line;      /* of the first damaged row, or 0 */
	const char *probe; /* occurs in this form in some row: "line:column:text" */
};

static const struct expectation lists[] = {
    {"plain.csv", "UTF-8", ',', true, 3, 5, 0, 0, "6:3:Ada 5"},
    {"utf8.csv", "UTF-8", ',', true, 3, 2, 0, 0, "2:2:Müller & Söhne"},
    {"utf8_bom.csv", "UTF-8 with BOM", ',', true, 3, 2, 0, 0, "3:3:François"},
    {"utf16le_bom.csv", "UTF-16LE", ',', true, 3, 2, 0, 0, "2:2:Müller & Söhne"},
    {"utf16be_bom.csv", "UTF-16BE", ',', true, 3, 2, 0, 0, "2:2:Müller & Söhne"},
    {"utf16le.csv", "UTF-16LE", ',', true, 3, 2, 0, 0, "3:2:Café Ñandú"},
    {"utf16be.csv", "UTF-16BE", ',', true, 3, 2, 0, 0, "3:2:Café Ñandú"},
    {"utf16_cyrillic.csv", "UTF-16LE", ';', true, 2, 2, 0, 0, "3:2:Пётр"},
    {"utf16_cut.csv", "UTF-16LE", ',', true, 3, 3, 0, 0, "4:1:\xEF\xBF\xBD"},
    {"utf32le_bom.csv", "UTF-32LE", ',', true, 3, 2, 0, 0, "3:3:François"},
    {"cp1252.csv", "Windows-1252", ',', true, 3, 2, 0, 0, "2:2:Müller & Söhne"},
    {"cp1252_quotes.csv", "Windows-1252", ',', true, 2, 1, 0, 0, "2:2:“said ‘hi’” – 5€"},
    {"macroman.csv", "Windows-1252", ',', true, 3, 2, 0, 0, NULL},
    {"late_accent.csv", "UTF-8", ',', true, 3, 451, 0, 0, "452:3:Zoë"},
    {"late_cp1252.csv", "Windows-1252", ',', true, 3, 451, 0, 0, "452:3:Zoë"},
    {"utf8_broken.csv", "UTF-8", ',', true, 3, 18, 0, 0, "19:2:M\xEF\xBF\xBD"},
    {"semicolon_excel.csv", "Windows-1252", ';', true, 3, 1, 0, 0, "2:3:Köln"},
    {"tab.tsv", "UTF-8", '\t', true, 2, 2, 0, 0, "3:2:with\ttab"},
    {"pipe.txt", "UTF-8", '|', true, 3, 2, 0, 0, "2:2:Acme, Inc"},
    {"sep_line.csv", "UTF-8", ';', true, 2, 1, 0, 0, "3:2:a,b,c"},
    {"crlf.csv", "UTF-8", ',', true, 3, 5, 0, 0, "6:3:Ada 5"},
    {"cr_only.csv", "UTF-8", ',', true, 3, 5, 0, 0, "6:3:Ada 5"},
    {"mixed_eol.csv", "UTF-8", ',', true, 3, 4, 0, 0, "6:3:h"},
    {"no_final_newline.csv", "UTF-8", ',', true, 3, 5, 0, 0, "6:3:Ada 5"},
    {"quoted_newlines.csv", "UTF-8", ',', true, 3, 2, 0, 0, "5:3:Ada 2"},
    {"blanks_around_quotes.csv", "UTF-8", ',', true, 3, 1, 0, 0, "2:2:Acme, Inc"},
    {"inch_marks.csv", "UTF-8", ',', true, 3, 2, 0, 0, "2:3:Joe \"JJ\" Smith"},
    {"stray_quote.csv", "UTF-8", ',', true, 3, 2, 1, 3, "4:3:Ada 3"},
    {"unclosed_quote.csv", "UTF-8", ',', true, 3, 6, 1, 3, "4:3:Ada 1"},
    {"unclosed_then_quoted.csv", "UTF-8", ',', true, 3, 3, 1, 2, "3:2:B, Inc"},
    {"unclosed_at_end.csv", "UTF-8", ',', true, 3, 5, 1, 7, "6:3:Ada 5"},
    {"unclosed_swallows.csv", "UTF-8", ',', true, 3, 6, 1, 2, "8:2:12\""},
    {"unclosed_neighbours.csv", "UTF-8", ',', true, 3, 1, 1, 2, "3:1:5\""},
    {"every_line_unclosed.csv", "UTF-8", ',', true, 3, 1, 40, 2, "42:3:Ada 1"},
    {"quote_only.csv", "UTF-8", ',', true, 3, 1, 1, 2, "3:3:Ada 1"},
    {"multiline_notes.csv", "UTF-8", ',', true, 3, 2, 0, 0, "6:3:ok"},
    {"nul.csv", "UTF-8", ',', true, 3, 4, 1, 4, "5:3:Ada 4"},
    {"control.csv", "UTF-8", ',', true, 3, 5, 0, 0, "4:2:Ac me 3"},
    {"ctrl_z.csv", "UTF-8", ',', true, 3, 5, 0, 0, NULL},
    {"blank_lines.csv", "UTF-8", ',', true, 3, 5, 0, 0, "6:3:Ada 1"},
    {"empty_rows.csv", "UTF-8", ',', true, 3, 6, 0, 0, "27:3:Ada 6"},
    {"header_only.csv", "UTF-8", ',', true, 3, 0, 0, 0, NULL},
    {"no_header.csv", "UTF-8", ',', false, 3, 5, 0, 0, "1:3:Ada 1"},
    {"one_column.csv", "UTF-8", ',', true, 1, 2, 0, 0, "2:1:+15550100001"},
    {"one_column_no_header.txt", "UTF-8", ',', false, 1, 2, 0, 0, "1:1:555-010-0001"},
    {"ragged.csv", "UTF-8", ',', true, 3, 3, 0, 0, "3:5:d"},
    {"wide_row.csv", "UTF-8", ',', true, 3, 1, 1, 2, "3:3:Ada 2"},
    {"duplicate_headers.csv", "UTF-8", ',', true, 5, 1, 0, 0, "2:5:d"},
    {"scientific.csv", "UTF-8", ',', true, 2, 3, 0, 0, "2:1:1.5550100002E+10"},
    {"plain.xlsx", "", 0, true, 2, 5, 0, 0, "6:2:N 6"},
    {"shared.xlsx", "", 0, true, 2, 3, 0, 0, "3:2:Rich text"},
    {"gaps.xlsx", "", 0, true, 2, 2, 0, 0, "11:1:last"},
    {"wide.xlsx", "", 0, true, 2, 1, 1, 2, "3:2:N 3"},
    {"header_only.xlsx", "", 0, true, 2, 0, 0, 0, NULL},
};

static struct table_reader *
open_list(struct arena *a, const char *file, const struct table_options *options, struct error *e)
{
	return table_open(a, arena_printf(a, "tests/unit/files/%s", file), options, e);
}

static void
lists_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct expectation *x = &lists[i];
		struct arena *a = arena_new(4096);
		struct error e = {0};
		struct table_row row;
		struct table_reader *t = open_list(a, x->file, NULL, &e);
		if (!t)
			fail_msg("%s: %s", x->file, e.message);
		size_t rows = 0, damaged = 0;
		bool probe = x->probe == NULL;
		int64_t line = 0;
		while (table_next(t, &row, &e)) {
			rows += !row.damage;
			line = row.damage && !damaged ? row.line : line;
			damaged += row.damage != NULL;
			for (size_t k = 0; k < row.n && !row.damage; k++)
				probe =
				    probe ||
				    str_is(str_of(arena_printf(a, "%lld:%zu:%.*s",
					       (long long)row.line, k + 1, STR_ARG(row.fields[k]))),
					x->probe);
		}
		const struct table_info *info = table_info(t);
		if (e.kind || strcmp(info->encoding, x->encoding) != 0 ||
		    info->delimiter != x->delimiter || info->has_header != x->header ||
		    info->n_columns != x->columns || rows != x->rows || damaged != x->damaged ||
		    line != x->line || !probe || info->done != info->size)
			fail_msg(
			    "%s: %s '%c' header %d, %zu columns, %zu rows, %zu damaged from %lld, probe %d, "
			    "%lld of %lld bytes, %s",
			    x->file, info->encoding, info->delimiter, info->has_header,
			    info->n_columns, rows, damaged, (long long)line, probe,
			    (long long)info->done, (long long)info->size, e.message);
		arena_free(a);
	}
}

static void
what_is_no_list_is_refused_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *file, *message;
	} cases[] = {
	    {"empty.csv", "empty"},
	    {"bom_only.csv", "empty"},
	    {"newlines_only.csv", "empty"},
	    {"empty.xlsx", "empty"},
	    {"garbage.csv", "not a text file"},
	    {"picture.csv", "picture"},
	    {"document.csv", "PDF"},
	    {"web_page.xls", "web page"},
	    {"old.xls", "password"},
	    {"packed.csv", "compressed"},
	    {"wide_header.csv", "200 columns"},
	    {"damaged_header.csv", "Line 1"},
	    {"truncated.xlsx", "incomplete"},
	    {"bomb.xlsx", "far more"},
	    {"no_workbook.xlsx", "not an Excel workbook"},
	    {"outside.xlsx", "document type"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(4096);
		struct error e = {0};
		assert_null(open_list(a, cases[i].file, NULL, &e));
		assert_int_equal(e.kind, ERR_INVALID);
		if (!strstr(e.message, cases[i].message))
			fail_msg("%s: %s", cases[i].file, e.message);
		arena_free(a);
	}
	struct error e = {0};
	struct arena *a = arena_new(4096);
	assert_null(table_open(a, "tests/unit/files", NULL, &e));
	assert_null(table_open(a, "tests/unit/files/none.csv", NULL, &e));
	arena_free(a);
}

static void
damage_late_in_a_file_is_an_error_not_the_end(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct table_row row;
	struct table_reader *t = open_list(a, "cut_xml.xlsx", NULL, &e);
	assert_non_null(t);
	assert_false(table_next(t, &row, &e));
	assert_int_equal(e.kind, ERR_INVALID);
	arena_free(a);
}

static void
people_can_overrule_the_guesses(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct table_row row;
	struct table_options o = {.encoding = "Mac Roman"};
	struct table_reader *t = open_list(a, "macroman.csv", &o, &e);
	assert_true(t && table_next(t, &row, &e));
	assert_true(str_is(row.fields[1], "Müller & Söhne"));
	o = (struct table_options){.delimiter = '|', .header = TABLE_HEADER_NO};
	t = open_list(a, "plain.csv", &o, &e);
	assert_true(t && table_next(t, &row, &e));
	assert_int_equal(row.line, 1);
	assert_int_equal(row.n, 1);
	assert_true(str_is(table_info(t)->columns[0], "column_1"));
	o = (struct table_options){.header = TABLE_HEADER_YES};
	t = open_list(a, "no_header.csv", &o, &e);
	assert_true(t && table_next(t, &row, &e));
	assert_int_equal(row.line, 2);
	assert_true(str_is(table_info(t)->columns[1], "Acme 1"));
	o = (struct table_options){.encoding = "Klingon"};
	assert_null(open_list(a, "plain.csv", &o, &e));
	assert_string_equal(e.field, "encoding");
	arena_free(a);
}

static void
reading_resumes_after_a_line(void **state)
{
	(void)state;
	static const char *const files[] = {
	    "plain.csv", "no_header.csv", "plain.xlsx", "quoted_newlines.csv"};
	for (size_t i = 0; i < 4; i++)
		for (int64_t after = 0; after < 8; after++) {
			struct arena *a = arena_new(4096);
			struct error e = {0};
			struct table_row row;
			struct table_options o = {.after_line = after};
			struct table_reader *t = open_list(a, files[i], &o, &e);
			assert_non_null(t);
			while (table_next(t, &row, &e))
				assert_true(row.line > after);
			assert_int_equal(e.kind, ERR_NONE);
			arena_free(a);
		}
}

static size_t
footprint_of(size_t rows, const char *path)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("phone,company,contact,email,location,source,consent,notes\n", f);
	for (size_t i = 0; i < rows; i++)
		fprintf(f,
		    "+1555%07zu,\"Acme %zu, Inc\",Ada,ada%zu@example.com,Boston,web,yes,called\n",
		    i, i, i);
	fclose(f);
	struct arena *a = arena_new(4096);
	struct error e = {0};
	struct table_row row;
	struct table_reader *t = table_open(a, path, NULL, &e);
	size_t seen = 0;
	assert_non_null(t);
	while (table_next(t, &row, &e))
		seen++;
	assert_int_equal(seen, rows);
	size_t n = arena_footprint(a);
	arena_free(a);
	return n;
}

static void
memory_does_not_grow_with_the_file(void **state)
{
	(void)state;
	char path[] = "/tmp/trunkline-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	size_t small = footprint_of(1000, path), large = footprint_of(100000, path);
	unlink(path);
	assert_int_equal(small, large);
	assert_true(large < 1 << 21);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_are_read),
	    cmocka_unit_test(what_is_no_list_is_refused_in_words),
	    cmocka_unit_test(damage_late_in_a_file_is_an_error_not_the_end),
	    cmocka_unit_test(people_can_overrule_the_guesses),
	    cmocka_unit_test(reading_resumes_after_a_line),
	    cmocka_unit_test(memory_does_not_grow_with_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
