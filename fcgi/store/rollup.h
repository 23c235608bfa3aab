#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H
/* Days that are over, counted (call_days). ${zone}: where a day begins. */
#include "store/db.h"

/** The days to count, [{"day": "2026-11-20"}]; ${all}: also those that were counted long ago. */
struct value *rollup_days(struct db *db, struct arena *a, const char *zone, bool all, int64_t now,
    struct error *e) MUST_USE;
/** Counts a day; *n: in how many campaigns there were calls. */
bool rollup_day(struct db *db, struct arena *a, const char *day, const char *zone, int64_t *n,
    struct error *e) MUST_USE;

#endif
