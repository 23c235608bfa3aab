#include "store/import.h"

#include "queries.h"

bool
import_create(struct db *db, struct arena *a, int64_t client_id, const struct import_file *f, int64_t user_id,
    int64_t now, int64_t *id, int64_t *same_as, struct error *e)
{
	const struct value *row = db_row(db, a, q_import_create, e, P_INT(client_id), P_TEXT(f->state),
	    P_TEXT(f->file_name), P_INT(f->size), P_TEXT(f->sha256), P_TEXT(f->spool_path), P_TEXT(f->format),
	    P_TEXT(f->encoding), P_TEXT(f->delimiter), P_JSON(f->columns), P_JSON(f->options), P_ID(user_id),
	    P_TIME(now));
	if (!row)
		return false;
	*id = value_num(row, "id");
	*same_as = value_num(row, "same_as");
	return db_exec(db, a, q_import_wake, NULL, e);
}

bool
import_same(struct db *db, struct arena *a, int64_t client_id, const char *sha256, const struct value **found,
    struct error *e)
{
	const struct value *rows = db_rows(db, a, q_import_same, e, P_INT(client_id), P_TEXT(sha256));
	*found = rows && rows->list.n ? rows->list.items[0] : NULL;
	return rows != NULL;
}

struct value *
import_find(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e)
{
	return db_row(db, a, q_import_find, e, P_INT(client_id), P_INT(id));
}

struct value *
import_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor, int64_t limit, struct error *e)
{
	return db_rows(db, a, q_import_page, e, P_INT(client_id), P_INT(cursor ? cursor : INT64_MAX), P_INT(limit));
}

struct value *
import_spool(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e)
{
	return db_row(db, a, q_import_spool, e, P_INT(client_id), P_INT(id));
}

bool
import_remembered(struct db *db, struct arena *a, int64_t client_id, const struct value *names,
    const struct value **columns, struct error *e)
{
	const struct value *rows = db_rows(db, a, q_import_remembered, e, P_INT(client_id), P_JSON(names));
	*columns = rows && rows->list.n ? value_get(rows->list.items[0], "columns") : NULL;
	return rows != NULL;
}

bool
import_mapped(struct db *db, struct arena *a, int64_t client_id, int64_t id, const struct value *columns,
    const struct value *options, struct error *e)
{
	int64_t n = 0;
	if (!db_exec(db, a, q_import_mapped, &n, e, P_INT(client_id), P_INT(id), P_JSON(columns), P_JSON(options)))
		return false;
	if (!n)
		return error_set(e, ERR_CONFLICT, "This import no longer waits for its columns.");
	return db_exec(db, a, q_import_wake, NULL, e);
}

bool
import_ask_cancel(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now, struct error *e)
{
	return db_exec(db, a, q_import_ask_cancel, NULL, e, P_INT(client_id), P_INT(id), P_TIME(now));
}

bool
import_ask_undo(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t now, struct error *e)
{
	return db_exec(db, a, q_import_ask_undo, NULL, e, P_INT(client_id), P_INT(id), P_TIME(now)) &&
	       db_exec(db, a, q_import_wake, NULL, e);
}

struct value *
import_lines_page(struct db *db, struct arena *a, int64_t id, int64_t cursor, int64_t limit, struct str verdict,
    struct error *e)
{
	return db_rows(db, a, q_import_lines_page, e, P_INT(id), P_INT(cursor), P_INT(limit), P_STR_OR_NULL(verdict));
}

bool
import_lines_stream(struct db *db, struct arena *a, int64_t id, db_row_fn *each, void *ctx, struct error *e)
{
	return db_stream(db, a, q_import_lines_all, each, ctx, e, P_INT(id));
}

bool
import_stage(struct db *db, struct arena *a, struct error *e)
{
	return db_exec(db, a, q_import_stage, NULL, e);
}

bool
import_take(struct db *db, struct arena *a, const char *token, int64_t lease, int64_t now, int64_t *id,
    struct error *e)
{
	const struct value *row = db_row(db, a, q_import_take, e, P_TEXT(token), P_INT(lease), P_TIME(now));
	*id = value_num(row, "id");
	return row != NULL;
}

struct value *
import_job(struct db *db, struct arena *a, int64_t id, struct error *e)
{
	return db_row(db, a, q_import_job, e, P_INT(id));
}

bool
import_canceled(struct db *db, struct arena *a, int64_t id, bool *canceled, struct error *e)
{
	const struct value *row = db_row(db, a, q_import_canceled, e, P_INT(id));
	*canceled = value_flag(row, "canceled");
	return row != NULL;
}

static bool
stage_rows(struct db *db, struct str rows, struct error *e)
{
	if (!db_copy_start(db, &q_import_copy, e))
		return false;
	struct error why = {0};
	bool good = db_copy_put(db, rows.p, rows.n, &why);
	return db_copy_end(db, !good, e) && good;
}

bool
import_batch(struct db *db, struct arena *a, int64_t id, const char *token, struct str rows, int64_t line,
    int64_t bytes, int64_t lease, int64_t now, struct error *e)
{
	if (!db_begin(db, e))
		return false;
	const struct value *row = NULL;
	if (stage_rows(db, rows, e))
		row = db_row(db, a, q_import_merge, e, P_INT(id), P_TEXT(token), P_INT(line), P_INT(bytes), P_INT(lease),
		    P_TIME(now));
	if (row && value_flag(row, "held"))
		return db_commit(db, e);
	db_rollback(db);
	if (row)
		error_set(e, ERR_CONFLICT, "Another job has taken this import over.");
	return false;
}

bool
import_finish(struct db *db, struct arena *a, int64_t id, const char *token, const char *error, int64_t now,
    struct error *e)
{
	return db_exec(
	    db, a, q_import_finish, NULL, e, P_INT(id), P_TEXT(token), P_TEXT(error), P_TIME(now));
}

bool
import_undo(struct db *db, struct arena *a, int64_t id, const char *token, int64_t now, struct error *e)
{
	return db_exec(db, a, q_import_undo, NULL, e, P_INT(id), P_TEXT(token), P_TIME(now));
}
