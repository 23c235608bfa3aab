#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "sandbox/accept.h"
#include "sandbox/bland.h"
#include "sandbox/fault.h"
#include "sandbox/ledger.h"
#include "sandbox/life.h"
#include "sandbox/story.h"

#define SAME_NUMBER_MS 10000 /* at --speed 1 */
#define HANG_MS 120000       /* longer than any client waits */
#define REPORT_FIRST_MS 10000
#define FROM "+15550100001"
#define OBJECTIVE_MAX 80

static bool
is_placing(const struct exchange *x)
{
	return strcmp(x->method, "POST") == 0 && strcmp(x->path, "/v1/calls") == 0;
}

static struct str
attempt_of(struct arena *a, const struct value *body)
{
	const struct value *v = value_get(value_get(body, "metadata"), "attempt_id");
	struct buf b;
	buf_init(&b, a);
	if (v)
		value_print(&b, v);
	return buf_view(&b);
}

static void
note(struct exchange *x, const char *what, int status, const char *why)
{
	struct error e = {0};
	const struct value *body = json_parse(x->a, buf_view(&x->body), &e);
	ledger_write(x->s->ledger, &(struct entry){.what = what,
				       .to = value_str(body, "phone_number"),
				       .attempt = attempt_of(x->a, body),
				       .status = status,
				       .why = why});
}

void
bland_note_post(struct exchange *x)
{
	if (is_placing(x))
		note(x, "post", 0, NULL);
}

void
bland_note_refusal(struct exchange *x, const char *what, const char *why)
{
	if (is_placing(x))
		note(x, what, x->status, why);
}

static struct str
json_of(struct arena *a, const struct value *v)
{
	return v ? str_of(json_text(a, v)) : (struct str){"", 0};
}

static struct str
first_of(const struct value *data, const char *const *names)
{
	struct str found = {"", 0};
	for (; *names && !found.n; names++)
		found = str_trim(value_str(data, *names));
	return found;
}

static struct call_texts
texts_of(struct arena *a, const struct value *body)
{
	static const char *const contacts[] = {
	    "contact", "name", "first_name", "contact_name", "lead_name", NULL};
	static const char *const companies[] = {
	    "company", "company_name", "business", "organization", NULL};
	const struct value *data = value_get(body, "request_data");
	const struct value *voicemail = value_get(body, "voicemail");
	struct str task = story_fill(a, value_str(body, "task"), data);
	struct call_texts t = {
	    .from = value_has(body, "from") ? value_str(body, "from") : STR(FROM),
	    .webhook = value_str(body, "webhook"),
	    .metadata = json_of(a, value_get(body, "metadata")),
	    .request_data = json_of(a, data),
	    .dispositions = json_of(a, value_get(body, "dispositions")),
	    .contact = first_of(data, contacts),
	    .company = first_of(data, companies),
	    .opening = story_fill(a, value_str(body, "first_sentence"), data),
	    .attempt = attempt_of(a, body),
	};
	if (str_starts(value_str(voicemail, "action"), "leave_message"))
		t.voicemail = story_fill(a, value_str(voicemail, "message"), data);
	t.objective =
	    str_utf8(a, str_sub(task, 0, task.n < OBJECTIVE_MAX ? task.n : OBJECTIVE_MAX));
	story_cast(a, &t, task);
	return t;
}

static unsigned
events_of(const struct value *asked)
{
	unsigned events = 0;
	for (size_t i = 0; asked && i < asked->list.n; i++) {
		struct str s = asked->list.items[i]->s;
		events |= str_is(s, "queue")     ? EVENT_QUEUE
			  : str_is(s, "call")    ? EVENT_CALL
			  : str_is(s, "latency") ? EVENT_LATENCY
						 : 0u;
	}
	return events;
}

static double
minutes_of(const struct value *v)
{
	return !v ? 30 : v->type == VALUE_INT ? (double)v->i : v->d;
}

static int64_t
start_after_of(const struct value *body)
{
	int64_t at;
	if (!value_has(body, "start_time") || !clock_parse(value_str(body, "start_time"), &at))
		return 0;
	int64_t ms = (at - clock_now()) / 1000;
	return ms > 0 ? ms : 0;
}

struct call *
bland_call_of(struct sandbox *s, struct arena *a, const char *id, struct number *number,
    const struct behaviour *b, const struct value *body)
{
	struct call_texts t = texts_of(a, body);
	struct call *c = calls_add(s->calls, number, &t, id);
	c->behaviour = b;
	c->events = events_of(value_get(body, "webhook_events"));
	c->max_minutes = minutes_of(value_get(body, "max_duration"));
	c->record = value_flag(body, "record");
	c->start_after = start_after_of(body);
	return c;
}

static struct call *
place(
    struct exchange *x, struct number *number, const struct behaviour *b, const struct value *body)
{
	struct call *c = bland_call_of(x->s, x->a, NULL, number, b, body);
	if (x->s->o.remember)
		c->said = buf_view(&x->body);
	life_begin(x->s, c);
	c->said = (struct str){"", 0};
	return c;
}

static void
refuse(struct exchange *x, struct refusal r)
{
	exchange_answer(x, r.status, r.body);
	bland_note_refusal(x, "refused", r.why);
}

static struct refusal
refusal_dnc(struct arena *a)
{
	struct refusal r = accept_refusal(a, 400,
	    "Number found in DNC list. You cannot dial sensitive numbers. More attempts will "
	    "result in being blocked.");
	value_set_text(a, r.body, "status", "DNC Error");
	return r;
}

static struct refusal
refusal_of(struct arena *a, enum answer answer)
{
	switch (answer) {
	case ANSWER_RATE_LIMITED:
		return accept_refusal(a, 429, "Rate limit exceeded");
	case ANSWER_UNABLE:
		return accept_refusal(a, 400, "Unable to queue call.");
	case ANSWER_DNC:
		return refusal_dnc(a);
	case ANSWER_SENSITIVE:
		return accept_refusal(a, 400,
		    "Cannot dial sensitive numbers. More attempts will result in being blocked.");
	case ANSWER_BLACKLISTED:
		return accept_refusal(a, 429, "This number is blacklisted.");
	case ANSWER_INVALID:
		return accept_refusal(a, 400,
		    "Invalid phone number. Please include a country code if outside the US.");
	default:
		return accept_refusal(
		    a, 500, "Error triggering call. Please check your twilio account for errors");
	}
}

static void
answer_without_call(struct exchange *x, const struct behaviour *b)
{
	if (b->answer == ANSWER_HANG) {
		bland_note_refusal(x, "hung", b->what);
		exchange_park(x, HANG_MS, EXCHANGE_CUT);
		return;
	}
	if (b->answer == ANSWER_RATE_LIMITED)
		x->retry_after = "2";
	refuse(x, refusal_of(x->a, b->answer));
}

static void
answer_with_call(struct exchange *x, const struct behaviour *b, struct call *c)
{
	struct value *v = value_map(x->a);
	value_set_text(x->a, v, "status", "success");
	value_set_text(x->a, v, "message", "Call successfully queued.");
	value_set(x->a, v, "call_id", value_textz(x->a, arena_strdup(x->a, c->id)));
	value_set(x->a, v, "batch_id", value_null(x->a));
	exchange_answer(x, 200, v);
	enum answer how = b->answer;
	if (how == ANSWER_QUEUED && fault_now(x->s)->kind == FAULT_REPORT_FIRST &&
	    b->report != REPORT_NONE)
		how = ANSWER_AFTER_REPORT;
	switch (how) {
	case ANSWER_LOST:
		x->state = EXCHANGE_CUT;
		break;
	case ANSWER_HANG_PLACED:
		exchange_park(x, HANG_MS, EXCHANGE_CUT);
		break;
	case ANSWER_AFTER_REPORT:
		if (c->t.webhook.n)
			c->waiting = exchange_park(x, REPORT_FIRST_MS, EXCHANGE_READY);
		break;
	case ANSWER_ERROR_PLACED:
		exchange_refuse(x, 500, "Internal server error during flagging process");
		break;
	default:
		break;
	}
	if (b->answer != ANSWER_QUEUED)
		ledger_write(
		    x->s->ledger, &(struct entry){.what = "misbehaved", .call = c, .why = b->what});
}

static bool
too_soon(const struct sandbox *s, const struct number *n)
{
	return n->accepted &&
	       sandbox_now() - n->last_accepted < (int64_t)(SAME_NUMBER_MS / s->o.speed);
}

void
bland_place(struct exchange *x, struct str id)
{
	struct error e = {0};
	const struct value *body = json_parse(x->a, buf_view(&x->body), &e);
	const char *phone = NULL;
	struct refusal r = accept_check(x->a, body, x->s->o.http_webhooks, &phone);
	(void)id;
	if (r.status) {
		refuse(x, r);
		return;
	}
	struct number *number = calls_number(x->s->calls, phone);
	if (too_soon(x->s, number)) {
		refuse(
		    x, accept_refusal(x->a, 429,
			   "Calls can only be sent every 10 seconds to the same number. Please try "
			   "again in a few seconds."));
		return;
	}
	const struct behaviour *b = behaviour_of(phone, number->tries++);
	if (b->answer >= ANSWER_HANG)
		answer_without_call(x, b);
	else
		answer_with_call(x, b, place(x, number, b, body));
}
