#ifndef RULES_OUTCOME_H
#define RULES_OUTCOME_H
/*
 * What came of a call, decided from what the provider reported: one table, first hit wins. The rows
 * and their numbers are those of the mapping agreed for Bland
 * (docs.bland.ai/tutorials/post-call-webhooks.md).
 */
#include "base/value.h"

enum { OUTCOME_VERSION = 1 }; /* kept on each call; raise it where a row changes */

/** The facts of a report, as the provider's file read them; "" and -1 mean unknown. */
struct outcome_facts {
	struct str status, queue_status, answered_by, disposition, error_message, ended_by,
	    transferred_to;
	bool completed;
	double seconds;   /* -1 unknown */
	int user_turns;   /* rows of the transcript with the person's own words; -1: no transcript
			     sent */
	bool agent_turns; /* the transcript has any row at all */
};

struct outcome {
	bool final;       /* rule 0: not yet */
	const char *name; /* interested, not_interested, … as in the calls table */
	/* failed: invalid_number, unavailable, carrier_blocked, not_permitted, other; interested:
	 * callback, transferred, converted; invalid_number: wrong_number; else "" */
	const char *reason;
	const char *rule; /* "0", "1", "5a", … the row's number */
	int rank;      /* a later report for the same call replaces the outcome only where higher */
	bool suppress; /* never contact again, on any channel */
	bool number_invalid;
};

struct outcome outcome_decide(const struct outcome_facts *facts);

#endif
