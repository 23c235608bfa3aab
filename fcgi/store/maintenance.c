#include "store/maintenance.h"

#include "base/log.h"
#include "queries.h"

bool
maintenance_begin(
    struct db *db, struct arena *a, const char *name, int64_t now, int64_t *id, struct error *e)
{
	struct value *row = db_row(db, a, q_maintenance_begin, e, P_TEXT(name), P_TIME(now));
	*id = value_num(row, "id");
	return row != NULL;
}

void
maintenance_end(struct db *db, struct arena *a, int64_t id, struct value *detail,
    const struct error *why, int64_t now)
{
	struct error e = {0};
	struct value *told = detail ? detail : value_map(a);
	if (why)
		value_set_text(a, told, "error", why->message);
	if (id && !db_exec(db, a, q_maintenance_end, NULL, &e, P_INT(id), P_TIME(now), P_BOOL(!why),
		      P_JSON(told)))
		log_error("a run's end could not be kept", LOG_TEXT("why", e.message));
}

bool
maintenance_add(struct db *db, struct arena *a, const char *name, int64_t started, int64_t now,
    const struct value *detail, struct error *e)
{
	return db_exec(db, a, q_maintenance_add, NULL, e, P_TEXT(name), P_TIME(started),
	    P_TIME(now), P_BOOL(true), P_JSON(detail));
}
