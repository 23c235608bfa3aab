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

/** The same for ${n} events at once, in one transaction: either all are received, each with its
 * verdict in ${verdicts}, or none. */
bool event_receive_all(struct db *db, struct arena *a, int64_t now, const struct event *evs,
    size_t n, const char **verdicts, struct error *e) MUST_USE;

/** The same without waiting: asks, on a connection that is used for nothing else until
 * event_answer_all has fetched what came of it (db_socket and db_answered tell when). *wake: a slot
 * is free and somebody waits for it, which event_wake tells the dialers. */
bool event_send_all(struct db *db, struct arena *a, int64_t now, const struct event *evs, size_t n,
    struct error *e) MUST_USE;
bool event_answer_all(struct db *db, struct arena *a, size_t n, const char **verdicts, bool *wake,
    struct error *e) MUST_USE;
void event_wake(struct db *db, struct arena *a);

/** What was received, newest first, ids below ${cursor} (0: from the newest); ${verdict} "" = all.
 */
struct value *event_page(struct db *db, struct arena *a, int64_t cursor, int64_t limit,
    struct str verdict, struct error *e) MUST_USE;
/** One event with its raw body and headers. */
struct value *event_find(struct db *db, struct arena *a, int64_t id, struct error *e) MUST_USE;
/** Applies it once more, as ${report} reads it now. ERR_CONFLICT for a refused one. */
bool event_replay(struct db *db, struct arena *a, int64_t id, const struct value *report,
    int64_t now, const char **verdict, struct error *e) MUST_USE;

#endif
