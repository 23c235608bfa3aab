#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H
/*
 * What a session's token says. To check its signature costs as much as a tenth of a page, and a
 * browser sends the same one each time: a process remembers, by digest, which ones it found good.
 * Only what never changes is remembered, signature, issuer and content; the time at which it ends
 * is looked at each time, and whether the session was ended before (the user's epoch) is for the
 * database to say.
 */
#include "http/request.h"

enum { TOKEN_SESSION = 64 };

struct token_claims {
	int64_t user_id, epoch;
	int64_t ends;                /* seconds since 1970 */
	char session[TOKEN_SESSION]; /* its id; "" where it has none */
};

struct token_memory;

/** Remembers a few dozen on ${a}; who comes later takes the place of another. */
struct token_memory *token_memory_new(struct arena *a);
/** False and ERR_UNAUTHENTICATED where ${token} is none of ours or over. ${memory} may be NULL. */
bool token_read(struct token_memory *memory, struct arena *a, const char *secret, struct str token,
    int64_t now, struct token_claims *out, struct error *e) MUST_USE;

#endif
