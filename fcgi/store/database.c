#include "store/database.h"

#include <errno.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "queries.h"

static const char *
parsed(const PQconninfoOption *options, const char *word)
{
	for (; options->keyword; options++)
		if (strcmp(options->keyword, word) == 0)
			return options->val;
	return NULL;
}

static PQconninfoOption *
parse(struct arena *a, const char *url, struct error *e)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &why);
	if (options)
		return options;
	error_set(e, ERR_INVALID, "DATABASE_URL cannot be read: %s",
	    why ? arena_strdup(a, why) : "out of memory");
	PQfreemem(why);
	return NULL;
}

static void
add_word(struct buf *b, const char *word, const char *value)
{
	buf_printf(b, "%s%s='", b->n ? " " : "", word);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *value);
	}
	buf_putc(b, '\'');
}

const char *
database_address(
    struct arena *a, const char *url, const char *name, const char **password, struct error *e)
{
	struct buf b;
	PQconninfoOption *options = parse(a, url, e);
	if (!options)
		return NULL;
	buf_init(&b, a);
	*password = NULL;
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (strcmp(o->keyword, "password") == 0)
			*password = o->val ? arena_strdup(a, o->val) : NULL;
		else if (strcmp(o->keyword, "dbname") == 0 ? !name && o->val : o->val != NULL)
			add_word(&b, o->keyword, o->val);
	}
	if (name)
		add_word(&b, "dbname", name);
	PQconninfoFree(options);
	return b.p;
}

bool
database_become(struct arena *a, const char *url, const char *user, struct error *e)
{
	PQconninfoOption *options = geteuid() == 0 ? parse(a, url, e) : NULL;
	if (!options)
		return geteuid() != 0;
	const char *host = parsed(options, "host");
	bool wanted = !parsed(options, "user") && (!host || *host == '/');
	PQconninfoFree(options);
	const struct passwd *p = wanted ? getpwnam(user) : NULL;
	if (wanted && !p)
		p = getpwnam("postgres");
	if (!p)
		return true;
	if (initgroups(p->pw_name, p->pw_gid) || setgid(p->pw_gid) || setuid(p->pw_uid))
		return error_set(e, ERR_INTERNAL, "cannot go on as the user %s: %s", p->pw_name,
		    strerror(errno));
	/* Where root started this may be closed to postgres; children would complain. */
	return chdir("/") == 0 || error_set(e, ERR_INTERNAL, "/: %s", strerror(errno));
}

struct db *
database_open(struct arena *a, const char *url, const char *name, struct error *e)
{
	struct buf b;
	const char *password = NULL, *address = database_address(a, url, name, &password, e);
	if (!address)
		return NULL;
	buf_init(&b, a);
	buf_puts(&b, address);
	if (password)
		add_word(&b, "password", password);
	struct db *db = db_open(b.p, "trunkline-keeping", 0, e);
	if (db && db_script(db,
		      "set lock_timeout = '60s'; set idle_in_transaction_session_timeout = 0", e))
		return db;
	db_close(db);
	return NULL;
}

struct db *
database_open_as_owner(struct arena *a, const char *url, const char *name, struct error *e)
{
	struct db *db = database_open(a, url, name, e);
	if (db && db_exec(db, a, q_database_become_owner, NULL, e))
		return db;
	db_close(db);
	return NULL;
}

struct value *
database_here(struct db *db, struct arena *a, struct error *e)
{
	return db_row(db, a, q_database_here, e);
}

/* Runs the steps that a statement made. */
static bool
run_steps(struct db *db, struct arena *a, const struct value *steps, struct error *e)
{
	for (size_t i = 0; steps && i < steps->list.n; i++)
		if (!db_script(db, value_strz(a, steps->list.items[i], "step"), e))
			return false;
	return steps != NULL;
}

const char *
database_name(struct arena *a, const char *url, struct error *e)
{
	PQconninfoOption *options = parse(a, url, e);
	if (!options)
		return NULL;
	const char *named = parsed(options, "dbname");
	const char *name = arena_strdup(a, named && *named ? named : "trunkline");
	PQconninfoFree(options);
	return name;
}

bool
database_init(
    struct arena *a, const char *url, const char *owner, const char *runtime, struct error *e)
{
	const char *name = database_name(a, url, e);
	if (!name)
		return false;
	struct db *db = database_open(a, url, "postgres", e);
	bool good = db && run_steps(db, a,
			      db_rows(db, a, q_database_init, e, P_TEXT(name), P_TEXT(owner),
				  P_TEXT(runtime)),
			      e);
	db_close(db);
	db = good ? database_open(a, url, name, e) : NULL;
	good = db && run_steps(db, a, db_rows(db, a, q_database_init_inside, e, P_TEXT(owner)), e);
	db_close(db);
	return good;
}

bool
database_grant(struct db *db, struct arena *a, const char *role, struct error *e)
{
	return run_steps(db, a, db_rows(db, a, q_database_grant, e, P_TEXT(role)), e);
}

bool
database_owner(
    struct db *db, struct arena *a, const char *name, const char **owner, struct error *e)
{
	struct value *rows = db_rows(db, a, q_database_find, e, P_TEXT(name));
	*owner = rows && rows->list.n ? value_strz(a, rows->list.items[0], "owner") : NULL;
	return rows != NULL;
}

bool
database_create(struct db *db, struct arena *a, const char *name, const char *owner,
    const char *like, struct error *e)
{
	return run_steps(db, a,
	    db_rows(db, a, q_database_create, e, P_TEXT(name), P_TEXT(owner), P_TEXT(like)), e);
}

bool
database_drop(struct db *db, struct arena *a, const char *name, struct error *e)
{
	return run_steps(db, a, db_rows(db, a, q_database_drop, e, P_TEXT(name)), e);
}

bool
database_like(struct db *db, struct arena *a, const char *from, const char *to,
    const struct value *settings, struct error *e)
{
	if (!run_steps(db, a, db_rows(db, a, q_database_share, e, P_TEXT(from), P_TEXT(to)), e))
		return false;
	for (size_t i = 0; settings && i < settings->list.n; i++)
		if (!run_steps(db, a,
			db_rows(db, a, q_database_set, e, P_TEXT(to),
			    P_STR(settings->list.items[i]->s)),
			e))
			return false;
	return true;
}

bool
database_swap(struct db *db, struct arena *a, const char *name, const char *fresh, const char *old,
    struct error *e)
{
	enum { TRIES = 5 }; /* somebody may come in between the end of the sessions and the lock */
	for (int i = 0; i < TRIES; i++) {
		struct value *steps =
		    db_rows(db, a, q_database_swap, e, P_TEXT(name), P_TEXT(fresh), P_TEXT(old));
		if (run_steps(db, a, steps, e))
			return true;
		db_rollback(db);
	}
	return false;
}

struct value *
database_room(struct db *db, struct arena *a, struct error *e)
{
	return db_row(db, a, q_database_room, e);
}

bool
database_in_use(struct db *db, struct arena *a, bool *in_use, struct error *e)
{
	struct value *row = db_row(db, a, q_database_has_tables, e);
	if (!row)
		return false;
	*in_use = value_flag(row, "tables");
	if (!value_flag(row, "ours"))
		return true;
	row = db_row(db, a, q_database_has_rows, e);
	*in_use = value_flag(row, "rows");
	return row != NULL;
}

struct value *
database_manifest(struct db *db, struct arena *a, struct error *e)
{
	return db_rows(db, a, q_database_manifest, e);
}

struct value *
database_settings(struct db *db, struct arena *a, struct error *e)
{
	return value_get(db_row(db, a, q_database_settings, e), "settings");
}

bool
database_version(struct db *db, struct arena *a, int64_t *version, struct error *e)
{
	struct value *row = db_row(db, a, q_database_version, e);
	*version = value_num(row, "version");
	return row != NULL;
}

const char *
database_snapshot(struct db *db, struct arena *a, struct error *e)
{
	if (!db_begin(db, e) ||
	    !db_script(db, "set transaction isolation level repeatable read, read only", e))
		return NULL;
	return value_strz(a, db_row(db, a, q_database_snapshot, e), "snapshot");
}

bool
database_lock(struct db *db, struct arena *a, enum database_work work, struct error *e)
{
	struct value *row = db_row(db, a, q_database_try_lock, e, P_INT(work));
	if (!row)
		return false;
	return value_flag(row, "taken") ||
	       error_set(e, ERR_CONFLICT, "Another run of this is under way. Nothing was done.");
}
