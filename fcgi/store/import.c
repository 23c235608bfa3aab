#include "store/import.h"

#include "queries.h"

bool
import_create(struct db *db, struct arena *a, int64_t client_id, const struct import_file *f,
    int64_t user_id, int64_t now, int64_t *id, struct error *e)
{
	const struct value *row = db_row(db, a, q_import_create, e, P_INT(client_id),
	    P_TEXT(f->state), P_TEXT(f->file_name), P_INT(f->size), P_TEXT(f->sha256),
	    P_TEXT(f->spool_path), P_TEXT(f->format), P_TEXT(f->encoding), P_TEXT(f->delimiter),
	    P_JSON(f->columns), P_JSON(f->options), P_ID(f->same_as), P_ID(user_id), P_TIME(now));
	*id = value_num(row, "id");
	return row && db_exec(db, a, q_import_wake, NULL, e);
}

bool
import_same(struct db *db, struct arena *a, int64_t client_id, const char *sha256, int64_t *same_as,
    struct error *e)
{
	const struct value *rows =
	    db_rows(db, a, q_import_same, e, P_INT(client_id), P_TEXT(sha256));
	*same_as = rows && rows->list.n ? value_num(rows->list.items[0], "id") : 0;
	return rows != NULL;
}

struct value *
import_find(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e)
{
	struct value *row = db_row(db, a, q_import_find, e, P_INT(client_id), P_INT(id));
	if (!row && e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_NOT_FOUND, "There is no import %lld.", (long long)id);
	return row;
}

struct value *
import_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit,
    struct error *e)
{
	return db_rows(db, a, q_import_page, e, P_INT(client_id),
	    P_INT(cursor ? cursor : INT64_MAX), P_INT(limit));
}

struct value *
import_pending(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e)
{
	struct value *row = db_row(db, a, q_import_pending, e, P_INT(client_id), P_INT(id));
	if (!row && e->kind == ERR_NOT_FOUND && import_find(db, a, client_id, id, e))
		error_set(e, ERR_CONFLICT, "This import no longer waits for its columns.");
	return row;
}

bool
import_remembered(struct db *db, struct arena *a, int64_t client_id, const struct value *names,
    const struct value **columns, struct error *e)
{
	const struct value *rows =
	    db_rows(db, a, q_import_remembered, e, P_INT(client_id), P_JSON(names));
	*columns = rows && rows->list.n ? value_get(rows->list.items[0], "columns") : NULL;
	return rows != NULL;
}

bool
import_mapped(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const struct import_file *f, struct error *e)
{
	int64_t n = 0;
	if (!db_exec(db, a, q_import_mapped, &n, e, P_INT(client_id), P_INT(id), P_JSON(f->columns),
		P_JSON(f->options), P_TEXT(f->format), P_TEXT(f->encoding), P_TEXT(f->delimiter)))
		return false;
	if (!n)
		return error_set(e, ERR_CONFLICT, "This import no longer waits for its columns.");
	return db_exec(db, a, q_import_wake, NULL, e);
}

bool
import_ask_cancel(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now,
    const char **unused, struct error *e)
{
	const struct value *row =
	    db_row(db, a, q_import_ask_cancel, e, P_INT(client_id), P_INT(id), P_TIME(now));
	*unused = value_strz(a, row, "unused");
	if (!row && e->kind == ERR_NOT_FOUND && import_find(db, a, client_id, id, e))
		error_set(e, ERR_CONFLICT, "This import has ended; it can be undone.");
	return row != NULL;
}

bool
import_ask_undo(
    struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now, struct error *e)
{
	const struct value *row =
	    db_row(db, a, q_import_undo_refusal, e, P_INT(client_id), P_INT(id));
	struct str refusal = value_str(row, "refusal");
	if (!row && e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_NOT_FOUND, "There is no import %lld.", (long long)id);
	if (!row)
		return false;
	if (refusal.n)
		return error_code(e, ERR_CONFLICT, "cannot_undo", "%.*s", STR_ARG(refusal));
	return db_exec(
		   db, a, q_import_ask_undo, NULL, e, P_INT(client_id), P_INT(id), P_TIME(now)) &&
	       db_exec(db, a, q_import_wake, NULL, e);
}

bool
import_attest(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct str source,
    int64_t user_id, int64_t now, int64_t *n, struct error *e)
{
	const struct value *row = db_row(db, a, q_import_attest, e, P_INT(client_id), P_INT(id),
	    P_STR(source), P_ID(user_id), P_TIME(now));
	*n = value_num(row, "n");
	return row != NULL;
}

struct value *
import_lines_page(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t cursor,
    int64_t limit, struct str verdict, struct error *e)
{
	return db_rows(db, a, q_import_lines_page, e, P_INT(client_id), P_INT(id), P_INT(cursor),
	    P_INT(limit), P_STR_OR_NULL(verdict));
}

bool
import_lines_stream(struct db *db, struct arena *a, int64_t id, bool all, db_row_fn *each,
    void *ctx, struct error *e)
{
	return db_stream(db, a, q_import_lines_all, each, ctx, e, P_INT(id), P_BOOL(all));
}

bool
import_stage(struct db *db, struct arena *a, struct error *e)
{
	return db_exec(db, a, q_import_stage, NULL, e);
}

bool
import_areas(struct db *db, struct arena *a, struct str *prefixes, struct error *e)
{
	const struct value *row = db_row(db, a, q_import_areas, e);
	*prefixes = value_str(row, "prefixes");
	return row != NULL;
}

bool
import_take(struct db *db, struct arena *a, const char *token, int64_t lease, int64_t now,
    int64_t *id, struct error *e)
{
	const struct value *row =
	    db_row(db, a, q_import_take, e, P_TEXT(token), P_INT(lease), P_TIME(now));
	*id = value_num(row, "id");
	return row != NULL;
}

struct value *
import_job(struct db *db, struct arena *a, int64_t id, struct error *e)
{
	return db_row(db, a, q_import_job, e, P_INT(id));
}

static bool
stage_rows(struct db *db, struct str rows, struct error *e)
{
	enum { PIECE = 1 << 20 };
	struct error why = {0};
	bool good = true;
	if (!db_copy_start(db, &q_import_copy, e))
		return false;
	for (size_t at = 0; good && at < rows.n; at += PIECE)
		good =
		    db_copy_put(db, rows.p + at, rows.n - at < PIECE ? rows.n - at : PIECE, &why);
	if (!good)
		*e = why;
	return db_copy_end(db, !good, good ? e : &why) && good;
}

bool
import_batch_send(
    struct db *db, struct arena *a, const struct import_batch *b, struct str rows, struct error *e)
{
	return stage_rows(db, rows, e) &&
	       db_send(db, a, q_import_merge, e, P_INT(b->id), P_TEXT(b->token), P_INT(b->lane + 1),
		   P_INT(b->lanes), P_INT(b->line), P_INT(b->bytes), P_INT(b->lease),
		   P_TIME(b->now));
}

bool
import_batch_end(struct db *db, struct arena *a, bool *canceled, struct error *e)
{
	const struct value *rows = db_answer(db, a, e);
	*canceled = rows && rows->list.n && value_flag(rows->list.items[0], "canceled");
	return rows != NULL;
}

bool
import_tidy(struct db *db, struct arena *a, struct error *e)
{
	return db_exec(db, a, q_import_tidy, NULL, e);
}

bool
import_release(struct db *db, struct arena *a, int64_t id, const char *token, int64_t seconds,
    bool good, int64_t now, struct error *e)
{
	return db_exec(db, a, q_import_release, NULL, e, P_INT(id), P_TEXT(token), P_INT(seconds),
	    P_BOOL(good), P_TIME(now));
}

bool
import_finish(struct db *db, struct arena *a, int64_t id, const char *token, const char *error,
    int64_t now, struct error *e)
{
	return db_exec(
	    db, a, q_import_finish, NULL, e, P_INT(id), P_TEXT(token), P_TEXT(error), P_TIME(now));
}

bool
import_undo(
    struct db *db, struct arena *a, int64_t id, const char *token, int64_t now, struct error *e)
{
	return db_exec(db, a, q_import_undo, NULL, e, P_INT(id), P_TEXT(token), P_TIME(now));
}
