#include "store/user.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "queries.h"

enum { EMAIL_MOST = 254, NAME_MOST = 200 };

static void
fill(struct arena *a, const struct value *row, struct user *out)
{
	*out = (struct user){.id = value_num(row, "id"),
	    .client_id = value_num(row, "client_id"),
	    .token_epoch = value_num(row, "token_epoch"),
	    .email = value_strz(a, row, "email"),
	    .name = value_strz(a, row, "name"),
	    .role = value_strz(a, row, "role"),
	    .time_zone = value_str(row, "time_zone").n ? value_strz(a, row, "time_zone") : NULL};
}

static bool
signed_in(struct arena *a, const struct value *row, struct user *out, struct error *e)
{
	if (row)
		fill(a, row, out);
	else if (e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_UNAUTHENTICATED, "Your session has ended. Sign in again.");
	return row != NULL;
}

bool
user_session(
    struct db *db, struct arena *a, int64_t id, int64_t epoch, struct user *out, struct error *e)
{
	return signed_in(a, db_row(db, a, q_user_session, e, P_INT(id), P_INT(epoch)), out, e);
}

bool
user_visit(struct db *db, struct arena *a, int64_t id, int64_t epoch, int64_t now, struct user *out,
    const struct value **frame, struct error *e)
{
	*frame = db_row(db, a, q_user_visit, e, P_INT(id), P_INT(epoch), P_TIME(now));
	return signed_in(a, *frame, out, e);
}

struct tries {
	const char *account, *address; /* keys of login_failures */
	int64_t now;
};

static bool
is_throttled(struct db *db, struct arena *a, const struct tries *t, int counted, int64_t *wait,
    struct error *e)
{
	struct value *row = db_row(db, a, q_login_wait, e, P_TEXT(t->account), P_TEXT(t->address),
	    P_TIME(t->now), P_INT(counted));
	if (!row)
		return true;
	*wait = value_num(row, "seconds");
	if (*wait > 0)
		error_set(e, ERR_TOO_MANY, "Too many tries. Wait %lld minutes, then try again.",
		    (long long)(*wait + 59) / 60);
	return *wait > 0;
}

/* This try is written down as a failure before the password is looked at and counted once more
 * after that, so that a hundred tries at the same moment are as many as one after the other. */
static bool
may_try(struct db *db, struct arena *a, const struct tries *t, int64_t *wait, struct error *e)
{
	return !is_throttled(db, a, t, 0, wait, e) &&
	       db_exec(db, a, q_login_failed, NULL, e, P_TEXT(t->account), P_TEXT(t->address),
		   P_TIME(t->now)) &&
	       !is_throttled(db, a, t, 1, wait, e);
}

static const char *
lower(char *s)
{
	for (char *c = s; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 0x20;
	return s;
}

bool
user_login(struct db *db, struct arena *a, struct str email, const char *password,
    const char *address, struct user *out, int64_t *wait, struct error *e)
{
	struct tries tries = {.now = clock_now(),
	    .account = lower(arena_printf(a, "email %.*s ip %s", STR_ARG(email), address)),
	    .address = arena_printf(a, "ip %s", address)};
	struct error none = {0};
	if (!may_try(db, a, &tries, wait, e))
		return false;
	struct value *row = db_row(db, a, q_user_for_login, &none, P_STR(email));
	if (!row && none.kind != ERR_NOT_FOUND)
		return error_set(e, none.kind, "%s", none.message);
	bool good = crypto_password_ok(value_strz(a, row, "password_hash"), password);
	if (!good || !value_flag(row, "active"))
		return error_code(e, ERR_UNAUTHENTICATED, "wrong_credentials",
		    "The e-mail address or the password is wrong.");
	fill(a, row, out);
	return db_exec(db, a, q_login_forgiven, NULL, e, P_TEXT(tries.account),
		   P_TEXT(tries.address), P_TIME(tries.now)) &&
	       db_exec(db, a, q_user_seen, NULL, e, P_INT(out->id), P_TIME(tries.now));
}

struct value *
user_list(struct db *db, struct arena *a, int64_t client_id, struct error *e)
{
	return db_rows(db, a, q_user_list, e, P_INT(client_id));
}

struct value *
user_find(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct error *e)
{
	static const char *const shown[] = {
	    "id", "email", "name", "role", "active", "time_zone", "created_at", "last_login_at"};
	struct value *row = db_row(db, a, q_user_find, e, P_INT(client_id), P_INT(id));
	struct value *out = row ? value_map(a) : NULL;
	for (size_t i = 0; out && i < sizeof(shown) / sizeof(shown[0]); i++)
		value_set(a, out, shown[i], value_get(row, shown[i]));
	return out;
}

static bool
check_password(const char *password, struct error *e)
{
	size_t characters = 0, n = strlen(password);
	for (const char *c = password; *c; c++)
		characters += ((unsigned char)*c & 0xc0) != 0x80;
	if (characters < USER_PASSWORD_LEAST)
		return error_field(e, "password", "The password needs at least %d characters.",
		    USER_PASSWORD_LEAST);
	if (n > USER_PASSWORD_MOST)
		return error_field(e, "password", "The password is too long.");
	return true;
}

static bool
check_email(struct str email, struct error *e)
{
	size_t at = str_chr(email, '@');
	bool good = email.n <= EMAIL_MOST && at > 0 && at + 1 < email.n;
	for (size_t i = 0; i < email.n; i++)
		if ((unsigned char)email.p[i] <= 0x20 || strchr("<>,;\"", email.p[i]))
			good = false;
	return good || error_field(e, "email", "This is no e-mail address.");
}

static bool
check_role(struct str role, struct error *e)
{
	return str_is(role, "admin") || str_is(role, "member") || str_is(role, "viewer") ||
	       error_field(e, "role", "The role must be admin, member or viewer.");
}

static bool
check_name(struct str name, struct error *e)
{
	return name.n <= NAME_MOST || error_field(e, "name", "The name is too long.");
}

bool
user_add(struct db *db, struct arena *a, int64_t client_id, struct str email, struct str name,
    struct str role, const char *password, int64_t *id, struct error *e)
{
	if (!check_email(email, e) || !check_name(name, e) || !check_role(role, e) ||
	    !check_password(password, e))
		return false;
	struct value *row =
	    db_row(db, a, q_user_add, e, P_INT(client_id), P_STR(email), P_STR(name), P_STR(role),
		P_TEXT(crypto_password_hash(a, password)), P_TIME(clock_now()));
	if (!row) {
		if (e->kind == ERR_CONFLICT) {
			error_field(e, "email", "There is already an account for this address.");
			e->kind = ERR_CONFLICT;
		}
		return false;
	}
	*id = value_num(row, "id");
	return true;
}

bool
user_change(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct str name,
    struct str role, bool active, struct error *e)
{
	return check_name(name, e) && check_role(role, e) &&
	       db_exec(db, a, q_user_change, NULL, e, P_INT(client_id), P_INT(id), P_STR(name),
		   P_STR(role), P_BOOL(active));
}

bool
user_own(struct db *db, struct arena *a, int64_t client_id, int64_t id, struct str name,
    struct str time_zone, struct error *e)
{
	if (!check_name(name, e))
		return false;
	if (db_row(db, a, q_user_own, e, P_INT(client_id), P_INT(id), P_STR(name),
		P_STR_OR_NULL(time_zone)))
		return true;
	return e->kind == ERR_NOT_FOUND
		   ? error_field(
			 e, "time_zone", "This time zone is not known. Pick one from the list.")
		   : false;
}

static bool
epoch_of(const struct value *row, int64_t *epoch)
{
	if (row)
		*epoch = value_num(row, "token_epoch");
	return row != NULL;
}

bool
user_password(struct db *db, struct arena *a, int64_t client_id, int64_t id, const char *password,
    int64_t *epoch, struct error *e)
{
	return check_password(password, e) &&
	       epoch_of(db_row(db, a, q_user_password, e, P_INT(client_id), P_INT(id),
			    P_TEXT(crypto_password_hash(a, password))),
		   epoch);
}

bool
user_password_is(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const char *password, struct error *e)
{
	struct value *row = db_row(db, a, q_user_find, e, P_INT(client_id), P_INT(id));
	if (!row)
		return false;
	return crypto_password_ok(value_strz(a, row, "password_hash"), password) ||
	       error_field(e, "current", "This is not your current password.");
}

bool
user_end_sessions(
    struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t *epoch, struct error *e)
{
	return epoch_of(db_row(db, a, q_user_epoch, e, P_INT(client_id), P_INT(id)), epoch);
}

bool
user_by_email(struct db *db, struct arena *a, struct str email, int64_t *client_id, int64_t *id,
    struct error *e)
{
	struct value *row = db_row(db, a, q_user_for_login, e, P_STR(email));
	if (!row)
		return e->kind == ERR_NOT_FOUND
			   ? error_set(
				 e, ERR_NOT_FOUND, "There is no account for %.*s.", STR_ARG(email))
			   : false;
	*client_id = value_num(row, "client_id");
	*id = value_num(row, "id");
	return true;
}

bool
user_default_client(struct db *db, struct arena *a, int64_t *id, struct error *e)
{
	struct value *row = db_row(db, a, q_user_default_client, e);
	if (row)
		*id = value_num(row, "id");
	return row != NULL;
}

struct value *
user_time_zones(struct db *db, struct arena *a, struct error *e)
{
	return db_rows(db, a, q_user_time_zones, e);
}

char *
user_generated_password(struct arena *a)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	enum { LENGTH = 20 };
	char *p = arena_alloc(a, LENGTH + 1);
	for (int i = 0; i < LENGTH; i++)
		p[i] = letters[crypto_below(sizeof(letters) - 1)];
	return p;
}
