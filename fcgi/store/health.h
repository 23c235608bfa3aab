#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H
/* What a watchdog, the doctor and a starting process want to know about the database. */
#include "store/db.h"

/** The schema that this program needs is there: every table, and every migration of ${sql_dir}
 * where that folder can be read. ERR_UNAVAILABLE with code schema_missing and what to do, else. */
bool health_schema(struct db *db, struct arena *a, const char *sql_dir, struct error *e) MUST_USE;
/** {queue_depth (at most 10,000), dialer_last_run}. */
struct value *health_state(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** {leads, calls, calls_under_way, users, imports}; counts all rows: for `trunkline status`. */
struct value *health_counts(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** Campaigns that run or are paused. */
struct value *health_campaigns(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** The server's clock, microseconds. */
bool health_clock(struct db *db, struct arena *a, int64_t *now, struct error *e) MUST_USE;

#endif
