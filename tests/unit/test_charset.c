#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/charset.h"

#define BYTES(literal) ((struct str){literal, sizeof(literal) - 1})

static const char *
guess(struct str bytes)
{
	struct charset_scan scan = {0};
	charset_scan_add(&scan, bytes);
	return charset_name(charset_scan_result(&scan));
}

/* Scans and decodes in slices of ${slice} bytes, into a small buffer. */
static struct str
decoded(struct arena *a, struct str bytes, const char *wanted, size_t slice)
{
	struct charset_scan scan = {0};
	struct error e = {0};
	struct buf out;
	char room[16];
	buf_init(&out, a);
	for (size_t i = 0; i < bytes.n; i += slice)
		charset_scan_add(&scan, str_sub(bytes, i, i + slice));
	const struct charset *cs =
	    wanted ? charset_by_name(str_of(wanted)) : charset_scan_result(&scan);
	struct charset_decoder *d = charset_decoder_new(a, cs, &scan, &e);
	assert_non_null(d);
	for (size_t i = 0; i < bytes.n; i += slice) {
		struct str in = str_sub(bytes, i, i + slice);
		for (size_t n = 1; in.n || n;) {
			n = charset_decode(d, &in, room, sizeof(room));
			buf_add(&out, room, n);
		}
	}
	buf_add(&out, room, charset_decode_end(d, room, sizeof(room)));
	return buf_view(&out);
}

static void
encodings_are_told_apart(void **state)
{
	(void)state;
	assert_string_equal(guess(BYTES("")), "UTF-8");
	assert_string_equal(guess(BYTES("a,b\n")), "UTF-8");
	assert_string_equal(guess(BYTES("\xEF\xBB\xBF"
					"a")),
	    "UTF-8 with BOM");
	assert_string_equal(guess(BYTES("\xFF\xFE"
					"a\0")),
	    "UTF-16LE");
	assert_string_equal(guess(BYTES("\xFE\xFF\0a")), "UTF-16BE");
	assert_string_equal(guess(BYTES("\xFF\xFE\0\0a\0\0\0")), "UTF-32LE");
	assert_string_equal(guess(BYTES("\0\0\xFE\xFF\0\0\0a")), "UTF-32BE");
	assert_string_equal(guess(BYTES("a\0,\0b\0\n\0")), "UTF-16LE");
	assert_string_equal(guess(BYTES("\0a\0,\0b\0\n")), "UTF-16BE");
	assert_string_equal(guess(BYTES("Z\xC3\xB6 \xE2\x82\xAC \xF0\x9F\x98\x80")), "UTF-8");
	assert_string_equal(guess(BYTES("Z\xF6")), "Windows-1252");
	assert_string_equal(guess(BYTES("overlong \xC0\xAF")), "Windows-1252");
	assert_string_equal(guess(BYTES("surrogate \xED\xA0\x80")), "Windows-1252");
	assert_string_equal(guess(BYTES("cut \xC3")), "Windows-1252");
}

static void
slices_do_not_matter(void **state)
{
	(void)state;
	static const struct {
		struct str bytes, text;
		const char *wanted;
	} cases[] = {
	    {BYTES("\xEF\xBB\xBFZ\xC3\xB6,\xE2\x82\xAC"), BYTES("Z\xC3\xB6,\xE2\x82\xAC"), NULL},
	    {BYTES("Z\xF6\x80\x81"), BYTES("Z\xC3\xB6\xE2\x82\xAC\xEF\xBF\xBD"), NULL},
	    {BYTES("\xFF\xFE"
		   "a\0\x3D\xD8\x00\xDE"
		   "b\0"),
		BYTES("a\xF0\x9F\x98\x80"
		      "b"),
		NULL},
	    {BYTES("\xFE\xFF\0a\xD8\x3D\xDE\x00\0b"),
		BYTES("a\xF0\x9F\x98\x80"
		      "b"),
		NULL},
	    {BYTES("\xFF\xFE"
		   "a\0b"),
		BYTES("a\xEF\xBF\xBD"), NULL},
	    {BYTES("\xFF\xFE"
		   "a\0\x3D\xD8"
		   "b\0"),
		BYTES("a\xEF\xBF\xBD"
		      "b"),
		NULL},
	    {BYTES("Z\x9A"), BYTES("Z\xC3\xB6"), "mac roman"},
	    {BYTES("Z\xF6"), BYTES("Z\xC3\xB6"), "iso-8859-1"},
	    {BYTES("Z\xF6x"), BYTES("Z\xEF\xBF\xBDx"), "UTF-8"},
	    {BYTES("\xFF\xFE\0\0a\0\0\0"), BYTES("a"), NULL},
	};
	struct arena *a = arena_new(1024);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t slice = 1; slice <= 9; slice++) {
			struct str got = decoded(a, cases[i].bytes, cases[i].wanted, slice);
			assert_int_equal(got.n, cases[i].text.n);
			assert_memory_equal(got.p, cases[i].text.p, got.n);
		}
	arena_free(a);
}

static void
broken_bytes_do_not_ruin_a_utf8_file(void **state)
{
	(void)state;
	struct arena *a = arena_new(1024);
	struct buf b;
	buf_init(&b, a);
	for (int i = 0; i < 30; i++)
		buf_puts(&b, "Z\xC3\xB6\n");
	buf_puts(&b, "M\xC3\nend");
	assert_string_equal(guess(buf_view(&b)), "UTF-8");
	struct str got = decoded(a, buf_view(&b), NULL, 7);
	assert_true(str_ends(got, "Z\xC3\xB6\nM\xEF\xBF\xBD\nend"));
	arena_free(a);
}

static void
binary_is_noticed(void **state)
{
	(void)state;
	struct charset_scan scan = {0};
	charset_scan_add(&scan, BYTES("\x01\x02\x03\x04\x05\x06\x07\x08 abc"));
	assert_true(charset_scan_is_binary(&scan));
	scan = (struct charset_scan){0};
	charset_scan_add(&scan, BYTES("name\tphone\r\n\x1A"));
	assert_false(charset_scan_is_binary(&scan));
}

static void
names_are_known(void **state)
{
	(void)state;
	assert_null(charset_by_name(str_of("EBCDIC")));
	for (size_t i = 0; charset_list(i); i++)
		assert_string_equal(
		    charset_name(charset_by_name(str_of(charset_list(i)))), charset_list(i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encodings_are_told_apart),
	    cmocka_unit_test(slices_do_not_matter),
	    cmocka_unit_test(broken_bytes_do_not_ruin_a_utf8_file),
	    cmocka_unit_test(binary_is_noticed),
	    cmocka_unit_test(names_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
