#ifndef STORE_METRICS_H
#define STORE_METRICS_H
/* The state of the queue, the provider and the jobs in numbers, for who draws curves of them. */
#include "store/db.h"

/** One row; see sql/queries/metrics.sql. Costs the same however many calls there were. */
struct value *metrics_state(struct db *db, struct arena *a, int64_t now, struct error *e) MUST_USE;

/** What became of the calls of the last 24 hours; reads them all. */
struct value *metrics_day(struct db *db, struct arena *a, int64_t now, struct error *e) MUST_USE;

#endif
