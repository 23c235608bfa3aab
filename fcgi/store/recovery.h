#ifndef STORE_RECOVERY_H
#define STORE_RECOVERY_H
/* After a restore: what happened since the backup is forgotten, so nobody may be contacted on what
 * it says, and no order not to contact may be lost. */
#include "store/db.h"

/** Pauses every campaign that was running at ${made}, and says why, there and in an alert. */
bool recovery_hold(
    struct db *db, struct arena *a, int64_t made, int64_t now, struct error *e) MUST_USE;
/** Orders not to contact that ${from} holds and ${to} does not; those who were erased meanwhile are
 * erased again. *carried: how many orders. */
bool recovery_carry(struct db *from, struct db *to, struct arena *a, int64_t now, int64_t *carried,
    struct error *e) MUST_USE;

#endif
