#ifndef STORE_DB_BIND_H
#define STORE_DB_BIND_H
/* Parameters as libpq is given them; for store/db.c only. */
#include "store/db.h"

enum { DB_MOST_PARAMS = 40 };

/* Text, but for arrays, which are binary. */
struct db_bound {
	const char *values[DB_MOST_PARAMS];
	int lengths[DB_MOST_PARAMS], formats[DB_MOST_PARAMS];
};

/** ${params} on ${a}. A NUL in a text cannot be stored and is the caller's bad input:
 * ERR_INVALID. */
bool db_bind(struct arena *a, const struct db_param *params, int n, struct db_bound *out,
    struct error *e) MUST_USE;

#endif
