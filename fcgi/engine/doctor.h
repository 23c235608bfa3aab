#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H
/* `trunkline doctor`: looks at everything that has to be right, and says how to mend what is not.
 */
#include "base/config.h"
#include "store/db.h"

/** Prints a line for each check to ${out}; ${db} NULL with ${why} where it cannot be reached.
 * Returns how many checks failed. */
int doctor_run(const struct config *config, struct db *db, const struct error *why, struct arena *a,
    struct buf *out);

#endif
