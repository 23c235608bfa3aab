#include "pages/trail.h"

#include "base/clock.h"
#include "store/audit.h"

bool
trail_add(struct request *rq, const char *action, const char *noun, int64_t id,
    const struct value *detail, struct error *e)
{
	const struct viewer *viewer = rq->viewer;
	const char *who = viewer->email && *viewer->email ? viewer->email : "ADMIN_TOKEN";
	const char *object = id ? arena_printf(rq->arena, "%s %lld", noun, (long long)id) : noun;
	return audit_add(rq->app->db, rq->arena, viewer->client_id, viewer->user_id, who, action,
	    object, detail, rq->address, clock_now(), e);
}
