#include "store/consent.h"

#include "queries.h"
#include "store/lead.h"

struct value *
consent_list(
    struct db *db, struct arena *a, int64_t client, int64_t lead, int64_t limit, struct error *e)
{
	return db_rows(db, a, q_consent_list, e, P_INT(client), P_INT(lead), P_INT(limit));
}

bool
consent_add(struct db *db, struct arena *a, int64_t client, const struct value *ids,
    const struct consent *consent, int64_t now, int64_t *recorded, struct error *e)
{
	struct value *row = db_row(db, a, q_consent_add, e, P_INT(client), P_JSON(ids),
	    P_TEXT(consent->channel), P_BOOL(consent->granted), P_TEXT(consent->source),
	    P_TEXT(consent->evidence), P_TIME(consent->at), P_ID(consent->user_id));
	if (!row)
		return false;
	*recorded = value_num(row, "recorded");
	return lead_recheck(db, a, client, ids, now, e);
}

struct value *
suppression_list(struct db *db, struct arena *a, int64_t client, int64_t cursor, const char *part,
    int64_t limit, struct error *e)
{
	return db_rows(db, a, q_suppression_list, e, P_INT(client),
	    P_INT(cursor ? cursor : INT64_MAX), P_STR_OR_NULL(str_of(part)), P_INT(limit));
}

struct value *
suppression_find(struct db *db, struct arena *a, int64_t client, int64_t id, struct error *e)
{
	return db_row(db, a, q_suppression_find, e, P_INT(client), P_INT(id));
}

bool
suppression_add(struct db *db, struct arena *a, int64_t client, const struct suppression *order,
    int64_t now, int64_t *id, bool *made, struct error *e)
{
	struct value *row =
	    db_row(db, a, q_suppression_add, e, P_INT(client), P_TEXT(order->channel),
		P_TEXT(order->phone), P_TEXT(order->email), P_TEXT(order->reason),
		P_TEXT(order->source), P_TEXT(order->evidence), P_ID(order->user_id), P_TIME(now));
	*made = row;
	if (!row && e->kind == ERR_NOT_FOUND)
		row = db_row(db, a, q_suppression_same, e, P_INT(client), P_TEXT(order->channel),
		    P_TEXT(order->phone), P_TEXT(order->email));
	if (!row)
		return false;
	*id = value_num(row, "id");
	return true;
}

bool
suppression_add_leads(struct db *db, struct arena *a, int64_t client, const struct value *ids,
    const char *reason, int64_t user_id, int64_t now, int64_t *added, struct error *e)
{
	return db_exec(db, a, q_suppression_add_leads, added, e, P_INT(client), P_JSON(ids),
	    P_TEXT(reason), P_TEXT("a person, in the leads list"), P_ID(user_id), P_TIME(now));
}

bool
suppression_remove(
    struct db *db, struct arena *a, int64_t client, int64_t id, int64_t now, struct error *e)
{
	struct value *row = db_row(db, a, q_suppression_remove, e, P_INT(client), P_INT(id));
	if (!row)
		return e->kind == ERR_NOT_FOUND
			   ? error_set(e, ERR_NOT_FOUND,
				 "It is not on the list, or holds for all clients.")
			   : false;
	if (!value_has(row, "lead_id"))
		return true;
	struct value *ids = value_list(a);
	value_push(a, ids, value_get(row, "lead_id"));
	return lead_recheck(db, a, client, ids, now, e);
}
