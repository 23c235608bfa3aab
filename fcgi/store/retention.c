#include "store/retention.h"

#include "queries.h"

bool
retention_step(struct db *db, struct arena *a, const char *kind, int64_t limit, int64_t now,
    int64_t *n, struct error *e)
{
	struct value *row =
	    db_row(db, a, q_retention_step, e, P_TEXT(kind), P_INT(limit), P_TIME(now));
	*n = value_num(row, "n");
	return row != NULL;
}

struct value *
retention_files(struct db *db, struct arena *a, int64_t limit, int64_t now, struct error *e)
{
	return db_rows(db, a, q_retention_files, e, P_INT(limit), P_TIME(now));
}

struct value *
retention_needed(struct db *db, struct arena *a, const struct str *paths, size_t n, struct error *e)
{
	return db_rows(db, a, q_retention_needed, e, P_TEXTS(paths, n));
}

struct value *
person_erase(
    struct db *db, struct arena *a, const struct erasure *who, int64_t now, struct error *e)
{
	if (!db_exec(db, a, q_person_suppress, NULL, e, P_ID(who->client_id), P_TEXT(who->phone),
		P_ID(who->user_id), P_TIME(now)))
		return NULL;
	struct value *row = db_row(db, a, q_person_erase, e, P_ID(who->client_id),
	    P_TEXT(who->phone), P_TEXT(who->hash), P_TEXT(who->who), P_ID(who->user_id),
	    P_TEXT(who->address), P_TIME(now));
	struct value *removed = value_get(row, "removed");
	if (!removed || !value_has(removed, "live"))
		return removed;
	error_code(e, ERR_CONFLICT, "call_under_way",
	    "A call to this number is under way. It is on the do-not-contact list now; erase it again "
	    "when the call has ended.");
	return NULL;
}
