#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H
/* Who did what, when, from where. Never holds a key or a password. */
#include "store/db.h"

bool audit_add(struct db *db, struct arena *a, int64_t client_id, int64_t user_id, const char *who,
    const char *action, const char *object, const struct value *detail, const char *address,
    int64_t now, struct error *e) MUST_USE;

#endif
