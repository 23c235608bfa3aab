#include "pages/health.h"

#include "base/log.h"
#include "store/health.h"

bool
health_alive(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	rs->model = value_map(rq->arena);
	value_set_text(rq->arena, rs->model, "status", "ok");
	return true;
}

/* Answers in the same shape whether the database is there or not. */
bool
health_ready(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct error none = {0};
	(void)e;
	struct value *state =
	    rq->app->refresh(rq->app, &none) ? health_state(rq->app->db, a, &none) : NULL;
	if (!state)
		log_error("database", LOG_TEXT("why", none.message));
	rs->model = value_map(a);
	rs->status = state ? 200 : 503;
	value_set_text(a, rs->model, "status", state ? "ok" : "unavailable");
	value_set_text(a, rs->model, "database", state ? "ok" : "away");
	struct value *depth = value_get(state, "queue_depth"),
		     *seen = value_get(state, "dialer_last_run");
	value_set(a, rs->model, "queue_depth", depth ? depth : value_null(a));
	value_set(a, rs->model, "dialer_last_run", seen ? seen : value_null(a));
	return true;
}
