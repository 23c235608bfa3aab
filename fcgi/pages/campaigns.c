#include "pages/campaigns.h"

#include "base/clock.h"
#include "pages/dashboard.h"
#include "pages/filter.h"
#include "pages/jobs.h"
#include "rules/reason.h"
#include "store/campaign.h"

static const struct filter_choice states[] = {{NULL, "All"}, {"draft", NULL}, {"running", NULL},
    {"paused", NULL}, {"done", NULL}, {"archived", NULL}};
static const struct filter_choice lead_states[] = {{NULL, "All"}, {"waiting", NULL},
    {"under_way", NULL}, {"blocked", NULL}, {"ambiguous", "In doubt"}, {"done", NULL},
    {"error", NULL}, {"canceled", NULL}};
#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

bool
campaigns_list(struct request *rq, struct response *rs, struct error *e)
{
	struct filter_place place;
	int64_t cursor;
	if (!filter_place_number(rq, &place, &cursor, e) ||
	    !filter_check(rq, "state", states, COUNT(states), e))
		return false;
	struct value *rows = campaign_page(rq->app->db, rq->arena, rq->viewer->client_id, cursor,
	    place.limit + 1, request_text(rq, "state"), clock_now(), e);
	if (!rows)
		return false;
	filter_page(rq, rs->model, "campaigns", rows, "id", &place);
	if (!rq->json) {
		value_set(rq->arena, rs->model, "chips",
		    filter_chips(rq, "state", states, COUNT(states)));
		for (size_t i = 0; i < rows->list.n; i++)
			value_set(rq->arena, rows->list.items[i], "segments",
			    dashboard_segments(rq->arena, value_get(rows->list.items[i], "tally")));
	}
	return true;
}

struct value *
campaign_reason_rows(struct arena *a, const struct value *counts)
{
	struct value *rows = value_list(a);
	for (size_t i = 0; counts && counts->type == VALUE_MAP && i < counts->map.n; i++) {
		const struct member *m = &counts->map.members[i];
		struct value *row = value_push(a, rows, value_map(a));
		value_set(a, row, "reason", value_text(a, m->key));
		value_set_text(a, row, "words", reason_short(m->key));
		value_set_text(a, row, "sentence", reason_sentence(m->key));
		value_set(a, row, "n", m->value);
	}
	return rows;
}

static void
set_reasons(struct arena *a, struct value *rows)
{
	for (size_t i = 0; i < rows->list.n; i++) {
		struct value *row = rows->list.items[i];
		struct str reason = value_str(row, "reason");
		value_set_text(a, row, "words", reason_short(reason));
		value_set_text(a, row, "sentence", reason_sentence(reason));
		value_set_bool(a, row, "waits", str_is(value_str(row, "state"), "waiting"));
	}
}

/* One sentence about where it stands, and which buttons make sense. */
static void
set_state(struct arena *a, struct value *model, const struct value *campaign)
{
	struct str state = value_str(campaign, "state");
	const struct value *tally = value_get(campaign, "tally");
	int64_t left = value_num(tally, "waiting") + value_num(tally, "blocked");
	bool draft = str_is(state, "draft"), paused = str_is(state, "paused"),
	     done = str_is(state, "done");
	value_set_bool(a, model, "startable", (draft || paused) && left);
	value_set_bool(a, model, "resumable", paused);
	value_set_bool(a, model, "stopping", str_is(value_str(campaign, "status"), "stopping"));
	value_set_bool(a, model, "pausable", str_is(value_str(campaign, "status"), "running"));
	value_set_bool(
	    a, model, "stoppable", str_is(value_str(campaign, "status"), "running") || paused);
	value_set_bool(a, model, "editable", draft || paused || done);
	value_set_bool(a, model, "archivable", draft || done);
	value_set_int(a, model, "left", left);
	value_set(a, model, "segments", dashboard_segments(a, tally));
	jobs_words(a, value_get(campaign, "jobs"));
}

bool
campaigns_show(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *c =
	    campaign_find(rq->app->db, a, rq->viewer->client_id, rq->ids[0], clock_now(), e);
	if (!c)
		return false;
	value_set(a, rs->model, "campaign", c);
	struct value *reasons = campaign_reasons(rq->app->db, a, rq->ids[0], clock_now(), e);
	if (!reasons)
		return false;
	set_reasons(a, reasons);
	value_set(a, rs->model, "reasons", reasons);
	if (rq->json)
		return true;
	struct value *rows =
	    campaign_leads(rq->app->db, a, rq->ids[0], 0, 10, STR(""), clock_now(), e);
	if (!rows)
		return false;
	set_reasons(a, rows);
	value_set(a, rs->model, "rows", rows);
	set_state(a, rs->model, c);
	return true;
}

bool
campaigns_leads(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct filter_place place;
	int64_t cursor;
	if (!filter_place_number(rq, &place, &cursor, e) ||
	    !filter_check(rq, "state", lead_states, COUNT(lead_states), e))
		return false;
	struct value *c =
	    campaign_find(rq->app->db, a, rq->viewer->client_id, rq->ids[0], clock_now(), e);
	if (!c)
		return false;
	struct value *rows = campaign_leads(rq->app->db, a, rq->ids[0], cursor, place.limit + 1,
	    request_text(rq, "state"), clock_now(), e);
	if (!rows)
		return false;
	set_reasons(a, rows);
	filter_page(rq, rs->model, rq->json ? "leads" : "rows", rows, "id", &place);
	if (!rq->json) {
		value_set(a, rs->model, "campaign", c);
		value_set(a, rs->model, "chips",
		    filter_chips(rq, "state", lead_states, COUNT(lead_states)));
	}
	return true;
}
