#include "pages/event_log.h"

#include "base/clock.h"
#include "base/json.h"
#include "pages/filter.h"
#include "pages/trail.h"
#include "providers/bland.h"
#include "store/event.h"

enum { SHOWN_BODY = 20000 };

static const struct filter_choice verdicts[] = {{NULL, "All"}, {"applied", NULL}, {"noted", NULL},
    {"unknown_call", NULL}, {"refused", NULL}, {"unreadable", NULL}};
enum { VERDICTS = sizeof(verdicts) / sizeof(verdicts[0]) };

bool
event_log_list(struct request *rq, struct response *rs, struct error *e)
{
	struct filter_place place;
	int64_t cursor;
	if (!filter_place_number(rq, &place, &cursor, e) ||
	    !filter_check(rq, "verdict", verdicts, VERDICTS, e))
		return false;
	struct value *rows = event_page(
	    rq->app->db, rq->arena, cursor, place.limit + 1, request_text(rq, "verdict"), e);
	if (!rows)
		return false;
	filter_page(rq, rs->model, "events", rows, "id", &place);
	if (!rq->json)
		value_set(
		    rq->arena, rs->model, "chips", filter_chips(rq, "verdict", verdicts, VERDICTS));
	return true;
}

bool
event_log_show(struct request *rq, struct response *rs, struct error *e)
{
	struct value *event = event_find(rq->app->db, rq->arena, rq->ids[0], e);
	if (!event)
		return false;
	value_set(rq->arena, rs->model, "event", event);
	if (rq->json)
		return true;
	struct str body = value_str(event, "body");
	value_set_bool(rq->arena, rs->model, "cut", body.n > SHOWN_BODY);
	value_set(rq->arena, rs->model, "body",
	    value_text(rq->arena,
		str_utf8(rq->arena, str_sub(body, 0, body.n < SHOWN_BODY ? body.n : SHOWN_BODY))));
	value_set_text(
	    rq->arena, rs->model, "headers", json_text(rq->arena, value_get(event, "headers")));
	value_set_bool(
	    rq->arena, rs->model, "replayable", !str_is(value_str(event, "verdict"), "refused"));
	return true;
}

bool
event_log_replay(struct request *rq, struct response *rs, struct error *e)
{
	const char *verdict = NULL;
	struct value *event = event_find(rq->app->db, rq->arena, rq->ids[0], e);
	if (!event)
		return false;
	struct value *report = bland_report_read(rq->arena, value_str(event, "body"));
	if (!event_replay(rq->app->db, rq->arena, rq->ids[0], report, clock_now(), &verdict, e) ||
	    !trail_add(rq, "event.replay", "event", rq->ids[0], NULL, e))
		return false;
	value_set_text(rq->arena, rs->model, "verdict", verdict);
	return response_redirect(rs, rq, arena_printf(rq->arena, "Read again: %s.", verdict),
	    "/event-log/%lld", (long long)rq->ids[0]);
}
