#include "store/lead.h"

#include "queries.h"

/* Without a filter, downwards: a walk along the index of the newest. */
static bool
is_plain(const struct lead_place *p)
{
	return !p->newer && p->filter->map.n == 0;
}

static int64_t
start(const struct lead_place *p)
{
	return !p->cursor && !p->newer ? INT64_MAX : p->cursor;
}

struct value *
lead_page(
    struct db *db, struct arena *a, int64_t client, const struct lead_place *p, struct error *e)
{
	if (is_plain(p))
		return db_rows(
		    db, a, q_lead_newest, e, P_INT(client), P_INT(start(p)), P_INT(p->limit));
	return db_rows(db, a, q_lead_search, e, P_INT(client), P_JSON(p->filter), P_INT(start(p)),
	    P_BOOL(p->newer), P_INT(p->limit));
}

bool
lead_screen(struct db *db, struct arena *a, int64_t client, const struct lead_place *p,
    int64_t most, int64_t now, struct lead_screen *out, struct error *e)
{
	bool all = p->filter->map.n == 0;
	/* What may count anew, and then holds a lock until the end, comes last. */
	struct db_ask asks[] = {
	    DB_ASK(q_lead_matches, P_INT(client), P_JSON(p->filter), P_INT(most)),
	    is_plain(p) ? DB_ASK(q_lead_list, P_INT(client), P_INT(start(p)), P_INT(p->limit))
			: DB_ASK(q_lead_search, P_INT(client), P_JSON(p->filter), P_INT(start(p)),
			      P_BOOL(p->newer), P_INT(p->limit)),
	    DB_ASK(q_lead_choices, P_INT(client), P_INT(most), P_TIME(now))};
	if (!db_together(db, a, asks + all, 3 - all, e))
		return false;
	out->rows = asks[1].rows;
	out->choices = asks[2].rows->list.items[0];
	out->matches = all ? value_num(out->choices, "few")
			   : value_num(asks[0].rows->list.items[0], "matches");
	return true;
}

struct value *
lead_prompts(struct db *db, struct arena *a, int64_t client, struct error *e)
{
	return db_rows(db, a, q_lead_prompts, e, P_INT(client));
}

struct value *
lead_find(struct db *db, struct arena *a, int64_t client, int64_t id, struct error *e)
{
	struct value *row = db_row(db, a, q_lead_find, e, P_INT(client), P_INT(id));
	if (!row && e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_NOT_FOUND, "There is no lead %lld.", (long long)id);
	return row;
}

struct value *
lead_history(struct db *db, struct arena *a, int64_t client, int64_t id, struct error *e)
{
	struct value *all = value_map(a);
	struct value *calls = db_rows(db, a, q_lead_calls, e, P_INT(client), P_INT(id));
	struct value *decisions =
	    calls ? db_rows(db, a, q_lead_decisions, e, P_INT(client), P_INT(id)) : NULL;
	struct value *journeys =
	    decisions ? db_rows(db, a, q_lead_enrollments, e, P_INT(client), P_INT(id)) : NULL;
	struct value *consents =
	    journeys ? db_rows(db, a, q_consent_list, e, P_INT(client), P_INT(id), P_INT(50))
		     : NULL;
	if (!consents)
		return NULL;
	value_set(a, all, "calls", calls);
	value_set(a, all, "decisions", decisions);
	value_set(a, all, "enrollments", journeys);
	value_set(a, all, "consents", consents);
	return all;
}

struct value *
lead_contactability(struct db *db, struct arena *a, int64_t id, const char *channel,
    int64_t campaign, int64_t now, struct error *e)
{
	return db_row(db, a, q_lead_contactability, e, P_INT(id), P_TEXT(channel), P_ID(campaign),
	    P_TIME(now));
}

struct value *
lead_clock(struct db *db, struct arena *a, int64_t id, int64_t now, struct error *e)
{
	return db_rows(db, a, q_lead_clock, e, P_INT(id), P_TIME(now));
}

/* A member that is there, even if empty; NULL where it is missing. */
static struct db_param
given(const struct value *fields, const char *name)
{
	return value_has(fields, name) ? P_STR(value_str(fields, name)) : P_NULL;
}

bool
lead_insert(struct db *db, struct arena *a, int64_t client, const struct value *fields, int64_t *id,
    struct error *e)
{
	struct str prompt = value_str(fields, "prompt_name");
	struct value *row =
	    db_row(db, a, q_lead_insert, e, P_INT(client), P_STR(value_str(fields, "phone")),
		P_STR_OR_NULL(value_str(fields, "extension")), P_STR(value_str(fields, "contact")),
		P_STR(value_str(fields, "company")), P_STR(value_str(fields, "email")),
		P_STR(value_str(fields, "location")), P_STR_OR_NULL(value_str(fields, "region")),
		P_STR_OR_NULL(value_str(fields, "time_zone")), P_STR(value_str(fields, "source")),
		P_STR(value_str(fields, "assigned_agent")), P_STR(value_str(fields, "notes")),
		P_STR(value_str(fields, "list")), P_STR(prompt.n ? prompt : STR("default")),
		P_JSON(value_get(fields, "attributes")));
	if (row) {
		*id = value_num(row, "id");
		return true;
	}
	if (e->kind != ERR_NOT_FOUND)
		return false;
	row = db_row(db, a, q_lead_by_phone, e, P_INT(client), P_STR(value_str(fields, "phone")));
	if (!row)
		return false;
	error_code(e, ERR_CONFLICT, "duplicate_phone",
	    "This number already belongs to lead %lld%s.", (long long)value_num(row, "id"),
	    value_has(row, "archived_at") ? ", which is archived. Restore it instead" : "");
	return false;
}

bool
lead_update(struct db *db, struct arena *a, int64_t client, int64_t id, const struct value *fields,
    int64_t now, struct error *e)
{
	const struct value *attributes = value_get(fields, "attributes");
	struct value *row = db_row(db, a, q_lead_update, e, P_INT(client), P_INT(id),
	    given(fields, "phone"), given(fields, "extension"), given(fields, "contact"),
	    given(fields, "company"), given(fields, "email"), given(fields, "location"),
	    given(fields, "region"), given(fields, "time_zone"), given(fields, "source"),
	    given(fields, "assigned_agent"), given(fields, "notes"), given(fields, "list"),
	    given(fields, "prompt_name"), P_JSON(attributes), P_TIME(now));
	if (!row) {
		if (e->kind == ERR_NOT_FOUND)
			error_set(e, ERR_NOT_FOUND, "There is no lead %lld.", (long long)id);
		if (e->kind == ERR_CONFLICT)
			error_code(e, ERR_CONFLICT, "duplicate_phone",
			    "Another lead has this number already. Search for it and edit that one.");
		return false;
	}
	if (!value_flag(row, "moved"))
		return true;
	struct value *ids = value_list(a);
	value_push(a, ids, value_int(a, id));
	return lead_recheck(db, a, client, ids, now, e);
}

bool
lead_note(struct db *db, struct arena *a, int64_t client, int64_t id, const char *line, int64_t now,
    struct error *e)
{
	int64_t changed = 0;
	if (!db_exec(db, a, q_lead_note, &changed, e, P_INT(client), P_INT(id), P_TEXT(line),
		P_TIME(now)))
		return false;
	return changed || error_set(e, ERR_NOT_FOUND, "There is no lead %lld.", (long long)id);
}

bool
lead_archive(struct db *db, struct arena *a, int64_t client, const struct value *ids, bool archive,
    int64_t now, int64_t *changed, struct error *e)
{
	return db_exec(db, a, q_lead_archive, changed, e, P_INT(client), P_JSON(ids),
	    P_BOOL(archive), P_TIME(now));
}

bool
lead_recheck(struct db *db, struct arena *a, int64_t client, const struct value *ids, int64_t now,
    struct error *e)
{
	return db_exec(db, a, q_lead_recheck, NULL, e, P_INT(client), P_JSON(ids), P_TIME(now));
}

struct value *
lead_enrol(struct db *db, struct arena *a, int64_t client, int64_t campaign,
    const struct value *ids, int64_t now, struct error *e)
{
	struct value *row = db_row(
	    db, a, q_lead_enrol, e, P_INT(client), P_INT(campaign), P_JSON(ids), P_TIME(now));
	if (!row && e->kind == ERR_NOT_FOUND)
		error_field(e, "campaign_id", "There is no such campaign. Choose one of the list.");
	return row;
}

struct export
{
	db_row_fn *each;
	void *ctx;
	int64_t last, count; /* id of the last row; how many came in this part */
};

static bool
export_row(void *ctx, const struct value *row, struct error *e)
{
	struct export *x = ctx;
	x->last = value_num(row, "id");
	x->count++;
	return x->each(x->ctx, row, e);
}

/* In parts, each a short statement of its own: no snapshot is held and no page waits for a
 * download. */
bool
lead_export(struct db *db, struct arena *a, int64_t client, const struct value *filter,
    int64_t most, db_row_fn *each, void *ctx, struct error *e)
{
	enum { PART = 2000 };
	struct export x = {.each = each, .ctx = ctx, .last = INT64_MAX, .count = PART};
	for (int64_t sent = 0; sent < most && x.count == PART; sent += x.count) {
		x.count = 0;
		if (!db_stream(db, a, q_lead_export, export_row, &x, e, P_INT(client),
			P_JSON(filter), P_INT(x.last), P_INT(PART)))
			return false;
	}
	return true;
}
