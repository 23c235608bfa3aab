#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H
/*
 * Faults that strike every request under /v1/, switched by POST /sandbox/faults:
 *   down        the connection is closed, nothing is done
 *   slow        all is done at once, the answer comes 5 s later
 *   rate_limit  429 "Rate limit exceeded" with Retry-After: 2
 *   error       500
 *   auth        401          balance   402          flagged   403
 *   ok          no fault
 */
#include "sandbox/exchange.h"

#define FAULT_SLOW_MS 5000

enum fault_kind { FAULT_NONE, FAULT_CUT, FAULT_SLOW, FAULT_REFUSE };

struct fault_mode {
	const char *name;
	enum fault_kind kind;
	int status;
	const char *retry_after, *message;
};

/** False where there is no mode of that name. ${for_ms} 0: until changed. */
bool fault_set(struct sandbox *s, struct str name, int64_t for_ms) MUST_USE;
const char *fault_name(struct sandbox *s);
/** What to do now; ends a fault whose time is over. */
const struct fault_mode *fault_now(struct sandbox *s);

#endif
