#include "store/dial.h"

#include "queries.h"

bool
dial_run_seen(struct db *db, struct arena *a, const char *run, const char *host, int pid,
    int64_t placed, int64_t now, struct error *e)
{
	return db_exec(db, a, q_dial_run_seen, NULL, e, P_TEXT(run), P_TEXT(host), P_INT(pid),
	    P_INT(placed), P_TIME(now));
}

bool
dial_run_ended(struct db *db, struct arena *a, const char *run, int64_t now, struct error *e)
{
	enum { KEEP_DAYS = 7 };
	return db_exec(db, a, q_dial_run_ended, NULL, e, P_TEXT(run), P_TIME(now)) &&
	       db_exec(db, a, q_dial_runs_sweep, NULL, e,
		   P_TIME(now - KEEP_DAYS * INT64_C(86400000000)));
}

bool
dial_run_gone(struct db *db, struct arena *a, const char *run, int64_t now, struct error *e)
{
	return db_exec(db, a, q_dial_run_gone, NULL, e, P_TEXT(run), P_TIME(now));
}

struct value *
dial_clients(struct db *db, struct arena *a, struct error *e)
{
	return db_rows(db, a, q_dial_clients, e);
}

bool
dial_claim(struct db *db, struct arena *a, int64_t client, int64_t most, const char *run,
    int64_t lease_seconds, bool sandbox, int64_t now, const char *boot, int64_t mono,
    struct error *e)
{
	return db_send(db, a, q_dial_claim, e, P_INT(client), P_INT(most), P_TEXT(run),
	    P_INT(lease_seconds), P_TIME(now), P_BOOL(sandbox), P_TEXT(boot), P_INT(mono));
}

const struct value *
dial_claimed(struct db *db, struct arena *a, struct error *e)
{
	const struct value *rows = db_answer(db, a, e);
	return rows ? value_get(rows->list.items[0], "claimed") : NULL;
}

bool
dial_calls(struct db *db, struct arena *a, const struct value *ids, struct error *e)
{
	return db_send(db, a, q_dial_calls, e, P_JSON(ids));
}

struct value *
dial_prompt(struct db *db, struct arena *a, int64_t version, struct error *e)
{
	return db_row(db, a, q_dial_prompt, e, P_INT(version));
}

bool
dial_leave_sandbox(struct db *db, struct arena *a, int64_t now, struct error *e)
{
	return db_exec(db, a, q_dial_leave_sandbox, NULL, e, P_TIME(now));
}

bool
dial_settle(
    struct db *db, struct arena *a, const struct value *results, int64_t now, struct error *e)
{
	return db_send(db, a, q_dial_settle, e, P_JSON(results), P_TIME(now));
}

bool
dial_expire(struct db *db, struct arena *a, int64_t lookup_ms, const char *since, int64_t now,
    struct error *e)
{
	return db_exec(db, a, q_dial_expire, NULL, e, P_TIME(now), P_INT(lookup_ms), P_TEXT(since));
}

struct value *
dial_lookups(struct db *db, struct arena *a, int64_t client, int64_t most, int64_t lease_seconds,
    int64_t now, struct error *e)
{
	return db_rows(db, a, q_dial_lookups, e, P_INT(client), P_INT(most), P_INT(lease_seconds),
	    P_TIME(now));
}

bool
dial_lookup_done(struct db *db, struct arena *a, struct str call, const char *found,
    const char *provider_call_id, int64_t first_ms, int64_t now, struct error *e)
{
	return db_exec(db, a, q_dial_lookup_done, NULL, e, P_STR(call), P_TEXT(found),
	    P_TEXT(provider_call_id), P_INT(first_ms), P_TIME(now));
}

bool
dial_finish(struct db *db, struct arena *a, int64_t client, int64_t now, struct error *e)
{
	return db_exec(db, a, q_dial_finish, NULL, e, P_INT(client), P_TIME(now));
}

bool
dial_next(struct db *db, struct arena *a, int64_t client, int64_t now, int64_t *at, struct error *e)
{
	const struct value *row = db_row(db, a, q_dial_next, e, P_INT(client), P_TIME(now));
	*at = value_micros(row, "at");
	return row != NULL;
}
