#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct str
str_of(const char *s)
{
	return s ? (struct str){s, strlen(s)} : (struct str){"", 0};
}

struct str
str_sub(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct str){from ? s.p + from : s.p, to - from};
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_is(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

bool
str_is_nocase(struct str a, const char *b)
{
	return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

bool
str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool
str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);
	return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static size_t
blank_at_start(struct str s)
{
	if (s.n && strchr(" \t\r\n\v\f", s.p[0]) && s.p[0])
		return 1;
	return s.n >= 2 && memcmp(s.p, "\xC2\xA0", 2) == 0 ? 2 : 0;
}

static size_t
blank_at_end(struct str s)
{
	if (s.n && strchr(" \t\r\n\v\f", s.p[s.n - 1]) && s.p[s.n - 1])
		return 1;
	return s.n >= 2 && memcmp(s.p + s.n - 2, "\xC2\xA0", 2) == 0 ? 2 : 0;
}

struct str
str_trim(struct str s)
{
	for (size_t k; (k = blank_at_start(s));)
		s = str_sub(s, k, s.n);
	for (size_t k; (k = blank_at_end(s));)
		s = str_sub(s, 0, s.n - k);
	return s;
}

size_t
str_find(struct str s, const char *needle)
{
	const char *hit = s.n ? memmem(s.p, s.n, needle, strlen(needle)) : NULL;
	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t
str_find_nocase(struct str s, const char *needle)
{
	size_t n = strlen(needle);
	for (size_t i = 0; i + n <= s.n; i++)
		if (strncasecmp(s.p + i, needle, n) == 0)
			return i;
	return s.n;
}

size_t
str_chr(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
	return hit ? (size_t)(hit - s.p) : s.n;
}

struct str
str_cut(struct str *s, char c)
{
	size_t i = str_chr(*s, c);
	struct str head = str_sub(*s, 0, i);
	*s = str_sub(*s, i < s->n ? i + 1 : i, s->n);
	return head;
}

char *
str_dup(struct arena *a, struct str s)
{
	return arena_strndup(a, s.p, s.n);
}

struct str
str_copy(struct arena *a, struct str s)
{
	return (struct str){arena_strndup(a, s.p, s.n), s.n};
}

bool
str_to_int(struct str s, int64_t *out)
{
	char tmp[24];
	if (s.n == 0 || s.n >= sizeof(tmp) || !(isdigit((unsigned char)s.p[0]) || s.p[0] == '-'))
		return false;
	memcpy(tmp, s.p, s.n);
	tmp[s.n] = '\0';
	char *end;
	errno = 0;
	long long v = strtoll(tmp, &end, 10);
	if (errno || end != tmp + s.n)
		return false;
	*out = v;
	return true;
}

bool
str_to_double(struct str s, double *out)
{
	char tmp[64];
	if (s.n == 0 || s.n >= sizeof(tmp) || s.p[0] == '+')
		return false;
	for (size_t i = 0; i < s.n; i++) /* neither inf nor nan nor 0x1p3 */
		if (!isdigit((unsigned char)s.p[i]) && !memchr("-+.eE", s.p[i], 5))
			return false;
	memcpy(tmp, s.p, s.n);
	tmp[s.n] = '\0';
	char *end;
	errno = 0;
	double v = strtod(tmp, &end);
	if (errno == ERANGE && (v > 1 || v < -1))
		return false;
	if (end != tmp + s.n)
		return false;
	*out = v;
	return true;
}

/* Length of the well-formed UTF-8 sequence at p, or 0 (RFC 3629: no overlong forms, no surrogates).
 */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	if (p[0] == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xC2 && p[0] <= 0xDF && n >= 2 && (p[1] & 0xC0) == 0x80)
		return 2;
	if (n >= 3 && (p[0] & 0xF0) == 0xE0 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80) {
		bool overlong = p[0] == 0xE0 && p[1] < 0xA0;
		bool surrogate = p[0] == 0xED && p[1] > 0x9F;
		return overlong || surrogate ? 0 : 3;
	}
	if (n >= 4 && p[0] >= 0xF0 && p[0] <= 0xF4 && (p[1] & 0xC0) == 0x80 &&
	    (p[2] & 0xC0) == 0x80 && (p[3] & 0xC0) == 0x80) {
		bool overlong = p[0] == 0xF0 && p[1] < 0x90;
		bool beyond = p[0] == 0xF4 && p[1] > 0x8F;
		return overlong || beyond ? 0 : 4;
	}
	return 0;
}

bool
str_is_utf8(struct str s)
{
	for (size_t i = 0; i < s.n;) {
		if (s.p[i] > 0) { /* most texts are plain */
			i++;
			continue;
		}
		size_t k = utf8_len((const unsigned char *)s.p + i, s.n - i);
		if (!k)
			return false;
		i += k;
	}
	return true;
}

struct str
str_utf8(struct arena *a, struct str s)
{
	struct buf b;
	if (str_is_utf8(s))
		return str_copy(a, s);
	buf_init(&b, a);
	for (size_t i = 0; i < s.n;) {
		size_t k = utf8_len((const unsigned char *)s.p + i, s.n - i);
		if (k)
			buf_add(&b, s.p + i, k);
		else
			buf_puts(&b, "\xEF\xBF\xBD");
		i += k ? k : 1;
	}
	return buf_view(&b);
}

void
buf_init(struct buf *b, struct arena *a)
{
	*b = (struct buf){a, arena_alloc(a, 64), 0, 64};
}

void
buf_reserve(struct buf *b, size_t more)
{
	if (b->cap - b->n > more)
		return;
	size_t cap = b->cap;
	while (cap - b->n <= more)
		cap *= 2;
	b->p = arena_grow(b->a, b->p, b->cap, cap);
	b->cap = cap;
}

void
buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_int(struct buf *b, int64_t i)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = i < 0 ? -(uint64_t)i : (uint64_t)i;
	do
		digits[--at] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (i < 0)
		digits[--at] = '-';
	buf_add(b, digits + at, sizeof(digits) - at);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	enum { USUAL = 100 };
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	buf_reserve(b, USUAL);
	int n = vsnprintf(b->p + b->n, USUAL + 1, fmt, ap);
	va_end(ap);
	if (n > USUAL) {
		buf_reserve(b, (size_t)n);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	}
	if (n > 0)
		b->n += (size_t)n;
	va_end(again);
}

static struct str
entity(char c)
{
	switch (c) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	case '"':
		return STR("&quot;");
	default:
		return STR("&#39;");
	}
}

void
buf_html(struct buf *b, struct str s)
{
	static const bool special[256] = {
	    ['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true, ['\''] = true};
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (!special[(unsigned char)s.p[i]])
			continue;
		buf_add(b, s.p + from, i - from);
		buf_str(b, entity(s.p[i]));
		from = i + 1;
	}
	buf_add(b, s.p + from, s.n - from);
}

void
buf_url(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
			buf_putc(b, (char)c);
		else {
			buf_putc(b, '%');
			buf_putc(b, "0123456789ABCDEF"[c >> 4]);
			buf_putc(b, "0123456789ABCDEF"[c & 15]);
		}
	}
}

void
buf_json(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, s.p + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\') {
			buf_putc(b, '\\');
			buf_putc(b, (char)c);
		} else if (c == '\n')
			buf_puts(b, "\\n");
		else
			buf_printf(b, "\\u%04x", c);
	}
	buf_add(b, s.p + from, s.n - from);
	buf_putc(b, '"');
}

struct str
buf_view(const struct buf *b)
{
	return (struct str){b->p, b->n};
}
