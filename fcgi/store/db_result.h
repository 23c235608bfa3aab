#ifndef STORE_DB_RESULT_H
#define STORE_DB_RESULT_H
/* From rows as libpq has them to trees of values; see store/db.h for the types. Only for
 * store/db.c. */
#include <libpq-fe.h>

#include "base/value.h"

/** The column names, once for all rows of ${res}. */
struct str *db_result_names(struct arena *a, const PGresult *res);
struct value *db_result_row(struct arena *a, const PGresult *res, int row, const struct str *names);

#endif
