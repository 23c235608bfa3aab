/* The wizard: one form in sections, saved as a draft, then the review that says what Start would
 * do. */
#include "base/clock.h"
#include "pages/campaign_fields.h"
#include "pages/campaigns.h"
#include "pages/jobs.h"
#include "pages/trail.h"
#include "rules/render.h"
#include "store/campaign.h"
#include "store/job.h"
#include "store/prompt.h"

enum { MOST_JUDGED = 2000, MOST_RENDERED = 200 };

static struct value *
form_model(struct request *rq, struct value *campaign, struct error *e)
{
	struct arena *a = rq->arena;
	static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	struct value *model = value_map(a),
		     *prompts = prompt_list(rq->app->db, a, rq->viewer->client_id, e);
	struct value *sources =
	    prompts ? campaign_sources(rq->app->db, a, rq->viewer->client_id, clock_now(), e)
		    : NULL;
	if (!sources)
		return NULL;
	const struct value *days = value_get(campaign, "window_days");
	struct value *list = value_set(a, model, "days", value_list(a));
	for (int d = 1; d <= 7; d++) {
		struct value *day = value_push(a, list, value_map(a));
		bool chosen = !days;
		for (size_t i = 0; days && i < days->list.n; i++)
			chosen = chosen || days->list.items[i]->i == d;
		value_set_int(a, day, "n", d);
		value_set_text(a, day, "name", names[d - 1]);
		value_set_bool(a, day, "chosen", chosen);
	}
	for (size_t i = 0; i < prompts->list.n; i++)
		value_set_bool(a, prompts->list.items[i], "chosen",
		    campaign && value_num(prompts->list.items[i], "id") ==
				    value_num(campaign, "prompt_id"));
	value_set(a, model, "prompts", prompts);
	value_set(a, model, "sources", sources);
	/* What the fields show: what is stored, or what a new one begins with. */
	struct value *values = value_set(a, model, "values", campaign ? campaign : value_map(a));
	if (!campaign) {
		value_set_int(a, values, "concurrency", rq->app->config.concurrency);
		value_set_int(a, values, "max_attempts", 3);
		value_set_int(a, values, "max_duration", 10);
		value_set_text(
		    a, values, "window_start", rq->app->config.sandbox ? "00:00" : "08:00");
		value_set_text(
		    a, values, "window_end", rq->app->config.sandbox ? "24:00" : "21:00");
	}
	if (campaign)
		value_set(a, model, "campaign", campaign);
	return model;
}

bool
campaigns_new(struct request *rq, struct response *rs, struct error *e)
{
	int64_t import_id = 0;
	if (!request_int(rq, "import", 1, INT64_MAX, 0, &import_id, e))
		return false;
	rs->model = form_model(rq, NULL, e);
	if (!rs->model)
		return false;
	struct value *imports = value_get(value_get(rs->model, "sources"), "imports");
	for (size_t i = 0; i < imports->list.n; i++)
		value_set_bool(rq->arena, imports->list.items[i], "chosen",
		    value_num(imports->list.items[i], "id") == import_id);
	return true;
}

/* "all", "import:7", "list:spring" or nothing; or JSON import_id / lead_ids. */
static bool
enrol(struct request *rq, int64_t id, int64_t *n, struct error *e)
{
	struct str from = request_text(rq, "leads"), kind = str_cut(&from, ':');
	int64_t import_id = 0, now = clock_now();
	const struct value *ids = value_get(rq->body, "lead_ids");
	*n = 0;
	if (!request_int(rq, "import_id", 1, INT64_MAX, 0, &import_id, e))
		return false;
	if (str_is(kind, "import") && !str_to_int(from, &import_id))
		return error_field(e, "leads", "Choose where the leads come from.");
	if (ids && ids->type != VALUE_LIST)
		return error_field(e, "lead_ids", "Must be a list of lead ids.");
	if (str_is(kind, "list"))
		return campaign_enrol_list(
		    rq->app->db, rq->arena, rq->viewer->client_id, id, from, now, n, e);
	if (!import_id && !ids && !str_is(kind, "all"))
		return true;
	return campaign_enrol(rq->app->db, rq->arena, id, import_id, ids, now, n, e);
}

bool
campaigns_create(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	bool widened;
	int64_t id = 0, n = 0, left = 0;
	struct str name;
	if (!rq->json) {
		struct value *form = form_model(rq, NULL, e);
		if (!form)
			return false;
		response_form(rs, "campaign_new", form);
	}
	struct value *fields = campaign_fields(rq, true, &widened, e);
	if (!fields || !request_required(rq, "name", 120, &name, e) ||
	    !campaign_put(rq->app->db, a, rq->viewer->client_id, 0, fields, rq->viewer->user_id,
		clock_now(), &id, e) ||
	    !trail_add(rq,
		widened && !rq->app->config.sandbox ? "campaign.widen_hours" : "campaign.create",
		"campaign", id, fields, e) ||
	    !enrol(rq, id, &n, e) || !job_left(rq->app->db, a, id, 0, &left, e))
		return false;
	if (rq->json) {
		struct value *c =
		    campaign_find(rq->app->db, a, rq->viewer->client_id, id, clock_now(), e);
		if (!c)
			return false;
		value_set(a, rs->model, "campaign", c);
		value_set_int(a, rs->model, "enrolled", n);
		rs->status = 201;
	}
	return response_redirect(rs, rq,
	    left ? "Saved as a draft. Its leads are being added."
		 : arena_printf(a, "Saved as a draft with %s.", value_counted(a, n, "lead")),
	    "/campaigns/%lld/review", (long long)id);
}

bool
campaigns_edit(struct request *rq, struct response *rs, struct error *e)
{
	struct value *c = campaign_find(
	    rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], clock_now(), e);
	if (!c)
		return false;
	rs->model = form_model(rq, c, e);
	return rs->model != NULL;
}

bool
campaigns_save(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	bool widened;
	int64_t id = rq->ids[0], made, n = 0;
	struct value *c = campaign_find(rq->app->db, a, rq->viewer->client_id, id, clock_now(), e);
	if (!c)
		return false;
	if (!rq->json) {
		struct value *form = form_model(rq, c, e);
		if (!form)
			return false;
		response_form(rs, "campaign_edit", form);
	}
	struct value *fields = campaign_fields(rq, false, &widened, e);
	if (!fields ||
	    !campaign_put(rq->app->db, a, rq->viewer->client_id, id, fields, rq->viewer->user_id,
		clock_now(), &made, e) ||
	    !trail_add(rq,
		widened && !rq->app->config.sandbox ? "campaign.widen_hours" : "campaign.change",
		"campaign", id, fields, e) ||
	    !enrol(rq, id, &n, e))
		return false;
	c = campaign_find(rq->app->db, a, rq->viewer->client_id, id, clock_now(), e);
	if (!c)
		return false;
	rs->model = value_map(a);
	value_set(a, rs->model, "campaign", c);
	return response_redirect(rs, rq, "Saved.", "/campaigns/%lld/review", (long long)id);
}

/* Placeholders that some leads lack: [{name, n}]. */
static bool
missing_variables(struct request *rq, const struct value *c, struct value *model, struct error *e)
{
	struct arena *a = rq->arena;
	struct str name = value_str(c, "prompt");
	struct error none = {0};
	const struct value *prompt = prompt_find(
	    rq->app->db, a, rq->viewer->client_id, name.n ? name : STR("default"), 0, &none);
	const struct value *leads = campaign_sample(rq->app->db, a, rq->ids[0], MOST_RENDERED, e);
	if (!leads)
		return false;
	value_set_bool(a, model, "no_prompt", !prompt);
	struct value *counts = value_map(a);
	for (size_t i = 0; prompt && i < leads->list.n; i++) {
		struct value *missing = value_list(a);
		struct str out;
		struct value *values = render_values(a, leads->list.items[i], "us");
		if (!render_prompt(a, value_str(prompt, "body"), values,
			value_get(prompt, "defaults"), &out, missing, &none)) {
			value_set_text(a, model, "prompt_error", arena_strdup(a, none.message));
			break;
		}
		for (size_t k = 0; k < missing->list.n; k++) {
			struct str key = missing->list.items[k]->s;
			const struct value *old = value_get_str(counts, key);
			value_set_str(a, counts, key, value_int(a, old ? old->i + 1 : 1));
		}
	}
	struct value *rows = value_set(a, model, "missing", value_list(a));
	for (size_t i = 0; i < counts->map.n; i++) {
		struct value *row = value_push(a, rows, value_map(a));
		value_set(a, row, "name", value_text(a, counts->map.members[i].key));
		value_set(a, row, "n", counts->map.members[i].value);
	}
	value_set_int(a, model, "sampled", (int64_t)leads->list.n);
	return true;
}

/* Bland's prices (docs.bland.ai/platform/billing.md): at least 0.015 dollars for each attempt, 0.14
 * for a connected minute; a conversation takes about two. How long: by pace, and by how many lines
 * there are. */
static void
estimate(struct arena *a, const struct value *c, const struct value *flight, struct value *model)
{
	enum { ATTEMPT_MICROS = 15000, MINUTE_MICROS = 140000, CALL_SECONDS = 60 };
	int64_t blocked = 0, lines = value_num(c, "concurrency");
	const struct value *reasons = value_get(flight, "blocked");
	for (size_t i = 0; i < reasons->map.n; i++)
		blocked += reasons->map.members[i].value->i;
	int64_t callable = value_num(flight, "total") - blocked;
	value_set_int(a, model, "callable", callable);
	value_set_int(a, model, "blocked_count", blocked);
	value_set(a, model, "cost_least_usd", value_money(a, callable * ATTEMPT_MICROS));
	value_set(a, model, "cost_most_usd",
	    value_money(a, callable * (2 * MINUTE_MICROS +
					  ATTEMPT_MICROS * (value_num(c, "max_attempts") - 1))));
	int64_t seconds = callable * CALL_SECONDS / (lines > 0 ? lines : 1);
	value_set(a, model, "finish", value_time(a, clock_now() + seconds * CLOCK_SECOND));
	int64_t minutes = (seconds + 59) / 60, hours = (minutes + 30) / 60,
		days = (hours + 12) / 24;
	value_set_int(a, model, "minutes", minutes);
	value_set_text(a, model, "lasts",
	    arena_printf(a, "%lld %s",
		(long long)(days > 3    ? days
			    : hours > 3 ? hours
					: minutes),
		days > 3    ? "days"
		: hours > 3 ? "hours"
			    : "min"));
}

bool
campaigns_review(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *c =
	    campaign_find(rq->app->db, a, rq->viewer->client_id, rq->ids[0], clock_now(), e);
	struct value *flight =
	    c ? campaign_preflight(rq->app->db, a, rq->ids[0], MOST_JUDGED, clock_now(), e) : NULL;
	if (!flight)
		return false;
	value_set(a, rs->model, "campaign", c);
	value_set(a, rs->model, "preflight", flight);
	estimate(a, c, flight, rs->model);
	if (!missing_variables(rq, c, rs->model, e))
		return false;
	if (rq->json)
		return true;
	jobs_words(a, value_get(c, "jobs"));
	value_set_bool(a, rs->model, "adding", value_get(c, "jobs")->list.n > 0);
	value_set(a, rs->model, "blocked", campaign_reason_rows(a, value_get(flight, "blocked")));
	value_set(a, rs->model, "waits", campaign_reason_rows(a, value_get(flight, "waits")));
	bool open =
	    str_is(value_str(c, "state"), "draft") || str_is(value_str(c, "state"), "paused");
	value_set_bool(a, rs->model, "startable", open && value_num(flight, "total") > 0);
	value_set_bool(
	    a, rs->model, "sampled_only", value_num(flight, "judged") < value_num(flight, "total"));
	struct error why = {0};
	if (!dialing_possible(rq, &why)) {
		value_set_text(a, rs->model, "impossible", arena_strdup(a, why.message));
		value_set_bool(a, rs->model, "startable", false);
	}
	return true;
}
