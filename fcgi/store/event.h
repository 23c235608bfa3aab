#ifndef STORE_EVENT_H
#define STORE_EVENT_H
/* What providers told us: stored raw and applied once, in one round trip and one transaction. */
#include "store/db.h"

struct event {
	const char *provider;
	struct str body;       /* as received */
	const char *signature; /* good, bad, unsigned */
	const struct value *headers;
	const struct value
	    *report; /* providers/… report, see bland_report_read; NULL for refused bodies */
};

/** Stores ${ev} and applies its report. *verdict: applied, noted, duplicate, unknown_call, refused,
 * unreadable. ERR_UNAVAILABLE where the database is away: then answer 503, the provider will come
 * again. */
bool event_receive(struct db *db, struct arena *a, int64_t now, const struct event *ev,
    const char **verdict, struct error *e) MUST_USE;

#endif
