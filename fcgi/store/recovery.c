#include "store/recovery.h"

#include "queries.h"
#include "store/database.h"

bool
recovery_hold(struct db *db, struct arena *a, int64_t made, int64_t now, struct error *e)
{
	return db_exec(db, a, q_recovery_hold, NULL, e, P_TIME(made), P_TIME(now));
}

bool
recovery_carry(
    struct db *from, struct db *to, struct arena *a, int64_t now, int64_t *carried, struct error *e)
{
	struct value *tables = db_row(from, a, q_database_has_tables, e);
	*carried = 0;
	if (!tables)
		return false;
	if (!value_flag(tables, "suppressions"))
		return true;
	/* In pieces: a list of a million numbers is no single parameter. */
	for (int64_t after = 0;;) {
		struct value *piece = db_row(from, a, q_recovery_orders, e, P_INT(after));
		if (!piece)
			return false;
		int64_t last = value_num(piece, "last");
		if (!last)
			return true;
		struct value *row = db_row(
		    to, a, q_recovery_carry, e, P_JSON(value_get(piece, "orders")), P_TIME(now));
		if (!row)
			return false;
		*carried += value_num(row, "carried");
		after = last;
	}
}
