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
 * Claiming is asked for and answered later, so that the caller can go on sending meanwhile
 * (db_send);
 * ${db} is a connection of its own. First up to ${most} calls are claimed:
 */
bool dial_claim(struct db *db, struct arena *a, int64_t client, int64_t most, const char *run,
    int64_t lease_seconds, bool sandbox, int64_t now, const char *boot, int64_t mono,
    struct error *e) MUST_USE;
/** The answer: {"calls": [id …], "moved": n, "holder", "took_over"}, see claim_calls. Now the rows
 * are committed. */
const struct value *dial_claimed(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** Then what placing them needs is asked for; the answer (db_answer) is query dial_calls. */
bool dial_calls(struct db *db, struct arena *a, const struct value *ids, struct error *e) MUST_USE;
/** A version of a prompt, which never changes: body, first_sentence, voicemail_message, defaults.
 */
struct value *dial_prompt(
    struct db *db, struct arena *a, int64_t version, struct error *e) MUST_USE;
/** Pauses campaigns that were made in the sandbox, when this is none (any more). */
bool dial_leave_sandbox(struct db *db, struct arena *a, int64_t now, struct error *e) MUST_USE;
/** Begins to record a batch of answers (db_send); see settle_calls for the members. */
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
