#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H
/* `trunkline doctor`: looks at everything that has to be right, and says how to mend what is not.
 */
#include "base/config.h"
#include "store/db.h"

/** [{name, ok, finding, mend}], in the order in which they should be mended. ${db} NULL with ${why}
 * where it cannot be reached. */
struct value *doctor_examine(
    const struct config *config, struct db *db, const struct error *why, struct arena *a);
/** The same for people; returns how many are to be mended. */
int doctor_print(const struct value *findings, struct buf *out);
/** Both in one. */
int doctor_run(const struct config *config, struct db *db, const struct error *why, struct arena *a,
    struct buf *out);

#endif
