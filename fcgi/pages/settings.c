#include "pages/settings.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "net/client.h"
#include "pages/alerts.h"
#include "pages/filter.h"
#include "pages/keeping.h"
#include "pages/trail.h"
#include "rules/phone.h"
#include "rules/reason.h"
#include "store/alert.h"
#include "store/limit.h"
#include "store/setting.h"

/* Plain settings: name, most characters, and the range of numbers (0, 0: text). */
static const struct {
	const char *name;
	size_t most;
	int64_t least, largest;
} plain[] = {{"voice_id", 100, 0, 0}, {"rep", 100, 0, 0}, {"caller_number", 60, 0, 0},
    {"default_country", 2, 0, 0}, {"min_gap_seconds", 10, 1, 604800}, {"per_day", 10, 1, 20},
    {"per_week", 10, 1, 100}};
enum { PLAIN = sizeof(plain) / sizeof(plain[0]) };
static const char *const keys[] = {"bland_api_key", "bland_webhook_secret"};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static bool
add_keys(struct request *rq, struct value *model, const struct value *stored, struct error *e)
{
	struct arena *a = rq->arena;
	static const char *const labels[] = {"Bland API key", "Webhook signing secret"};
	struct value *list = value_set(a, model, "keys", value_list(a));
	for (size_t i = 0; i < KEYS; i++) {
		const struct value *row = value_get(stored, keys[i]);
		const char *used = setting_get(
		    rq->app->db, a, &rq->app->config, rq->viewer->client_id, keys[i], e);
		if (!used)
			return false;
		struct value *key = value_push(a, list, value_map(a));
		value_set_text(a, key, "name", keys[i]);
		value_set_text(a, key, "label", labels[i]);
		value_set_bool(a, key, "stored", row != NULL);
		value_set_bool(a, key, "set", *used != '\0');
		value_set(a, key, "hint", row ? value_get(row, "hint") : value_null(a));
		value_set(a, key, "updated_at", row ? value_get(row, "updated_at") : value_null(a));
	}
	return true;
}

struct value *
settings_model(struct request *rq, struct error *e)
{
	struct arena *a = rq->arena;
	const struct config *config = &rq->app->config;
	struct value *model = value_map(a);
	struct value *stored = setting_list(rq->app->db, a, rq->viewer->client_id, e);
	struct value *limits = stored ? limit_get(rq->app->db, a, rq->viewer->client_id, e) : NULL;
	if (!limits || !add_keys(rq, model, stored, e))
		return NULL;
	struct value *values = value_set(a, model, "settings", value_map(a));
	for (size_t i = 0; i < PLAIN; i++) {
		const char *text =
		    setting_get(rq->app->db, a, config, rq->viewer->client_id, plain[i].name, e);
		if (!text)
			return NULL;
		value_set_text(a, values, plain[i].name, text);
	}
	value_set(a, model, "limits", limits);
	struct str stopped = value_str(limits, "stopped_reason");
	if (stopped.n)
		value_set_text(a, model, "stopped_sentence", reason_sentence(stopped));
	value_set_text(a, model, "webhook_url",
	    *config->callback_url ? config->callback_url
				  : arena_printf(a, "%s/webhooks/bland", config->base_url));
	return alerts_ways(rq, model, stored, e) && keeping_model(rq, model, e) ? model : NULL;
}

bool
settings_show(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = settings_model(rq, e);
	return rs->model != NULL;
}

static bool
check_plain(struct request *rq, size_t i, struct str *value, struct error *e)
{
	struct phone phone;
	int64_t n;
	const char *name = plain[i].name;
	*value = request_text(rq, name);
	if (value->n > plain[i].most)
		return error_field(e, name, "At most %zu characters.", plain[i].most);
	if (!value->n)
		return true;
	if (plain[i].largest && !request_int(rq, name, plain[i].least, plain[i].largest, 0, &n, e))
		return false;
	if (strcmp(name, "default_country") == 0 &&
	    !phone_country_known(str_dup(rq->arena, *value)))
		return error_field(e, name, "Write a country as two letters, such as US or DE.");
	if (strcmp(name, "caller_number") != 0)
		return true;
	if (!phone_parse(*value, rq->app->config.default_country, &phone))
		return error_field(e, name, "%s Write it like +1 415 555 0100.", phone.reason);
	*value = str_of(arena_strdup(rq->arena, phone.e164));
	return true;
}

static bool
save_limits(struct request *rq, const struct value *old, struct error *e)
{
	int64_t concurrency, pace, hour, day;
	if (!request_has(rq, "limit_pace") && !request_has(rq, "limit_concurrency"))
		return true;
	if (!request_int(rq, "limit_concurrency", 1, 1000, 0, &concurrency, e) ||
	    !request_int(
		rq, "limit_pace", 1, 100, (int64_t)value_dbl(old, "pace_per_second"), &pace, e) ||
	    !request_int(rq, "limit_per_hour", 1, 1000000, 0, &hour, e) ||
	    !request_int(rq, "limit_per_day", 1, 10000000, 0, &day, e))
		return false;
	return limit_set(rq->app->db, rq->arena, rq->viewer->client_id, concurrency,
	    pace > 0 ? pace : 10, hour, day, e);
}

bool
settings_save(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *form = settings_model(rq, e), *detail = value_map(a);
	if (!form)
		return false;
	response_form(rs, "settings", form);
	struct str values[PLAIN];
	for (size_t i = 0; i < PLAIN; i++)
		if (!check_plain(rq, i, &values[i], e))
			return false;
	if (!save_limits(rq, value_get(form, "limits"), e))
		return false;
	for (size_t i = 0; i < PLAIN; i++) {
		if (!request_has(rq, plain[i].name))
			continue;
		if (!setting_put(rq->app->db, a, rq->viewer->client_id, plain[i].name, values[i],
			rq->viewer->user_id, clock_now(), e))
			return false;
		value_set(a, detail, plain[i].name, value_text(a, values[i]));
	}
	if (!trail_add(rq, "setting.change", "settings", 0, detail, e))
		return false;
	rs->model = settings_model(rq, e);
	return rs->model && response_redirect(rs, rq, "Saved.", "/settings");
}

static const char *
key_name(struct request *rq, struct error *e)
{
	struct str name = request_text(rq, "name");
	for (size_t i = 0; i < KEYS; i++)
		if (str_is(name, keys[i]))
			return keys[i];
	error_field(e, "name", "This is no key that is kept here.");
	return NULL;
}

bool
settings_key(struct request *rq, struct response *rs, struct error *e)
{
	enum { MOST_KEY = 500 };
	struct arena *a = rq->arena;
	const char *name = key_name(rq, e);
	struct str value = request_text(rq, "value");
	struct value *detail = value_map(a), *form = settings_model(rq, e);
	if (!name || !form)
		return false;
	response_form(rs, "settings", form);
	if (value.n > MOST_KEY)
		return error_field(e, "value", "This is too long for a key.");
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~')
			return error_field(
			    e, "value", "A key has no blanks and only plain characters.");
	value_set_text(a, detail, "key", name);
	value_set_text(a, detail, "what", value.n ? "set" : "removed");
	/* Never typed back into the page that shows an error. */
	if (!setting_seal(rq->app->db, a, &rq->app->config, rq->viewer->client_id, name, value,
		rq->viewer->user_id, clock_now(), e) ||
	    !trail_add(rq, "setting.key", "settings", 0, detail, e))
		return false;
	rs->model = settings_model(rq, e);
	return rs->model &&
	       response_redirect(rs, rq,
		   value.n ? "The key was stored. Test it now." : "The key was removed.",
		   "/settings");
}

/* GET /v1/me: {"status":"active","billing":{"current_balance":n,…},"total_calls":n} */
static void
read_account(struct arena *a, const struct exchange *x, struct value *out)
{
	const struct value *me = x->fate == FATE_ANSWERED ? json_parse(a, x->answer, NULL) : NULL;
	const struct value *billing = value_get(me, "billing");
	value_set_bool(a, out, "good", false);
	if (x->fate != FATE_ANSWERED)
		value_set(a, out, "message",
		    value_printf(a, "The provider did not answer: %s.", x->problem));
	else if (x->status == 401 || x->status == 403)
		value_set_text(a, out, "message",
		    "The provider refuses this key. Copy it once more from its dashboard.");
	else if (x->status != 200 || !me)
		value_set(a, out, "message",
		    value_printf(a, "The provider answered with status %d.", x->status));
	else {
		value_set_bool(a, out, "good", true);
		value_set(a, out, "message",
		    value_printf(a, "The key works. The account is %.*s, its balance is $%.2f.",
			STR_ARG(value_str(me, "status")),
			value_dbl(billing, "current_balance") +
			    (double)value_num(billing, "current_balance")));
	}
}

bool
settings_test(struct request *rq, struct response *rs, struct error *e)
{
	enum { TEST_MS = 8000 };
	struct arena *a = rq->arena;
	const struct config *config = &rq->app->config;
	const char *key =
	    setting_get(rq->app->db, a, config, rq->viewer->client_id, "bland_api_key", e);
	struct value *model = key ? settings_model(rq, e) : NULL;
	if (!model)
		return false;
	response_form(rs, "settings", model);
	if (!*key)
		return error_field(e, "bland_api_key", "There is no key to test yet.");
	const char *const headers[] = {arena_printf(a, "authorization: %s", key), NULL};
	struct exchange x = {.method = "GET",
	    .url = arena_printf(a, "%s/v1/me", config->bland_base_url),
	    .headers = headers,
	    .timeout_ms = TEST_MS};
	struct client *client = client_open(config->ca_file, e);
	bool sent = client && client_once(client, a, &x, e);
	client_close(client);
	if (!sent)
		return false;
	struct value *result = value_set(a, model, "test", value_map(a));
	read_account(a, &x, result);
	rs->model = model;
	rs->page = "settings";
	return true;
}

bool
settings_resume(struct request *rq, struct response *rs, struct error *e)
{
	if (!limit_resume(rq->app->db, rq->arena, rq->viewer->client_id, rq->viewer->user_id,
		clock_now(), e) ||
	    !trail_add(rq, "provider.resume", "settings", 0, NULL, e))
		return false;
	rs->model = settings_model(rq, e);
	return rs->model && response_redirect(rs, rq, "The provider is asked again.", "/settings");
}

static bool
list_page(struct request *rq, struct response *rs, const char *member,
    struct value *(*rows_of)(
	struct db *, struct arena *, int64_t, int64_t, int64_t, struct error *),
    struct error *e)
{
	struct filter_place place;
	int64_t cursor;
	if (!filter_place_number(rq, &place, &cursor, e))
		return false;
	struct value *rows =
	    rows_of(rq->app->db, rq->arena, rq->viewer->client_id, cursor, place.limit + 1, e);
	if (!rows)
		return false;
	filter_page(rq, rs->model, member, rows, "id", &place);
	return true;
}

bool
audit_list(struct request *rq, struct response *rs, struct error *e)
{
	if (!list_page(rq, rs, "entries", audit_page, e))
		return false;
	struct value *rows = value_get(rs->model, "entries");
	for (size_t i = 0; !rq->json && i < rows->list.n; i++)
		value_set_text(rq->arena, rows->list.items[i], "detail_text",
		    json_text(rq->arena, value_get(rows->list.items[i], "detail")));
	return true;
}
