#include "base/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

struct charset {
	const char *name, *iconv_name;
	size_t unit; /* bytes to step over where one does not decode */
	const char *bom;
	size_t bom_size;
};

enum { UTF8, UTF8_BOM, UTF16LE, UTF16BE, UTF32LE, UTF32BE, CP1252 };

static const struct charset charsets[] = {
    [UTF8] = {"UTF-8", "UTF-8", 1, "\xEF\xBB\xBF", 3},
    [UTF8_BOM] = {"UTF-8 with BOM", "UTF-8", 1, "\xEF\xBB\xBF", 3},
    [UTF16LE] = {"UTF-16LE", "UTF-16LE", 2, "\xFF\xFE", 2},
    [UTF16BE] = {"UTF-16BE", "UTF-16BE", 2, "\xFE\xFF", 2},
    [UTF32LE] = {"UTF-32LE", "UTF-32LE", 4, "\xFF\xFE\0\0", 4},
    [UTF32BE] = {"UTF-32BE", "UTF-32BE", 4, "\0\0\xFE\xFF", 4},
    [CP1252] = {"Windows-1252", "CP1252", 1, "", 0},
    {"Mac Roman", "MACINTOSH", 1, "", 0},
    {"ISO-8859-15", "ISO-8859-15", 1, "", 0},
    {"Windows-1250", "CP1250", 1, "", 0},
    {"Windows-1251", "CP1251", 1, "", 0},
};
#define CHARSETS (sizeof(charsets) / sizeof(charsets[0]))

static const char replacement[] = "\xEF\xBF\xBD";

static bool
eight_plain(const char *p)
{
	uint64_t w;
	memcpy(&w, p, 8);
	/* no high bit anywhere, and no byte below 0x20 (the classic "has a byte less than n") */
	return !((w | ((w - UINT64_C(0x2020202020202020)) & ~w)) & UINT64_C(0x8080808080808080));
}

static void
lead_byte(struct charset_scan *s, unsigned char c)
{
	if (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' && c != 0x1A)
		s->controls++;
	if (c < 0x80)
		return;
	s->low = 0x80;
	s->high = 0xBF;
	if (c >= 0xC2 && c <= 0xDF) {
		s->need = 1;
	} else if (c >= 0xE0 && c <= 0xEF) {
		s->need = 2;
		s->low = c == 0xE0 ? 0xA0 : 0x80;
		s->high = c == 0xED ? 0x9F : 0xBF;
	} else if (c >= 0xF0 && c <= 0xF4) {
		s->need = 3;
		s->low = c == 0xF0 ? 0x90 : 0x80;
		s->high = c == 0xF4 ? 0x8F : 0xBF;
	} else {
		s->broken++;
	}
}

static void
one_byte(struct charset_scan *s, unsigned char c)
{
	if (c == 0)
		s->nuls[s->bytes & 1]++;
	if (s->need && c >= s->low && c <= s->high) {
		s->low = 0x80;
		s->high = 0xBF;
		if (--s->need == 0)
			s->multibyte++;
	} else {
		if (s->need)
			s->broken++;
		s->need = 0;
		lead_byte(s, c);
	}
	s->bytes++;
}

void
charset_scan_add(struct charset_scan *s, struct str slice)
{
	for (size_t i = 0; i < slice.n && s->bytes + i < sizeof(s->head); i++)
		s->head[s->bytes + i] = (unsigned char)slice.p[i];
	for (size_t i = 0; i < slice.n;) {
		if (!s->need && slice.n - i >= 8 && eight_plain(slice.p + i)) {
			i += 8;
			s->bytes += 8;
		} else {
			one_byte(s, (unsigned char)slice.p[i++]);
		}
	}
}

static bool
begins_with_bom(const struct charset_scan *s, const struct charset *cs)
{
	return cs->bom_size && s->bytes >= cs->bom_size && !memcmp(s->head, cs->bom, cs->bom_size);
}

const struct charset *
charset_scan_result(const struct charset_scan *s)
{
	static const int marked[] = {UTF32LE, UTF32BE, UTF8_BOM, UTF16LE, UTF16BE};
	for (size_t i = 0; i < sizeof(marked) / sizeof(marked[0]); i++)
		if (begins_with_bom(s, &charsets[marked[i]]))
			return &charsets[marked[i]];
	/* Digits, commas and line ends have a zero half in UTF-16 whatever the language. */
	uint64_t even = s->nuls[0], odd = s->nuls[1], pairs = s->bytes / 2;
	if (pairs >= 2 && odd * 10 >= pairs && even * 10 <= odd)
		return &charsets[UTF16LE];
	if (pairs >= 2 && even * 10 >= pairs && odd * 10 <= even)
		return &charsets[UTF16BE];
	uint64_t broken = s->broken + (s->need ? 1 : 0);
	return &charsets[broken * 20 <= s->multibyte ? UTF8 : CP1252];
}

bool
charset_scan_is_binary(const struct charset_scan *s)
{
	const struct charset *cs = charset_scan_result(s);
	if (cs->unit > 1)
		return s->bytes % cs->unit > 1 && s->bytes < 8;
	return s->controls > 4 && s->controls * 50 > s->bytes;
}

const struct charset *
charset_by_name(struct str name)
{
	for (size_t i = 0; i < CHARSETS; i++)
		if (str_is_nocase(name, charsets[i].name) ||
		    str_is_nocase(name, charsets[i].iconv_name))
			return &charsets[i];
	return str_is_nocase(name, "ISO-8859-1") ? &charsets[CP1252] : NULL;
}

const char *
charset_name(const struct charset *cs)
{
	return cs->name;
}

const char *
charset_list(size_t i)
{
	return i < CHARSETS ? charsets[i].name : NULL;
}

struct charset_decoder {
	const struct charset *cs;
	iconv_t cd;
	bool straight, utf8, begun;
	size_t skip; /* bytes of the mark still to be passed over */
	char tail[8];
	size_t tail_n;
};

static void
decoder_close(void *p)
{
	iconv_close(((struct charset_decoder *)p)->cd);
}

static size_t
bom_size(const struct charset *cs, const struct charset_scan *scan)
{
	return scan && begins_with_bom(scan, cs) ? cs->bom_size : 0;
}

struct charset_decoder *
charset_decoder_new(
    struct arena *a, const struct charset *cs, const struct charset_scan *scan, struct error *e)
{
	struct charset_decoder *d = arena_new_of(a, struct charset_decoder);
	d->cs = cs;
	bool utf8 = cs == &charsets[UTF8] || cs == &charsets[UTF8_BOM];
	if (utf8 && scan && !scan->broken && !scan->need) {
		d->straight = true;
		d->skip = bom_size(cs, scan);
		return d;
	}
	d->utf8 = utf8;
	if (utf8)
		return d;
	d->cd = iconv_open("UTF-8", cs->iconv_name);
	if (d->cd == (iconv_t)-1) {
		error_set(e, ERR_INTERNAL, "This machine cannot decode %s.", cs->name);
		return NULL;
	}
	arena_defer(a, decoder_close, d);
	return d;
}

static size_t
pass_through(struct charset_decoder *d, struct str *in, char *out, size_t cap)
{
	size_t k = d->skip < in->n ? d->skip : in->n;
	d->skip -= k;
	*in = str_sub(*in, k, in->n);
	size_t n = in->n < cap ? in->n : cap;
	if (n)
		memcpy(out, in->p, n);
	*in = str_sub(*in, n, in->n);
	return n;
}

/* How many bytes the well-formed character at ${p} has; 0 where it is broken, ${n} + 1 where it is
 * cut off. glibc's iconv is of no use here: it lets what lies beyond U+10FFFF pass. */
static size_t
character(const unsigned char *p, size_t n)
{
	struct charset_scan s = {0};
	for (size_t i = 0; i < n; i++) {
		one_byte(&s, p[i]);
		if (s.broken)
			return 0;
		if (!s.need)
			return i + 1;
	}
	return n + 1;
}

/* UTF-8 with each broken byte replaced. Stops at an incomplete character. */
static size_t
mend(struct str *in, char *out, size_t cap)
{
	size_t done = 0;
	while (in->n && cap - done >= 4) {
		size_t n = character((const unsigned char *)in->p, in->n);
		if (n > in->n)
			break;
		memcpy(out + done, n ? in->p : replacement, n ? n : 3);
		done += n ? n : 3;
		*in = str_sub(*in, n ? n : 1, in->n);
	}
	return done;
}

/* Runs iconv over ${in}; what does not decode becomes U+FFFD. Stops at an incomplete character. */
static size_t
convert(struct charset_decoder *d, struct str *in, char *out, size_t cap)
{
	if (d->utf8)
		return mend(in, out, cap);
	char *from = (char *)in->p, *to = out;
	size_t left = in->n, room = cap;
	while (left && iconv(d->cd, &from, &left, &to, &room) == (size_t)-1) {
		if (errno != EILSEQ || room < 4 || left < d->cs->unit)
			break; /* EINVAL: incomplete; E2BIG: out is full */
		memcpy(to, replacement, 3);
		to += 3;
		room -= 3;
		from += d->cs->unit;
		left -= d->cs->unit;
	}
	*in = (struct str){from, left};
	return (size_t)(to - out);
}

static size_t
without_mark(struct charset_decoder *d, char *out, size_t n)
{
	if (d->begun || n == 0)
		return n;
	d->begun = true;
	if (n < 3 || memcmp(out, "\xEF\xBB\xBF", 3) != 0)
		return n;
	memmove(out, out + 3, n - 3);
	return n - 3;
}

/* The tail of the last slice is completed byte by byte from the new one. */
static size_t
convert_tail(struct charset_decoder *d, struct str *in, char *out, size_t cap)
{
	size_t n = 0;
	while (d->tail_n && in->n && n == 0) {
		d->tail[d->tail_n++] = in->p[0];
		*in = str_sub(*in, 1, in->n);
		struct str tail = {d->tail, d->tail_n};
		n = convert(d, &tail, out, cap);
		memmove(d->tail, tail.p, tail.n);
		d->tail_n = tail.n;
	}
	return n;
}

size_t
charset_decode(struct charset_decoder *d, struct str *in, char *out, size_t cap)
{
	if (d->straight)
		return pass_through(d, in, out, cap);
	if (d->tail_n && in->n)
		return without_mark(d, out, convert_tail(d, in, out, cap));
	size_t n = convert(d, in, out, cap);
	if (in->n && in->n < 4 && cap - n >= 8) {
		memcpy(d->tail, in->p, in->n);
		d->tail_n = in->n;
		in->n = 0;
	}
	return without_mark(d, out, n);
}

size_t
charset_decode_end(struct charset_decoder *d, char *out, size_t cap)
{
	if (!d->tail_n || cap < 3)
		return 0;
	d->tail_n = 0;
	memcpy(out, replacement, 3);
	return 3;
}
