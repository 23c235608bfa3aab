#include "store/limit.h"

#include "queries.h"

struct value *
limit_get(struct db *db, struct arena *a, int64_t client_id, struct error *e)
{
	return db_row(db, a, q_provider_limits_get, e, P_INT(client_id));
}

bool
limit_set(struct db *db, struct arena *a, int64_t client_id, int64_t concurrency, int64_t pace,
    int64_t per_hour, int64_t per_day, struct error *e)
{
	return db_exec(db, a, q_provider_limits_set, NULL, e, P_INT(client_id), P_ID(concurrency),
	    P_INT(pace), P_ID(per_hour), P_ID(per_day));
}

bool
limit_resume(struct db *db, struct arena *a, int64_t client_id, int64_t user_id, int64_t now,
    struct error *e)
{
	return db_exec(
	    db, a, q_provider_resume, NULL, e, P_INT(client_id), P_TIME(now), P_ID(user_id));
}
