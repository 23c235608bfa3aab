#ifndef STORE_LIMIT_H
#define STORE_LIMIT_H
/* What the dialer may do at the provider for one client: table provider_limits. */
#include "store/db.h"

struct value *limit_get(
    struct db *db, struct arena *a, int64_t client_id, struct error *e) MUST_USE;
/** 0 = no ceiling; ${pace} calls a second. */
bool limit_set(struct db *db, struct arena *a, int64_t client_id, int64_t concurrency, int64_t pace,
    int64_t per_hour, int64_t per_day, struct error *e) MUST_USE;
/** Lifts a stop and a hold, resolves its alert, wakes the dialer. */
bool limit_resume(struct db *db, struct arena *a, int64_t client_id, int64_t user_id, int64_t now,
    struct error *e) MUST_USE;

#endif
