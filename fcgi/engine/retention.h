#ifndef ENGINE_RETENTION_H
#define ENGINE_RETENTION_H
/* `trunkline retention` and `trunkline erase`. */
#include "engine/keeping.h"
#include "store/db.h"

/** retention [--seconds N]: as much as fits into the time; the next run goes on. */
bool keeping_retention(const struct keeping *k, struct error *e) MUST_USE;
/** erase PHONE [--yes] */
bool keeping_erase(const struct keeping *k, struct error *e) MUST_USE;

/** What the audit calls a number: a hash under SECRET_KEY. */
const char *retention_hash(struct arena *a, const struct config *config, const char *phone);
/** Removes files below ${config}'s spool that no import knows and nobody wrote to for a day.
 * *removed: how many. */
bool retention_sweep(struct db *db, struct arena *a, const struct config *config, int64_t now,
    int64_t *removed, struct error *e) MUST_USE;

#endif
