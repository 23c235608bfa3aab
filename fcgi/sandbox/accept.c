#include "sandbox/accept.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/accept_phone.h"

enum type { TEXT, BOOLEAN, NUMBER, OBJECT, LIST, TEXTS, OBJECTS };

/* One documented field. `words` are the values it may have, parted by blanks. */
struct field {
	const char *name;
	enum type type;
	bool nullable;
	const char *words;
	double low, high;  /* for numbers, where high > low */
	const char *wrong; /* the documented text, where there is one */
};

#define EVENTS                                                                                     \
	"queue call latency webhook tool dynamic_data citations evals post_transfer_transcript"

static const struct field fields[] = {
    {.name = "phone_number", .type = TEXT},
    {.name = "task", .type = TEXT},
    {.name = "pathway_id", .type = TEXT},
    {.name = "pathway_version", .type = TEXT, .words = "production staging"},
    {.name = "persona_id", .type = TEXT},
    {.name = "agent_id", .type = TEXT},
    {.name = "voice", .type = TEXT},
    {.name = "voice_id", .type = TEXT},
    {.name = "first_sentence", .type = TEXT},
    {.name = "model", .type = TEXT, .words = "base turbo"},
    {.name = "language", .type = TEXT, .wrong = "Invalid language code"},
    {.name = "wait_for_greeting", .type = BOOLEAN},
    {.name = "pronunciation_guide", .type = OBJECTS},
    {.name = "temperature", .type = NUMBER, .low = 0, .high = 1},
    {.name = "interruption_threshold", .type = NUMBER},
    {.name = "interruptibility", .type = NUMBER, .low = 0, .high = 3},
    {.name = "from", .type = TEXT, .wrong = "Invalid 'from'. Must be 10 or 12 digits."},
    {.name = "dialing_strategy", .type = OBJECT},
    {.name = "timezone", .type = TEXT},
    {.name = "start_time", .type = TEXT},
    {.name = "transfer_phone_number", .type = TEXT, .wrong = "Invalid transfer_phone_number."},
    {.name = "transfer_list", .type = OBJECT},
    {.name = "max_duration", .type = NUMBER},
    {.name = "tools", .type = LIST, .wrong = "Invalid tools: must be an array"},
    {.name = "background_track",
	.type = TEXT,
	.nullable = true,
	.words = "office cafe restaurant none"},
    {.name = "noise_cancellation", .type = BOOLEAN},
    {.name = "block_interruptions", .type = BOOLEAN},
    {.name = "record", .type = BOOLEAN, .wrong = "Record must be a boolean"},
    {.name = "voicemail", .type = OBJECT},
    {.name = "voicemail_action",
	.type = TEXT,
	.words = "hangup leave_message ignore",
	.wrong = "Invalid voicemail action. Must be one of: hangup, leave_message, ignore"},
    {.name = "voicemail_message", .type = TEXT},
    {.name = "voicemail_sms", .type = OBJECT},
    {.name = "sensitive_voicemail_detection", .type = BOOLEAN},
    {.name = "answered_by_enabled", .type = BOOLEAN},
    {.name = "amd", .type = BOOLEAN},
    {.name = "citation_schema_ids", .type = TEXTS},
    {.name = "disposition_ids", .type = TEXTS},
    {.name = "post_call_evals", .type = OBJECT},
    {.name = "stream_post_transfer_transcript", .type = BOOLEAN},
    {.name = "summary_prompt", .type = TEXT},
    {.name = "retry", .type = OBJECT},
    {.name = "dispositions", .type = TEXTS},
    {.name = "request_data", .type = OBJECT},
    {.name = "metadata", .type = OBJECT, .wrong = "metadata must be an object."},
    {.name = "webhook",
	.type = TEXT,
	.wrong = "webhook must be a string that starts with https://."},
    {.name = "webhook_events", .type = TEXTS, .words = EVENTS},
    {.name = "dynamic_data", .type = OBJECTS, .nullable = true},
    {.name = "keywords", .type = TEXTS},
    {.name = "ignore_button_press", .type = BOOLEAN},
    {.name = "precall_dtmf_sequence", .type = TEXT},
    {.name = "guard_rails", .type = OBJECTS},
};

static const struct field voicemail_fields[] = {
    {.name = "action",
	.type = TEXT,
	.words = "hangup leave_message leave_message_and_sms ignore",
	.wrong = "Invalid voicemail action. Must be one of: hangup, leave_message, ignore"},
    {.name = "message", .type = TEXT},
    {.name = "sensitive", .type = BOOLEAN},
    {.name = "sms", .type = OBJECT},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct refusal
accept_refusal(struct arena *a, int status, const char *message)
{
	struct value *v = value_map(a);
	value_set_text(a, v, "status", "error");
	value_set_text(a, v, "message", message);
	return (struct refusal){status, v, message};
}

/* The shape that is documented for a missing parameter. */
static struct refusal
invalid(struct arena *a, const char *problem)
{
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, "Invalid parameters. Error: [");
	buf_json(&b, str_of(problem));
	buf_puts(&b, "]");
	struct refusal r = accept_refusal(a, 400, b.p);
	struct value *errors = value_set(a, r.body, "errors", value_list(a));
	value_push(a, errors, value_textz(a, problem));
	r.why = problem;
	return r;
}

static struct refusal
wrong(struct arena *a, const struct field *f, const char *must)
{
	if (f->wrong)
		return accept_refusal(a, 400, f->wrong);
	return invalid(a, arena_printf(a, "%s must be %s.", f->name, must));
}

static bool
is_word(const char *words, struct str s)
{
	for (struct str rest = str_of(words); rest.n;)
		if (str_eq(str_cut(&rest, ' '), s))
			return true;
	return false;
}

static bool
is_number(const struct value *v)
{
	return v->type == VALUE_INT || v->type == VALUE_REAL;
}

static bool
items_are(const struct value *v, enum value_type type)
{
	for (size_t i = 0; i < v->list.n; i++)
		if (v->list.items[i]->type != type)
			return false;
	return true;
}

static bool
has_type(const struct value *v, enum type type)
{
	switch (type) {
	case TEXT:
		return v->type == VALUE_TEXT;
	case BOOLEAN:
		return v->type == VALUE_BOOL;
	case NUMBER:
		return is_number(v);
	case OBJECT:
		return v->type == VALUE_MAP;
	case LIST:
		return v->type == VALUE_LIST;
	case TEXTS:
		return v->type == VALUE_LIST && items_are(v, VALUE_TEXT);
	case OBJECTS:
		return v->type == VALUE_LIST && items_are(v, VALUE_MAP);
	}
	return false;
}

static struct refusal
check_field(struct arena *a, const struct field *f, const struct value *v)
{
	static const char *const types[] = {"a string", "a boolean", "a number", "an object",
	    "an array", "an array of strings", "an array of objects"};
	const struct refusal fine = {0};
	if (v->type == VALUE_NULL && f->nullable)
		return fine;
	/* The one field that may be a number or a word. */
	if (str_is(str_of(f->name), "pathway_version") && v->type == VALUE_INT)
		return fine;
	if (!has_type(v, f->type))
		return wrong(a, f, types[f->type]);
	if (f->words && f->type == TEXT && !is_word(f->words, v->s))
		return wrong(a, f, arena_printf(a, "one of: %s", f->words));
	for (size_t i = 0; f->words && f->type == TEXTS && i < v->list.n; i++)
		if (!is_word(f->words, v->list.items[i]->s))
			return wrong(a, f, arena_printf(a, "among: %s", f->words));
	double d = f->type == NUMBER ? (v->type == VALUE_INT ? (double)v->i : v->d) : 0;
	if (f->high > f->low && (d < f->low || d > f->high))
		return wrong(a, f, arena_printf(a, "from %g to %g", f->low, f->high));
	return fine;
}

static struct refusal
check_fields(struct arena *a, const struct value *body, const struct field *table, size_t n)
{
	struct refusal r = {0};
	for (size_t i = 0; i < body->map.n; i++) {
		bool known = false;
		for (size_t k = 0; k < n && !known; k++)
			known = str_is(body->map.members[i].key, table[k].name);
		if (known)
			continue;
		r = accept_refusal(a, 400, "Additional properties are not allowed");
		r.why = arena_printf(a, "Additional properties are not allowed: %.*s",
		    STR_ARG(body->map.members[i].key));
		return r;
	}
	for (size_t k = 0; k < n && !r.status; k++) {
		const struct value *v = value_get(body, table[k].name);
		if (v)
			r = check_field(a, &table[k], v);
	}
	return r;
}

static bool
language_is_good(struct str s)
{
	struct str rest = s, first = str_cut(&rest, '-');
	if (is_word("auto babel babel-en fluent multi", s))
		return true;
	if (first.n != 2 || !islower((unsigned char)s.p[0]) || !islower((unsigned char)s.p[1]))
		return false;
	return s.n == 2 || (rest.n >= 2 && rest.n <= 4);
}

static bool
from_is_good(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]) && (s.p[i] != '+' || i))
			return false;
	return s.n == 10 || s.n == 12;
}

static bool
webhook_is_good(struct str s, bool http)
{
	return str_starts(s, "https://") ||
	       (http && (str_starts(s, "http://127.0.0.1") || str_starts(s, "http://localhost")));
}

static const char *
keyword_problem(const struct value *v)
{
	if (v && v->list.n > 20)
		return "At most 20 keywords can be added.";
	for (size_t i = 0; v && i < v->list.n; i++)
		if (v->list.items[i]->s.n >= 100)
			return "Each keyword must be less than 100 characters.";
	return NULL;
}

static const char *
duration_problem(const struct value *v)
{
	double d = !v ? 30 : v->type == VALUE_INT ? (double)v->i : v->d;
	return d < 1     ? "Max duration must be at least 1"
	       : d > 720 ? "max_duration must be at most 12 hours."
			 : NULL;
}

static const char *
start_problem(const struct value *v)
{
	int64_t at;
	if (!v)
		return NULL;
	if (!clock_parse(v->s, &at))
		return "Invalid start_time. Use YYYY-MM-DD HH:MM:SS -HH:MM";
	int64_t ahead = at - clock_now();
	return ahead > 0 && ahead < 300 * CLOCK_SECOND
		   ? "Calls must be scheduled at least 5 minutes in advance, or more"
		   : NULL;
}

static const char *
text_problem(const struct value *body, bool http_webhooks)
{
	struct str transfer = value_str(body, "transfer_phone_number");
	struct str dtmf = value_str(body, "precall_dtmf_sequence");
	if (value_has(body, "language") && !language_is_good(value_str(body, "language")))
		return "Invalid language code";
	if (value_has(body, "from") && !from_is_good(value_str(body, "from")))
		return "Invalid 'from'. Must be 10 or 12 digits.";
	if (value_has(body, "webhook") &&
	    !webhook_is_good(value_str(body, "webhook"), http_webhooks))
		return "webhook must be a string that starts with https://.";
	if (transfer.n && str_eq(transfer, value_str(body, "phone_number")))
		return "Invalid transfer_phone_number.";
	if (value_str(body, "summary_prompt").n > 2000)
		return "summary_prompt must be at most 2000 characters.";
	if (value_has(body, "precall_dtmf_sequence") && !dtmf.n)
		return "Invalid precall_dtmf_sequence";
	for (size_t i = 0; i < dtmf.n; i++)
		if (!strchr("0123456789*#w", dtmf.p[i]))
			return "Invalid precall_dtmf_sequence";
	return NULL;
}

static const char *
limit_problem(const struct value *body, bool http_webhooks)
{
	const char *why = text_problem(body, http_webhooks);
	if (!why)
		why = keyword_problem(value_get(body, "keywords"));
	if (!why)
		why = duration_problem(value_get(body, "max_duration"));
	return why ? why : start_problem(value_get(body, "start_time"));
}

static struct refusal
check_voicemail(struct arena *a, const struct value *v)
{
	struct refusal r = {0};
	if (!v)
		return r;
	r = check_fields(a, v, voicemail_fields, COUNT(voicemail_fields));
	if (!r.status && str_starts(value_str(v, "action"), "leave_message") &&
	    !value_str(v, "message").n)
		r = invalid(a, "voicemail.message is required for leave_message.");
	return r;
}

static struct refusal
check_agent(struct arena *a, const struct value *body)
{
	static const char *const presets[] = {"pathway_id", "persona_id", "agent_id"};
	if (value_str(body, "task").n)
		return (struct refusal){0};
	for (size_t i = 0; i < COUNT(presets); i++) {
		struct str id = value_str(body, presets[i]);
		/* There are no pathways here, so none can be found. */
		if (id.n)
			return accept_refusal(a, 404,
			    arena_printf(a, "%s with ID \"%.*s\" not found",
				i == 0   ? "Pathway"
				: i == 1 ? "Persona"
					 : "Agent",
				STR_ARG(id)));
	}
	return invalid(a, "Missing required parameter: task.");
}

struct refusal
accept_check(struct arena *a, const struct value *body, bool http_webhooks, const char **phone)
{
	if (!body || body->type != VALUE_MAP)
		return invalid(a, "The request body must be a JSON object.");
	const struct value *number = value_get(body, "phone_number");
	if (!number)
		return invalid(a, "Missing required parameter: phone_number.");
	struct refusal r = check_fields(a, body, fields, COUNT(fields));
	if (!r.status)
		*phone = accept_phone(a, number->s, &r);
	if (!r.status)
		r = check_agent(a, body);
	if (!r.status)
		r = check_voicemail(a, value_get(body, "voicemail"));
	const char *why = r.status ? NULL : limit_problem(body, http_webhooks);
	return why ? accept_refusal(a, 400, why) : r;
}
