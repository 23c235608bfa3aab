/* What Bland reports about a call, in our words. docs.bland.ai/tutorials/post-call-webhooks.md. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "providers/bland.h"
#include "providers/bland_transcript.h"
#include "rules/outcome.h"

enum { MOST_WORD = 1000, MOST_ID = 200 };

static struct str
text(const struct value *body, const char *name)
{
	return value_str(body, name);
}

static void
copy_text(struct arena *a, struct value *out, const char *name, struct str s, size_t most)
{
	if (s.n)
		value_set(a, out, name, value_text(a, bland_cut(s, most)));
}

static void
copy_time(struct arena *a, struct value *out, const char *name, struct str s)
{
	int64_t micros = bland_time(s);
	if (micros)
		value_set(a, out, name, value_time(a, micros));
}

/* A number that may come as one or as text; ${fallback} where there is none. */
static double
number(const struct value *body, const char *name, double fallback)
{
	const struct value *v = value_get(body, name);
	double d;
	if (!v)
		return fallback;
	if (v->type == VALUE_INT)
		return (double)v->i;
	if (v->type == VALUE_REAL)
		return v->d;
	if (v->type == VALUE_TEXT && str_to_double(str_trim(v->s), &d) && isfinite(d))
		return d;
	return fallback;
}

/* corrected_duration is in seconds and mostly text, call_length in minutes. */
static double
seconds_of(const struct value *body)
{
	double s = number(body, "corrected_duration", -1);
	if (s >= 0)
		return s;
	s = number(body, "call_length", -1);
	return s >= 0 ? s * 60 : number(body, "duration", -1);
}

static bool
is_uuid(struct str s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s.p[i] != '-' : !isxdigit((unsigned char)s.p[i]))
			return false;
	}
	return true;
}

/* --- the older, smaller shape {event, call_id, status, transcript, duration} -------------------
 */

static bool
is_older(const struct value *body)
{
	const struct value *event = value_get(body, "event");
	return event && event->type == VALUE_TEXT && !value_has(body, "completed") &&
	       !value_has(body, "queue_status");
}

/* Its status said in one word what the present shape says in several members. */
static void
read_older(const struct value *body, struct outcome_facts *facts)
{
	static const struct {
		const char *status, *answered_by, *disposition;
	} words[] = {{"voicemail", "voicemail", ""}, {"interested", "human", "INTERESTED"},
	    {"not_interested", "human", "NOT_INTERESTED"},
	    {"callback", "human", "CALL_BACK_SCHEDULED"},
	    {"follow_up", "human", "FOLLOW_UP_REQUIRED"}, {"transferred", "human", "TRANSFERRED"},
	    {"do_not_contact", "human", "DO_NOT_CONTACT"},
	    {"do_not_call", "human", "DO_NOT_CONTACT"}, {"hangup", "human", "NO_CONTACT_MADE"},
	    {"hung_up", "human", "NO_CONTACT_MADE"}};
	static const char *const going[] = {
	    "start", "ring", "progress", "queue", "initiat", "connect"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!str_is_nocase(facts->status, words[i].status))
			continue;
		facts->completed = true;
		facts->answered_by = str_of(words[i].answered_by);
		facts->disposition = str_of(words[i].disposition);
		return;
	}
	struct str event = text(body, "event");
	facts->completed = true;
	for (size_t i = 0; i < sizeof(going) / sizeof(going[0]); i++)
		if (str_find_nocase(event, going[i]) < event.n)
			facts->completed = false;
}

/* --- reports -----------------------------------------------------------------------------------
 */

static struct outcome_facts
facts_of(const struct value *body)
{
	struct outcome_facts facts = {.status = text(body, "status"),
	    .queue_status = text(body, "queue_status"),
	    .answered_by = text(body, "answered_by"),
	    .disposition = text(body, "disposition_tag"),
	    .error_message = text(body, "error_message"),
	    .ended_by = text(body, "call_ended_by"),
	    .transferred_to = text(body, "transferred_to"),
	    .completed = value_flag(body, "completed"),
	    .seconds = seconds_of(body)};
	if (is_older(body))
		read_older(body, &facts);
	return facts;
}

static struct str
read_transcript(struct arena *a, const struct value *body, struct bland_transcript *t)
{
	const struct value *rows = value_get(body, "transcripts"),
			   *older = value_get(body, "transcript");
	struct str flat = text(body, "concatenated_transcript");
	*t = (struct bland_transcript){.person = -1};
	if (!flat.n)
		flat = text(body, "transcript");
	if (!rows && older && older->type == VALUE_LIST)
		rows = older;
	if (rows && rows->type == VALUE_LIST)
		bland_transcript_rows(a, rows, t);
	else
		bland_transcript_flat(a, flat, t);
	return flat;
}

/* queue_status tells whether somebody's telephone rings already:
 * docs.bland.ai/api-v1/get/calls-id.md. */
static bool
has_started(const struct value *body, const struct outcome_facts *facts)
{
	return value_has(body, "started_at") || str_is(facts->queue_status, "started") ||
	       !value_has(body, "queue_status");
}

static void
set_outcome(struct arena *a, struct value *out, const struct outcome *o)
{
	value_set_text(a, out, "outcome", o->name);
	value_set_text(a, out, "reason", o->reason);
	value_set_text(a, out, "rule", o->rule);
	value_set_int(a, out, "rule_version", OUTCOME_VERSION);
	value_set_int(a, out, "rank", o->rank);
	value_set_bool(a, out, "suppress", o->suppress);
	value_set_bool(a, out, "number_invalid", o->number_invalid);
}

static void
copy_facts(
    struct arena *a, const struct value *body, const struct outcome_facts *facts, struct value *out)
{
	struct str recording = text(body, "recording_url");
	copy_text(a, out, "answered_by", facts->answered_by, MOST_WORD);
	copy_text(a, out, "disposition", facts->disposition, MOST_WORD);
	copy_text(a, out, "ended_by", facts->ended_by, MOST_WORD);
	copy_text(a, out, "error_message", facts->error_message, MOST_WORD);
	copy_text(a, out, "summary", text(body, "summary"), BLAND_TEXT_MOST);
	/* It becomes a link on a page. */
	if (str_starts(recording, "https://") && recording.n <= MOST_WORD)
		copy_text(a, out, "recording_url", recording, MOST_WORD);
	copy_time(a, out, "started_at", text(body, "started_at"));
	copy_time(a, out, "ended_at", text(body, "end_at"));
	if (facts->seconds >= 0 && facts->seconds < 1e7)
		value_set_int(a, out, "duration_seconds", llround(facts->seconds));
	double price = number(body, "price", -1);
	if (price >= 0 && price < 1e6)
		value_set_int(a, out, "cost_micros", llround(price * 1e6));
}

static void
read_post_call(struct arena *a, const struct value *body, struct value *out)
{
	struct outcome_facts facts = facts_of(body);
	struct bland_transcript t;
	struct str flat = read_transcript(a, body, &t);
	facts.user_turns = t.person;
	facts.agent_turns = t.any;
	struct outcome o = outcome_decide(&facts);
	value_set_bool(a, out, "final", o.final);
	if (!o.final && has_started(body, &facts))
		value_set_text(a, out, "state", "under_way");
	copy_text(a, out, "transcript", flat, BLAND_TEXT_MOST);
	if (t.turns)
		value_set(a, out, "turns", t.turns);
	copy_facts(a, body, &facts, out);
	if (o.final)
		set_outcome(a, out, &o);
}

/* What distinguishes the shapes: in-call events have a category; later additions name themselves.
 */
static const char *
kind_of(const struct value *body)
{
	struct str type = text(body, "event_type");
	bool id = text(body, "call_id").n || text(body, "c_id").n;
	if (text(body, "category").n)
		return id ? "in_call" : "unreadable";
	if (str_is(type, "citations") || str_is(type, "evals") ||
	    str_is(type, "post_transfer_transcript") || str_is(type, "multiple") ||
	    value_flag(body, "is_proxy_agent_call"))
		return id ? "enrichment" : "unreadable";
	if (id && (value_has(body, "completed") || value_has(body, "status") || is_older(body)))
		return "post_call";
	return "unreadable";
}

static struct value *
unreadable(struct arena *a, const char *why)
{
	struct value *out = value_map(a);
	value_set_text(a, out, "kind", "unreadable");
	value_set_text(a, out, "error_message", why);
	return out;
}

static struct value *
read_body(struct arena *a, const struct value *body)
{
	struct value *out = value_map(a);
	const char *kind = kind_of(body);
	if (strcmp(kind, "unreadable") == 0)
		return unreadable(a, "The body has no call_id with a status.");
	value_set_text(a, out, "kind", kind);
	struct str id = text(body, "call_id"),
		   attempt = text(value_get(body, "metadata"), "attempt_id");
	copy_text(a, out, "provider_call_id", id.n ? id : text(body, "c_id"), MOST_ID);
	if (is_uuid(attempt))
		copy_text(a, out, "attempt_id", attempt, MOST_ID);
	copy_text(a, out, "to", text(body, "to"), MOST_ID);
	if (strcmp(kind, "post_call") == 0) {
		read_post_call(a, body, out);
		return out;
	}
	value_set_bool(a, out, "final", false);
	if (str_is(text(body, "category"), "call"))
		value_set_text(a, out, "state", "under_way");
	return out;
}

/* --- bodies that strict readers refuse ----------------------------------------------------------
 */

static int
escape_at(const char *p, const char *end)
{
	int code = 0;
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		unsigned char c = (unsigned char)p[i];
		if (!isxdigit(c))
			return -1;
		code = code * 16 + (isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

/* In place and of the same length: \u0000 and halves of surrogate pairs (an emoji cut in two) to
 * \ufffd. */
static void
mend_escapes(char *p, char *end)
{
	static const char replacement[6] = {'\\', 'u', 'f', 'f', 'f', 'd'};
	while (p < end) {
		int code = escape_at(p, end), next = code >= 0 ? escape_at(p + 6, end) : -1;
		bool pair = code >= 0xD800 && code <= 0xDBFF && next >= 0xDC00 && next <= 0xDFFF;
		if (!pair && (code == 0 || (code >= 0xD800 && code <= 0xDFFF)))
			memcpy(p, replacement, sizeof(replacement));
		p += pair ? 12 : code >= 0 ? 6 : *p == '\\' && p + 1 < end ? 2 : 1;
	}
}

static struct value *
parse_mended(struct arena *a, struct str raw)
{
	struct str copy = str_copy(a, str_is_utf8(raw) ? raw : str_utf8(a, raw));
	char *p = (char *)copy.p;
	mend_escapes(p, p + copy.n);
	return json_parse(a, copy, NULL);
}

struct value *
bland_report_read(struct arena *a, struct str raw)
{
	struct error e = {0};
	struct value *body = json_parse(a, raw, &e);
	if (!body)
		body = parse_mended(a, raw);
	if (!body)
		return unreadable(a, arena_strdup(a, e.message));
	if (body->type != VALUE_MAP)
		return unreadable(a, "The body is no JSON object.");
	return read_body(a, body);
}
