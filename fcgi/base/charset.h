#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H
/*
 * What encoding a file is in, and its text as UTF-8.
 *
 * Order of belief: a byte order mark; NULs at every other byte (UTF-16 without a mark, as some
 * exports write it); well-formed UTF-8; else Windows-1252, which is what Excel saves as "CSV" in
 * western countries. Nothing tells Mac Roman from Windows-1252: it is taken only when asked for.
 * UTF-8 with a few broken bytes (a name cut in the middle by an older system) stays UTF-8: each
 * broken byte becomes U+FFFD instead of all accents of the file becoming garbage.
 */
#include "base/str.h"

struct charset;

/** Facts gathered over a file, slice by slice. Start from {0}. */
struct charset_scan {
	unsigned char head[4];
	uint64_t bytes;
	uint64_t nuls[2];   /* at even and odd offsets */
	uint64_t controls;  /* others than tab, CR, LF, FF, VT and ^Z */
	uint64_t multibyte; /* well-formed sequences of two bytes or more */
	uint64_t broken;
	unsigned need; /* continuation bytes still to come, and the bounds of the next one */
	unsigned char low, high;
};

void charset_scan_add(struct charset_scan *s, struct str slice);
const struct charset *charset_scan_result(const struct charset_scan *s);
/** The bytes are no text in any encoding we know: a picture, a PDF, a compressed file. */
bool charset_scan_is_binary(const struct charset_scan *s);

/** "UTF-8", "UTF-8 with BOM", "UTF-16LE", "Windows-1252", "Mac Roman", ...; any case. NULL:
 * unknown. */
const struct charset *charset_by_name(struct str name);
const char *charset_name(const struct charset *cs);
/** For a list to choose from: the ${i}th name, or NULL past the last. */
const char *charset_list(size_t i);

struct charset_decoder;

/**
 * A decoder for one stream; lives on ${a}. ${scan} (may be NULL) is what the stream was scanned
 * to be: clean UTF-8 is then passed through without looking at it again.
 */
struct charset_decoder *charset_decoder_new(struct arena *a, const struct charset *cs,
    const struct charset_scan *scan, struct error *e) MUST_USE;
/**
 * Converts from the front of *${in}, which is advanced, into ${out}; returns the bytes written.
 * An incomplete character at the end is kept for the next call. ${cap} must be 16 or more.
 * Returns 0 with *${in} empty when more input is needed.
 */
size_t charset_decode(struct charset_decoder *d, struct str *in, char *out, size_t cap);
/** At the end of the input: an incomplete last character becomes U+FFFD. */
size_t charset_decode_end(struct charset_decoder *d, char *out, size_t cap);

#endif
