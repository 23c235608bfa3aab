#ifndef STORE_DB_H
#define STORE_DB_H
/*
 * PostgreSQL. The only files that see libpq (db*.c); a result becomes a list of maps (struct value)
 * on the caller's arena, typed by the column: timestamptz -> VALUE_TIME, json(b) -> tree, float8 ->
 * real. A column named phone or *_phone becomes VALUE_PHONE, an integer column named *_usd
 * VALUE_MONEY (it holds micro-dollars). Results come in binary: a type that db_result.c does not
 * read is ERR_INTERNAL (`make lint` looks at every statement), so numeric is cast to float8, and
 * arrays are selected as to_jsonb(them).
 *
 * Statements live in sql/queries/<noun>.sql, each under a line `-- name: lead_find`, which the
 * build turns into `extern const struct db_query q_lead_find` ("queries.h"). They are prepared on
 * first use; parameters are always bound. One connection per process; not thread-safe.
 *
 * Errors: unique violation -> ERR_CONFLICT; data and check violations -> ERR_INVALID; SQLSTATE
 * TLxxx raised by our own functions -> the kind with that HTTP status, message as raised; lost
 * connection, timeouts, deadlocks -> ERR_UNAVAILABLE; everything else -> ERR_INTERNAL.
 */
#include "base/value.h"

struct db;
struct db_query {
	const char *name, *sql;
	int params; /* how many $n it takes */
	int index;  /* its number among all, for remembering what is prepared */
};

struct db_param {
	enum {
		PARAM_NULL,
		PARAM_INT,
		PARAM_BOOL,
		PARAM_STR,
		PARAM_TIME,
		PARAM_REAL,
		PARAM_JSON,
		PARAM_TEXTS
	} type;
	int64_t i;
	double d;
	struct str s;
	const struct value *v;
	const struct str *list;
};

#define P_NULL ((struct db_param){.type = PARAM_NULL})
#define P_INT(x) ((struct db_param){.type = PARAM_INT, .i = (x)})
/** 0 is NULL: for optional ids. */
#define P_ID(x) db_param_id(x)
#define P_BOOL(x) ((struct db_param){.type = PARAM_BOOL, .i = (x)})
#define P_REAL(x) ((struct db_param){.type = PARAM_REAL, .d = (x)})
/** A NUL-terminated string; NULL is NULL. */
#define P_TEXT(x) db_param_text(x)
#define P_STR(x) ((struct db_param){.type = PARAM_STR, .s = (x)})
/** As P_STR, but the empty string is NULL. */
#define P_STR_OR_NULL(x) db_param_str_or_null(x)
/** Microseconds since the epoch; 0 is NULL. */
#define P_TIME(x) ((struct db_param){.type = PARAM_TIME, .i = (x)})
#define P_JSON(x) ((struct db_param){.type = PARAM_JSON, .v = (x)})
/** text[] of ${n} strings; one whose pointer is NULL is NULL. */
#define P_TEXTS(x, n) ((struct db_param){.type = PARAM_TEXTS, .list = (x), .i = (int64_t)(n)})

struct db_param db_param_text(const char *s);
struct db_param db_param_id(int64_t id);
struct db_param db_param_str_or_null(struct str s);

/** Connects. ${application} shows in pg_stat_activity; ${statement_timeout_ms} 0 = none. Lives
 * until db_close. On failure NULL and ERR_UNAVAILABLE. */
struct db *db_open(
    const char *url, const char *application, int statement_timeout_ms, struct error *e) MUST_USE;
void db_close(struct db *db);
/** To be called between requests: ends a forgotten transaction, and re-makes a connection that the
 * server closed meanwhile, so that a restart of PostgreSQL costs no user an error. */
bool db_refresh(struct db *db, struct error *e) MUST_USE;

/** All rows as a VALUE_LIST of VALUE_MAPs; NULL on error. */
#define db_rows(db, a, q, e, ...) db_rows_((db), (a), &(q), DB_PARAMS(__VA_ARGS__), (e))
/** The first row as a VALUE_MAP; NULL and ERR_NOT_FOUND where there is none. */
#define db_row(db, a, q, e, ...) db_row_((db), (a), &(q), DB_PARAMS(__VA_ARGS__), (e))
/** Runs a statement; rows, if any, are dropped. *affected may be NULL. */
#define db_exec(db, a, q, affected, e, ...)                                                        \
	db_exec_((db), (a), &(q), (affected), DB_PARAMS(__VA_ARGS__), (e))
/** Calls ${each} for every row without holding all of them; ${row} dies with each call. */
#define db_stream(db, a, q, each, ctx, e, ...)                                                     \
	db_stream_((db), (a), &(q), (each), (ctx), DB_PARAMS(__VA_ARGS__), (e))

#define DB_PARAM_ARRAY(...) ((const struct db_param[]){{0}, ##__VA_ARGS__})
#define DB_PARAMS(...)                                                                             \
	DB_PARAM_ARRAY(__VA_ARGS__) + 1,                                                           \
	    (int)(sizeof(DB_PARAM_ARRAY(__VA_ARGS__)) / sizeof(struct db_param)) - 1

/** One of several statements that are asked together; ${rows} is what it answered. */
struct db_ask {
	const struct db_query *q;
	const struct db_param *params;
	int n;
	struct value *rows;
};
#define DB_ASK(q, ...) ((struct db_ask){&(q), DB_PARAMS(__VA_ARGS__), NULL})
/** ${n} statements in one flight and one transaction, each with its rows: there and back once,
 * where db_rows goes as often as it is called. False, and none of them counts, where one fails. */
bool db_together(
    struct db *db, struct arena *a, struct db_ask *asks, int n, struct error *e) MUST_USE;

/** Asks without waiting: one statement is then under way, and nothing else may be asked of ${db}
 * until db_answer has fetched its rows. */
#define db_send(db, a, q, e, ...) db_send_((db), (a), &(q), DB_PARAMS(__VA_ARGS__), (e))
/** Whether db_answer would not have to wait. */
bool db_answered(struct db *db);
/** The rows of what was sent, as db_rows; waits for them. */
struct value *db_answer(struct db *db, struct arena *a, struct error *e) MUST_USE;

typedef bool db_row_fn(void *ctx, const struct value *row, struct error *e);

struct value *db_rows_(struct db *db, struct arena *a, const struct db_query *q,
    const struct db_param *params, int n, struct error *e) MUST_USE;
struct value *db_row_(struct db *db, struct arena *a, const struct db_query *q,
    const struct db_param *params, int n, struct error *e) MUST_USE;
bool db_exec_(struct db *db, struct arena *a, const struct db_query *q, int64_t *affected,
    const struct db_param *params, int n, struct error *e) MUST_USE;
bool db_stream_(struct db *db, struct arena *a, const struct db_query *q, db_row_fn *each,
    void *ctx, const struct db_param *params, int n, struct error *e) MUST_USE;

bool db_send_(struct db *db, struct arena *a, const struct db_query *q,
    const struct db_param *params, int n, struct error *e) MUST_USE;

/* Transactions, where one statement is not enough. They do not nest. */
bool db_begin(struct db *db, struct error *e) MUST_USE;
bool db_commit(struct db *db, struct error *e) MUST_USE;
void db_rollback(struct db *db);

/* COPY … FROM STDIN: ${q} is the COPY statement. put takes raw bytes in the format it names. */
bool db_copy_start(struct db *db, const struct db_query *q, struct error *e) MUST_USE;
bool db_copy_put(struct db *db, const char *p, size_t n, struct error *e) MUST_USE;
/** Ends it; ${abort} true gives it up. */
bool db_copy_end(struct db *db, bool abort, struct error *e) MUST_USE;

/** Plain SQL from a file (migrations): several statements, no parameters. */
bool db_script(struct db *db, const char *sql, struct error *e) MUST_USE;

/* Notifications are hints: who waits for one also looks at the tables by time. */
bool db_listen(struct db *db, const char *channel, struct error *e) MUST_USE;
/** Reads what came in without blocking; true where a notification was among it. */
bool db_notified(struct db *db);
/** For poll(); may change after db_refresh. */
int db_socket(struct db *db);
/** Waits for a notification or ${timeout_ms}; true where one came. */
bool db_wait(struct db *db, int timeout_ms);

#endif
