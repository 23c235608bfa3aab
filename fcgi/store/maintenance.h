#ifndef STORE_MAINTENANCE_H
#define STORE_MAINTENANCE_H
/* What the nightly work did: one row for each run of "backup", "backup_check", "restore" and
 * "retention" in maintenance_runs. A run that did not end well is what an alert is raised about. */
#include "store/db.h"

bool maintenance_begin(struct db *db, struct arena *a, const char *name, int64_t now, int64_t *id,
    struct error *e) MUST_USE;
/** ${detail} may be NULL; ${why} NULL: it went well, else its message is kept as detail.error. A
 * database that is away by now cannot keep it: logged. */
void maintenance_end(struct db *db, struct arena *a, int64_t id, struct value *detail,
    const struct error *why, int64_t now);
/** A run that began elsewhere and went well. */
bool maintenance_add(struct db *db, struct arena *a, const char *name, int64_t started, int64_t now,
    const struct value *detail, struct error *e) MUST_USE;

#endif
