#ifndef FAULT_H
#define FAULT_H
/*
 * Faults of PostgreSQL at the N-th call of libpq, as SQLite's tests make them: N = 1, 2, … until
 * the operation passes without one. The functions of libpq that fcgi/store calls are defined here,
 * in the program itself, so that they come before the library's; they count and hand on.
 *
 * FAULT_BEFORE: the connection dies before the call. FAULT_AFTER: the server has done what was
 * asked, its answer is lost. FAULT_REFUSED: the server answers with an error (a deadlock) instead.
 */
#include <dlfcn.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/prompt.h"

enum fault_kind { FAULT_BEFORE, FAULT_AFTER, FAULT_REFUSED, FAULT__MAX };

static const char *const fault_names[] = {"before", "after", "refused"};
static struct {
	enum fault_kind kind;
	int at, calls; /* at 0: none is asked for */
	int inside;    /* libpq calls itself */
	bool fired;
	int cut; /* the server's process whose connection died; 0: none did */
} fault;
static _Thread_local bool fault_exempt; /* a thread that only watches */

static inline void
fault_arm(enum fault_kind kind, int at)
{
	fault.kind = kind;
	fault.at = at;
	fault.calls = 0;
	fault.fired = false;
	fault.cut = 0;
}

/** True where it came to pass. */
static inline bool
fault_disarm(void)
{
	fault.at = 0;
	return fault.fired;
}

static inline bool
fault_due(void)
{
	if (fault_exempt || !fault.at || fault.inside || ++fault.calls != fault.at)
		return false;
	return fault.fired = true;
}

static inline void
fault_cut(PGconn *c)
{
	if (PQsocket(c) < 0)
		return;
	fault.cut = PQbackendPID(c);
	shutdown(PQsocket(c), SHUT_RDWR);
}

#define FAULT_REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* An error of the server; one that answers a COMMIT has also undone everything. */
static inline PGresult *
fault_deadlock(PGconn *c, const char *sql)
{
	if (strcmp(sql, "commit") == 0)
		PQclear(FAULT_REAL(PQexec)(c, "rollback"));
	return FAULT_REAL(PQexec)(
	    c, "do $$ begin raise exception 'deadlock detected' using errcode = '40P01'; end $$");
}

/* The call with its fault, if it is its turn. */
#define FAULT_RESULT(c, sql, call)                                                                 \
	do {                                                                                       \
		bool due = fault_due();                                                            \
		PGresult *res;                                                                     \
		fault.inside += !fault_exempt;                                                     \
		if (due && fault.kind == FAULT_BEFORE)                                             \
			fault_cut(c);                                                              \
		if (due && fault.kind == FAULT_AFTER) {                                            \
			PQclear(call);                                                             \
			fault_cut(c);                                                              \
		}                                                                                  \
		res = !due                          ? (call)                                       \
		      : fault.kind == FAULT_REFUSED ? fault_deadlock(c, sql)                       \
						    : FAULT_REAL(PQexec)(c, "select 1");           \
		fault.inside -= !fault_exempt;                                                     \
		return res;                                                                        \
	} while (0)
#define FAULT_STATUS(c, call)                                                                      \
	do {                                                                                       \
		if (fault_due())                                                                   \
			fault_cut(c);                                                              \
		fault.inside += !fault_exempt;                                                     \
		__typeof__(call) status = (call);                                                  \
		fault.inside -= !fault_exempt;                                                     \
		return status;                                                                     \
	} while (0)

PGresult *
PQexec(PGconn *c, const char *sql)
{
	FAULT_RESULT(c, sql, FAULT_REAL(PQexec)(c, sql));
}

PGresult *
PQprepare(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
	FAULT_RESULT(c, sql, FAULT_REAL(PQprepare)(c, name, sql, n, types));
}

PGresult *
PQexecParams(PGconn *c, const char *sql, int n, const Oid *types, const char *const *values,
    const int *lengths, const int *formats, int format)
{
	FAULT_RESULT(
	    c, sql, FAULT_REAL(PQexecParams)(c, sql, n, types, values, lengths, formats, format));
}

PGresult *
PQexecPrepared(PGconn *c, const char *name, int n, const char *const *values, const int *lengths,
    const int *formats, int format)
{
	FAULT_RESULT(
	    c, name, FAULT_REAL(PQexecPrepared)(c, name, n, values, lengths, formats, format));
}

int
PQsendQueryPrepared(PGconn *c, const char *name, int n, const char *const *values,
    const int *lengths, const int *formats, int format)
{
	FAULT_STATUS(
	    c, FAULT_REAL(PQsendQueryPrepared)(c, name, n, values, lengths, formats, format));
}

int
PQsendPrepare(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
	FAULT_STATUS(c, FAULT_REAL(PQsendPrepare)(c, name, sql, n, types));
}

int
PQpipelineSync(PGconn *c)
{
	FAULT_STATUS(c, FAULT_REAL(PQpipelineSync)(c));
}

int
PQputCopyData(PGconn *c, const char *p, int n)
{
	FAULT_STATUS(c, FAULT_REAL(PQputCopyData)(c, p, n));
}

int
PQputCopyEnd(PGconn *c, const char *why)
{
	FAULT_STATUS(c, FAULT_REAL(PQputCopyEnd)(c, why));
}

int
PQconsumeInput(PGconn *c)
{
	FAULT_STATUS(c, FAULT_REAL(PQconsumeInput)(c));
}

PGresult *
PQgetResult(PGconn *c)
{
	bool due = fault_due();
	PGresult *res;
	fault.inside += !fault_exempt;
	if (due)
		fault_cut(c);
	res = FAULT_REAL(PQgetResult)(c);
	fault.inside -= !fault_exempt;
	return res;
}

PGconn *
PQconnectdb(const char *url)
{
	bool due = fault_due();
	fault.inside += !fault_exempt;
	PGconn *c = FAULT_REAL(PQconnectdb)(
	    due && fault.kind == FAULT_BEFORE ? "host=/nonexistent connect_timeout=1" : url);
	fault.inside -= !fault_exempt;
	if (due)
		fault_cut(c);
	return c;
}

void
PQreset(PGconn *c)
{
	bool due = fault_due();
	fault.inside += !fault_exempt;
	FAULT_REAL(PQreset)(c);
	fault.inside -= !fault_exempt;
	if (due)
		fault_cut(c);
}

/* --- a server with our schema -------------------------------------------------------------------
 */

static struct {
	char dir[100], url[200], sql[100];
	PGconn *watch; /* sees no faults: what really is in the database */
	struct arena *a;
} house;

/** The first column of the first row as a number; -1 for NULL. */
static inline long
house_number(const char *sql)
{
	fault.inside += !fault_exempt;
	PGresult *res = PQexec(house.watch, sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(house.watch));
	long n = PQntuples(res) && !PQgetisnull(res, 0, 0) ? atol(PQgetvalue(res, 0, 0)) : -1;
	PQclear(res);
	fault.inside -= !fault_exempt;
	return n;
}

/** Waits until the server has ended what it was asked to do by the connection that was cut: it goes
 * on with it, and what is looked at before is neither the one nor the other. */
static inline void
house_quiet(void)
{
	for (int i = 0; i < 5000; i++) {
		if (!fault.cut ||
		    house_number(arena_printf(house.a,
			"select count(*) from pg_stat_activity where pid = %d", fault.cut)) == 0)
			return;
		usleep(2000);
	}
	fail_msg("the server does not come to rest");
}

static inline struct db *
house_open(void)
{
	struct error e = {0};
	struct db *db = db_open(house.url, "faults", 20000, &e);
	if (!db)
		fail_msg("%s", e.message);
	return db;
}

static inline int
house_stop(void **state)
{
	char command[200];
	(void)state;
	PQfinish(house.watch);
	arena_free(house.a);
	house.watch = NULL;
	house.a = NULL;
	snprintf(command, sizeof(command), "tests/unit/fault_server.sh stop %s", house.dir);
	return system(command) == 0 ? 0 : -1; // NOLINT(cert-env33-c)
}

/* Wednesday, 18 November 2026, noon in New York: everybody may be called. */
enum { HOUSE_NOW = 1795021200 };

static inline int
house_start(void **state)
{
	FILE *out = popen("tests/unit/fault_server.sh start", "r"); // NOLINT(cert-env33-c)
	struct error e = {0};
	struct migrate_report report;
	struct config config = {.prompt_dir = "templates/prompts"};
	if (!out || fscanf(out, "%99s", house.dir) != 1 || pclose(out) != 0)
		return -1;
	snprintf(
	    house.url, sizeof(house.url), "host=%s dbname=trunkline user=trunkline", house.dir);
	clock_freeze(HOUSE_NOW * CLOCK_SECOND);
	log_open("faults", LOG_ERROR);
	house.a = arena_new(1 << 20);
	house.watch = PQconnectdb(house.url);
	PQclear(FAULT_REAL(PQexec)(house.watch, "set client_min_messages = warning"));
	struct db *db = db_open(house.url, "faults", 0, &e);
	bool good = db && migrate_run(db, house.a, "sql", &report, &e) &&
		    prompt_seed(db, house.a, &config, &e);
	if (!good)
		fprintf(stderr, "%s\n", e.message);
	db_close(db);
	/* cmocka runs the teardown in any case */
	(void)state;
	return good ? 0 : -1;
}

/** ${seconds} pass. */
static inline void
house_wait(int seconds)
{
	clock_freeze(clock_now() + seconds * CLOCK_SECOND);
}

#endif
