#ifndef BASE_ARENA_H
#define BASE_ARENA_H
/*
 * Memory that dies together: a request, or one tick of the dialer, owns an arena. What it hands out
 * is aligned for any type and never NULL: out of memory ends the process, whose supervisor starts
 * another. Not thread-safe: one arena, one thread.
 */
#include <stdarg.h>
#include <stddef.h>

#include "base/error.h"

struct arena;

/** A new arena; its first block of ${block} bytes is kept over resets. Released by arena_free. */
struct arena *arena_new(size_t block);
/** Runs deferred functions (newest first), keeps the first block, gives back the others. */
void arena_reset(struct arena *a);
/** As reset, and gives back the arena itself. NULL is allowed. */
void arena_free(struct arena *a);

/** ${size} zeroed bytes. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));
/** Grows ${old} of ${old_size} bytes; in place where it was the newest allocation. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull));
/** Copies of a C string / of ${n} bytes, always NUL-terminated. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/** Calls fn(p) when the arena is reset or freed: for what foreign libraries allocated. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);
/** Bytes obtained from the system for this arena; for tests and metrics. */
size_t arena_footprint(const struct arena *a);

#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

#endif
