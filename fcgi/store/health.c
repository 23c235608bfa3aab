#include "store/health.h"

#include "queries.h"
#include "store/migrate.h"

bool
health_schema(struct db *db, struct arena *a, const char *sql_dir, struct error *e)
{
	struct value *missing = db_rows(db, a, q_health_missing, e);
	if (!missing)
		return false;
	if (missing->list.n)
		return error_code(e, ERR_UNAVAILABLE, "schema_missing",
		    "The database has no table %s. Run: trunkline migrate",
		    value_strz(a, missing->list.items[0], "name"));
	const char *pending = NULL;
	if (!migrate_pending(db, a, sql_dir, &pending, e))
		return false;
	return !pending || error_code(e, ERR_UNAVAILABLE, "schema_missing",
			       "The migration %s was not applied. Run: trunkline migrate", pending);
}

struct value *
health_state(struct db *db, struct arena *a, struct error *e)
{
	return db_row(db, a, q_health_state, e);
}

struct value *
health_status(struct db *db, struct arena *a, int64_t now, struct error *e)
{
	return db_row(db, a, q_health_status, e, P_TIME(now));
}

struct value *
health_server(struct db *db, struct arena *a, struct error *e)
{
	return db_row(db, a, q_health_server, e);
}

struct value *
health_zones(struct db *db, struct arena *a, int64_t now, struct error *e)
{
	return db_rows(db, a, q_health_zones, e, P_TIME(now));
}

struct value *
health_campaigns(struct db *db, struct arena *a, struct error *e)
{
	return db_rows(db, a, q_health_campaigns, e);
}

bool
health_clock(struct db *db, struct arena *a, int64_t *now, struct error *e)
{
	struct value *row = db_row(db, a, q_health_clock, e);
	if (row)
		*now = value_micros(row, "now");
	return row != NULL;
}
