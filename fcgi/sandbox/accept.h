#ifndef SANDBOX_ACCEPT_H
#define SANDBOX_ACCEPT_H
/*
 * Would the original take this POST /v1/calls? Field names, types, limits and the texts of refusals
 * are those of its documentation (A.2, A.3 of the wire contract); where it documents none, the text
 * has the shape "Invalid parameters. Error: [...]".
 */
#include "base/value.h"

struct refusal {
	int status; /* 0: accepted */
	struct value *body;
	const char *why; /* for the ledger */
};

/** ${phone} becomes the E.164 form of phone_number where it was accepted. */
struct refusal accept_check(
    struct arena *a, const struct value *body, bool http_webhooks, const char **phone);
struct refusal accept_refusal(struct arena *a, int status, const char *message);

#endif
