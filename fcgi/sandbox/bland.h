#ifndef SANDBOX_BLAND_H
#define SANDBOX_BLAND_H
/* The provider's own routes, under /v1/. Each fills the exchange; ${id} is the path's variable
 * part. */
#include "sandbox/calls.h"
#include "sandbox/exchange.h"

/** Answers 401 and returns false where the key in the authorization header will not do. */
bool bland_admits(struct exchange *x);
/** The 401 of the original. */
void bland_refuse_key(struct exchange *x);
/** Every POST /v1/calls goes into the ledger, also those that a fault or a bad key stops. */
void bland_note_post(struct exchange *x);
void bland_note_refusal(struct exchange *x, const char *what, const char *why);

/** The call that ${body} asks for, not begun yet; ${id} NULL: a fresh one. */
struct call *bland_call_of(struct sandbox *s, struct arena *a, const char *id,
    struct number *number, const struct behaviour *b, const struct value *body);

void bland_place(struct exchange *x, struct str id);
void bland_list(struct exchange *x, struct str id);
void bland_call(struct exchange *x, struct str id);
void bland_active(struct exchange *x, struct str id);
void bland_stop(struct exchange *x, struct str id);
void bland_stop_all(struct exchange *x, struct str id);
void bland_me(struct exchange *x, struct str id);
void bland_voices(struct exchange *x, struct str id);
void bland_voice(struct exchange *x, struct str id);

#endif
