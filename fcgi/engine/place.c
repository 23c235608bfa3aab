/* From a claimed row to a POST, and from its answer to a verdict. */
#include "base/clock.h"
#include "base/log.h"
#include "engine/dialer.h"
#include "providers/bland.h"
#include "rules/render.h"
#include "store/dial.h"
#include "store/setting.h"

/* One POST under way; lives on its own arena, which settle frees. */
struct placing {
	struct dialer *d;
	struct arena *a;
	struct exchange x;
	struct str call_id;
	int64_t client_id, campaign_id;
	double client_pace, campaign_pace; /* requests a second */
};

static int64_t
may_leave(void *ctx)
{
	struct placing *p = ctx;
	return pace_wait(p->d->pace, p->client_id, p->client_pace, p->campaign_id, p->campaign_pace,
	    clock_monotonic());
}

const char *
provider_url(struct dialer *d, struct arena *a, const char *path)
{
	return arena_printf(a, "%s%s", d->config->bland_base_url, path);
}

const char *const *
provider_headers(struct dialer *d, struct arena *a, int64_t client_id, struct error *e)
{
	const char *key = setting_get(d->db, a, d->config, client_id, "bland_api_key", e);
	if (!key)
		return NULL;
	if (!*key) {
		error_code(e, ERR_CONFLICT, "unauthorized",
		    "No key for Bland is set. Put one in at Settings.");
		return NULL;
	}
	const char **headers = arena_new_array(a, const char *, 3);
	headers[0] = arena_printf(a, "authorization: %s", key);
	headers[1] = "Content-Type: application/json";
	return headers;
}

static struct value *
result_of(struct placing *p, const char *verdict, const char *reason, const char *message)
{
	const struct config *config = p->d->config;
	struct value *r = value_map(p->a);
	value_set(p->a, r, "call_id", value_text(p->a, p->call_id));
	value_set_text(p->a, r, "verdict", verdict);
	value_set_int(p->a, r, "deadline_ms", config->call_deadline * 1000);
	/* Nearly all of them; nothing else is asked of those. */
	if (str_is(str_of(verdict), bland_verdict_name(BLAND_PLACED)))
		return r;
	value_set_text(p->a, r, "reason", reason);
	value_set_text(p->a, r, "message", message);
	value_set_int(p->a, r, "lookup_ms", config->lookup_first * 1000);
	value_set_text(p->a, r, "since", monotonic_stamp(p->d, p->a));
	return r;
}

static void
placed(struct exchange *x, void *ctx)
{
	struct placing *p = ctx;
	struct bland_answer answer = {
	    .verdict = BLAND_UNKNOWN, .reason = "no_answer", .message = x->problem};
	p->d->placing--;
	if (x->fate == FATE_ANSWERED) {
		bland_answer_read(p->a, x->status, x->answer, x->retry_after_ms, &answer);
	} else if (x->fate == FATE_NOT_SENT) {
		answer.verdict = BLAND_TRANSIENT;
		answer.reason = "transient";
	}
	struct value *r =
	    result_of(p, bland_verdict_name(answer.verdict), answer.reason, answer.message);
	if (answer.call_id)
		value_set_text(p->a, r, "provider_call_id", answer.call_id);
	if (answer.wait_ms)
		value_set_int(p->a, r, "wait_ms", answer.wait_ms);
	if (answer.suppress)
		value_set_bool(p->a, r, "suppress", true);
	p->d->placed += answer.verdict == BLAND_PLACED;
	log_info("call sent", LOG_TEXT("call", str_dup(p->a, p->call_id)),
	    LOG_TEXT("verdict", bland_verdict_name(answer.verdict)), LOG_INT("status", x->status),
	    LOG_INT("ms", x->took_us / 1000), LOG_TEXT("reason", answer.reason));
	settle_later(p->d, p->a, r);
}

/* What stands in the row, or the client's setting of that name. */
static const char *
or_setting(struct placing *p, const struct value *call, const char *member, const char *name,
    struct error *e)
{
	const char *own = value_strz(p->a, call, member);
	if (own && *own)
		return own;
	return setting_get(p->d->db, p->a, p->d->config, value_num(call, "client_id"), name, e);
}

/* Versions of prompts that this run has spoken from; they never change. */
struct prompt {
	int64_t version;
	const struct value *defaults;
	struct render *body, *first_sentence, *voicemail_message; /* the last two: NULL for none */
	struct prompt *older;
};

static bool
read_prompt(struct dialer *d, const struct value *texts, struct prompt *p, struct error *e)
{
	struct str first = value_str(texts, "first_sentence"),
		   voicemail = value_str(texts, "voicemail_message");
	p->defaults = value_get(texts, "defaults");
	p->body = render_read(d->own, value_str(texts, "body"), e);
	p->first_sentence = p->body && first.n ? render_read(d->own, first, e) : NULL;
	p->voicemail_message = p->body && voicemail.n ? render_read(d->own, voicemail, e) : NULL;
	return p->body && !first.n == !p->first_sentence && !voicemail.n == !p->voicemail_message;
}

static const struct prompt *
prompt_of(struct dialer *d, int64_t version, struct error *e)
{
	for (struct prompt *p = d->prompts; p; p = p->older)
		if (p->version == version)
			return p;
	const struct value *texts = dial_prompt(d->db, d->own, version, e);
	struct prompt *p = arena_new_of(d->own, struct prompt);
	*p = (struct prompt){.version = version, .older = d->prompts};
	if (!texts || !read_prompt(d, texts, p, e))
		return NULL;
	d->prompts = p;
	return p;
}

static const char *
rendered(struct placing *p, const struct prompt *prompt, const struct render *text,
    const struct value *values, struct error *e)
{
	struct str out;
	if (!text)
		return "";
	if (!render_fill(p->a, text, values, prompt->defaults, &out, NULL, e))
		return NULL;
	return str_dup(p->a, str_trim(out));
}

static const char *
webhook_url(struct dialer *d, struct arena *a)
{
	const char *own = d->config->callback_url;
	return *own ? own : arena_printf(a, "%s/webhooks/bland", d->config->base_url);
}

static bool
build(struct placing *p, const struct value *call, struct str *body, struct error *e)
{
	struct arena *a = p->a;
	const char *rep = or_setting(p, call, "rep", "rep", e);
	const struct prompt *prompt =
	    rep ? prompt_of(p->d, value_num(call, "prompt_version_id"), e) : NULL;
	if (!prompt)
		return false;
	const struct value *values = render_values(a, call, rep);
	struct bland_call c = {.phone = value_strz(a, call, "phone"),
	    .task = rendered(p, prompt, prompt->body, values, e),
	    .first_sentence = rendered(p, prompt, prompt->first_sentence, values, e),
	    .voicemail_message = rendered(p, prompt, prompt->voicemail_message, values, e),
	    .voicemail_action = value_strz(a, call, "voicemail_action"),
	    .voice = or_setting(p, call, "voice", "voice_id", e),
	    .from = or_setting(p, call, "caller_number", "caller_number", e),
	    .time_zone = value_strz(a, call, "time_zone"),
	    .max_duration = value_num(call, "max_duration"),
	    .record = value_flag(call, "record"),
	    .webhook = webhook_url(p->d, a),
	    .attempt_id = str_dup(a, p->call_id),
	    .client_id = value_num(call, "client_id"),
	    .campaign_id = value_num(call, "campaign_id"),
	    .lead_id = value_num(call, "lead_id"),
	    .request_data = render_used(a, prompt->body, values)};
	if (!c.task || !c.first_sentence || !c.voicemail_message || !c.voice || !c.from)
		return false;
	*body = bland_call_body(a, &c);
	return true;
}

/* What fails before anything was sent: our own or the client's mistake, or the database. */
static void
not_sent(struct placing *p, const struct error *e)
{
	const char *verdict = e->kind == ERR_INVALID    ? "config"
			      : e->kind == ERR_CONFLICT ? "stop"
							: "transient";
	const char *reason = e->code[0]               ? e->code
			     : e->kind == ERR_INVALID ? "bad_prompt"
						      : "transient";
	log_warn("a call was not sent", LOG_TEXT("call", str_dup(p->a, p->call_id)),
	    LOG_TEXT("why", e->message));
	settle_later(p->d, p->a,
	    result_of(p, verdict, arena_strdup(p->a, reason), arena_strdup(p->a, e->message)));
}

void
place_call(struct dialer *d, const struct value *call, int64_t claimed)
{
	struct arena *a = arena_new(16384);
	struct placing *p = arena_new_of(a, struct placing);
	struct error e = {0};
	*p = (struct placing){.d = d,
	    .a = a,
	    .call_id = str_copy(a, value_str(call, "id")),
	    .client_id = value_num(call, "client_id"),
	    .campaign_id = value_num(call, "campaign_id"),
	    .client_pace = value_dbl(call, "client_pace"),
	    .campaign_pace = value_dbl(call, "campaign_pace")};
	p->x = (struct exchange){.method = "POST",
	    .url = provider_url(d, a, "/v1/calls"),
	    .timeout_ms = (int)d->config->http_timeout * 1000,
	    .send_before = claimed + PLACE_SECONDS * CLOCK_SECOND,
	    .gate = may_leave,
	    .done = placed,
	    .ctx = p};
	p->x.headers = provider_headers(d, a, value_num(call, "client_id"), &e);
	if (!p->x.headers || !build(p, call, &p->x.body, &e)) {
		not_sent(p, &e);
		return;
	}
	/* The lease is checked by a clock that neither jumps nor stops: a process that slept sends
	 * nothing. */
	if (clock_monotonic() > p->x.send_before) {
		error_set(&e, ERR_UNAVAILABLE, "The lease ran out before the call was sent.");
		not_sent(p, &e);
		return;
	}
	if (!client_send(d->client, a, &p->x, &e)) {
		not_sent(p, &e);
		return;
	}
	d->placing++;
}
