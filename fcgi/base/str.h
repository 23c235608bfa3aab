#ifndef BASE_STR_H
#define BASE_STR_H
/*
 * Strings: a borrowed (pointer, length) view, and a buffer that grows on an arena.
 * A struct str need not be NUL-terminated; a struct buf always is.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/** For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).n, (s).p

/** NULL gives the empty view. */
struct str str_of(const char *s);
struct str str_sub(struct str s, size_t from, size_t to);
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *b);
/** ASCII case-insensitive. */
bool str_is_nocase(struct str a, const char *b);
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
/** Without ASCII white space, and U+00A0, at both ends. */
struct str str_trim(struct str s);
/** Index of the first match, or s.n where there is none. */
size_t str_find(struct str s, const char *needle);
size_t str_find_nocase(struct str s, const char *needle);
size_t str_chr(struct str s, char c);
/** Cuts ${s} at the first ${c}: returns what stands before, leaves in *${s} what comes after. */
struct str str_cut(struct str *s, char c);
/** A NUL-terminated copy on the arena. */
char *str_dup(struct arena *a, struct str s);
struct str str_copy(struct arena *a, struct str s);
/** Whole string must be a decimal integer within int64; no blanks. */
bool str_to_int(struct str s, int64_t *out) MUST_USE;
/** Whole string must be a finite decimal number ("2.5", "-1e3"). */
bool str_to_double(struct str s, double *out) MUST_USE;
/** True where the bytes are well-formed UTF-8 without NUL. */
bool str_is_utf8(struct str s);
/** A copy in which ill-formed bytes and NULs became U+FFFD. */
struct str str_utf8(struct arena *a, struct str s);

struct buf {
	struct arena *a;
	char *p;
	size_t n, cap;
};

void buf_init(struct buf *b, struct arena *a);
/** Makes room for ${more} bytes and the NUL behind them. */
void buf_reserve(struct buf *b, size_t more);
/* Here, because pages are made of nothing else. */
static inline void
buf_add(struct buf *b, const char *p, size_t n)
{
	if (!n)
		return;
	if (b->cap - b->n <= n)
		buf_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}
void buf_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_int(struct buf *b, int64_t i);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** HTML text and quoted-attribute escaping: & < > " ' */
void buf_html(struct buf *b, struct str s);
/** Percent-encoding of everything but unreserved characters. */
void buf_url(struct buf *b, struct str s);
/** A JSON string with its quotes. */
void buf_json(struct buf *b, struct str s);
struct str buf_view(const struct buf *b);

#endif
