#include "pages/alerts.h"

#include "base/clock.h"
#include "engine/notice.h"
#include "net/address.h"
#include "net/mail.h"
#include "pages/filter.h"
#include "pages/settings.h"
#include "pages/trail.h"
#include "rules/alert.h"
#include "store/alert.h"
#include "store/setting.h"

static const struct filter_choice states[] = {{NULL, "Open"}, {"past", "Over"}};
enum { STATES = sizeof(states) / sizeof(states[0]) };

bool
alerts_list(struct request *rq, struct response *rs, struct error *e)
{
	struct filter_place place;
	int64_t cursor;
	bool past = str_is(request_text(rq, "state"), "past");
	if (!filter_check(rq, "state", states, STATES, e) ||
	    !filter_place_number(rq, &place, &cursor, e))
		return false;
	struct value *rows = alert_list(
	    rq->app->db, rq->arena, rq->viewer->client_id, !past, cursor, place.limit + 1, e);
	if (!rows)
		return false;
	alert_explain(rq->arena, rows);
	filter_page(rq, rs->model, "alerts", rows, "id", &place);
	if (!rq->json) {
		value_set(
		    rq->arena, rs->model, "states", filter_chips(rq, "state", states, STATES));
		value_set_bool(rq->arena, rs->model, "past", past);
	}
	return true;
}

bool
alerts_resolve(struct request *rq, struct response *rs, struct error *e)
{
	if (!alert_resolve(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0],
		rq->viewer->user_id, clock_now(), e) ||
	    !trail_add(rq, "alert.resolve", "alert", rq->ids[0], NULL, e))
		return false;
	return response_redirect(rs, rq, "Marked as resolved.", "/");
}

/* Twice is as good as once. Back to where the button was. */
bool
alerts_acknowledge(struct request *rq, struct response *rs, struct error *e)
{
	bool done = false;
	const char *back = str_is(request_text(rq, "from"), "dashboard") ? "/" : "/alerts";
	if (!alert_acknowledge(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0],
		rq->viewer->user_id, clock_now(), &done, e) ||
	    (done && !trail_add(rq, "alert.acknowledge", "alert", rq->ids[0], NULL, e)))
		return false;
	value_set_bool(rq->arena, rs->model, "acknowledged", done);
	return response_redirect(
	    rs, rq, "Acknowledged. It stays in the list of alerts until it is over.", "%s", back);
}

bool
alerts_ways(struct request *rq, struct value *model, const struct value *stored, struct error *e)
{
	struct arena *a = rq->arena;
	const struct value *hook = value_get(stored, "alert_webhook");
	struct notice_ways used;
	if (!notice_ways_get(&rq->app->config, rq->app->db, a, rq->viewer->client_id, &used, e))
		return false;
	struct value *ways = value_set(a, model, "alert_ways", value_map(a));
	value_set_bool(a, ways, "webhook_set", *used.webhook != '\0');
	value_set_bool(a, ways, "webhook_stored", hook != NULL);
	value_set(a, ways, "webhook_hint", hook ? value_get(hook, "hint") : value_null(a));
	value_set_text(a, ways, "email", used.email);
	value_set_bool(a, ways, "any", *used.webhook || *used.email);
	return true;
}

static bool
test_one(struct request *rq, const char *channel, const char *to, const char *name, struct error *e)
{
	struct arena *a = rq->arena;
	if (!*to)
		return true;
	struct value *messages = value_list(a), *m = value_push(a, messages, value_map(a));
	value_set_text(a, m, "what", "opened");
	value_set_text(a, m, "kind", "test");
	value_set_text(a, m, "message", "This is a test: alerts of Trunkline arrive here.");
	value_set(a, m, "first_at", value_time(a, clock_now()));
	struct error why = {0};
	return notice_send(&rq->app->config, a, channel, to, messages, &why) ||
	       error_field(e, name, "%s", why.message);
}

static bool
test(struct request *rq, struct response *rs, struct error *e)
{
	struct notice_ways to;
	if (!notice_ways_get(
		&rq->app->config, rq->app->db, rq->arena, rq->viewer->client_id, &to, e))
		return false;
	if (!*to.webhook && !*to.email)
		return error_field(e, "alert_webhook", "Store an address first.");
	if (!test_one(rq, "webhook", to.webhook, "alert_webhook", e) ||
	    !test_one(rq, "email", to.email, "alert_email", e))
		return false;
	return response_redirect(rs, rq, "The test was sent.", "/settings");
}

/* The same error, said beside its field. */
static bool
at_field(const char *name, struct error *e)
{
	struct error why = *e;
	return error_field(e, name, "%s", why.message);
}

static bool
store(struct request *rq, struct error *e)
{
	struct arena *a = rq->arena;
	const struct config *config = &rq->app->config;
	struct db *db = rq->app->db;
	int64_t client = rq->viewer->client_id, user = rq->viewer->user_id;
	struct str hook = request_text(rq, "alert_webhook"),
		   email = request_text(rq, "alert_email");
	bool forget = request_flag(rq, "forget_webhook");
	if (hook.n && !address_check(a, hook, config->private_webhooks, e))
		return at_field("alert_webhook", e);
	if (email.n && !mail_check(email, e))
		return at_field("alert_email", e);
	/* An empty field leaves the stored address, which is not shown, as it is. */
	if ((hook.n || forget) && !setting_seal(db, a, config, client, "alert_webhook",
				      forget ? STR("") : hook, user, clock_now(), e))
		return false;
	return !request_has(rq, "alert_email") ||
	       setting_put(db, a, client, "alert_email", email, user, clock_now(), e);
}

bool
alerts_tell(struct request *rq, struct response *rs, struct error *e)
{
	struct value *model = settings_model(rq, e);
	if (!model)
		return false;
	response_form(rs, "settings", model);
	if (request_flag(rq, "test"))
		return test(rq, rs, e);
	if (!store(rq, e) || !trail_add(rq, "setting.alerts", "settings", 0, NULL, e))
		return false;
	return response_redirect(rs, rq, "Saved.", "/settings");
}
