/* What we send to Bland: calls and look-ups. */
#include "providers/bland.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"

/* Bland chooses exactly one of these from the transcript; rules/outcome knows what each means. */
static const char *const dispositions[] = {"INTERESTED", "NOT_INTERESTED", "FOLLOW_UP_REQUIRED",
    "CALL_BACK_SCHEDULED", "NEEDS_MORE_INFO", "DO_NOT_CONTACT", "WRONG_NUMBER", "NO_CONTACT_MADE"};

static void
set_text(struct arena *a, struct value *map, const char *key, const char *text)
{
	if (text && *text)
		value_set(a, map, key, value_text(a, str_utf8(a, str_of(text))));
}

static struct value *
voicemail(struct arena *a, const struct bland_call *call)
{
	struct value *v = value_map(a);
	bool leave = call->voicemail_action &&
		     str_is(str_of(call->voicemail_action), "leave_message") &&
		     call->voicemail_message && *call->voicemail_message;
	value_set_text(a, v, "action", leave ? "leave_message" : "hangup");
	if (leave)
		set_text(a, v, "message", call->voicemail_message);
	return v;
}

/* Comes back with every report, answered or not: how a report finds its call. */
static struct value *
metadata(struct arena *a, const struct bland_call *call)
{
	struct value *m = value_map(a);
	value_set(a, m, "client_id", value_printf(a, "%lld", (long long)call->client_id));
	value_set(a, m, "campaign_id", value_printf(a, "%lld", (long long)call->campaign_id));
	value_set(a, m, "lead_id", value_printf(a, "%lld", (long long)call->lead_id));
	value_set_text(a, m, "attempt_id", call->attempt_id);
	return m;
}

struct str
bland_call_body(struct arena *a, const struct bland_call *call)
{
	struct value *v = value_map(a);
	struct buf b;
	set_text(a, v, "phone_number", call->phone);
	set_text(a, v, "task", call->task);
	set_text(a, v, "first_sentence", call->first_sentence);
	set_text(a, v, "voice", call->voice);
	set_text(a, v, "from", call->from);
	set_text(a, v, "language", call->language);
	set_text(a, v, "timezone", call->time_zone);
	value_set_bool(a, v, "wait_for_greeting", true);
	value_set_bool(a, v, "record", call->record);
	/* The vendor's default is documented two ways, so it is always sent. */
	value_set_bool(a, v, "noise_cancellation", true);
	if (call->max_duration > 0)
		value_set_int(a, v, "max_duration", call->max_duration);
	value_set(a, v, "voicemail", voicemail(a, call));
	struct value *tags = value_set(a, v, "dispositions", value_list(a));
	for (size_t i = 0; i < sizeof(dispositions) / sizeof(dispositions[0]); i++)
		value_push(a, tags, value_textz(a, dispositions[i]));
	if (call->request_data && call->request_data->map.n)
		value_set(a, v, "request_data", (struct value *)call->request_data);
	value_set(a, v, "metadata", metadata(a, call));
	set_text(a, v, "webhook", call->webhook);
	buf_init(&b, a);
	json_write(&b, v);
	return buf_view(&b);
}

char *
bland_lookup_path(struct arena *a, const char *phone, int64_t since_micros)
{
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, "/v1/calls?limit=20&sort_by=created_at&to_number=");
	buf_url(&b, str_of(phone));
	buf_puts(&b, "&start_date=");
	struct buf when;
	buf_init(&when, a);
	clock_print_rfc3339(&when, since_micros);
	buf_url(&b, buf_view(&when));
	return b.p;
}

char *
bland_call_path(struct arena *a, const char *call_id)
{
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, "/v1/calls/");
	buf_url(&b, str_of(call_id));
	return b.p;
}

struct value *
bland_lookup_read(struct arena *a, struct str body, struct error *e)
{
	struct value *answer = json_parse(a, body, e), *ids = value_list(a);
	if (!answer)
		return NULL;
	const struct value *calls = value_get(answer, "calls");
	if (!calls || calls->type != VALUE_LIST) {
		error_set(e, ERR_MALFORMED, "The list of calls cannot be read.");
		return NULL;
	}
	for (size_t i = 0; i < calls->list.n; i++) {
		struct str id = value_str(calls->list.items[i], "call_id");
		if (!id.n)
			id = value_str(calls->list.items[i], "c_id");
		if (id.n)
			value_push(a, ids, value_text(a, id));
	}
	return ids;
}

enum bland_signature
bland_signature(struct arena *a, const char *secret, struct str header, struct str body)
{
	if (!secret || !*secret)
		return BLAND_UNSIGNED;
	char *wanted = crypto_hmac_sha256(a, str_of(secret), body);
	return crypto_equal(str_of(wanted), str_trim(header)) ? BLAND_GOOD : BLAND_BAD;
}
