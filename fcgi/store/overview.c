#include "store/overview.h"

#include "queries.h"

struct value *
overview_frame(struct db *db, struct arena *a, int64_t client, int64_t now, struct error *e)
{
	return db_row(db, a, q_overview_frame, e, P_INT(client), P_TIME(now));
}

struct value *
overview_all(
    struct db *db, struct arena *a, int64_t client, const char *zone, int64_t now, struct error *e)
{
	struct value *all =
	    db_row(db, a, q_overview_counts, e, P_INT(client), P_TEXT(zone), P_TIME(now));
	struct value *campaigns =
	    all ? db_rows(db, a, q_overview_campaigns, e, P_INT(client), P_TIME(now)) : NULL;
	struct value *live = campaigns ? db_rows(db, a, q_overview_live, e, P_INT(client)) : NULL;
	struct value *newest = live ? db_rows(db, a, q_overview_newest, e, P_INT(client)) : NULL;
	struct value *alerts = newest ? db_rows(db, a, q_overview_alerts, e, P_INT(client)) : NULL;
	struct value *dialer = alerts ? db_row(db, a, q_overview_dialer, e) : NULL;
	struct value *days =
	    dialer ? db_rows(db, a, q_overview_days, e, P_INT(client), P_TIME(now), P_TEXT(zone))
		   : NULL;
	if (!days)
		return NULL;
	value_set(a, all, "days", days);
	value_set(a, all, "campaigns", campaigns);
	value_set(a, all, "live", live);
	value_set(a, all, "newest", newest);
	value_set(a, all, "alerts", alerts);
	value_set(a, all, "dialer", dialer);
	return all;
}
