#ifndef STORE_JOB_H
#define STORE_JOB_H
/* Work on more leads than a page has time for, see sql/functions/job.sql. Pages begin it. */
#include "store/db.h"

/** Goes on with the oldest job by one piece, in one transaction. *worked: whether there was one. */
bool job_step(struct db *db, struct arena *a, int64_t now, bool *worked, struct error *e) MUST_USE;
/** How many leads are still to be looked at for ${campaign_id} (those being added) or ${import_id}
 * (those given consent); the other is 0. */
bool job_left(struct db *db, struct arena *a, int64_t campaign_id, int64_t import_id, int64_t *n,
    struct error *e) MUST_USE;

#endif
