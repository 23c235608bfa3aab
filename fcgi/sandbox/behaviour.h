#ifndef SANDBOX_BEHAVIOUR_H
#define SANDBOX_BEHAVIOUR_H
/* clang-format off */
/*
 * What a number does, by its last two digits. "first" marks what only the first POST of a number
 * suffers: later ones find somebody who answers, so that every lead can come to an end.
 *
 *   10        voicemail
 *   11        nobody answers
 *   12        busy
 *   13        failed: number not found
 *   14        failed: temporarily unavailable
 *   15        failed: blocked as spam
 *   16        canceled
 *   17        the person hangs up after 3 s
 *   18        failed: not allowed to call
 *   19        a silent line
 *   20 first  429 with Retry-After: 2
 *   21 first  500, nothing placed
 *   22 first  placed, answer lost (connection closed)
 *   23 first  placed, never answered
 *   24 first  never answered, nothing placed
 *   25 first  500 although it was placed
 *   26 first  400 unable to queue, nothing placed
 *   30        report sent twice
 *   31        report before the answer to the POST
 *   32        report never comes
 *   33        report with answered_by null, then a full one
 *   34        an in-call event after the report
 *   35        report with a wrong signature, then a good one
 *   36        report of 5 MB (pathway_logs)
 *   37        report without transcripts
 *   38        report of broken JSON, then a good one
 *   39        the old small report {event,call_id,status,transcript,duration}
 *   40        the person asks never to be called again
 *   41        400 DNC Error
 *   42        400 sensitive number
 *   43        429 this number is blacklisted
 *   44        400 invalid phone number
 *   45        report about an unknown call, then the good one
 *   46        wrong number
 *   others    a person answers: 35 % interested, 35 % not, 10 % call back, 10 % follow up,
 *             10 % voicemail; the same for a number each time
 *
 * behaviour.c is the table itself; `trunkline-sandbox --help` prints it.
 */
/* clang-format on */
#include <stdio.h>

#include "base/str.h"

enum answer {
	ANSWER_QUEUED,
	ANSWER_AFTER_REPORT,
	ANSWER_LOST,
	ANSWER_HANG_PLACED,
	ANSWER_ERROR_PLACED,
	/* From here on no call is placed. */
	ANSWER_HANG,
	ANSWER_RATE_LIMITED,
	ANSWER_ERROR,
	ANSWER_UNABLE,
	ANSWER_DNC,
	ANSWER_SENSITIVE,
	ANSWER_BLACKLISTED,
	ANSWER_INVALID,
};

enum outcome {
	OUTCOME_BY_LOT,
	OUTCOME_INTERESTED,
	OUTCOME_NOT_INTERESTED,
	OUTCOME_CALLBACK,
	OUTCOME_FOLLOW_UP,
	OUTCOME_VOICEMAIL,
	OUTCOME_HANGUP,
	OUTCOME_DO_NOT_CONTACT,
	OUTCOME_WRONG_NUMBER,
	OUTCOME_SILENT,
	/* From here on nobody talks. */
	OUTCOME_NO_ANSWER,
	OUTCOME_BUSY,
	OUTCOME_NOT_FOUND,
	OUTCOME_UNAVAILABLE,
	OUTCOME_BLOCKED,
	OUTCOME_NOT_PERMITTED,
	OUTCOME_CANCELED,
	OUTCOME__MAX
};

/* What is posted to the webhook address. */
enum report {
	REPORT_NONE,
	REPORT_FULL,
	REPORT_EARLY, /* answered_by, summary and disposition not known yet */
	REPORT_FORGED,
	REPORT_HUGE,
	REPORT_BARE, /* without transcripts */
	REPORT_BROKEN,
	REPORT_SMALL, /* {event,call_id,status,transcript,duration} */
	REPORT_STRANGER,
	/* From here on in-call events. */
	REPORT_QUEUED,
	REPORT_CONNECTED,
	REPORT_LATENCY,
	REPORT_ENDED,
};

struct behaviour {
	int ending; /* the last two digits, -1: all others */
	bool first; /* only for the first POST */
	enum answer answer;
	enum outcome outcome;
	enum report report, then; /* sent one after the other */
	const char *what;
};

/** Of ${phone} at its ${tries}th earlier POST; never NULL. */
const struct behaviour *behaviour_of(const char *phone, unsigned tries);
/** OUTCOME_BY_LOT made definite; the same for a number and a seed each time. */
enum outcome behaviour_outcome(const struct behaviour *b, const char *phone, uint64_t seed);
/** In lower case, as in the ledger. */
const char *outcome_name(enum outcome o);
void behaviour_print(FILE *out);

/* A small deterministic generator (splitmix64). */
struct lot {
	uint64_t state;
};
struct lot lot_of(const char *phone, uint64_t seed);
unsigned lot_below(struct lot *l, unsigned limit);

#endif
