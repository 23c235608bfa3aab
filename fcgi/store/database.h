#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H
/*
 * The database as a whole, for the admin command: who owns it, who may enter it, making, dropping
 * and exchanging databases. Two roles: the owner cannot sign in and makes the tables; the run-time
 * role reads and writes rows. The server's superuser (the system's user postgres, by peer
 * authentication) acts as the owner, so that no process that faces the network can change a table.
 */
#include "base/config.h"
#include "store/db.h"

/** ${url} with another database's name (NULL: its own), without a password, which goes to *password
 * (NULL where there is none) and belongs into PGPASSWORD, not into a list of processes. */
const char *database_address(struct arena *a, const char *url, const char *name,
    const char **password, struct error *e) MUST_USE;
/** Which database ${url} names. */
const char *database_name(struct arena *a, const char *url, struct error *e) MUST_USE;
/** For root, where the address names no user: goes on as the system's user ${user}, for good; where
 * there is none as postgres. Else does nothing. To be called once what only root may read is open.
 */
bool database_become(struct arena *a, const char *url, const char *user, struct error *e) MUST_USE;
/** Connects for keeping house: no timeouts but a minute for a lock. ${name} NULL: the address's
 * own. */
struct db *database_open(
    struct arena *a, const char *url, const char *name, struct error *e) MUST_USE;
/** The same, acting as the database's owner where this user may. */
struct db *database_open_as_owner(
    struct arena *a, const char *url, const char *name, struct error *e) MUST_USE;

/** {name, owner, is_owner, version}: the database connected to; version: the server's, 15. */
struct value *database_here(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** Roles, the database and who may enter it, as far as they are missing. Run as a superuser of the
 * server. */
bool database_init(struct arena *a, const char *url, const char *owner, const char *runtime,
    struct error *e) MUST_USE;
/** Lets ${role} in; the next migration grants it its rows. */
bool database_grant(struct db *db, struct arena *a, const char *role, struct error *e) MUST_USE;

/* Through a connection to another database (postgres). */
/** *owner: NULL where there is no such database. */
bool database_owner(
    struct db *db, struct arena *a, const char *name, const char **owner, struct error *e) MUST_USE;
/** Empty, of ${owner}, with the locale of ${like} where there is one. */
bool database_create(struct db *db, struct arena *a, const char *name, const char *owner,
    const char *like, struct error *e) MUST_USE;
bool database_drop(struct db *db, struct arena *a, const char *name, struct error *e) MUST_USE;
/** Who may enter ${from} may enter ${to}; ${settings} ["jit=off", …] hold in it. */
bool database_like(struct db *db, struct arena *a, const char *from, const char *to,
    const struct value *settings, struct error *e) MUST_USE;
/** In one transaction: ${name}, where there is one, becomes ${old}; ${fresh} becomes ${name}. Ends
 * the sessions of both. */
bool database_swap(struct db *db, struct arena *a, const char *name, const char *fresh,
    const char *old, struct error *e) MUST_USE;

/** {bytes, folder}: how large the database connected to is, and where the server keeps its data;
 * NULL where this user may not know. */
struct value *database_room(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** Whether anything of worth is in it: other people's tables, or users, leads, calls, imports. */
bool database_in_use(struct db *db, struct arena *a, bool *in_use, struct error *e) MUST_USE;
/** [{name, rows, digest}] of each table, as the current transaction sees it. */
struct value *database_manifest(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** What was set for the database itself: ["jit=off", …]. */
struct value *database_settings(struct db *db, struct arena *a, struct error *e) MUST_USE;
/** The number of the newest migration. */
bool database_version(struct db *db, struct arena *a, int64_t *version, struct error *e) MUST_USE;
/** Begins a transaction that sees one moment, and names it for pg_dump. */
const char *database_snapshot(struct db *db, struct arena *a, struct error *e) MUST_USE;

enum database_work { DATABASE_BACKUP = 7412302, DATABASE_RETENTION = 7412303 };
/** ERR_CONFLICT where another process does this work. Held until the connection ends. */
bool database_lock(
    struct db *db, struct arena *a, enum database_work work, struct error *e) MUST_USE;

#endif
