#include "engine/backup.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/maintenance.h"

const char *
backup_tool(struct arena *a, const char *name, int64_t version)
{
	const char *path =
	    arena_printf(a, "/usr/lib/postgresql/%lld/bin/%s", (long long)version, name);
	return access(path, X_OK) == 0 ? path : name;
}

/* pg_dump's own compression: the pg_dump of PostgreSQL 15 knows gzip alone; and its output can be
 * restored by pg_restore without a helper, which is what counts on a bad day. */
static bool
dump(
    const struct keeping *k, struct db *db, const char *snapshot, const char *part, struct error *e)
{
	struct arena *a = k->a;
	const char *password = NULL;
	const char *address = database_address(a, k->config->database_url, NULL, &password, e);
	const struct value *here = address ? database_here(db, a, e) : NULL;
	if (!here)
		return false;
	const char *const argv[] = {backup_tool(a, "pg_dump", value_num(here, "version")),
	    "--format=custom", "--compress=6", "--no-owner", "--no-privileges",
	    "--no-unlogged-table-data", "--no-password", "--lock-wait-timeout=60s",
	    arena_printf(a, "--snapshot=%s", snapshot), arena_printf(a, "--file=%s", part),
	    arena_printf(a, "--dbname=%s", address), NULL};
	const char *const extra[] = {
	    password ? arena_printf(a, "PGPASSWORD=%s", password) : NULL, NULL};
	return child_run(a, argv, extra, -1, 0, e);
}

static struct value *
describe(const struct keeping *k, struct db *db, int64_t now, struct error *e)
{
	struct arena *a = k->a;
	int64_t version = 0;
	const struct value *here = database_here(db, a, e);
	const struct value *room = here ? database_room(db, a, e) : NULL;
	struct value *settings = room ? database_settings(db, a, e) : NULL;
	struct value *tables = settings ? database_manifest(db, a, e) : NULL;
	if (!tables || !database_version(db, a, &version, e))
		return NULL;
	struct value *m = value_map(a);
	value_set_int(a, m, "format", 1);
	value_set(a, m, "made_at", value_time(a, now));
	value_set(a, m, "database", value_get(here, "name"));
	value_set(a, m, "server_version", value_get(here, "version"));
	value_set_int(a, m, "migration", version);
	value_set(a, m, "database_bytes", value_get(room, "bytes"));
	value_set_text(a, m, "secret_key", archive_key_print(a, k->config));
	value_set(a, m, "settings", settings);
	value_set(a, m, "tables", tables);
	return m;
}

/* As much as the last one took, and a quarter more. */
static bool
has_room(const struct keeping *k, const char *dir, struct error *e)
{
	struct archive all = {0};
	struct stat last;
	if (!archive_list(k->a, dir, &all, e))
		return false;
	int64_t size = all.n && stat(all.files[0].path, &last) == 0 ? last.st_size : 0;
	return archive_room(dir, size + size / 4, "for a backup", e);
}

/* Dump and manifest of one moment. */
static bool
take(const struct keeping *k, struct db *db, const char *dir, struct value *detail,
    const char **path, struct error *e)
{
	struct arena *a = k->a;
	int64_t now = clock_now(), removed = 0;
	const char *part = archive_part(a, dir, now);
	const char *snapshot = database_snapshot(db, a, e);
	struct value *manifest = snapshot ? describe(k, db, now, e) : NULL;
	bool good = manifest && dump(k, db, snapshot, part, e);
	db_rollback(db);
	good = good && archive_seal(a, part, manifest, path, e);
	if (!good) {
		unlink(part);
		return false;
	}
	value_set_text(a, detail, "file", *path);
	value_set(a, detail, "bytes", value_get(manifest, "bytes"));
	good = archive_rotate(a, dir, k->config, &removed, e);
	value_set_int(a, detail, "removed", removed);
	return good;
}

static void
say_taken(const struct keeping *k, const char *dir, const char *path, const struct value *detail)
{
	struct archive all = {0};
	struct error e = {0};
	size_t kept = archive_list(k->a, dir, &all, &e) ? all.n : 0;
	printf("%s: %lld bytes. %zu kept, %lld older removed.\n", path,
	    (long long)value_num(detail, "bytes"), kept, (long long)value_num(detail, "removed"));
	if (!keeping_flag(k, "--secret-key"))
		printf(
		    "SECRET_KEY is not in it: keep a copy elsewhere (or: trunkline backup --secret-key). "
		    "Without it the stored keys of providers must be typed in again.\n");
}

static bool
backup(const struct keeping *k, struct db *db, const char *dir, struct error *e)
{
	int64_t id = 0;
	const char *path = NULL, *key = NULL;
	struct value *detail = value_map(k->a);
	if (!maintenance_begin(db, k->a, "backup", clock_now(), &id, e))
		return false;
	bool good =
	    has_room(k, dir, e) && take(k, db, dir, detail, &path, e) &&
	    (!keeping_flag(k, "--secret-key") || archive_keep_key(k->a, dir, k->config, &key, e));
	maintenance_end(db, k->a, id, detail, good ? NULL : e, clock_now());
	if (good && key)
		printf("%s holds SECRET_KEY. Whoever has it and a dump can read all stored keys.\n",
		    key);
	if (good)
		say_taken(k, dir, path, detail);
	return good;
}

static bool
check_newest(
    const struct keeping *k, struct db *db, const char *dir, struct value *detail, struct error *e)
{
	struct arena *a = k->a;
	struct archive all = {0};
	struct archive_source source;
	const struct value *here = database_here(db, a, e);
	if (!here || !archive_list(a, dir, &all, e))
		return false;
	if (!all.n)
		return error_set(e, ERR_NOT_FOUND, "There is no backup in %s.", dir);
	value_set_text(a, detail, "file", all.files[0].path);
	if (!archive_open(a, all.files[0].path, &source, e))
		return false;
	const char *database = value_strz(a, here, "name"), *owner = value_strz(a, here, "owner");
	const char *scratch = arena_printf(a, "%s_check", database);
	int64_t rows = 0;
	struct db *server = database_open(a, k->config->database_url, "postgres", e);
	bool good = server && database_drop(server, a, scratch, e) &&
		    restore_fill(k, server, &source, scratch, owner, database, &rows, e) &&
		    database_drop(server, a, scratch, e);
	db_close(server);
	value_set_int(a, detail, "rows", rows);
	value_set_int(a, detail, "tables", (int64_t)value_get(source.manifest, "tables")->list.n);
	return good;
}

static bool
check(const struct keeping *k, struct db *db, const char *dir, struct error *e)
{
	int64_t id = 0;
	struct value *detail = value_map(k->a);
	if (!maintenance_begin(db, k->a, "backup_check", clock_now(), &id, e))
		return false;
	bool good = check_newest(k, db, dir, detail, e);
	maintenance_end(db, k->a, id, detail, good ? NULL : e, clock_now());
	if (good)
		printf("%s can be restored: %lld rows in %lld tables are as they were.\n",
		    value_strz(k->a, detail, "file"), (long long)value_num(detail, "rows"),
		    (long long)value_num(detail, "tables"));
	return good;
}

static bool
list(const struct keeping *k, const char *dir, struct error *e)
{
	struct archive all = {0};
	if (!archive_list(k->a, dir, &all, e))
		return false;
	for (size_t i = 0; i < all.n; i++)
		printf("%s\n", all.files[i].path);
	return true;
}

bool
keeping_backup(const struct keeping *k, struct error *e)
{
	const char *url = k->config->database_url, *to = keeping_option(k, "--to");
	const char *dir = to ? to : k->config->backup_dir;
	if (keeping_flag(k, "--list"))
		return list(k, dir, e);
	umask(077);
	if (!archive_prepare(dir, true, e) || !database_become(k->a, url, "postgres", e))
		return false;
	struct db *db = database_open_as_owner(k->a, url, NULL, e);
	bool good = db && database_lock(db, k->a, DATABASE_BACKUP, e) &&
		    (keeping_flag(k, "--check") ? check(k, db, dir, e) : backup(k, db, dir, e));
	db_close(db);
	return good;
}
