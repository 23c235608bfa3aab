#include "store/metrics.h"

#include "queries.h"

struct value *
metrics_state(struct db *db, struct arena *a, int64_t now, struct error *e)
{
	return db_row(db, a, q_metrics_state, e, P_TIME(now));
}

struct value *
metrics_day(struct db *db, struct arena *a, int64_t now, struct error *e)
{
	return db_row(db, a, q_metrics_day, e, P_TIME(now));
}
