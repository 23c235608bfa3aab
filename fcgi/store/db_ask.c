/* Statements: prepared, sent, and their rows. */
#include <string.h>

#include "store/db_bind.h"
#include "store/db_result.h"
#include "store/db_state.h"

/* Of results: nothing is printed by the server that would be read again here. */
enum { BINARY = 1 };

static bool
prepare(struct db *db, const struct db_query *q, struct error *e)
{
	if (db->prepared[q->index])
		return true;
	PGresult *res = PQprepare(db->conn, q->name, q->sql, q->params, NULL);
	bool good = PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!good)
		db_fail(db, res, q->name, e);
	PQclear(res);
	db->prepared[q->index] = good;
	return good;
}

static bool
ready(struct db *db, const struct db_query *q, int n, struct error *e)
{
	if (n != q->params || n > DB_MOST_PARAMS)
		return error_set(
		    e, ERR_INTERNAL, "%s takes %d parameters, not %d", q->name, q->params, n);
	if (PQstatus(db->conn) != CONNECTION_OK && !db->in_transaction) {
		if (!db_reconnect(db, e))
			return false;
	}
	return prepare(db, q, e);
}

/* A plan that a migration made stale, or that a restarted server forgot, is made anew once. */
static bool
is_stale(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	return state && (strcmp(state, "26000") == 0 || strcmp(state, "0A000") == 0);
}

/* The server is restarted, or somebody ended this connection. Who is told so instead of an answer
 * was not served: one more try does nothing twice. */
static bool
was_sent_away(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	return state && strcmp(state, "57P01") == 0;
}

static bool
prepare_again(struct db *db, struct arena *a, const struct db_query *q, struct error *e)
{
	/* It may be unknown to the server, which then says so. */
	(void)!db_script(db, arena_printf(a, "deallocate %s", q->name), NULL);
	db->prepared[q->index] = false;
	return prepare(db, q, e);
}

static PGresult *
run(struct db *db, struct arena *a, const struct db_query *q, const struct db_param *params, int n,
    struct error *e)
{
	struct db_bound b;
	if (!ready(db, q, n, e) || !db_bind(a, params, n, &b, e))
		return NULL;
	PGresult *res =
	    PQexecPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, BINARY);
	if (is_stale(res) && !db->in_transaction) {
		PQclear(res);
		if (!prepare_again(db, a, q, e))
			return NULL;
		res = PQexecPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, BINARY);
	}
	if (was_sent_away(res) && !db->in_transaction) {
		PQclear(res);
		if (!db_reconnect(db, e) || !prepare(db, q, e))
			return NULL;
		res = PQexecPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, BINARY);
	}
	ExecStatusType status = PQresultStatus(res);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return res;
	db_fail(db, res, q->name, e);
	PQclear(res);
	return NULL;
}

static struct value *
rows_of(struct arena *a, const PGresult *res, const struct db_query *q, struct error *e)
{
	int n = PQntuples(res);
	struct value *list = value_list(a);
	const struct db_column *columns = db_result_columns(a, res, q->name, e);
	for (int r = 0; columns && r < n; r++)
		value_push(a, list, db_result_row(a, res, r, columns));
	return columns ? list : NULL;
}

struct value *
db_rows_(struct db *db, struct arena *a, const struct db_query *q, const struct db_param *params,
    int n, struct error *e)
{
	PGresult *res = run(db, a, q, params, n, e);
	if (!res)
		return NULL;
	struct value *list = rows_of(a, res, q, e);
	PQclear(res);
	return list;
}

static bool
depart(
    struct db *db, const struct db_ask *asks, const struct db_bound *bound, int n, struct error *e)
{
	bool good = PQenterPipelineMode(db->conn) == 1;
	for (int i = 0; good && i < n; i++)
		good = PQsendQueryPrepared(db->conn, asks[i].q->name, asks[i].n, bound[i].values,
			   bound[i].lengths, bound[i].formats, BINARY) == 1;
	good = good && PQpipelineSync(db->conn) == 1;
	return good || db_fail(db, NULL, asks[0].q->name, e);
}

/* Each statement's results end with none, and all of them with the sync. Of several failures the
 * first is the reason of the others. ${again}: had it been asked now, it would not have failed. */
static bool
arrive(struct db *db, struct arena *a, struct db_ask *asks, int n, bool *again, struct error *e)
{
	bool good = true, whole = false;
	for (int at = 0; at <= n && !whole;) {
		PGresult *res = PQgetResult(db->conn);
		const struct db_query *q = asks[at < n ? at : n - 1].q;
		ExecStatusType status = PQresultStatus(res);
		if (!res) {
			at++;
		} else if (status == PGRES_PIPELINE_SYNC) {
			whole = true;
		} else if (good && status == PGRES_TUPLES_OK && at < n) {
			asks[at].rows = rows_of(a, res, q, e);
			good = asks[at].rows != NULL;
		} else if (good) {
			*again = is_stale(res) || was_sent_away(res);
			good = db_fail(db, res, q->name, e);
		}
		PQclear(res);
	}
	return good && (whole || db_fail(db, NULL, asks[0].q->name, e));
}

bool
db_together(struct db *db, struct arena *a, struct db_ask *asks, int n, struct error *e)
{
	bool again = false;
	struct error why = {0};
	struct db_bound *bound = arena_new_array(a, struct db_bound, n);
	for (int i = 0; i < n; i++)
		if (!ready(db, asks[i].q, asks[i].n, e) ||
		    !db_bind(a, asks[i].params, asks[i].n, &bound[i], e))
			return false;
	bool good = depart(db, asks, bound, n, &why) && arrive(db, a, asks, n, &again, &why);
	/* A connection that is still amid something is of no use to the next statement. */
	if (PQexitPipelineMode(db->conn) != 1)
		(void)!db_reconnect(db, NULL); /* else the next statement tells */
	if (good)
		return true;
	good = again && !db->in_transaction;
	for (int i = 0; good && i < n; i++) {
		asks[i].rows = db_rows_(db, a, asks[i].q, asks[i].params, asks[i].n, &why);
		good = asks[i].rows != NULL;
	}
	if (!good && e)
		*e = why;
	return good;
}

bool
db_send_(struct db *db, struct arena *a, const struct db_query *q, const struct db_param *params,
    int n, struct error *e)
{
	struct db_bound b;
	if (!ready(db, q, n, e) || !db_bind(a, params, n, &b, e))
		return false;
	db->sent = q;
	return PQsendQueryPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, BINARY) ==
		   1 ||
	       db_fail(db, NULL, q->name, e);
}

bool
db_answered(struct db *db)
{
	/* A lost connection is an answer, too. */
	return !PQconsumeInput(db->conn) || !PQisBusy(db->conn);
}

struct value *
db_answer(struct db *db, struct arena *a, struct error *e)
{
	struct value *list = NULL;
	bool told = false;
	for (PGresult *res; (res = PQgetResult(db->conn)); PQclear(res)) {
		if (PQresultStatus(res) == PGRES_TUPLES_OK) {
			list = rows_of(a, res, db->sent, e);
			told = told || !list;
			continue;
		}
		if (is_stale(res))
			db->prepared[db->sent->index] = false;
		db_fail(db, res, db->sent->name, e);
		told = true;
	}
	if (!list && !told)
		db_fail(db, NULL, db->sent->name, e);
	return told ? NULL : list;
}

struct value *
db_row_(struct db *db, struct arena *a, const struct db_query *q, const struct db_param *params,
    int n, struct error *e)
{
	struct value *list = db_rows_(db, a, q, params, n, e);
	if (!list)
		return NULL;
	if (list->list.n == 0) {
		error_set(e, ERR_NOT_FOUND, "There is no such thing here.");
		return NULL;
	}
	return list->list.items[0];
}

bool
db_exec_(struct db *db, struct arena *a, const struct db_query *q, int64_t *affected,
    const struct db_param *params, int n, struct error *e)
{
	PGresult *res = run(db, a, q, params, n, e);
	if (!res)
		return false;
	int64_t count = 0;
	if (!str_to_int(str_of(PQcmdTuples(res)), &count))
		count = 0;
	if (affected)
		*affected = count;
	PQclear(res);
	return true;
}

static bool
stream_rows(
    struct db *db, struct arena *a, db_row_fn *each, void *ctx, const char *name, struct error *e)
{
	bool good = true;
	const struct db_column *columns = NULL;
	struct arena *row_arena = arena_new(8192);
	for (PGresult *res; (res = PQgetResult(db->conn)); PQclear(res)) {
		if (good && PQresultStatus(res) == PGRES_SINGLE_TUPLE) {
			arena_reset(row_arena);
			columns = columns ? columns : db_result_columns(a, res, name, e);
			good = columns && each(ctx, db_result_row(row_arena, res, 0, columns), e);
		} else if (good && PQresultStatus(res) != PGRES_TUPLES_OK) {
			good = db_fail(db, res, name, e);
		}
	}
	arena_free(row_arena);
	return good;
}

bool
db_stream_(struct db *db, struct arena *a, const struct db_query *q, db_row_fn *each, void *ctx,
    const struct db_param *params, int n, struct error *e)
{
	struct db_bound b;
	if (!ready(db, q, n, e) || !db_bind(a, params, n, &b, e))
		return false;
	if (!PQsendQueryPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, BINARY))
		return db_fail(db, NULL, q->name, e);
	PQsetSingleRowMode(db->conn);
	return stream_rows(db, a, each, ctx, q->name, e);
}

bool
db_copy_start(struct db *db, const struct db_query *q, struct error *e)
{
	PGresult *res = PQexec(db->conn, q->sql);
	bool good = PQresultStatus(res) == PGRES_COPY_IN;
	if (!good)
		db_fail(db, res, q->name, e);
	PQclear(res);
	return good;
}

bool
db_copy_put(struct db *db, const char *p, size_t n, struct error *e)
{
	if (PQputCopyData(db->conn, p, (int)n) != 1)
		return db_fail(db, NULL, "copy", e);
	return true;
}

bool
db_copy_end(struct db *db, bool abort, struct error *e)
{
	if (PQputCopyEnd(db->conn, abort ? "given up" : NULL) != 1)
		return db_fail(db, NULL, "copy", e);
	bool good = true;
	for (PGresult *res; (res = PQgetResult(db->conn)); PQclear(res))
		if (good && PQresultStatus(res) != PGRES_COMMAND_OK)
			good = db_fail(db, res, "copy", e);
	return good;
}
