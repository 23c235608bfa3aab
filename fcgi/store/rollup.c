#include "store/rollup.h"

#include "queries.h"

struct value *
rollup_days(
    struct db *db, struct arena *a, const char *zone, bool all, int64_t now, struct error *e)
{
	return db_rows(db, a, q_rollup_days, e, P_TEXT(zone), P_BOOL(all), P_TIME(now));
}

bool
rollup_day(
    struct db *db, struct arena *a, const char *day, const char *zone, int64_t *n, struct error *e)
{
	const struct value *row = db_row(db, a, q_rollup_day, e, P_TEXT(day), P_TEXT(zone));
	*n = value_num(row, "n");
	return row != NULL;
}
