#include "store/db.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "queries.h"
#include "store/db_bind.h"
#include "store/db_result.h"

struct db {
	PGconn *conn;
	struct arena *own;
	const char *setup; /* run after each (re)connection */
	bool in_transaction, notified;
	bool dismissed; /* the server said good-bye, the end of the stream is still to come */
	char listening[64];
	const struct db_query *sent;
	bool prepared[DB_QUERY_COUNT];
};

/* Our own functions raise SQLSTATE TLxxx where xxx is the HTTP status that it means. */
static enum error_kind
own_kind(const char *state)
{
	static const enum error_kind kinds[] = {ERR_MALFORMED, ERR_FORBIDDEN, ERR_NOT_FOUND,
	    ERR_CONFLICT, ERR_TOO_LARGE, ERR_INVALID, ERR_TOO_MANY, ERR_UNAVAILABLE};
	int64_t status = 0;
	if (str_to_int(str_of(state + 2), &status))
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (error_status(kinds[i]) == status)
				return kinds[i];
	return ERR_INTERNAL;
}

static enum error_kind
kind_of(const char *state)
{
	if (!state || strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0 ||
	    strncmp(state, "53", 2) == 0 || strncmp(state, "40", 2) == 0 ||
	    strncmp(state, "55", 2) == 0 || strcmp(state, "25006") == 0)
		return ERR_UNAVAILABLE;
	if (strncmp(state, "TL", 2) == 0)
		return own_kind(state);
	if (strcmp(state, "23505") == 0 || strcmp(state, "23503") == 0 ||
	    strcmp(state, "23P01") == 0)
		return ERR_CONFLICT;
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0)
		return ERR_INVALID;
	return ERR_INTERNAL;
}

static bool
fail(struct db *db, const PGresult *res, const char *what, struct error *e)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	enum error_kind kind = kind_of(state);
	if (!text)
		text = PQerrorMessage(db->conn);
	if (state && strncmp(state, "TL", 2) == 0) {
		const char *code = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
		return error_code(e, kind, code ? code : "", "%s", text);
	}
	struct str line = str_of(text);
	line = str_sub(line, 0, str_chr(line, '\n'));
	return error_set(
	    e, kind, "%s: %.*s%s%s", what, STR_ARG(line), state ? " " : "", state ? state : "");
}

/* Notices are for people at psql, but for the last one of a connection. */
static void
take_notice(void *arg, const PGresult *res)
{
	struct db *db = arg;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity && strcmp(severity, "FATAL") == 0)
		db->dismissed = true;
}

static bool
setup(struct db *db, struct error *e)
{
	memset(db->prepared, 0, sizeof(db->prepared));
	db->in_transaction = db->dismissed = false;
	if (PQstatus(db->conn) != CONNECTION_OK)
		return fail(db, NULL, "The database is away", e);
	PQsetNoticeReceiver(db->conn, take_notice, db);
	if (!db_script(db, db->setup, e))
		return false;
	return !db->listening[0] || db_listen(db, db->listening, e);
}

struct db *
db_open(const char *url, const char *application, int statement_timeout_ms, struct error *e)
{
	struct arena *own = arena_new(1024);
	struct db *db = arena_new_of(own, struct db);
	db->own = own;
	db->setup = arena_printf(own,
	    "set timezone='UTC'; set datestyle='ISO'; set client_min_messages=warning;"
	    "set application_name='%s'; set statement_timeout=%d; set lock_timeout='5s';"
	    "set idle_in_transaction_session_timeout='60s'",
	    application, statement_timeout_ms);
	db->conn = PQconnectdb(url);
	if (!setup(db, e)) {
		db_close(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	PQfinish(db->conn);
	arena_free(db->own);
}

/* Reads what came in; false where the connection is gone. */
static bool
take_notifications(struct db *db)
{
	if (!PQconsumeInput(db->conn))
		return false;
	for (PGnotify *n; (n = PQnotifies(db->conn)); PQfreemem(n))
		db->notified = true;
	return true;
}

bool
db_refresh(struct db *db, struct error *e)
{
	if (db->in_transaction)
		db_rollback(db);
	struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
	/* An idle connection has nothing to say, unless the server says good-bye or a NOTIFY came.
	 * The end of the stream comes after the good-bye. */
	while (p.fd >= 0 && poll(&p, 1, 0) > 0 && take_notifications(db))
		;
	if (PQstatus(db->conn) == CONNECTION_OK && !db->dismissed)
		return true;
	PQreset(db->conn);
	return setup(db, e);
}

static bool
prepare(struct db *db, const struct db_query *q, struct error *e)
{
	if (db->prepared[q->index])
		return true;
	PGresult *res = PQprepare(db->conn, q->name, q->sql, q->params, NULL);
	bool good = PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!good)
		fail(db, res, q->name, e);
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
		PQreset(db->conn);
		if (!setup(db, e))
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
	PGresult *res = PQexecPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, 0);
	if (is_stale(res) && !db->in_transaction) {
		PQclear(res);
		if (!prepare_again(db, a, q, e))
			return NULL;
		res = PQexecPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, 0);
	}
	if (was_sent_away(res) && !db->in_transaction) {
		PQclear(res);
		PQreset(db->conn);
		if (!setup(db, e) || !prepare(db, q, e))
			return NULL;
		res = PQexecPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, 0);
	}
	ExecStatusType status = PQresultStatus(res);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return res;
	fail(db, res, q->name, e);
	PQclear(res);
	return NULL;
}

static struct value *
rows_of(struct arena *a, const PGresult *res)
{
	struct value *list = value_list(a);
	const struct str *names = db_result_names(a, res);
	for (int r = 0; r < PQntuples(res); r++)
		value_push(a, list, db_result_row(a, res, r, names));
	return list;
}

struct value *
db_rows_(struct db *db, struct arena *a, const struct db_query *q, const struct db_param *params,
    int n, struct error *e)
{
	PGresult *res = run(db, a, q, params, n, e);
	if (!res)
		return NULL;
	struct value *list = rows_of(a, res);
	PQclear(res);
	return list;
}

bool
db_send_(struct db *db, struct arena *a, const struct db_query *q, const struct db_param *params,
    int n, struct error *e)
{
	struct db_bound b;
	if (!ready(db, q, n, e) || !db_bind(a, params, n, &b, e))
		return false;
	db->sent = q;
	return PQsendQueryPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, 0) == 1 ||
	       fail(db, NULL, q->name, e);
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
			list = rows_of(a, res);
			continue;
		}
		if (is_stale(res))
			db->prepared[db->sent->index] = false;
		fail(db, res, db->sent->name, e);
		told = true;
	}
	if (!list && !told)
		fail(db, NULL, db->sent->name, e);
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
stream_rows(struct db *db, db_row_fn *each, void *ctx, const char *name, struct error *e)
{
	bool good = true;
	struct arena *row_arena = arena_new(8192);
	for (PGresult *res; (res = PQgetResult(db->conn)); PQclear(res)) {
		if (good && PQresultStatus(res) == PGRES_SINGLE_TUPLE) {
			arena_reset(row_arena);
			good = each(ctx,
			    db_result_row(row_arena, res, 0, db_result_names(row_arena, res)), e);
		} else if (good && PQresultStatus(res) != PGRES_TUPLES_OK) {
			good = fail(db, res, name, e);
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
	if (!PQsendQueryPrepared(db->conn, q->name, n, b.values, b.lengths, b.formats, 0))
		return fail(db, NULL, q->name, e);
	PQsetSingleRowMode(db->conn);
	return stream_rows(db, each, ctx, q->name, e);
}

bool
db_script(struct db *db, const char *sql, struct error *e)
{
	PGresult *res = PQexec(db->conn, sql);
	ExecStatusType status = PQresultStatus(res);
	bool good =
	    status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
	if (!good)
		fail(db, res, "script", e);
	PQclear(res);
	return good;
}

bool
db_begin(struct db *db, struct error *e)
{
	if (PQstatus(db->conn) != CONNECTION_OK) {
		PQreset(db->conn);
		if (!setup(db, e))
			return false;
	}
	return db->in_transaction = db_script(db, "begin", e);
}

bool
db_commit(struct db *db, struct error *e)
{
	db->in_transaction = false;
	return db_script(db, "commit", e);
}

void
db_rollback(struct db *db)
{
	db->in_transaction = false;
	/* A failure means that the connection is gone, and the transaction with it. */
	(void)!db_script(db, "rollback", NULL);
}

bool
db_copy_start(struct db *db, const struct db_query *q, struct error *e)
{
	PGresult *res = PQexec(db->conn, q->sql);
	bool good = PQresultStatus(res) == PGRES_COPY_IN;
	if (!good)
		fail(db, res, q->name, e);
	PQclear(res);
	return good;
}

bool
db_copy_put(struct db *db, const char *p, size_t n, struct error *e)
{
	if (PQputCopyData(db->conn, p, (int)n) != 1)
		return fail(db, NULL, "copy", e);
	return true;
}

bool
db_copy_end(struct db *db, bool abort, struct error *e)
{
	if (PQputCopyEnd(db->conn, abort ? "given up" : NULL) != 1)
		return fail(db, NULL, "copy", e);
	bool good = true;
	for (PGresult *res; (res = PQgetResult(db->conn)); PQclear(res))
		if (good && PQresultStatus(res) != PGRES_COMMAND_OK)
			good = fail(db, res, "copy", e);
	return good;
}

bool
db_listen(struct db *db, const char *channel, struct error *e)
{
	struct arena *a = arena_new(256);
	char *name = PQescapeIdentifier(db->conn, channel, strlen(channel));
	bool good = name && db_script(db, arena_printf(a, "listen %s", name), e);
	PQfreemem(name);
	arena_free(a);
	if (good && channel != db->listening) {
		strncpy(db->listening, channel, sizeof(db->listening) - 1);
		db->listening[sizeof(db->listening) - 1] = '\0';
	}
	return good;
}

bool
db_notified(struct db *db)
{
	(void)take_notifications(db);
	bool any = db->notified;
	db->notified = false;
	return any;
}

int
db_socket(struct db *db)
{
	return PQsocket(db->conn);
}

bool
db_wait(struct db *db, int timeout_ms)
{
	if (db_notified(db))
		return true;
	struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
	return poll(&p, 1, timeout_ms) > 0 && db_notified(db);
}
