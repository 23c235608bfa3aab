#include "store/db.h"

#include <poll.h>
#include <string.h>

#include "store/db_state.h"

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

bool
db_fail(struct db *db, const PGresult *res, const char *what, struct error *e)
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

bool
db_setup(struct db *db, struct error *e)
{
	memset(db->prepared, 0, sizeof(db->prepared));
	db->in_transaction = db->dismissed = false;
	if (PQstatus(db->conn) != CONNECTION_OK)
		return db_fail(db, NULL, "The database is away", e);
	PQsetNoticeReceiver(db->conn, take_notice, db);
	if (!db_script(db, db->setup, e))
		return false;
	return !db->listening[0] || db_listen(db, db->listening, e);
}

bool
db_reconnect(struct db *db, struct error *e)
{
	PQreset(db->conn);
	/* Who comes while a restore puts its database in the place of another waits for it, and is
	 * then told that the one he asked for is gone; under that name there is a new one. */
	if (PQstatus(db->conn) != CONNECTION_OK)
		PQreset(db->conn);
	return db_setup(db, e);
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
	if (!db_setup(db, e)) {
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
	return db_reconnect(db, e);
}

bool
db_script(struct db *db, const char *sql, struct error *e)
{
	PGresult *res = PQexec(db->conn, sql);
	ExecStatusType status = PQresultStatus(res);
	bool good =
	    status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
	if (!good)
		db_fail(db, res, "script", e);
	PQclear(res);
	return good;
}

bool
db_begin(struct db *db, struct error *e)
{
	if (PQstatus(db->conn) != CONNECTION_OK && !db_reconnect(db, e))
		return false;
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
