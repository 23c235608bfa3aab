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

struct value *
alert_list(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit,
    struct error *e)
{
	return db_rows(db, a, q_alert_list, e, P_INT(client_id), P_INT(cursor ? cursor : INT64_MAX),
	    P_INT(limit));
}

struct value *
audit_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit,
    struct error *e)
{
	return db_rows(db, a, q_audit_page, e, P_INT(client_id), P_INT(cursor ? cursor : INT64_MAX),
	    P_INT(limit));
}
