#ifndef STORE_DB_STATE_H
#define STORE_DB_STATE_H
/* What db.c and db_ask.c share; for nobody else. */
#include <libpq-fe.h>

#include "queries.h"
#include "store/db.h"

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

/** Says in ${e} what ${res} (NULL: the connection) says; false always. ${what}: the statement. */
bool db_fail(struct db *db, const PGresult *res, const char *what, struct error *e);
/** The session's settings, after the first connection; nothing is prepared. */
bool db_setup(struct db *db, struct error *e) MUST_USE;
/** Connects anew, and sets up. */
bool db_reconnect(struct db *db, struct error *e) MUST_USE;

#endif
