#include "engine/rollup.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/database.h"
#include "store/maintenance.h"
#include "store/rollup.h"

static bool
count_days(const struct keeping *k, struct db *db, struct value *detail, struct error *e)
{
	const char *zone = k->config->time_zone;
	const struct value *days =
	    rollup_days(db, k->a, zone, keeping_flag(k, "--all"), clock_now(), e);
	int64_t rows = 0;
	if (!days)
		return false;
	struct arena *piece = arena_new(4096);
	bool good = true;
	for (size_t i = 0; good && i < days->list.n; i++) {
		int64_t n = 0;
		good = rollup_day(
		    db, piece, value_strz(piece, days->list.items[i], "day"), zone, &n, e);
		rows += n;
		arena_reset(piece);
	}
	arena_free(piece);
	value_set_int(k->a, detail, "days", (int64_t)days->list.n);
	value_set_int(k->a, detail, "rows", rows);
	return good;
}

static bool
roll_up(const struct keeping *k, struct db *db, struct error *e)
{
	int64_t id = 0;
	struct value *detail = value_map(k->a);
	if (!maintenance_begin(db, k->a, "rollup", clock_now(), &id, e))
		return false;
	bool good = count_days(k, db, detail, e);
	maintenance_end(db, k->a, id, detail, good ? NULL : e, clock_now());
	if (good)
		printf("%lld days counted.\n", (long long)value_num(detail, "days"));
	return good;
}

bool
keeping_rollup(const struct keeping *k, struct error *e)
{
	const char *url = k->config->database_url;
	if (!database_become(k->a, url, "trunkline", e))
		return false;
	struct db *db = database_open(k->a, url, NULL, e);
	bool good = db && roll_up(k, db, e);
	db_close(db);
	return good;
}
