#include "sandbox/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "sandbox/story.h"

#define ORG_ID "cccccccc-0000-4000-8000-000000000001"
#define HUGE_BYTES (5 * 1024 * 1024)
#define MICROS_A_MINUTE INT64_C(120000)
#define MICROS_AN_ATTEMPT INT64_C(15000)

/* The original mixes Z and +00:00, and numbers of decimals: so do we. */
static struct value *
instant(struct arena *a, int64_t micros, const char *zone)
{
	if (!micros)
		return value_null(a);
	struct buf b;
	buf_init(&b, a);
	clock_print_rfc3339(&b, micros);
	struct str bare = str_sub(buf_view(&b), 0, b.n - 1);
	return value_printf(a, "%.*s%s", STR_ARG(bare), zone);
}

static double
share_played(const struct call *c)
{
	if (!c->started || c->state == CALL_QUEUED)
		return 0;
	if (c->state == CALL_ENDED && !c->stopped)
		return 1;
	double planned = (double)c->planned;
	double played = (double)((c->ended ? c->ended : clock_now()) - c->started);
	return planned <= 0 || played >= planned ? 1 : played / planned;
}

double
report_seconds(const struct call *c)
{
	return c->state == CALL_ENDED && c->started ? floor(c->talk * share_played(c) + 0.5) : 0;
}

int64_t
report_price(const struct call *c)
{
	int64_t p = (int64_t)(report_seconds(c) / 60 * (double)MICROS_A_MINUTE);
	return p > MICROS_AN_ATTEMPT ? p : MICROS_AN_ATTEMPT;
}

static struct value *
parsed(struct arena *a, struct str json)
{
	struct error e = {0};
	struct value *v = json.n ? json_parse(a, json, &e) : NULL;
	return v ? v : value_map(a);
}

static struct value *
text_or_null(struct arena *a, struct str s)
{
	return s.n ? value_text(a, s) : value_null(a);
}

static struct value *
variables(struct arena *a, const struct call *c)
{
	struct value *v = value_map(a);
	const char *phone = c->number->phone;
	value_set(a, v, "now", instant(a, c->created, "Z"));
	value_set(a, v, "now_utc", instant(a, c->created, "Z"));
	value_set_text(a, v, "short_to", phone + (strncmp(phone, "+1", 2) == 0 ? 2 : 1));
	value_set(a, v, "from", value_text(a, c->t.from));
	value_set_text(a, v, "to", phone);
	value_set_text(a, v, "call_id", c->id);
	value_set_text(a, v, "phone_number", phone);
	value_set_text(a, v, "country", strncmp(phone, "+1", 2) == 0 ? "US" : "");
	value_set_text(a, v, "language", "en");
	struct value *data = parsed(a, c->t.request_data);
	for (size_t i = 0; i < data->map.n; i++)
		value_set_str(a, v, data->map.members[i].key, data->map.members[i].value);
	return v;
}

static size_t
lines_played(const struct call *c, const struct story *s)
{
	return (size_t)((double)s->n * share_played(c));
}

static struct value *
transcripts(struct arena *a, const struct call *c, const struct story *s, bool get)
{
	struct value *list = value_list(a);
	int64_t end = c->ended ? c->ended : clock_now();
	for (size_t i = 0, n = lines_played(c, s); i < n; i++) {
		struct value *row = value_push(a, list, value_map(a));
		int64_t at = c->started + (end - c->started) * (int64_t)(i + 1) / (int64_t)(n + 1);
		value_set_int(a, row, "id", (int64_t)(c->order * 100 + i + 1));
		value_set_text(a, row, "user", s->lines[i].who);
		value_set(a, row, "text", value_text(a, s->lines[i].text));
		value_set(a, row, "created_at", instant(a, at, "+00:00"));
		if (!get)
			continue;
		value_set_text(a, row, "c_id", c->id);
		value_set(a, row, "status", value_null(a));
		value_set(a, row, "transcript_id", value_null(a));
	}
	return list;
}

static struct value *
concatenated(struct arena *a, const struct call *c, const struct story *s)
{
	struct buf b;
	buf_init(&b, a);
	for (size_t i = 0, n = lines_played(c, s); i < n; i++)
		buf_printf(&b, "%s: %.*s \n ", s->lines[i].who, STR_ARG(s->lines[i].text));
	return value_text(a, buf_view(&b));
}

static const char *
status_of(const struct call *c)
{
	if (c->state != CALL_ENDED)
		return NULL;
	return c->stopped ? (c->started ? "completed" : "canceled")
			  : story_ending(c->outcome)->status;
}

static const char *
queue_status_of(const struct call *c)
{
	return c->state == CALL_QUEUED      ? "queued"
	       : c->state == CALL_CONNECTED ? "started"
	       : c->stopped                 ? "complete"
					    : story_ending(c->outcome)->queue_status;
}

static struct value *
error_message(struct arena *a, const struct call *c)
{
	const char *text = story_ending(c->outcome)->error_message;
	struct str s = str_of(text);
	size_t at = str_find(s, "%s");
	if (c->state != CALL_ENDED || c->stopped || !text)
		return value_null(a);
	return value_printf(a, "%.*s%s", (int)at, text, at < s.n ? c->number->phone : "");
}

static void
set_facts(struct arena *a, struct value *v, const struct call *c)
{
	double seconds = report_seconds(c);
	bool ended = c->state == CALL_ENDED;
	value_set_text(a, v, "call_id", c->id);
	value_set_text(a, v, "c_id", c->id);
	value_set_text(a, v, "status", status_of(c));
	value_set_bool(a, v, "completed", ended);
	value_set_text(a, v, "queue_status", queue_status_of(c));
	value_set(a, v, "call_length",
	    ended ? value_money(a, (int64_t)(seconds * 1e6 / 60)) : value_null(a));
	value_set(
	    a, v, "corrected_duration", ended ? value_printf(a, "%.0f", seconds) : value_null(a));
	value_set_text(a, v, "to", c->number->phone);
	value_set(a, v, "from", value_text(a, c->t.from));
	value_set_bool(a, v, "inbound", false);
	value_set_bool(a, v, "local_dialing", false);
	value_set(a, v, "max_duration", value_real(a, c->max_minutes));
	value_set_bool(a, v, "record", c->record);
	value_set(a, v, "batch_id", value_null(a));
	value_set(a, v, "created_at", instant(a, c->created, "+00:00"));
	value_set(a, v, "started_at", instant(a, c->started, "Z"));
	value_set(a, v, "end_at", instant(a, c->ended, "Z"));
	value_set(a, v, "transferred_at", value_null(a));
	value_set(a, v, "transferred_to", value_null(a));
	value_set(a, v, "error_message", error_message(a, c));
	value_set(a, v, "price", ended ? value_money(a, report_price(c)) : value_null(a));
	value_set(a, v, "recording_url", value_null(a));
	value_set(a, v, "pathway_id", value_null(a));
	value_set(a, v, "pathway_logs", value_null(a));
	value_set(a, v, "pathway_version", value_null(a));
	value_set(a, v, "voice_id", value_null(a));
	value_set_bool(a, v, "is_proxy_agent_call", false);
	value_set_bool(a, v, "is_canary", false);
}

/* What the provider works out after the call, and sometimes only some time after it. */
static void
set_findings(struct arena *a, struct value *v, const struct call *c, const struct story *s)
{
	const struct ending *e = story_ending(c->outcome);
	bool known = c->state == CALL_ENDED && !c->early;
	bool talked = known && c->started;
	bool canceled = c->stopped && !c->started;
	value_set_text(a, v, "answered_by", known && !canceled ? e->answered_by : NULL);
	value_set(a, v, "summary", talked ? text_or_null(a, s->summary) : value_null(a));
	value_set_text(a, v, "disposition_tag",
	    !known     ? NULL
	    : canceled ? "CANCELED"
		       : story_tag(a, c));
	value_set_text(a, v, "call_ended_by",
	    c->state == CALL_ENDED && c->started ? (c->stopped ? "ASSISTANT" : e->ended_by) : NULL);
}

static struct value *
post_call(struct arena *a, const struct call *c, const struct story *s)
{
	struct value *v = value_map(a);
	set_facts(a, v, c);
	set_findings(a, v, c, s);
	value_set(a, v, "variables", variables(a, c));
	value_set(a, v, "metadata", parsed(a, c->t.metadata));
	value_set(a, v, "concatenated_transcript", concatenated(a, c, s));
	value_set(a, v, "transcripts", transcripts(a, c, s, false));
	return v;
}

struct value *
report_object(struct arena *a, const struct call *c)
{
	struct story s = story_tell(a, c);
	struct value *v = post_call(a, c, &s);
	value_set(a, v, "transcripts", transcripts(a, c, &s, true));
	value_set(a, v, "request_data", parsed(a, c->t.request_data));
	value_set_text(a, v, "endpoint_url", "api.sandbox.invalid");
	value_set(a, v, "analysis", value_null(a));
	value_set(a, v, "citations", value_null(a));
	return v;
}

struct value *
report_row(struct arena *a, const struct call *c)
{
	struct value *all = value_map(a), *v = value_map(a);
	static const char *const shown[] = {"call_id", "created_at", "call_length", "to", "from",
	    "completed", "queue_status", "error_message", "batch_id", "status", "inbound"};
	set_facts(a, all, c);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		value_set(a, v, shown[i], value_get(all, shown[i]));
	bool known = c->state == CALL_ENDED && !c->early && !(c->stopped && !c->started);
	value_set_text(a, v, "answered_by", known ? story_ending(c->outcome)->answered_by : NULL);
	return v;
}

struct value *
report_active(struct arena *a, const struct call *c)
{
	struct value *v = value_map(a);
	value_set_text(a, v, "call_id", c->id);
	value_set_text(a, v, "user_id", ORG_ID);
	value_set(a, v, "from", value_text(a, c->t.from));
	value_set_text(a, v, "to", c->number->phone);
	value_set(a, v, "objective", value_text(a, c->t.objective));
	value_set_text(a, v, "pathway_id", "");
	value_set_text(a, v, "start_time", "");
	value_set_text(
	    a, v, "international", strncmp(c->number->phone, "+1", 2) == 0 ? "false" : "true");
	value_set_text(a, v, "status", c->state == CALL_QUEUED ? "QUEUED" : "IN_PROGRESS");
	value_set(a, v, "timestamp", value_printf(a, "%" PRId64, c->created / 1000));
	return v;
}

static struct value *
in_call_event(struct arena *a, const struct call *c, enum report kind)
{
	struct value *v = value_map(a);
	value_set_text(a, v, "message",
	    kind == REPORT_QUEUED      ? "Call queued"
	    : kind == REPORT_CONNECTED ? "Call connected"
	    : kind == REPORT_LATENCY   ? "Latency: 412ms"
				       : "Call ended");
	value_set_text(a, v, "call_id", c->id);
	value_set_text(a, v, "category",
	    kind == REPORT_QUEUED    ? "queue"
	    : kind == REPORT_LATENCY ? "latency"
				     : "call");
	value_set_text(a, v, "log_level", kind == REPORT_LATENCY ? "performance" : "info");
	return v;
}

static struct value *
small_report(struct arena *a, const struct call *c, const struct story *s)
{
	struct value *v = value_map(a);
	value_set_text(a, v, "event", "call.completed");
	value_set_text(a, v, "call_id", c->id);
	value_set_text(a, v, "status", status_of(c));
	value_set(a, v, "transcript", concatenated(a, c, s));
	value_set_int(a, v, "duration", (int64_t)report_seconds(c));
	return v;
}

static struct value *
huge_logs(struct arena *a)
{
	struct value *list = value_list(a);
	char *filler = arena_alloc(a, 4096);
	memset(filler, '.', 4095);
	for (int bytes = 0; bytes < HUGE_BYTES; bytes += 4096) {
		struct value *row = value_push(a, list, value_map(a));
		value_set_text(a, row, "role", "Agent Action");
		value_set_text(a, row, "text", filler);
	}
	return list;
}

struct str
report_body(struct arena *a, const struct call *c, enum report kind)
{
	struct story s = story_tell(a, c);
	struct value *v = kind >= REPORT_QUEUED  ? in_call_event(a, c, kind)
			  : kind == REPORT_SMALL ? small_report(a, c, &s)
						 : post_call(a, c, &s);
	if (kind == REPORT_HUGE)
		value_set(a, v, "pathway_logs", huge_logs(a));
	if (kind == REPORT_STRANGER) {
		value_set_text(a, v, "call_id", crypto_uuid(a));
		value_set(a, v, "c_id", value_get(v, "call_id"));
		value_set(a, v, "metadata", value_map(a));
	}
	if (kind == REPORT_BARE)
		v->map.n--; /* the transcripts stand last */
	struct buf b;
	buf_init(&b, a);
	json_write(&b, v);
	return str_sub(buf_view(&b), 0, kind == REPORT_BROKEN ? b.n / 2 : b.n);
}
