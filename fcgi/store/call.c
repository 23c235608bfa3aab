#include "store/call.h"

#include <ctype.h>

#include "queries.h"

struct value *
call_list(struct db *db, struct arena *a, int64_t client, const struct value *filter,
    const struct call_cursor *cursor, int64_t limit, bool transcripts, struct error *e)
{
	/* Far in the future: from the newest. */
	const int64_t end = INT64_C(32503680000000000);
	return db_rows(db, a, q_call_list, e, P_INT(client), P_JSON(filter),
	    P_TIME(cursor->at ? cursor->at : end),
	    P_TEXT(cursor->at ? cursor->id : "ffffffff-ffff-ffff-ffff-ffffffffffff"),
	    P_BOOL(cursor->newer), P_INT(limit), P_BOOL(transcripts));
}

struct value *
call_none_yet(
    struct db *db, struct arena *a, int64_t client, int64_t cursor, int64_t limit, struct error *e)
{
	return db_rows(db, a, q_call_none_yet, e, P_INT(client), P_INT(cursor ? cursor : INT64_MAX),
	    P_INT(limit));
}

struct value *
call_campaigns(struct db *db, struct arena *a, int64_t client, struct error *e)
{
	return db_rows(db, a, q_call_campaigns, e, P_INT(client));
}

static bool
is_uuid(struct str s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s.p[i] != '-' : !isxdigit((unsigned char)s.p[i]))
			return false;
	}
	return true;
}

static bool
check_id(struct str id, struct error *e)
{
	return is_uuid(id) || error_set(e, ERR_NOT_FOUND, "There is no such call.");
}

struct value *
call_find(struct db *db, struct arena *a, int64_t client, struct str id, bool raw, struct error *e)
{
	if (!check_id(id, e))
		return NULL;
	struct value *call = db_row(db, a, q_call_find, e, P_INT(client), P_STR(id));
	if (!call) {
		if (e->kind == ERR_NOT_FOUND)
			error_set(e, ERR_NOT_FOUND, "There is no such call.");
		return NULL;
	}
	struct value *decisions = db_rows(db, a, q_call_decisions, e, P_INT(client), P_STR(id));
	if (!decisions)
		return NULL;
	value_set(a, call, "decisions", decisions);
	if (raw) {
		struct value *events = db_rows(db, a, q_call_events, e, P_INT(client), P_STR(id));
		if (!events)
			return NULL;
		value_set(a, call, "events", events);
	}
	return call;
}

bool
call_ask_again(
    struct db *db, struct arena *a, int64_t client, struct str id, int64_t now, struct error *e)
{
	if (!check_id(id, e))
		return false;
	if (db_row(db, a, q_call_ask_again, e, P_INT(client), P_STR(id), P_TIME(now)))
		return true;
	return e->kind == ERR_NOT_FOUND ? error_set(e, ERR_CONFLICT,
					      "This call has ended: there is nothing to ask about.")
					: false;
}

bool
call_resolve(struct db *db, struct arena *a, int64_t client, struct str id, bool placed,
    int64_t user_id, int64_t now, struct error *e)
{
	if (!check_id(id, e))
		return false;
	struct value *row = db_row(db, a, q_call_resolve, e, P_INT(client), P_STR(id),
	    P_BOOL(placed), P_ID(user_id), P_TIME(now));
	if (!row)
		return e->kind == ERR_NOT_FOUND
			   ? error_set(e, ERR_NOT_FOUND, "There is no such call.")
			   : false;
	return value_flag(row, "resolved") ||
	       error_set(e, ERR_CONFLICT,
		   "This call is no longer in doubt: somebody or the provider was faster.");
}
