#ifndef STORE_DB_RESULT_H
#define STORE_DB_RESULT_H
/* From rows as libpq has them, in the server's binary format, to trees of values; see store/db.h
 * for the types. Only for store/db.c. */
#include <libpq-fe.h>

#include "base/value.h"

struct db_column;

/** How the columns of ${res} are read, once for all its rows. NULL and ERR_INTERNAL where there is
 * a type that nobody here can read: cast it in the statement. ${query}: its name, for the message.
 */
struct db_column *db_result_columns(
    struct arena *a, const PGresult *res, const char *query, struct error *e) MUST_USE;
/** The row as a VALUE_MAP with room for some more members. */
struct value *db_result_row(
    struct arena *a, const PGresult *res, int row, const struct db_column *columns);

#endif
