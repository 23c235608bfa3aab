/* What Bland reports about a call, in our words. docs.bland.ai/tutorials/post-call-webhooks.md. */
#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "providers/bland.h"
#include "rules/outcome.h"

enum { MOST_TURNS = 2000, MOST_TEXT = 200000 };

static struct str
text(const struct value *body, const char *name)
{
	return value_str(body, name);
}

static void
copy_text(struct arena *a, struct value *out, const char *name, struct str s)
{
	if (s.n)
		value_set(a, out, name, value_text(a, str_sub(s, 0, s.n < MOST_TEXT ? s.n : MOST_TEXT)));
}

static void
copy_time(struct arena *a, struct value *out, const char *name, struct str s)
{
	int64_t micros;
	if (s.n && clock_parse(s, &micros))
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

static double
seconds_of(const struct value *body)
{
	double s = number(body, "corrected_duration", -1);
	if (s >= 0)
		return s;
	s = number(body, "call_length", -1); /* minutes */
	return s >= 0 ? s * 60 : number(body, "duration", -1);
}

static bool
is_uuid(struct str s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = s.p[i];
		bool digit = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
		if (dash ? c != '-' : !digit)
			return false;
	}
	return true;
}

static const char *
speaker_of(struct str user)
{
	if (str_is(user, "user"))
		return "person";
	if (str_is(user, "agent-action"))
		return "action";
	return "agent";
}

/* Turns from transcripts[]; counts what the person said. */
static void
read_turns(struct arena *a, const struct value *body, struct value *out, struct outcome_facts *facts)
{
	const struct value *rows = value_get(body, "transcripts");
	if (!rows || rows->type != VALUE_LIST)
		return;
	struct value *turns = value_set(a, out, "turns", value_list(a));
	facts->user_turns = 0;
	for (size_t i = 0; i < rows->list.n && i < MOST_TURNS; i++) {
		const struct value *row = rows->list.items[i];
		struct str said = str_trim(value_str(row, "text"));
		const char *speaker = speaker_of(value_str(row, "user"));
		if (!said.n)
			continue;
		struct value *turn = value_push(a, turns, value_map(a));
		value_set_text(a, turn, "speaker", speaker);
		value_set(a, turn, "text", value_text(a, said));
		copy_time(a, turn, "at", value_str(row, "created_at"));
		facts->agent_turns = true;
		facts->user_turns += str_is(str_of(speaker), "person");
	}
}

/* "user: Hello? \n assistant: Hi … \n": what an older report, or one without transcripts[], has. */
static void
read_flat(struct arena *a, struct str flat, struct value *out, struct outcome_facts *facts)
{
	struct value *turns = value_list(a);
	int people = 0;
	bool labelled = false;
	for (struct str rest = flat; rest.n && turns->list.n < MOST_TURNS;) {
		struct str line = str_trim(str_cut(&rest, '\n')), said = line, user;
		user = str_trim(str_cut(&said, ':'));
		bool known = str_is(user, "user") || str_is(user, "assistant") || str_is(user, "robot") ||
			     str_is(user, "agent-action");
		if (!known || !str_trim(said).n)
			continue;
		labelled = true;
		struct value *turn = value_push(a, turns, value_map(a));
		value_set_text(a, turn, "speaker", speaker_of(user));
		value_set(a, turn, "text", value_text(a, str_trim(said)));
		people += str_is(user, "user");
	}
	if (!labelled)
		return;
	value_set(a, out, "turns", turns);
	facts->user_turns = people;
	facts->agent_turns = true;
}

static void
set_outcome(struct arena *a, struct value *out, const struct outcome_facts *facts)
{
	struct outcome o = outcome_decide(facts);
	value_set_bool(a, out, "final", o.final);
	if (!o.final) {
		value_set_text(a, out, "state", "under_way");
		return;
	}
	value_set_text(a, out, "outcome", o.name);
	value_set_text(a, out, "reason", o.reason);
	value_set_text(a, out, "rule", o.rule);
	value_set_int(a, out, "rule_version", OUTCOME_VERSION);
	value_set_int(a, out, "rank", o.rank);
	value_set_bool(a, out, "suppress", o.suppress);
	value_set_bool(a, out, "number_invalid", o.number_invalid);
}

static void
read_post_call(struct arena *a, const struct value *body, struct value *out)
{
	struct outcome_facts facts = {.status = text(body, "status"),
	    .queue_status = text(body, "queue_status"),
	    .answered_by = text(body, "answered_by"),
	    .disposition = text(body, "disposition_tag"),
	    .error_message = text(body, "error_message"),
	    .ended_by = text(body, "call_ended_by"),
	    .transferred_to = text(body, "transferred_to"),
	    .completed = value_flag(body, "completed"),
	    .seconds = seconds_of(body),
	    .user_turns = -1};
	struct str flat = text(body, "concatenated_transcript");
	if (!flat.n)
		flat = text(body, "transcript");
	read_turns(a, body, out, &facts);
	if (!value_get(out, "turns"))
		read_flat(a, flat, out, &facts);
	copy_text(a, out, "transcript", flat);
	copy_text(a, out, "answered_by", facts.answered_by);
	copy_text(a, out, "disposition", facts.disposition);
	copy_text(a, out, "ended_by", facts.ended_by);
	copy_text(a, out, "error_message", facts.error_message);
	copy_text(a, out, "summary", text(body, "summary"));
	copy_text(a, out, "recording_url", text(body, "recording_url"));
	copy_time(a, out, "started_at", text(body, "started_at"));
	copy_time(a, out, "ended_at", text(body, "end_at"));
	if (facts.seconds >= 0 && facts.seconds < 1e7)
		value_set_int(a, out, "duration_seconds", (int64_t)(facts.seconds + 0.5));
	double price = number(body, "price", -1);
	if (price >= 0 && price < 1e6)
		value_set_int(a, out, "cost_micros", llround(price * 1e6));
	set_outcome(a, out, &facts);
}

/* What distinguishes the shapes: in-call events have a category; later additions name themselves. */
static const char *
kind_of(const struct value *body)
{
	struct str type = text(body, "event_type");
	if (value_get(body, "category") && value_get(body, "category")->type == VALUE_TEXT)
		return "in_call";
	if (str_is(type, "citations") || str_is(type, "evals") || str_is(type, "post_transfer_transcript") ||
	    str_is(type, "multiple") || value_flag(body, "is_proxy_agent_call"))
		return "enrichment";
	bool id = text(body, "call_id").n || text(body, "c_id").n;
	if (id && (value_has(body, "completed") || value_has(body, "status")))
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

struct value *
bland_report_read(struct arena *a, struct str raw)
{
	struct error e = {0};
	struct value *body = json_parse(a, raw, &e), *out = value_map(a);
	if (!body)
		return unreadable(a, arena_strdup(a, e.message));
	if (body->type != VALUE_MAP)
		return unreadable(a, "The body is no JSON object.");
	const char *kind = kind_of(body);
	if (str_is(str_of(kind), "unreadable"))
		return unreadable(a, "The body has no call_id with a status.");
	value_set_text(a, out, "kind", kind);
	struct str id = text(body, "call_id");
	copy_text(a, out, "provider_call_id", id.n ? id : text(body, "c_id"));
	struct str attempt = value_str(value_get(body, "metadata"), "attempt_id");
	if (is_uuid(attempt))
		copy_text(a, out, "attempt_id", attempt);
	copy_text(a, out, "to", text(body, "to"));
	if (str_is(str_of(kind), "post_call")) {
		read_post_call(a, body, out);
	} else {
		value_set_bool(a, out, "final", false);
		if (str_is(str_of(kind), "in_call") && str_is(text(body, "category"), "call"))
			value_set_text(a, out, "state", "under_way");
	}
	return out;
}
