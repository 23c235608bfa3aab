#ifndef ENGINE_BACKUP_H
#define ENGINE_BACKUP_H
/* `trunkline backup` and `trunkline restore`. */
#include "engine/archive.h"
#include "engine/keeping.h"
#include "store/database.h"

/** backup [--to DIR] [--check] [--secret-key] [--list] */
bool keeping_backup(const struct keeping *k, struct error *e) MUST_USE;
/** restore FILE [--into DBNAME] [--yes] */
bool keeping_restore(const struct keeping *k, struct error *e) MUST_USE;

/**
 * Restores ${source} into a new database ${name} (of ${owner}, with ${like}'s locale) and compares
 * it with its manifest: rows and digest of each table. Drops it again where anything fails.
 * ${server}: a connection to another database. *rows: how many there are.
 */
bool restore_fill(const struct keeping *k, struct db *server, const struct archive_source *source,
    const char *name, const char *owner, const char *like, int64_t *rows, struct error *e) MUST_USE;
/** The program of PostgreSQL (pg_dump, pg_restore) that fits the server. */
const char *backup_tool(struct arena *a, const char *name, int64_t version);

#endif
