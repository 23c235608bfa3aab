/*
 * Bytes of a file, as text. The first byte names an encoding (0: found out), the second says how
 * the input is cut. However it is cut, the same text comes out, and it is UTF-8.
 */
#include "base/charset.h"
#include "fuzz.h"

static struct charset_scan
scan(struct str in, size_t slice)
{
	struct charset_scan s = {0};
	while (in.n) {
		size_t n = slice < in.n ? slice : in.n;
		charset_scan_add(&s, str_sub(in, 0, n));
		in = str_sub(in, n, in.n);
	}
	return s;
}

static struct str
decode(struct arena *a, const struct charset *cs, const struct charset_scan *s, struct str in,
    size_t slice, size_t cap)
{
	struct error e = {0};
	struct charset_decoder *d = charset_decoder_new(a, cs, s, &e);
	char out[256];
	struct buf b;
	buf_init(&b, a);
	MUST(d);
	while (in.n) {
		struct str piece = str_sub(in, 0, slice < in.n ? slice : in.n);
		in = str_sub(in, piece.n, in.n);
		for (size_t n = 1; n || piece.n;) {
			n = charset_decode(d, &piece, out, cap);
			MUST(n <= cap);
			buf_add(&b, out, n);
		}
	}
	for (size_t n; (n = charset_decode_end(d, out, cap)); buf_add(&b, out, n))
		MUST(n <= cap);
	return buf_view(&b);
}

static bool
is_text(struct arena *a, struct str s)
{
	char *p = str_dup(a, s);
	for (size_t i = 0; i < s.n; i++)
		if (!p[i])
			p[i] = ' ';
	return str_is_utf8((struct str){p, s.n});
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	size_t encodings = 0;
	if (size < 2)
		return 0;
	while (charset_list(encodings))
		encodings++;
	struct str in = fuzz_input(data + 2, size - 2);
	size_t slice = 1 + data[1] % 37, which = data[0] % (encodings + 1);
	struct charset_scan whole = scan(in, in.n), cut = scan(in, slice);
	MUST(charset_scan_result(&whole) == charset_scan_result(&cut));
	MUST(charset_scan_is_binary(&whole) == charset_scan_is_binary(&cut));
	const struct charset *cs =
	    which ? charset_by_name(str_of(charset_list(which - 1))) : charset_scan_result(&whole);
	const struct charset_scan *seen = which ? NULL : &whole;
	MUST(cs && charset_name(cs)[0]);
	struct str one = decode(a, cs, seen, in, in.n, 256),
		   two = decode(a, cs, seen, in, slice, 16);
	MUST(str_eq(one, two));
	MUST(is_text(a, one));
	return 0;
}
