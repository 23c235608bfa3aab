#ifndef BASE_ERROR_H
#define BASE_ERROR_H
/*
 * The one way to fail: a function that can fail returns bool or a pointer and fills a struct error.
 * The error is described where it is detected, passed up unchanged, and logged once, at the edge.
 */
#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum error_kind {
	ERR_NONE,
	ERR_INVALID,         /* the input is wrong and says which field: 422 */
	ERR_MALFORMED,       /* the request itself cannot be read: 400 */
	ERR_UNAUTHENTICATED, /* no or stale credentials: 401 */
	ERR_FORBIDDEN,       /* known, but may not: 403 */
	ERR_NOT_FOUND,       /* 404 */
	ERR_METHOD,          /* 405 */
	ERR_CONFLICT,        /* the state forbids it now: 409 */
	ERR_TOO_LARGE,       /* 413 */
	ERR_UNSUPPORTED,     /* 415 */
	ERR_TOO_MANY,        /* throttled: 429 */
	ERR_UNAVAILABLE,     /* a dependency is away, nothing was done: 503 */
	ERR_UNKNOWN,         /* bytes left, the answer did not come: never send again blindly */
	ERR_INTERNAL,        /* our own mistake: 500 */
	ERR__MAX
};

struct error {
	enum error_kind kind;
	char code[40];     /* machine-readable, snake_case; "" means the kind's own name */
	char field[64];    /* the form or JSON field that is wrong, or "" */
	char message[512]; /* for a person: what, why, what now */
};

/** Fills ${e} (may be NULL) and returns false, so that `return error_set(...)` reads well. */
bool error_set(struct error *e, enum error_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/** As error_set, naming the field that is wrong. */
bool error_field(struct error *e, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);
/** As error_set with a code of its own beside the message. */
bool error_code(struct error *e, enum error_kind kind, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/** The HTTP status and the default machine-readable code of a kind. */
int error_status(enum error_kind kind);
const char *error_name(const struct error *e);

#endif
