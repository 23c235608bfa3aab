#ifndef SANDBOX_LEDGER_H
#define SANDBOX_LEDGER_H
/*
 * What really happened, for tests to hold against what the product believes: one JSON line per
 * event appended to a file in one write, and a summary. `concurrent` and `live` are the calls that
 * were accepted and have not ended. `t` is the wall clock, `m` a clock that never jumps, both in
 * milliseconds.
 */
#include "sandbox/calls.h"

/* What one line says. NULL and 0 members are left out. */
struct entry {
	const char
	    *what; /* post accepted refused dropped started ended webhook webhook_failed ... */
	const struct call *call;
	struct str to, attempt; /* where there is no call */
	long status;            /* HTTP status */
	const char *why;
	const char *digest; /* SHA-256 of the report that was sent */
};

struct ledger;

/** Appends to ${path} ("" or NULL: keeps only the counters). NULL where it cannot be opened. */
struct ledger *ledger_open(const char *path, struct error *e) MUST_USE;
void ledger_close(struct ledger *l);
void ledger_write(struct ledger *l, const struct entry *entry);
/** Counts what an earlier process wrote down; nothing is written. */
void ledger_recount(struct ledger *l, const struct entry *entry);
/** Sets all counters to 0; the file is kept and gets a line "reset". */
void ledger_reset(struct ledger *l);
/** The summary of GET /sandbox/ledger; with ${numbers} the accepted calls of each number as well.
 */
struct value *ledger_summary(
    struct arena *a, const struct ledger *l, const struct calls *calls, bool numbers);

#endif
