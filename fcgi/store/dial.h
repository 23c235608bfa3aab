#ifndef STORE_DIAL_H
#define STORE_DIAL_H
/* The dialer's statements. The decisions are in
 * sql/functions/{contactability,claim,settle,report}.sql. */
#include "store/db.h"

/** Writes down that this run lives: the health page and the doctor ask. */
bool dial_run_seen(struct db *db, struct arena *a, const char *run, const char *host, int pid,
    int64_t placed, int64_t now, struct error *e) MUST_USE;
bool dial_run_ended(
    struct db *db, struct arena *a, const char *run, int64_t now, struct error *e) MUST_USE;
/** Says of another run that its process is gone. */
bool dial_run_gone(
    struct db *db, struct arena *a, const char *run, int64_t now, struct error *e) MUST_USE;
/** Ids of the clients for whom there is anything to do, as a list of {"id"}. */
struct value *dial_clients(struct db *db, struct arena *a, struct error *e) MUST_USE;
/**
 * Claims up to ${most} calls and answers what placing them needs (query dial_calls). When this
 * returns, the rows are committed. *again: enrollments were put off instead, so there may be more
 * to find at once. *holder: {"run", "host", "pid"} of the run that claims for this client now,
 * where that is another one; else NULL.
 */
struct value *dial_claim(struct db *db, struct arena *a, int64_t client, int64_t most,
    const char *run, int64_t lease_seconds, bool sandbox, int64_t now, bool *again,
    const struct value **holder, struct error *e) MUST_USE;
/** A version of a prompt, which never changes: body, first_sentence, voicemail_message, defaults.
 */
struct value *dial_prompt(
    struct db *db, struct arena *a, int64_t version, struct error *e) MUST_USE;
/** Pauses campaigns that were made in the sandbox, when this is none (any more). */
bool dial_leave_sandbox(struct db *db, struct arena *a, int64_t now, struct error *e) MUST_USE;
/** Records a batch of answers; see settle_calls for the members. */
bool dial_settle(struct db *db, struct arena *a, const struct value *results, int64_t now,
    struct error *e) MUST_USE;
/** Calls whose placing run is gone become ambiguous; they are looked up after ${lookup_ms}.
 * ${since}: see monotonic_stamp. */
bool dial_expire(struct db *db, struct arena *a, int64_t lookup_ms, const char *since, int64_t now,
    struct error *e) MUST_USE;
/** Calls to ask the provider about now: id, state, phone, provider_call_id, created_at, lookups. */
struct value *dial_lookups(struct db *db, struct arena *a, int64_t client, int64_t most,
    int64_t lease_seconds, int64_t now, struct error *e) MUST_USE;
/** ${found}: "found", "going", "absent", "early" or "away"; see lookup_done. */
bool dial_lookup_done(struct db *db, struct arena *a, struct str call, const char *found,
    const char *provider_call_id, int64_t first_ms, int64_t now, struct error *e) MUST_USE;
/** Campaigns of which nothing is left to do become done. */
bool dial_finish(
    struct db *db, struct arena *a, int64_t client, int64_t now, struct error *e) MUST_USE;
/** When something falls due next for the client; *at 0: nothing is foreseen. */
bool dial_next(struct db *db, struct arena *a, int64_t client, int64_t now, int64_t *at,
    struct error *e) MUST_USE;

#endif
