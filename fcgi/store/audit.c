#include "store/audit.h"

#include "queries.h"

bool
audit_add(struct db *db, struct arena *a, int64_t client_id, int64_t user_id, const char *who,
    const char *action, const char *object, const struct value *detail, const char *address,
    int64_t now, struct error *e)
{
	return db_exec(db, a, q_audit_add, NULL, e, P_INT(client_id), P_ID(user_id), P_TEXT(who),
	    P_TEXT(action), P_TEXT(object), P_JSON(detail ? detail : value_map(a)), P_TEXT(address),
	    P_TIME(now));
}
