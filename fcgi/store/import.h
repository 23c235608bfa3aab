#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H
/* Uploaded files and what became of each of their lines; sql/functions/import.sql. */
#include "store/db.h"

struct import_file {
	const char *state; /* "queued", or "mapping": a person is asked about the columns first */
	const char *file_name, *sha256, *spool_path, *format, *encoding, *delimiter;
	int64_t size, same_as; /* 0: no earlier import of the same bytes */
	const struct value *columns, *options;
};

bool import_create(struct db *db, struct arena *a, int64_t client_id, const struct import_file *f,
    int64_t user_id, int64_t now, int64_t *id, struct error *e) MUST_USE;
/** The newest import of the very same bytes that was not undone; *same_as 0: none. */
bool import_same(struct db *db, struct arena *a, int64_t client_id, const char *sha256,
    int64_t *same_as, struct error *e) MUST_USE;
struct value *import_find(
    struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e) MUST_USE;
/** Newest first, ids below ${cursor}. */
struct value *import_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor,
    int64_t limit, struct error *e) MUST_USE;
/** One that waits for its columns: {spool_path, file_name, options, columns, same_as}. ERR_CONFLICT
 * where it no longer does. */
struct value *import_pending(
    struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e) MUST_USE;
/** Columns as people chose them for a file with the same headers; *columns NULL: never. */
bool import_remembered(struct db *db, struct arena *a, int64_t client_id, const struct value *names,
    const struct value **columns, struct error *e) MUST_USE;
/** Columns, options, format, encoding and delimiter of ${f}, and off it goes. */
bool import_mapped(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const struct import_file *f, struct error *e) MUST_USE;
/** *unused: the file that nobody needs any more, or NULL. ERR_CONFLICT where it has ended. */
bool import_ask_cancel(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now,
    const char **unused, struct error *e) MUST_USE;
/** ERR_CONFLICT with the reason where it cannot be undone. */
bool import_ask_undo(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now,
    struct error *e) MUST_USE;
/** Consent from ${source} for those of its leads about whom nothing was said; *n: how many. */
bool import_attest(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct str source,
    int64_t user_id, int64_t now, int64_t *n, struct error *e) MUST_USE;
/** Lines after line ${cursor}; ${verdict} "" = all that did not become a new lead. */
struct value *import_lines_page(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    int64_t cursor, int64_t limit, struct str verdict, struct error *e) MUST_USE;
/** All refused lines; ${all}: also those that were skipped or updated a lead. */
bool import_lines_stream(struct db *db, struct arena *a, int64_t id, bool all, db_row_fn *each,
    void *ctx, struct error *e) MUST_USE;

/* For the job. */

/** The session's staging table. */
bool import_stage(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** All prefixes that rules/area.h asks for, in its form. */
bool import_areas(struct db *db, struct arena *a, struct str *prefixes, struct error *e) MUST_USE;
/** The next job that waits, leased under ${token} for ${lease} seconds; *id 0: none. */
bool import_take(struct db *db, struct arena *a, const char *token, int64_t lease, int64_t now,
    int64_t *id, struct error *e) MUST_USE;
struct value *import_job(struct db *db, struct arena *a, int64_t id, struct error *e) MUST_USE;
struct import_batch {
	int64_t id;
	const char *token;
	int lane, lanes; /* of ${lanes} that work at the same time, from 0 on */
	int64_t line;    /* all of the lane's lines up to here are in it or were before */
	int64_t bytes;   /* how far the file was read */
	int64_t lease;   /* seconds, from ${now} on */
	int64_t now;
};
/** COPY into the stage, then begins to merge, which commits by itself. ${rows} may go at once. */
bool import_batch_send(struct db *db, struct arena *a, const struct import_batch *b,
    struct str rows, struct error *e) MUST_USE;
/** Waits for it. ERR_CONFLICT where another worker has taken the job over. */
bool import_batch_end(struct db *db, struct arena *a, bool *canceled, struct error *e) MUST_USE;
/** Once all batches are in: puts what they left for later into the index that is searched. */
bool import_tidy(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** Gives the job back; it may be taken again after ${seconds}. ${good}: nothing went wrong. */
bool import_release(struct db *db, struct arena *a, int64_t id, const char *token, int64_t seconds,
    bool good, int64_t now, struct error *e) MUST_USE;
/** ${error} NULL: done; "canceled"; else failed with that message. */
bool import_finish(struct db *db, struct arena *a, int64_t id, const char *token, const char *error,
    int64_t now, struct error *e) MUST_USE;
bool import_undo(struct db *db, struct arena *a, int64_t id, const char *token, int64_t now,
    struct error *e) MUST_USE;

#endif
