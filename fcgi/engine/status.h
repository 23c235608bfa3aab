#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H
/* `trunkline status`: everything on one screen. */
#include "base/config.h"
#include "store/db.h"

/** {well, programs: [{name, ok, detail}], queue: {…}, campaigns: […], backup: {…}, alerts: […]}.
 * ${db} NULL, for ${why}: what can be seen without it. Never fails. */
struct value *status_look(
    const struct config *config, struct db *db, const struct error *why, struct arena *a);
/** The same for people. */
void status_print(struct buf *out, const struct value *status);

#endif
