#ifndef STORE_ALERT_H
#define STORE_ALERT_H
/* What needs a person, raised once for each (kind, subject) and shown until resolved; and the audit
 * log. */
#include "store/db.h"

bool alert_raise(struct db *db, struct arena *a, int64_t client_id, const char *kind,
    const char *subject, const char *message, const char *link, int64_t now,
    struct error *e) MUST_USE;
bool alert_resolve(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t user_id,
    int64_t now, struct error *e) MUST_USE;
/** Newest first, ids below ${cursor} (0: from the newest). */
struct value *alert_list(struct db *db, struct arena *a, int64_t client_id, int64_t cursor,
    int64_t limit, struct error *e) MUST_USE;
struct value *audit_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor,
    int64_t limit, struct error *e) MUST_USE;

#endif
