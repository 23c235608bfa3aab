#ifndef STORE_USER_H
#define STORE_USER_H
/* Accounts: who may sign in, as what, and how often somebody may try. */
#include "store/db.h"

enum { USER_PASSWORD_LEAST = 12, USER_PASSWORD_MOST = 400 /* bytes; crypt(3) takes 511 */ };

struct user {
	int64_t id, client_id, token_epoch;
	const char *email, *name, *role, *time_zone; /* time_zone NULL: the installation's */
};

/** The active user of a session; ERR_UNAUTHENTICATED where the epoch is another or nobody is there.
 */
bool user_session(struct db *db, struct arena *a, int64_t id, int64_t epoch, struct user *out,
    struct error *e) MUST_USE;
/** The same for a page: with what its frame shows (see overview_frame) in one question. */
bool user_visit(struct db *db, struct arena *a, int64_t id, int64_t epoch, int64_t now,
    struct user *out, const struct value **frame, struct error *e) MUST_USE;

/**
 * Checks e-mail and password. ERR_UNAUTHENTICATED says the same for an unknown address, a wrong
 * password and an inactive account; ERR_TOO_MANY after 5 failures for the account from ${address}
 * or 30 from ${address} within 15 minutes, with the seconds to wait in *wait.
 */
bool user_login(struct db *db, struct arena *a, struct str email, const char *password,
    const char *address, struct user *out, int64_t *wait, struct error *e) MUST_USE;

/** [{id, email, name, role, active, created_at, last_login_at}] */
struct value *user_list(
    struct db *db, struct arena *a, int64_t client_id, struct error *e) MUST_USE;
/** The same of one, plus time_zone. */
struct value *user_find(
    struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e) MUST_USE;
/** ERR_CONFLICT where the address has an account, ERR_INVALID naming email, role or password. */
bool user_add(struct db *db, struct arena *a, int64_t client_id, struct str email, struct str name,
    struct str role, const char *password, int64_t *id, struct error *e) MUST_USE;
/** A changed role or state ends the user's sessions. ERR_CONFLICT for the last active admin. */
bool user_change(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct str name,
    struct str role, bool active, struct error *e) MUST_USE;
/** What people change about themselves. ${time_zone} "" = the installation's; else an IANA name. */
bool user_own(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct str name,
    struct str time_zone, struct error *e) MUST_USE;
/** Sets the password and ends all sessions; *epoch is the new one. */
bool user_password(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const char *password, int64_t *epoch, struct error *e) MUST_USE;
/** ERR_INVALID (field current) unless ${password} is the user's. */
bool user_password_is(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const char *password, struct error *e) MUST_USE;
/** Ends all sessions of the user. */
bool user_end_sessions(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    int64_t *epoch, struct error *e) MUST_USE;
/** The id of the account with this address; ERR_NOT_FOUND. For the admin command. */
bool user_by_email(struct db *db, struct arena *a, struct str email, int64_t *client_id,
    int64_t *id, struct error *e) MUST_USE;
/** The client that is there from the start. */
bool user_default_client(struct db *db, struct arena *a, int64_t *id, struct error *e) MUST_USE;
/** [{name}] of IANA zones to choose from. */
struct value *user_time_zones(struct db *db, struct arena *a, struct error *e) MUST_USE;

/** A password that nobody has to remember: 20 characters, no look-alikes. */
char *user_generated_password(struct arena *a);

#endif
