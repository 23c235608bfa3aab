#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H
/*
 * A long numbered list of strings on disk, for the shared strings of a spreadsheet: written once,
 * then read at random through a small cache. Uses about 450 KB of memory however long the list.
 * The file has no name any more once it is open, so that nothing stays behind after a crash.
 */
#include "base/str.h"

struct spool;

/** An empty list, its file in ${dir} (NULL: $TMPDIR or /tmp). Closed with ${a}. */
struct spool *spool_new(struct arena *a, const char *dir, struct error *e) MUST_USE;
bool spool_add(struct spool *s, struct str text, struct error *e) MUST_USE;
size_t spool_count(const struct spool *s);
/** Copies string ${i} to ${out} (at most ${cap} bytes); its full length in *${n}. */
bool spool_get(
    struct spool *s, size_t i, char *out, size_t cap, size_t *n, struct error *e) MUST_USE;

#endif
