#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H
/*
 * Faults that strike every request under /v1/, switched by POST /sandbox/faults:
 *   down        the connection is closed, nothing is done
 *   slow        all is done at once, the answer comes 5 s later
 *   rate_limit  429 "Rate limit exceeded" with Retry-After: 2
 *   error       500
 *   auth        401          balance   402          flagged   403
 *   lost        all is done, the connection closed without an answer
 *   half_closed all is done, half an answer is sent and the sending side closed
 *   report_first  the answer to a POST comes after the call's report
 * and to every report:
 *   tenfold     sent ten times      late   sent 4 s late
 *   shuffled    sent at random within 2 s, so that one overtakes the other
 *   ok          no fault of either kind
 */
#include "sandbox/exchange.h"

#define FAULT_SLOW_MS 5000
#define FAULT_HALF_MS 3000
#define FAULT_COPIES 10
#define FAULT_LATE_MS 4000
#define FAULT_SHUFFLE_MS 2000

enum fault_kind {
	FAULT_NONE,
	FAULT_CUT,
	FAULT_SLOW,
	FAULT_REFUSE,
	FAULT_LOST,
	FAULT_HALF,
	FAULT_REPORT_FIRST,
	/* From here on those of reports. */
	FAULT_TENFOLD,
	FAULT_LATE,
	FAULT_SHUFFLED,
};

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
/** The same of reports. */
enum fault_kind fault_of_reports(struct sandbox *s);

#endif
