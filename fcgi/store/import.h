#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H
/* Uploaded files and what became of each of their lines. */
#include "store/db.h"

struct import_file {
	const char *state; /* "queued" or "mapping" */
	const char *file_name, *sha256, *spool_path, *format, *encoding, *delimiter;
	int64_t size;
	const struct value *columns, *options;
};

bool import_create(struct db *db, struct arena *a, int64_t client_id, const struct import_file *f,
    int64_t user_id, int64_t now, int64_t *id, int64_t *same_as, struct error *e) MUST_USE;
/** The newest import of the very same bytes: {id, created_at, rows_created}; *found NULL: none. */
bool import_same(struct db *db, struct arena *a, int64_t client_id, const char *sha256,
    const struct value **found, struct error *e) MUST_USE;
struct value *import_find(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    struct error *e) MUST_USE;
struct value *import_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit,
    struct error *e) MUST_USE;
/** One that waits for its columns: {spool_path, options, columns}. ERR_NOT_FOUND. */
struct value *import_spool(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    struct error *e) MUST_USE;
/** Columns as people chose them for a file with the same headers; *columns NULL: never. */
bool import_remembered(struct db *db, struct arena *a, int64_t client_id, const struct value *names,
    const struct value **columns, struct error *e) MUST_USE;
bool import_mapped(struct db *db, struct arena *a, int64_t client_id, int64_t id, const struct value *columns,
    const struct value *options, struct error *e) MUST_USE;
bool import_ask_cancel(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now,
    struct error *e) MUST_USE;
bool import_ask_undo(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now,
    struct error *e) MUST_USE;
/** Lines after ${cursor}; ${verdict} "" = all that did not become a new lead. */
struct value *import_lines_page(struct db *db, struct arena *a, int64_t id, int64_t cursor, int64_t limit,
    struct str verdict, struct error *e) MUST_USE;
bool import_lines_stream(struct db *db, struct arena *a, int64_t id, db_row_fn *each, void *ctx,
    struct error *e) MUST_USE;

/* For the job. */
bool import_stage(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** The next import that waits, leased under ${token}; *id 0: none. */
bool import_take(struct db *db, struct arena *a, const char *token, int64_t lease, int64_t now, int64_t *id,
    struct error *e) MUST_USE;
struct value *import_job(struct db *db, struct arena *a, int64_t id, struct error *e) MUST_USE;
bool import_canceled(struct db *db, struct arena *a, int64_t id, bool *canceled, struct error *e) MUST_USE;
/** COPY into the stage, then merge. ERR_CONFLICT where another job has taken the import over. */
bool import_batch(struct db *db, struct arena *a, int64_t id, const char *token, struct str rows, int64_t line,
    int64_t bytes, int64_t lease, int64_t now, struct error *e) MUST_USE;
/** ${error} NULL: done; "canceled"; else failed with that message. */
bool import_finish(struct db *db, struct arena *a, int64_t id, const char *token, const char *error,
    int64_t now, struct error *e) MUST_USE;
bool import_undo(struct db *db, struct arena *a, int64_t id, const char *token, int64_t now,
    struct error *e) MUST_USE;

#endif
