#ifndef STORE_OVERVIEW_H
#define STORE_OVERVIEW_H
/* Counts and short lists over everything, for the frame and the dashboard. Counts over many rows
 * are kept for a moment by sql/functions/tally.sql, so none of this grows with the tables. */
#include "store/db.h"

/** {alerts, ambiguous, running: [{id, name, state, pausable, total, finished, left, …}]} */
struct value *overview_frame(
    struct db *db, struct arena *a, int64_t client, int64_t now, struct error *e) MUST_USE;
/** {leads: {total, pending, …}, today: {calls, answered, cost, outcomes, …}, campaigns, live,
 * newest, alerts, dialer: {seen_at}}; ${zone}: where the viewer's day begins. */
struct value *overview_all(struct db *db, struct arena *a, int64_t client, const char *zone,
    int64_t now, struct error *e) MUST_USE;

#endif
