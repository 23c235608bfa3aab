#include "rules/outcome.h"

/* What a row of the table asks for. Strings are compared without regard to case. */
static bool
is_tag(const struct outcome_facts *f, const char *tag)
{
	return str_is_nocase(f->disposition, tag);
}

static bool
says(const struct outcome_facts *f, const char *words)
{
	return str_find_nocase(f->error_message, words) < f->error_message.n;
}

static bool
is_do_not_contact(const struct outcome_facts *f)
{
	return is_tag(f, "DO_NOT_CONTACT");
}

static bool
is_canceled(const struct outcome_facts *f)
{
	return str_is_nocase(f->status, "canceled") || str_is_nocase(f->status, "cancelled") ||
	       is_tag(f, "CANCELED");
}

static bool
is_busy(const struct outcome_facts *f)
{
	return str_is_nocase(f->status, "busy") || is_tag(f, "BUSY") || says(f, "is busy");
}

static bool
is_no_answer(const struct outcome_facts *f)
{
	return str_is_nocase(f->status, "no-answer") || str_is_nocase(f->status, "no_answer") ||
	       str_is_nocase(f->answered_by, "no-answer") || is_tag(f, "NO_ANSWER");
}

static bool
is_not_found(const struct outcome_facts *f)
{
	return says(f, "not found");
}

static bool
is_unavailable(const struct outcome_facts *f)
{
	return says(f, "temporarily unavailable");
}

static bool
is_spam_blocked(const struct outcome_facts *f)
{
	return says(f, "spam or number reputation");
}

static bool
is_not_allowed(const struct outcome_facts *f)
{
	return says(f, "not allowed to call");
}

/* complete_error alone is no failure: it is, for one, what a good call with a lost webhook says. */
static bool
is_failed(const struct outcome_facts *f)
{
	return str_is_nocase(f->status, "failed") || is_tag(f, "FAILED") ||
	       str_is(f->queue_status, "pre_queue_error") ||
	       str_is(f->queue_status, "queue_error") || str_is(f->queue_status, "call_error");
}

/* Beats the tags of the next rows: those are computed from the transcript alone. */
static bool
is_voicemail(const struct outcome_facts *f)
{
	return str_is_nocase(f->answered_by, "voicemail");
}

static bool
is_callback(const struct outcome_facts *f)
{
	return is_tag(f, "CALL_BACK_SCHEDULED");
}

static bool
is_transferred(const struct outcome_facts *f)
{
	return is_tag(f, "TRANSFERRED") || f->transferred_to.n;
}

static bool
is_converted(const struct outcome_facts *f)
{
	return is_tag(f, "COMPLETED_ACTION");
}

static bool
is_interested(const struct outcome_facts *f)
{
	return is_tag(f, "INTERESTED");
}

static bool
is_not_interested(const struct outcome_facts *f)
{
	return is_tag(f, "NOT_INTERESTED") || is_tag(f, "NOT_QUALIFIED");
}

static bool
is_follow_up(const struct outcome_facts *f)
{
	return is_tag(f, "FOLLOW_UP_REQUIRED") || is_tag(f, "NEEDS_MORE_INFO") ||
	       is_tag(f, "OBJECTION_RAISED");
}

/*
 * Rule 11, the tags of our own list beside Bland's built-in ones. It stands before rule 10: who
 * says "wrong number" and hangs up within seconds must not be called again.
 */
static bool
is_wrong_number(const struct outcome_facts *f)
{
	return is_tag(f, "WRONG_NUMBER");
}

static bool
is_hangup(const struct outcome_facts *f)
{
	bool short_and_left =
	    f->seconds >= 0 && f->seconds < 10 && str_is_nocase(f->ended_by, "USER");
	return f->user_turns == 0 || short_and_left || is_tag(f, "NO_CONTACT_MADE") ||
	       (is_tag(f, "AGENT_ENDED_CALL") && !f->agent_turns);
}

static bool
always(const struct outcome_facts *f)
{
	(void)f;
	return true;
}

enum { SUPPRESS = 1, NUMBER_INVALID = 2 };

/*
 * The table, evaluated from the top; the first hit wins. The rank says how much a row knows: a
 * later report about the same call replaces the outcome only by one of a higher rank. So 12 and 10
 * can become anything, and what somebody said (1, 7, 8) is never taken back by an emptier report.
 */
static const struct row {
	const char *rule;
	bool (*holds)(const struct outcome_facts *f);
	const char *outcome, *reason;
	int rank, flags;
} table[] = {
    {"1", is_do_not_contact, "do_not_contact", "", 90, SUPPRESS},
    {"2", is_canceled, "canceled", "", 40, 0},
    {"3", is_busy, "busy", "", 40, 0},
    {"4", is_no_answer, "no_answer", "", 40, 0},
    {"5a", is_not_found, "failed", "invalid_number", 40, NUMBER_INVALID},
    {"5b", is_unavailable, "failed", "unavailable", 40, 0},
    {"5c", is_spam_blocked, "failed", "carrier_blocked", 40, 0},
    {"5d", is_not_allowed, "failed", "not_permitted", 40, 0},
    {"5e", is_failed, "failed", "other", 40, 0},
    {"6", is_voicemail, "voicemail", "", 50, 0},
    {"7", is_callback, "interested", "callback", 80, 0},
    {"7", is_transferred, "interested", "transferred", 80, 0},
    {"7", is_converted, "interested", "converted", 80, 0},
    {"7", is_interested, "interested", "", 80, 0},
    {"8", is_not_interested, "not_interested", "", 80, 0},
    {"9", is_follow_up, "follow_up", "", 70, 0},
    {"11", is_wrong_number, "invalid_number", "wrong_number", 80, NUMBER_INVALID},
    {"10", is_hangup, "hangup", "", 30, 0},
    {"12", always, "unknown", "", 20, 0},
};

/* Rule 0. "completed" is the fresher truth where it and the status disagree. */
static bool
is_final(const struct outcome_facts *f)
{
	static const char *const finals[] = {"completed", "complete", "failed", "busy", "no-answer",
	    "no_answer", "canceled", "cancelled", "unknown"};
	if (f->completed)
		return true;
	for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++)
		if (str_is_nocase(f->status, finals[i]))
			return true;
	return false;
}

struct outcome
outcome_decide(const struct outcome_facts *facts)
{
	if (!is_final(facts))
		return (struct outcome){.name = "unknown", .reason = "", .rule = "0"};
	const struct row *row = table;
	while (!row->holds(facts))
		row++;
	return (struct outcome){.final = true,
	    .name = row->outcome,
	    .reason = row->reason,
	    .rule = row->rule,
	    .rank = row->rank,
	    .suppress = (row->flags & SUPPRESS) != 0,
	    .number_invalid = (row->flags & NUMBER_INVALID) != 0};
}
