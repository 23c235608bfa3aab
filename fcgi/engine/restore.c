/* A backup goes into a new database, is compared with its manifest, and only then takes the place
 * of the one that is there, which stays under another name. */
#include <stdio.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/backup.h"
#include "store/maintenance.h"
#include "store/migrate.h"
#include "store/recovery.h"

static bool
pour(const struct keeping *k, struct db *server, const struct archive_source *source,
    const char *name, const char *owner, struct error *e)
{
	struct arena *a = k->a;
	const char *password = NULL;
	const struct value *here = database_here(server, a, e);
	const char *address =
	    here ? database_address(a, k->config->database_url, name, &password, e) : NULL;
	if (!address)
		return false;
	const char *const argv[] = {backup_tool(a, "pg_restore", value_num(here, "version")),
	    "--exit-on-error", "--no-owner", "--no-privileges", "--no-password",
	    arena_printf(a, "--role=%s", owner), arena_printf(a, "--dbname=%s", address), NULL};
	const char *const extra[] = {
	    password ? arena_printf(a, "PGPASSWORD=%s", password) : NULL, NULL};
	return child_run(a, argv, extra, source->fd, 0, e);
}

static bool
same_table(const struct value *was, const struct value *is, struct error *e)
{
	struct str name = value_str(was, "name");
	if (!str_eq(name, value_str(is, "name")))
		return error_set(e, ERR_INVALID, "The table %.*s is not as it was.", STR_ARG(name));
	if (value_num(was, "rows") != value_num(is, "rows"))
		return error_set(e, ERR_INVALID, "%.*s has %lld rows and had %lld.", STR_ARG(name),
		    (long long)value_num(is, "rows"), (long long)value_num(was, "rows"));
	return str_eq(value_str(was, "digest"), value_str(is, "digest")) ||
	       error_set(e, ERR_INVALID, "The rows of %.*s are not as they were.", STR_ARG(name));
}

static bool
compare(const struct keeping *k, const struct archive_source *source, const char *name,
    int64_t *rows, struct error *e)
{
	const struct value *was = value_get(source->manifest, "tables"), *is = NULL;
	struct db *db = database_open_as_owner(k->a, k->config->database_url, name, e);
	if (db)
		is = database_manifest(db, k->a, e);
	db_close(db);
	*rows = 0;
	if (!is)
		return false;
	if (!was || was->type != VALUE_LIST || was->list.n != is->list.n)
		return error_set(
		    e, ERR_INVALID, "The backup's tables are not those of its manifest.");
	for (size_t i = 0; i < was->list.n; i++) {
		if (!same_table(was->list.items[i], is->list.items[i], e))
			return false;
		*rows += value_num(is->list.items[i], "rows");
	}
	return true;
}

/* As much as the database took when it was saved, and a tenth more. */
static bool
has_room(const struct keeping *k, struct db *server, const struct archive_source *source,
    struct error *e)
{
	int64_t bytes = value_num(source->manifest, "database_bytes");
	const struct value *room = database_room(server, k->a, e);
	return room && archive_room(value_strz(k->a, room, "folder"), bytes + bytes / 10,
			   "to restore into", e);
}

bool
restore_fill(const struct keeping *k, struct db *server, const struct archive_source *source,
    const char *name, const char *owner, const char *like, int64_t *rows, struct error *e)
{
	struct error ignored = {0};
	if (!has_room(k, server, source, e) || !database_create(server, k->a, name, owner, like, e))
		return false;
	if (pour(k, server, source, name, owner, e) && compare(k, source, name, rows, e))
		return true;
	(void)!database_drop(server, k->a, name, &ignored);
	return false;
}

struct plan {
	const struct keeping *k;
	struct archive_source source;
	struct db *server;
	const char *target, *owner, *fresh, *old; /* owner NULL: there is no such database yet */
	int64_t started, rows, carried;
};

/* What is there is not thrown away unasked. */
static bool
may_replace(const struct plan *p, struct error *e)
{
	bool in_use = false;
	struct arena *a = p->k->a;
	if (!p->owner || keeping_flag(p->k, "--yes"))
		return true;
	struct db *db = database_open_as_owner(a, p->k->config->database_url, p->target, e);
	bool good = db && database_in_use(db, a, &in_use, e);
	db_close(db);
	if (good && in_use)
		return error_set(e, ERR_CONFLICT,
		    "The database %s holds data. With --yes the backup takes its place; what is there now is "
		    "kept under another name.",
		    p->target);
	return good;
}

static int64_t
made_at(const struct archive_source *source)
{
	int64_t at = 0;
	return clock_parse(value_str(source->manifest, "made_at"), &at) ? at : clock_now();
}

/* The schema of this program, the rights and settings of the old database; and nobody is called on
 * the word of yesterday. */
static bool
make_fit(struct plan *p, struct error *e)
{
	struct arena *a = p->k->a;
	const char *url = p->k->config->database_url;
	struct migrate_report report;
	if (!database_like(
		p->server, a, p->target, p->fresh, value_get(p->source.manifest, "settings"), e))
		return false;
	struct db *fresh = database_open_as_owner(a, url, p->fresh, e);
	struct db *old = fresh && p->owner ? database_open_as_owner(a, url, p->target, e) : NULL;
	bool good = fresh && (old || !p->owner) &&
		    migrate_run(fresh, a, p->k->config->sql_dir, &report, e) &&
		    recovery_hold(fresh, a, made_at(&p->source), clock_now(), e) &&
		    (!old || recovery_carry(old, fresh, a, clock_now(), &p->carried, e)) &&
		    db_script(fresh, "analyze", e);
	db_close(old);
	db_close(fresh);
	return good;
}

/* It is done by now: a note that fails is only logged. */
static void
note(struct plan *p, const char *path)
{
	struct error e = {0};
	struct arena *a = p->k->a;
	struct value *detail = value_map(a);
	value_set_text(a, detail, "file", path);
	value_set_int(a, detail, "rows", p->rows);
	value_set_int(a, detail, "carried", p->carried);
	if (p->owner)
		value_set_text(a, detail, "kept_as", p->old);
	struct db *db = database_open_as_owner(a, p->k->config->database_url, p->target, &e);
	if (!db || !maintenance_add(db, a, "restore", p->started, clock_now(), detail, &e))
		log_error("the restore could not be noted", LOG_TEXT("why", e.message));
	db_close(db);
}

static void
say_restored(const struct plan *p, const char *path)
{
	printf("%s was restored into %s: %lld rows are as they were.\n", path, p->target,
	    (long long)p->rows);
	printf(
	    "Campaigns that were running are paused. Look at them before you start them again: calls "
	    "placed after the backup are not known any more.\n");
	if (p->owner)
		printf(
		    "%lld orders not to contact came over from the former database, which is kept as "
		    "%s. Once all is well: dropdb %s\n",
		    (long long)p->carried, p->old, p->old);
	if (!str_is(value_str(p->source.manifest, "secret_key"),
		archive_key_print(p->k->a, p->k->config)))
		printf(
		    "It was made with another SECRET_KEY. Put that one back, or type the keys of providers "
		    "in again at Settings.\n");
}

static bool
replace(struct plan *p, const char *path, struct error *e)
{
	struct arena *a = p->k->a;
	struct error ignored = {0};
	const struct value *here = database_here(p->server, a, e);
	const char *owner = p->owner ? p->owner : value_strz(a, here, "owner");
	if (!owner || !may_replace(p, e) ||
	    !restore_fill(p->k, p->server, &p->source, p->fresh, owner, p->target, &p->rows, e))
		return false;
	if (make_fit(p, e) && database_swap(p->server, a, p->target, p->fresh, p->old, e)) {
		note(p, path);
		return true;
	}
	(void)!database_drop(p->server, a, p->fresh, &ignored);
	return false;
}

/* The backup is opened before root becomes another user, who may not read it. */
bool
keeping_restore(const struct keeping *k, struct error *e)
{
	struct arena *a = k->a;
	const char *url = k->config->database_url, *into = keeping_option(k, "--into");
	struct plan p = {.k = k, .started = clock_now()};
	if (k->argc < 1 || k->argv[0][0] == '-')
		return error_set(e, ERR_MALFORMED, "Which backup? trunkline restore FILE");
	if (!archive_open(a, k->argv[0], &p.source, e) || !database_become(a, url, "postgres", e))
		return false;
	p.target = into ? into : database_name(a, url, e);
	p.server = p.target ? database_open(a, url, "postgres", e) : NULL;
	struct buf stamp;
	buf_init(&stamp, a);
	clock_print_zone(&stamp, p.started, "UTC", "%Y%m%dt%H%M%S");
	p.fresh = arena_printf(a, "%s_restoring", p.target);
	p.old = arena_printf(a, "%s_before_%s", p.target, stamp.p);
	bool good = p.server && database_lock(p.server, a, DATABASE_BACKUP, e) &&
		    database_owner(p.server, a, p.target, &p.owner, e) &&
		    database_drop(p.server, a, p.fresh, e) && replace(&p, k->argv[0], e);
	db_close(p.server);
	if (good)
		say_restored(&p, k->argv[0]);
	return good;
}
