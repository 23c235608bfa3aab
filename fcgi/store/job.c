#include "store/job.h"

#include "queries.h"

bool
job_step(struct db *db, struct arena *a, int64_t now, bool *worked, struct error *e)
{
	const struct value *row = db_row(db, a, q_job_step, e, P_TIME(now));
	*worked = row && value_flag(row, "worked");
	return row != NULL;
}

bool
job_left(struct db *db, struct arena *a, int64_t campaign_id, int64_t import_id, int64_t *n,
    struct error *e)
{
	const struct value *row =
	    db_row(db, a, q_job_left, e, P_INT(campaign_id), P_INT(import_id));
	*n = value_num(row, "n");
	return row != NULL;
}
