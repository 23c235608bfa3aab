/* The buttons of a campaign. Each may be pressed twice. */
#include "base/clock.h"
#include "pages/campaign_fields.h"
#include "pages/campaigns.h"
#include "pages/trail.h"
#include "store/campaign.h"
#include "store/setting.h"

enum { MOST_JUDGED = 5000 };

bool
dialing_possible(struct request *rq, struct error *e)
{
	const char *key = setting_get(
	    rq->app->db, rq->arena, &rq->app->config, rq->viewer->client_id, "bland_api_key", e);
	if (!key)
		return false;
	if (*key || rq->app->config.sandbox)
		return true;
	return error_code(e, ERR_CONFLICT, "provider_not_configured",
	    "No key for Bland.ai is set, so nobody can be called. Put one in at Settings.");
}

/* {campaign_id, queued, blocked: {reason: n}}; queued: with those who are still being added. */
static bool
describe(struct request *rq, int64_t id, struct value *model, struct error *e)
{
	int64_t blocked = 0;
	const struct value *flight =
	    campaign_preflight(rq->app->db, rq->arena, id, MOST_JUDGED, clock_now(), e);
	if (!flight)
		return false;
	struct value *reasons = value_get(flight, "blocked");
	for (size_t i = 0; i < reasons->map.n; i++)
		blocked += reasons->map.members[i].value->i;
	value_set_int(rq->arena, model, "campaign_id", id);
	value_set_int(rq->arena, model, "queued",
	    value_num(flight, "total") + value_num(flight, "adding") - blocked);
	value_set(rq->arena, model, "blocked", reasons);
	return true;
}

static bool
act(struct request *rq, int64_t id, enum campaign_act what, const char *action, bool *changed,
    int64_t *n, struct error *e)
{
	if (!campaign_do(rq->app->db, rq->arena, rq->viewer->client_id, id, what,
		rq->viewer->user_id, clock_now(), changed, n, e))
		return false;
	return !*changed || trail_add(rq, action, "campaign", id, NULL, e);
}

/* Back to where the button stood: the frame's buttons are on every page. */
static bool
answer(struct request *rq, struct response *rs, int64_t id, const char *notice, struct error *e)
{
	if (rq->json) {
		struct value *c = campaign_find(
		    rq->app->db, rq->arena, rq->viewer->client_id, id, clock_now(), e);
		if (!c)
			return false;
		value_set(rq->arena, rs->model, "campaign", c);
	}
	return response_redirect(rs, rq, notice, "/campaigns/%lld", (long long)id);
}

/* What was made in the sandbox has all-day hours and short waits: nobody real is called by it. */
static bool
not_from_sandbox(struct request *rq, int64_t id, struct error *e)
{
	if (rq->app->config.sandbox)
		return true;
	const struct value *c =
	    campaign_find(rq->app->db, rq->arena, rq->viewer->client_id, id, clock_now(), e);
	if (!c)
		return false;
	if (!value_flag(value_get(c, "settings"), "sandbox"))
		return true;
	return error_code(e, ERR_CONFLICT, "made_in_sandbox",
	    "This campaign was made in the sandbox, for trying. Stop it and make a new one to call for real.");
}

bool
campaigns_start(struct request *rq, struct response *rs, struct error *e)
{
	bool changed = false;
	int64_t id = rq->ids[0];
	if (!dialing_possible(rq, e) || !not_from_sandbox(rq, id, e) ||
	    !act(rq, id, CAMPAIGN_START, "campaign.start", &changed, NULL, e) ||
	    !describe(rq, id, rs->model, e))
		return false;
	return answer(rq, rs, id,
	    changed ? "Started. Calls go out as lines become free." : "It is running already.", e);
}

bool
campaigns_pause(struct request *rq, struct response *rs, struct error *e)
{
	bool changed = false;
	if (!act(rq, rq->ids[0], CAMPAIGN_PAUSE, "campaign.pause", &changed, NULL, e))
		return false;
	return answer(rq, rs, rq->ids[0],
	    changed ? "Paused. Calls under way finish; nobody new is called."
		    : "It is paused already.",
	    e);
}

bool
campaigns_stop(struct request *rq, struct response *rs, struct error *e)
{
	bool changed = false;
	int64_t n = 0;
	if (!act(rq, rq->ids[0], CAMPAIGN_STOP, "campaign.stop", &changed, &n, e))
		return false;
	return answer(rq, rs, rq->ids[0],
	    arena_printf(rq->arena, "Stopped. %s %s taken off; calls under way finish.",
		value_counted(rq->arena, n, "lead"), n == 1 ? "is" : "are"),
	    e);
}

bool
campaigns_archive(struct request *rq, struct response *rs, struct error *e)
{
	bool changed = false;
	if (!act(rq, rq->ids[0], CAMPAIGN_ARCHIVE, "campaign.archive", &changed, NULL, e))
		return false;
	if (rq->json)
		return answer(rq, rs, rq->ids[0], NULL, e);
	return response_redirect(rs, rq, "Archived. Its calls and transcripts stay.", "/campaigns");
}

/* --- the short way: start everything that is pending -------------------------------------------
 */

static bool
fresh_campaign(struct request *rq, struct value *fields, int64_t *id, struct error *e)
{
	struct buf name;
	const char *zone = rq->viewer->time_zone;
	buf_init(&name, rq->arena);
	clock_set_zone(zone && *zone ? zone : rq->app->config.time_zone);
	buf_puts(&name, "Calls of ");
	clock_print_local(&name, clock_now(), "%Y-%m-%d %H:%M:%S");
	value_set(rq->arena, fields, "name", value_text(rq->arena, buf_view(&name)));
	return campaign_put(rq->app->db, rq->arena, rq->viewer->client_id, 0, fields,
	    rq->viewer->user_id, clock_now(), id, e);
}

/* Concurrency and hours of one that is there already; a running one is changed too: pause, change,
 * go on. */
static bool
adjust(struct request *rq, int64_t id, struct error *e)
{
	bool widened, changed;
	int64_t made, client = rq->viewer->client_id, user = rq->viewer->user_id, now = clock_now();
	struct error none = {0};
	struct value *fields = campaign_fields(rq, false, &widened, e);
	if (!fields)
		return false;
	if (!fields->map.n)
		return true;
	if (!campaign_do(rq->app->db, rq->arena, client, id, CAMPAIGN_PAUSE, user, now, &changed,
		NULL, &none) &&
	    none.kind != ERR_CONFLICT) {
		*e = none;
		return false;
	}
	if (!campaign_put(rq->app->db, rq->arena, client, id, fields, user, now, &made, e))
		return false;
	return !widened || trail_add(rq, "campaign.widen_hours", "campaign", id, fields, e);
}

bool
dialing_begin(struct request *rq, int64_t import_id, struct value *model, struct error *e)
{
	struct db *db = rq->app->db;
	int64_t id = 0, client = rq->viewer->client_id, n = 0;
	bool widened = false, changed = false, fresh;
	if (!request_int(rq, "campaign_id", 1, INT64_MAX, 0, &id, e))
		return false;
	if (!id && !campaign_open(db, rq->arena, client, rq->app->config.sandbox, &id, e))
		return false;
	fresh = id == 0;
	struct value *fields = fresh ? campaign_fields(rq, true, &widened, e) : NULL;
	if (fresh && !fields)
		return false;
	if (fresh ? !fresh_campaign(rq, fields, &id, e) : !adjust(rq, id, e))
		return false;
	if (widened && !trail_add(rq, "campaign.widen_hours", "campaign", id, fields, e))
		return false;
	/* Counted before the first of them is called. */
	if (!campaign_enrol(db, rq->arena, id, import_id, NULL, clock_now(), &n, e) ||
	    !describe(rq, id, model, e))
		return false;
	struct error why = {0};
	if (!act(rq, id, CAMPAIGN_START, "campaign.start", &changed, NULL, &why)) {
		if (str_is(str_of(why.code), "no_leads") && fresh) {
			/* Nobody to call: no empty campaign is left behind. */
			if (!campaign_do(db, rq->arena, client, id, CAMPAIGN_ARCHIVE,
				rq->viewer->user_id, clock_now(), &changed, NULL, e))
				return false;
			value_set(rq->arena, model, "campaign_id", value_null(rq->arena));
			value_set(rq->arena, model, "blocked", value_map(rq->arena));
			return true;
		}
		if (!str_is(str_of(why.code), "no_leads")) {
			*e = why;
			return false;
		}
	}
	return true;
}

bool
dialing_start(struct request *rq, struct response *rs, struct error *e)
{
	if (!dialing_possible(rq, e) || !dialing_begin(rq, 0, rs->model, e))
		return false;
	int64_t id = value_num(rs->model, "campaign_id");
	if (!id)
		return response_redirect(
		    rs, rq, "There is nobody to call. Import leads first.", "/imports/new");
	return response_redirect(rs, rq, "Started. Calls go out as lines become free.",
	    "/campaigns/%lld", (long long)id);
}

bool
dialing_stop(struct request *rq, struct response *rs, struct error *e)
{
	bool changed;
	const struct value *running =
	    campaign_running(rq->app->db, rq->arena, rq->viewer->client_id, e);
	if (!running)
		return false;
	struct value *paused = value_set(rq->arena, rs->model, "paused", value_list(rq->arena));
	for (size_t i = 0; i < running->list.n; i++) {
		int64_t id = value_num(running->list.items[i], "id");
		if (!act(rq, id, CAMPAIGN_PAUSE, "campaign.pause", &changed, NULL, e))
			return false;
		value_push(rq->arena, paused, value_int(rq->arena, id));
	}
	value_set_text(rq->arena, rs->model, "status", "stopped");
	return response_redirect(rs, rq, "No new call is placed. Calls under way finish.", "/");
}
