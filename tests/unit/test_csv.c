#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/csv.h"

static void
feed(struct csv *c, struct str *text, size_t slice)
{
	size_t room;
	char *to = csv_room(c, &room);
	assert_true(room >= 4096);
	size_t n = slice < room ? slice : room;
	n = n < text->n ? n : text->n;
	if (n)
		memcpy(to, text->p, n);
	*text = str_sub(*text, n, text->n);
	csv_fed(c, n);
}

static void
dump(struct buf *out, const struct csv_row *row)
{
	buf_printf(out, "%lld%s%s:", (long long)row->line, row->damage ? "!" : "",
	    row->damage ? row->damage : "");
	for (size_t i = 0; i < row->n; i++)
		buf_printf(out, "[%.*s]", STR_ARG(row->fields[i]));
	buf_putc(out, '\n');
}

/* All rows of ${text}, fed in slices, one per line: 1:[a][b] or 2!reason:[raw]. */
static char *
rows(struct arena *a, struct str text, char delimiter, size_t slice, size_t columns)
{
	struct csv *c = csv_new(a, delimiter);
	struct csv_row row;
	struct buf out;
	enum csv_next next;
	buf_init(&out, a);
	csv_expect(c, columns);
	while ((next = csv_next(c, &row)) != CSV_END)
		if (next == CSV_ROW)
			dump(&out, &row);
		else
			feed(c, &text, slice);
	return out.p;
}

static void
rows_are_as_expected(void **state)
{
	(void)state;
	static const char unclosed[] =
	    "2!column 1: its opening quote is never closed:[\"x,2]\n3:[y][3]\n";
	static const struct {
		const char *text, *rows;
	} cases[] = {
	    {"", ""},
	    {"\n\r\n  \n", ""},
	    {"a,b", "1:[a][b]\n"},
	    {"a,b\r\nc,\r,d\n", "1:[a][b]\n2:[c][]\n3:[][d]\n"},
	    {"\"a\"\"b\",\"c\nd\"\n e ,f", "1:[a\"b][c\nd]\n3:[ e ][f]\n"},
	    {" \"a,b\" ,c\n", "1:[a,b][c]\n"},
	    {"5\" pipe,a\"b\"\n", "1:[5\" pipe][a\"b\"]\n"},
	    {"\"\",\"\"\"\"\n", "1:[][\"]\n"},
	    {"a,1\n\"x\"z,2\ny,3\n",
		"1:[a][1]\n2!column 1: text follows its closing quote:[\"x\"z,2]\n3:[y][3]\n"},
	    {"a,1\n\"x,2\ny,3\n", NULL},
	    {"a,1\n\"x,2\ny,3", NULL},
	    {"a\x01"
	     "b,\"c\x02"
	     "d\"\n",
		"1:[a b][c d]\n"},
	};
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str text = str_of(cases[i].text);
		for (size_t slice = 1; slice < 8; slice++) {
			char *got = rows(a, text, ',', slice, 0);
			if (cases[i].rows)
				assert_string_equal(got, cases[i].rows);
			else
				assert_true(str_starts(str_of(got), "1:[a][1]\n") &&
					    str_ends(str_of(got), unclosed));
		}
		arena_reset(a);
	}
	assert_string_equal(rows(a, (struct str){"a\0b,c\nd,e", 9}, ',', 99, 0),
	    "1!column 1: holds a NUL byte:[a b,c]\n2:[d][e]\n");
	arena_free(a);
}

static struct str
file(struct arena *a, const char *name)
{
	char *path = arena_printf(a, "tests/unit/files/%s", name);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	char *p = arena_alloc(a, 65536);
	ssize_t n = read(fd, p, 65536);
	assert_true(n >= 0 && n < 65536);
	close(fd);
	return (struct str){p, (size_t)n};
}

static void
slices_do_not_matter_for_any_file(void **state)
{
	(void)state;
	static const size_t slices[] = {1, 2, 3, 7, 64, 1000};
	struct arena *a = arena_new(65536);
	size_t files = 0;
	DIR *dir = opendir("tests/unit/files");
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!str_ends(str_of(entry->d_name), ".csv"))
			continue;
		struct str text = file(a, entry->d_name);
		char *whole = rows(a, text, ',', 65536, 3);
		for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
			assert_string_equal(rows(a, text, ',', slices[i], 3), whole);
		files++;
		arena_reset(a);
	}
	closedir(dir);
	arena_free(a);
	assert_true(files >= 40);
}

static struct str
repeated(struct arena *a, const char *before, char c, size_t n, const char *after)
{
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_putc(&b, c);
	buf_puts(&b, after);
	return buf_view(&b);
}

static void
fields_and_rows_have_limits(void **state)
{
	(void)state;
	static const size_t slices[] = {1000, 4096, 70000, 1000000};
	struct arena *a = arena_new(65536);
	for (size_t i = 0; i < 4; i++) {
		struct str t = repeated(a, "a,", 'x', CSV_FIELD_MAX, "\nb,1\n");
		assert_null(strchr(rows(a, t, ',', slices[i], 2), '!'));
		t = repeated(a, "a,", 'x', CSV_FIELD_MAX + 1, "\nb,1\n");
		char *got = rows(a, t, ',', slices[i], 2);
		assert_true(str_starts(str_of(got), "1!column 2: holds more than 64 KB:[a,xxx"));
		assert_true(
		    str_ends(str_of(got), "]\n2:[b][1]\n") && strlen(got) < CSV_RAW_MAX + 100);
		t = repeated(a, "a,\"", 'x', CSV_FIELD_MAX, "\"\nb,1\n");
		assert_null(strchr(rows(a, t, ',', slices[i], 2), '!'));
		t = repeated(a, "a,\"", '\n', CSV_FIELD_MAX + 10, "\"\nb,1\n");
		got = rows(a, t, ',', slices[i], 2);
		assert_true(str_starts(
		    str_of(got), "1!column 2: its opening quote is never closed:[a,\"]\n"));
		t = repeated(a, "a,", 'x', 3 * CSV_ROW_MAX, "\nb,1\n");
		got = rows(a, t, ',', slices[i], 2);
		assert_true(str_starts(str_of(got), "1!column 2: holds more than 64 KB:"));
		assert_true(str_ends(str_of(got), "]\n2:[b][1]\n"));
		t = repeated(a, "a", ',', CSV_COLUMNS_MAX - 1, "\nb,1\n");
		assert_null(strchr(rows(a, t, ',', slices[i], 2), '!'));
		t = repeated(a, "a", ',', CSV_COLUMNS_MAX, "\nb,1\n");
		assert_non_null(
		    strstr(rows(a, t, ',', slices[i], 2), "1!it has more than 200 columns"));
		arena_reset(a);
	}
	struct buf b;
	buf_init(&b, a);
	for (int i = 0; i < 6; i++)
		buf_str(&b, repeated(a, "", 'y', 60000, ","));
	buf_puts(&b, "\nb,1\n");
	for (size_t i = 0; i < 4; i++) {
		char *got = rows(a, buf_view(&b), ',', slices[i], 2);
		assert_true(str_starts(str_of(got), "1!it is longer than 256 KB:[yyy"));
		assert_true(str_ends(str_of(got), "]\n2:[b][1]\n"));
	}
	arena_free(a);
}

static char
sniffed(struct arena *a, const char *text)
{
	struct csv *c = csv_new(a, ',');
	struct str s = str_of(text);
	feed(c, &s, s.n);
	csv_fed(c, 0);
	return csv_sniff(c);
}

static void
delimiters_are_found(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_int_equal(sniffed(a, "a,b\n1,2\n"), ',');
	assert_int_equal(sniffed(a, "a;b\n1,5;2,5\n3,1;4,2\n"), ';');
	assert_int_equal(sniffed(a, "a\tb\n1,1\t2,2\n"), '\t');
	assert_int_equal(sniffed(a, "a|b\n1|2\n"), '|');
	assert_int_equal(sniffed(a, "\"a;b;c\",d\n\"1;2;3\",4\n"), ',');
	assert_int_equal(sniffed(a, "phone\n5550100001\n"), ',');
	assert_int_equal(sniffed(a, "sep=^\na^b\n"), '^');
	assert_int_equal(sniffed(a, ""), ',');
	arena_free(a);
}

static void
written_fields_are_safe_and_read_back(void **state)
{
	(void)state;
	static const struct {
		const char *field, *written;
	} cases[] = {
	    {"", ""},
	    {"plain", "plain"},
	    {"a,b", "\"a,b\""},
	    {"say \"hi\"", "\"say \"\"hi\"\"\""},
	    {"two\nlines", "\"two\nlines\""},
	    {" edge", "\" edge\""},
	    {"+15550100002", "+15550100002"},
	    {"-5", "-5"},
	    {"-5.25", "-5.25"},
	    {"-", "\"'-\""},
	    {"+1+cmd", "\"'+1+cmd\""},
	    {"-5.2.1", "\"'-5.2.1\""},
	    {"=1+1", "\"'=1+1\""},
	    {"@SUM(A1)", "\"'@SUM(A1)\""},
	    {"\t=1", "\"'\t=1\""},
	    {"\r=1", "\"'\r=1\""},
	    {"=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""},
	    {"\xEF\xBC\x9D"
	     "1",
		"\"'\xEF\xBC\x9D"
		"1\""},
	};
	struct arena *a = arena_new(4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		buf_init(&out, a);
		csv_write_field(&out, str_of(cases[i].field));
		assert_string_equal(out.p, cases[i].written);
	}
	const struct str fields[] = {STR("a,b"), STR("c\"d"), STR("e\r\nf"), STR("")};
	struct buf out;
	buf_init(&out, a);
	csv_write_row(&out, fields, 4);
	assert_string_equal(rows(a, buf_view(&out), ',', 1, 4), "1:[a,b][c\"d][e\r\nf][]\n");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_as_expected),
	    cmocka_unit_test(slices_do_not_matter_for_any_file),
	    cmocka_unit_test(fields_and_rows_have_limits),
	    cmocka_unit_test(delimiters_are_found),
	    cmocka_unit_test(written_fields_are_safe_and_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
