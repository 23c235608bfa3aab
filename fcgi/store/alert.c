#include "store/alert.h"

#include "queries.h"

bool
alert_raise(struct db *db, struct arena *a, int64_t client_id, const char *kind,
    const char *subject, const char *message, const char *link, int64_t now, struct error *e)
{
	return db_exec(db, a, q_alert_raise, NULL, e, P_ID(client_id), P_TEXT(kind),
	    P_TEXT(subject), P_TEXT(message), P_TEXT(link), P_TIME(now));
}

bool
alert_resolve(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t user_id,
    int64_t now, struct error *e)
{
	return db_exec(db, a, q_alert_resolve, NULL, e, P_INT(client_id), P_INT(id), P_TIME(now),
	    P_ID(user_id));
}

bool
alert_acknowledge(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t user_id,
    int64_t now, bool *done, struct error *e)
{
	int64_t n = 0;
	bool good = db_exec(db, a, q_alert_acknowledge, &n, e, P_INT(client_id), P_INT(id),
	    P_TIME(now), P_ID(user_id));
	*done = n > 0;
	return good;
}

struct value *
alert_list(struct db *db, struct arena *a, int64_t client_id, bool open, int64_t cursor,
    int64_t limit, struct error *e)
{
	return db_rows(db, a, q_alert_list, e, P_INT(client_id), P_INT(cursor ? cursor : INT64_MAX),
	    P_INT(limit), P_BOOL(open));
}

struct value *
alert_open_all(struct db *db, struct arena *a, struct error *e)
{
	return db_rows(db, a, q_alert_open_all, e);
}

struct value *
alert_watch(struct db *db, struct arena *a, const struct value *facts, bool sandbox, int64_t now,
    struct error *e)
{
	struct value *row =
	    db_row(db, a, q_watch_apply, e, P_JSON(facts), P_BOOL(sandbox), P_TIME(now));
	return value_get(row, "report");
}

bool
alert_messages_add(struct db *db, struct arena *a, const struct str *channels, size_t n,
    int64_t now, struct error *e)
{
	return db_exec(db, a, q_alert_messages_add, NULL, e, P_TEXTS(channels, n), P_TIME(now));
}

struct value *
alert_messages_take(
    struct db *db, struct arena *a, const char *channel, int64_t now, struct error *e)
{
	return db_rows(db, a, q_alert_messages_take, e, P_TEXT(channel), P_TIME(now));
}

bool
alert_messages_done(struct db *db, struct arena *a, const struct value *messages,
    const char *problem, int64_t now, struct error *e)
{
	struct value *ids = value_list(a);
	for (size_t i = 0; i < messages->list.n; i++)
		value_push(a, ids, value_int(a, value_num(messages->list.items[i], "id")));
	return db_exec(
	    db, a, q_alert_messages_done, NULL, e, P_JSON(ids), P_TIME(now), P_TEXT(problem));
}

struct value *
audit_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit,
    struct error *e)
{
	return db_rows(db, a, q_audit_page, e, P_INT(client_id), P_INT(cursor ? cursor : INT64_MAX),
	    P_INT(limit));
}
