#include "sandbox/behaviour.h"

#include <string.h>

#define JUST_FULL REPORT_FULL, REPORT_NONE

static const struct behaviour table[] = {
    {10, false, ANSWER_QUEUED, OUTCOME_VOICEMAIL, JUST_FULL, "voicemail"},
    {11, false, ANSWER_QUEUED, OUTCOME_NO_ANSWER, JUST_FULL, "nobody answers"},
    {12, false, ANSWER_QUEUED, OUTCOME_BUSY, JUST_FULL, "busy"},
    {13, false, ANSWER_QUEUED, OUTCOME_NOT_FOUND, JUST_FULL, "failed: number not found"},
    {14, false, ANSWER_QUEUED, OUTCOME_UNAVAILABLE, JUST_FULL, "failed: temporarily unavailable"},
    {15, false, ANSWER_QUEUED, OUTCOME_BLOCKED, JUST_FULL, "failed: blocked as spam"},
    {16, false, ANSWER_QUEUED, OUTCOME_CANCELED, JUST_FULL, "canceled"},
    {17, false, ANSWER_QUEUED, OUTCOME_HANGUP, JUST_FULL, "the person hangs up after 3 s"},
    {18, false, ANSWER_QUEUED, OUTCOME_NOT_PERMITTED, JUST_FULL, "failed: not allowed to call"},
    {19, false, ANSWER_QUEUED, OUTCOME_SILENT, JUST_FULL, "a silent line"},
    {20, true, ANSWER_RATE_LIMITED, OUTCOME_BY_LOT, JUST_FULL, "429 with Retry-After: 2"},
    {21, true, ANSWER_ERROR, OUTCOME_BY_LOT, JUST_FULL, "500, nothing placed"},
    {22, true, ANSWER_LOST, OUTCOME_BY_LOT, JUST_FULL, "placed, answer lost (connection closed)"},
    {23, true, ANSWER_HANG_PLACED, OUTCOME_BY_LOT, JUST_FULL, "placed, never answered"},
    {24, true, ANSWER_HANG, OUTCOME_BY_LOT, JUST_FULL, "never answered, nothing placed"},
    {25, true, ANSWER_ERROR_PLACED, OUTCOME_BY_LOT, JUST_FULL, "500 although it was placed"},
    {26, true, ANSWER_UNABLE, OUTCOME_BY_LOT, JUST_FULL, "400 unable to queue, nothing placed"},
    {30, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_FULL, REPORT_FULL, "report sent twice"},
    {31, false, ANSWER_AFTER_REPORT, OUTCOME_BY_LOT, JUST_FULL,
	"report before the answer to the POST"},
    {32, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_NONE, REPORT_NONE, "report never comes"},
    {33, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_EARLY, REPORT_FULL,
	"report with answered_by null, then a full one"},
    {34, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_FULL, REPORT_CONNECTED,
	"an in-call event after the report"},
    {35, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_FORGED, REPORT_FULL,
	"report with a wrong signature, then a good one"},
    {36, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_HUGE, REPORT_NONE, "report of 5 MB"},
    {37, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_BARE, REPORT_NONE,
	"report without transcripts"},
    {38, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_BROKEN, REPORT_FULL,
	"report of broken JSON, then a good one"},
    {39, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_SMALL, REPORT_NONE,
	"the old small report {event,call_id,status,transcript,duration}"},
    {40, false, ANSWER_QUEUED, OUTCOME_DO_NOT_CONTACT, JUST_FULL,
	"the person asks never to be called again"},
    {41, false, ANSWER_DNC, OUTCOME_BY_LOT, JUST_FULL, "400 DNC Error"},
    {42, false, ANSWER_SENSITIVE, OUTCOME_BY_LOT, JUST_FULL, "400 sensitive number"},
    {43, false, ANSWER_BLACKLISTED, OUTCOME_BY_LOT, JUST_FULL, "429 this number is blacklisted"},
    {44, false, ANSWER_INVALID, OUTCOME_BY_LOT, JUST_FULL, "400 invalid phone number"},
    {45, false, ANSWER_QUEUED, OUTCOME_BY_LOT, REPORT_STRANGER, REPORT_FULL,
	"report about an unknown call, then the good one"},
    {46, false, ANSWER_QUEUED, OUTCOME_WRONG_NUMBER, JUST_FULL, "wrong number"},
};
static const struct behaviour ordinary = {
    -1, false, ANSWER_QUEUED, OUTCOME_BY_LOT, JUST_FULL, "a person answers"};

const struct behaviour *
behaviour_of(const char *phone, unsigned tries)
{
	size_t n = strlen(phone);
	int ending = n < 2 ? -1 : (phone[n - 2] - '0') * 10 + (phone[n - 1] - '0');
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].ending == ending)
			return table[i].first && tries ? &ordinary : &table[i];
	return &ordinary;
}

enum outcome
behaviour_outcome(const struct behaviour *b, const char *phone, uint64_t seed)
{
	if (b->outcome != OUTCOME_BY_LOT)
		return b->outcome;
	struct lot l = lot_of(phone, seed);
	unsigned percent = lot_below(&l, 100);
	return percent < 35   ? OUTCOME_INTERESTED
	       : percent < 70 ? OUTCOME_NOT_INTERESTED
	       : percent < 80 ? OUTCOME_CALLBACK
	       : percent < 90 ? OUTCOME_FOLLOW_UP
			      : OUTCOME_VOICEMAIL;
}

const char *
outcome_name(enum outcome o)
{
	static const char *const names[OUTCOME__MAX] = {[OUTCOME_BY_LOT] = "by_lot",
	    [OUTCOME_INTERESTED] = "interested",
	    [OUTCOME_NOT_INTERESTED] = "not_interested",
	    [OUTCOME_CALLBACK] = "callback",
	    [OUTCOME_FOLLOW_UP] = "follow_up",
	    [OUTCOME_VOICEMAIL] = "voicemail",
	    [OUTCOME_HANGUP] = "hangup",
	    [OUTCOME_DO_NOT_CONTACT] = "do_not_contact",
	    [OUTCOME_WRONG_NUMBER] = "wrong_number",
	    [OUTCOME_SILENT] = "silent",
	    [OUTCOME_NO_ANSWER] = "no_answer",
	    [OUTCOME_BUSY] = "busy",
	    [OUTCOME_NOT_FOUND] = "not_found",
	    [OUTCOME_UNAVAILABLE] = "unavailable",
	    [OUTCOME_BLOCKED] = "blocked",
	    [OUTCOME_NOT_PERMITTED] = "not_permitted",
	    [OUTCOME_CANCELED] = "canceled"};
	return names[o];
}

void
behaviour_print(FILE *out)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		fprintf(out, "  %d %-6s %s\n", table[i].ending, table[i].first ? "first" : "",
		    table[i].what);
	fputs("  others    a person answers: 35 % interested, 35 % not, 10 % call back,\n"
	      "            10 % follow up, 10 % voicemail; the same for a number each time\n",
	    out);
}

struct lot
lot_of(const char *phone, uint64_t seed)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (seed * UINT64_C(0x9E3779B97F4A7C15));
	for (; *phone; phone++)
		h = (h ^ (unsigned char)*phone) * UINT64_C(1099511628211);
	return (struct lot){h};
}

unsigned
lot_below(struct lot *l, unsigned limit)
{
	uint64_t z = l->state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	z ^= z >> 31;
	return (unsigned)(z % limit);
}
