#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H
/* What a watchdog, the doctor and a starting process want to know about the database. */
#include "store/db.h"

/** The schema that this program needs is there: every table, and every migration of ${sql_dir}
 * where that folder can be read. ERR_UNAVAILABLE with code schema_missing and what to do, else. */
bool health_schema(struct db *db, struct arena *a, const char *sql_dir, struct error *e) MUST_USE;
/** {queue_depth (at most 10,000), dialer_last_run}. */
struct value *health_state(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** For `trunkline status`: waiting (at most 10,000), live, ambiguous, calls_last_day, imports_open,
 * dialer_seen_at, backup_at, postgresql. */
struct value *health_status(struct db *db, struct arena *a, int64_t now, struct error *e) MUST_USE;
/** Version and settings of the server; see sql/queries/health.sql. */
struct value *health_server(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** [{name, minutes}]: how far east of UTC some zones are at ${now}, by the server's tables. */
struct value *health_zones(struct db *db, struct arena *a, int64_t now, struct error *e) MUST_USE;
/** Campaigns that run or are paused. */
struct value *health_campaigns(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** The server's clock, microseconds. */
bool health_clock(struct db *db, struct arena *a, int64_t *now, struct error *e) MUST_USE;

#endif
