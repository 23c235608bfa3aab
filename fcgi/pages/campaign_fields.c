#include "pages/campaign_fields.h"

#include "rules/phone.h"

enum { LEGAL_START = 8 * 60, LEGAL_END = 21 * 60, SANDBOX_DELAY = 20 };

/* The outcomes whose retries people set; delays in minutes in forms, in seconds in the policy. */
static const char *const retried[] = {"no_answer", "busy", "voicemail", "hangup", "failed"};
enum { RETRIED = sizeof(retried) / sizeof(retried[0]) };

int
campaign_minutes(struct str s)
{
	int64_t h, m;
	struct str hours = str_cut(&s, ':');
	if (!s.n)
		return -1;
	struct str minutes = str_sub(s, 0, 2);
	if (!str_to_int(hours, &h) || !str_to_int(minutes, &m) || minutes.n != 2 || h < 0 ||
	    h > 24 || m < 0 || m > 59)
		return -1;
	return h == 24 && m ? -1 : (int)(h * 60 + m);
}

bool
campaign_window(struct request *rq, struct value *fields, struct str start, struct str end,
    bool *widened, struct error *e)
{
	int from = campaign_minutes(start), to = campaign_minutes(end);
	if (from < 0)
		return error_field(e, "window_start", "A time looks like 09:00.");
	if (to < 0)
		return error_field(e, "window_end", "A time looks like 20:00; midnight is 24:00.");
	if (from >= to)
		return error_field(e, "window_end", "The end must be after the start.");
	*widened = from < LEGAL_START || to > LEGAL_END;
	if (*widened && !rq->app->config.sandbox && rq->viewer->role < ROLE_ADMIN) {
		error_field(e, "window_start",
		    "Calls before 08:00 or after 21:00 where the lead is can be allowed by an administrator only.");
		e->kind = ERR_FORBIDDEN;
		return false;
	}
	value_set(rq->arena, fields, "window_start",
	    value_printf(rq->arena, "%02d:%02d", from / 60, from % 60));
	value_set(rq->arena, fields, "window_end",
	    value_printf(rq->arena, "%02d:%02d", to / 60, to % 60));
	value_set_bool(rq->arena, fields, "window_wide", *widened);
	return true;
}

static bool
read_window(struct request *rq, struct value *fields, bool fresh, bool *widened, struct error *e)
{
	struct str start = request_text(rq, "window_start"), end = request_text(rq, "window_end");
	const struct value *nested = value_get(rq->body, "calling_window");
	bool sandbox = rq->app->config.sandbox;
	if (nested) {
		start = value_str(nested, "start");
		end = value_str(nested, "end");
	} else if (!start.n && !end.n && !fresh) {
		return true;
	}
	if (!start.n && !nested)
		start = sandbox ? STR("00:00") : STR("08:00");
	if (!end.n && !nested)
		end = sandbox ? STR("24:00") : STR("21:00");
	return campaign_window(rq, fields, start, end, widened, e);
}

static struct value *
policy_row(struct arena *a, int64_t retries, int64_t seconds)
{
	struct value *row = value_map(a);
	value_set_int(a, row, "retries", retries);
	value_set_int(a, row, "delay", seconds);
	return row;
}

/* Waits that let a campaign in the sandbox be watched to its end over a coffee. */
static struct value *
sandbox_policy(struct arena *a)
{
	struct value *policy = value_map(a);
	for (size_t i = 0; i < RETRIED; i++)
		value_set(a, policy, retried[i], policy_row(a, i == 2 ? 1 : 2, SANDBOX_DELAY));
	value_set(a, policy, "transient", policy_row(a, 8, 3));
	value_set(a, policy, "rate_limited", policy_row(a, 50, 3));
	value_set(a, policy, "never_placed", policy_row(a, 5, 3));
	return policy;
}

static bool
read_policy(struct request *rq, struct value *fields, bool fresh, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *policy = fresh && rq->app->config.sandbox ? sandbox_policy(a) : value_map(a);
	const struct value *given = value_get(rq->body, "retry_policy");
	bool any = policy->map.n > 0;
	for (size_t i = 0; i < RETRIED; i++) {
		const char *retries_name = arena_printf(a, "retries_%s", retried[i]);
		const char *delay_name = arena_printf(a, "delay_%s", retried[i]);
		const struct value *row = value_get(given, retried[i]);
		int64_t retries = row ? value_num(row, "retries") : -1,
			delay = row ? value_num(row, "delay") : -60;
		int64_t minutes = -1;
		if (!row && (!request_int(rq, retries_name, 0, 10, -1, &retries, e) ||
				!request_int(rq, delay_name, 1, 10080, -1, &minutes, e)))
			return false;
		if (!row && minutes > 0)
			delay = minutes * 60;
		if (row && (retries < 0 || retries > 10 || delay < 1 || delay > 604800))
			return error_field(
			    e, "retry_policy", "Retries are 0 to 10, delays 1 to 604800 seconds.");
		if (retries < 0 || delay < 0)
			continue;
		value_set(a, policy, retried[i], policy_row(a, retries, delay));
		any = true;
	}
	if (any)
		value_set(a, fields, "retry_policy", policy);
	return true;
}

static bool
read_days(struct request *rq, struct value *fields, struct error *e)
{
	const struct value *given = value_get(rq->body, "window_days");
	/* A form has a box for each day, and says that it had them: no box ticked is then an error.
	 */
	if (!given && request_flag(rq, "days_shown")) {
		struct value *ticked = value_list(rq->arena);
		for (int d = 1; d <= 7; d++)
			if (request_flag(rq, arena_printf(rq->arena, "day_%d", d)))
				value_push(rq->arena, ticked, value_int(rq->arena, d));
		given = ticked;
	}
	if (!given)
		return true;
	struct value *days = value_set(rq->arena, fields, "window_days", value_list(rq->arena));
	size_t n = given->type == VALUE_LIST ? given->list.n : 1;
	for (size_t i = 0; i < n; i++) {
		const struct value *v = given->type == VALUE_LIST ? given->list.items[i] : given;
		int64_t day = v->type == VALUE_INT ? v->i : 0;
		if ((v->type == VALUE_TEXT && !str_to_int(v->s, &day)) || day < 1 || day > 7)
			return error_field(
			    e, "window_days", "Days are numbers from 1 (Monday) to 7 (Sunday).");
		value_push(rq->arena, days, value_int(rq->arena, day));
	}
	return days->list.n || error_field(e, "window_days", "Choose at least one day.");
}

static bool
read_number(struct request *rq, struct value *fields, const char *name, int64_t least, int64_t most,
    int64_t fresh, struct error *e)
{
	int64_t n = 0;
	if (!request_int(rq, name, least, most, fresh, &n, e))
		return false;
	if (n)
		value_set_int(rq->arena, fields, name, n);
	return true;
}

static bool
read_texts(struct request *rq, struct value *fields, struct error *e)
{
	struct arena *a = rq->arena;
	static const char *const plain[] = {"voice", "rep"};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct str s = request_text(rq, plain[i]);
		if (s.n > 100)
			return error_field(e, plain[i], "At most 100 characters.");
		if (request_has(rq, plain[i]))
			value_set(a, fields, plain[i], value_text(a, s));
	}
	struct str action = request_text(rq, "voicemail_action"),
		   number = request_text(rq, "caller_number");
	if (action.n && !str_is(action, "hangup") && !str_is(action, "leave_message"))
		return error_field(e, "voicemail_action", "Choose hangup or leave_message.");
	if (action.n)
		value_set(a, fields, "voicemail_action", value_text(a, action));
	if (!request_has(rq, "caller_number"))
		return true;
	struct phone phone = {0};
	if (number.n &&
	    (number.n > 60 || !phone_parse(number, rq->app->config.default_country, &phone)))
		return error_field(
		    e, "caller_number", "This is no phone number. Write it like +1 415 555 0100.");
	value_set_text(a, fields, "caller_number", number.n ? arena_strdup(a, phone.e164) : "");
	return true;
}

struct value *
campaign_fields(struct request *rq, bool fresh, bool *widened, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *fields = value_map(a);
	struct str name = request_text(rq, "name");
	int64_t prompt = 0, concurrency = fresh ? rq->app->config.concurrency : 0;
	*widened = false;
	if (name.n > 120) {
		error_field(e, "name", "At most 120 characters.");
		return NULL;
	}
	if (name.n)
		value_set(a, fields, "name", value_text(a, name));
	if (!request_int(rq, "prompt_id", 0, INT64_MAX, 0, &prompt, e) ||
	    !read_texts(rq, fields, e) ||
	    !read_number(rq, fields, "concurrency", 1, 1000, concurrency, e) ||
	    !read_number(rq, fields, "pace_per_second", 1, 100, 0, e) ||
	    !read_number(rq, fields, "max_attempts", 1, 20, 0, e) ||
	    !read_number(rq, fields, "max_duration", 1, 720, 0, e) || !read_days(rq, fields, e) ||
	    !read_window(rq, fields, fresh, widened, e) || !read_policy(rq, fields, fresh, e))
		return NULL;
	if (request_has(rq, "prompt_id"))
		value_set(a, fields, "prompt_id", prompt ? value_int(a, prompt) : value_null(a));
	if (request_has(rq, "record") || request_has(rq, "record_shown"))
		value_set_bool(a, fields, "record", request_flag(rq, "record"));
	if (fresh && rq->app->config.sandbox) {
		struct value *settings = value_set(a, fields, "settings", value_map(a));
		value_set_bool(a, settings, "sandbox", true);
		value_set_int(a, settings, "min_gap_seconds", 1);
		value_set_int(a, settings, "per_day", 50);
		value_set_int(a, settings, "per_week", 200);
	}
	return fields;
}
