#include "store/campaign.h"

#include "queries.h"

bool
campaign_put(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const struct value *fields, int64_t user_id, int64_t now, int64_t *made, struct error *e)
{
	struct error why = {0};
	const struct value *row = db_row(db, a, q_campaign_put, &why, P_INT(client_id), P_ID(id),
	    P_JSON(fields), P_ID(user_id), P_TIME(now));
	if (row) {
		*made = value_num(row, "id");
		return true;
	}
	if (why.kind == ERR_CONFLICT && !why.code[0])
		return error_field(
		    e, "name", "There is a campaign of this name already. Choose another name.");
	*e = why;
	return false;
}

bool
campaign_enrol(struct db *db, struct arena *a, int64_t campaign_id, int64_t import_id,
    const struct value *leads, int64_t now, int64_t *n, struct error *e)
{
	const struct value *row = db_row(db, a, q_campaign_enrol, e, P_INT(campaign_id),
	    P_ID(import_id), P_JSON(leads), P_TIME(now));
	*n = value_num(row, "n");
	return row != NULL;
}

bool
campaign_enrol_list(struct db *db, struct arena *a, int64_t client_id, int64_t campaign_id,
    struct str list, int64_t now, int64_t *n, struct error *e)
{
	const struct value *row = db_row(db, a, q_campaign_enrol_list, e, P_INT(campaign_id),
	    P_INT(client_id), P_STR(list), P_TIME(now));
	*n = value_num(row, "n");
	return row != NULL;
}

bool
campaign_do(struct db *db, struct arena *a, int64_t client_id, int64_t id, enum campaign_act act,
    int64_t user_id, int64_t now, bool *changed, int64_t *n, struct error *e)
{
	static const struct db_query *const acts[] = {[CAMPAIGN_START] = &q_campaign_start,
	    [CAMPAIGN_PAUSE] = &q_campaign_pause,
	    [CAMPAIGN_STOP] = &q_campaign_stop,
	    [CAMPAIGN_ARCHIVE] = &q_campaign_archive};
	const struct value *row =
	    db_row(db, a, *acts[act], e, P_INT(client_id), P_INT(id), P_ID(user_id), P_TIME(now));
	if (!row)
		return false;
	*changed = value_flag(row, "changed") || value_num(row, "n") > 0;
	if (n)
		*n = value_num(row, "n");
	return true;
}

struct value *
campaign_find(
    struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now, struct error *e)
{
	return db_row(db, a, q_campaign_find, e, P_INT(client_id), P_INT(id), P_TIME(now));
}

struct value *
campaign_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit,
    struct str state, int64_t now, struct error *e)
{
	return db_rows(db, a, q_campaign_page, e, P_INT(client_id),
	    P_INT(cursor ? cursor : INT64_MAX), P_INT(limit), P_TIME(now), P_STR_OR_NULL(state));
}

struct value *
campaign_preflight(
    struct db *db, struct arena *a, int64_t id, int64_t most, int64_t now, struct error *e)
{
	struct value *row =
	    db_row(db, a, q_campaign_preflight, e, P_INT(id), P_INT(most), P_TIME(now));
	return row ? value_get(row, "preflight") : NULL;
}

struct value *
campaign_reasons(struct db *db, struct arena *a, int64_t id, int64_t now, struct error *e)
{
	return db_rows(db, a, q_campaign_reasons, e, P_INT(id), P_TIME(now));
}

struct value *
campaign_leads(struct db *db, struct arena *a, int64_t id, int64_t cursor, int64_t limit,
    struct str state, int64_t now, struct error *e)
{
	return db_rows(db, a, q_campaign_leads, e, P_INT(id), P_INT(cursor ? cursor : INT64_MAX),
	    P_INT(limit), P_STR_OR_NULL(state), P_TIME(now));
}

struct value *
campaign_sample(struct db *db, struct arena *a, int64_t id, int64_t most, struct error *e)
{
	return db_rows(db, a, q_campaign_sample, e, P_INT(id), P_INT(most));
}

bool
campaign_open(
    struct db *db, struct arena *a, int64_t client_id, bool sandbox, int64_t *id, struct error *e)
{
	const struct value *rows =
	    db_rows(db, a, q_campaign_open, e, P_INT(client_id), P_BOOL(sandbox));
	*id = rows && rows->list.n ? value_num(rows->list.items[0], "id") : 0;
	return rows != NULL;
}

struct value *
campaign_running(struct db *db, struct arena *a, int64_t client_id, struct error *e)
{
	return db_rows(db, a, q_campaign_running_ids, e, P_INT(client_id));
}

struct value *
campaign_sources(struct db *db, struct arena *a, int64_t client_id, int64_t now, struct error *e)
{
	struct value *sources = value_map(a);
	struct value *lists = db_rows(db, a, q_campaign_lists, e, P_INT(client_id));
	struct value *imports =
	    lists ? db_rows(db, a, q_campaign_imports, e, P_INT(client_id)) : NULL;
	const struct value *free =
	    imports ? db_row(db, a, q_leads_pending_free, e, P_INT(client_id), P_TIME(now)) : NULL;
	if (!free)
		return NULL;
	value_set(a, sources, "lists", lists);
	value_set(a, sources, "imports", imports);
	value_set_int(a, sources, "pending", value_num(free, "n"));
	return sources;
}
