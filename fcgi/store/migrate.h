#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H
/*
 * Brings the schema up to date from ${sql_dir}: migrations/NNNN_what.sql once and in order, each in
 * a transaction; each file of functions/ whenever their text changed, all of them in one
 * transaction. A migration that was applied and then edited is an error: the schema would depend on
 * when one installed. So is a database that has a migration which this program does not know: it
 * was made by a newer one. Run-time roles get their rights on what is new
 * (sql/functions/keeping.sql).
 */
#include "store/db.h"

struct migrate_report {
	int migrations, functions; /* applied now */
};

/** Only one process at a time does it; another waits five seconds. */
bool migrate_run(struct db *db, struct arena *a, const char *sql_dir, struct migrate_report *report,
    struct error *e) MUST_USE;
/** *name: the first migration that is in the folder but not in the database, or NULL. A folder that
 * cannot be read has none. */
bool migrate_pending(struct db *db, struct arena *a, const char *sql_dir, const char **name,
    struct error *e) MUST_USE;

#endif
