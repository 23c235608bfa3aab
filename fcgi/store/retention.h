#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H
/* What is older than Settings say (keep_events, keep_transcripts, keep_decisions,
 * keep_import_lines, keep_login_failures, keep_files: days, 30 unless set), and who is erased. */
#include "store/db.h"

enum { RETENTION_DAYS = 30, RETENTION_MOST_DAYS = 3650 };

/** Removes at most about ${limit} rows of ${kind} in one transaction. *n 0: none is left. */
bool retention_step(struct db *db, struct arena *a, const char *kind, int64_t limit, int64_t now,
    int64_t *n, struct error *e) MUST_USE;
/** [{path}]: files that at most ${limit} imports do not need any more; they have forgotten them. */
struct value *retention_files(
    struct db *db, struct arena *a, int64_t limit, int64_t now, struct error *e) MUST_USE;
/** [{path}]: those of ${paths} that an import needs. */
struct value *retention_needed(
    struct db *db, struct arena *a, const struct str *paths, size_t n, struct error *e) MUST_USE;

struct erasure {
	int64_t client_id; /* 0: of all clients */
	const char *phone; /* E.164 */
	const char *hash;  /* keyed, of the phone: what the audit says */
	const char *who, *address;
	int64_t user_id;
};

/** First puts the number on the do-not-contact list, then removes the rest: {leads, calls,
 * cost_usd, events, import_lines, consents}. ERR_CONFLICT while a call to it is under way: then
 * only the first was done. */
struct value *person_erase(struct db *db, struct arena *a, const struct erasure *who, int64_t now,
    struct error *e) MUST_USE;

#endif
