#include "store/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "queries.h"

struct file {
	const char *name; /* "0001_house.sql", "functions/claim.sql" */
	int64_t version;  /* 0 for functions */
	const char *text, *checksum;
};

struct files {
	struct file *items;
	size_t n;
};

static int
by_name(const struct dirent **x, const struct dirent **y)
{
	return strcmp((*x)->d_name, (*y)->d_name);
}

static int
is_sql(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), ".sql");
}

static const char *
read_text(struct arena *a, const char *path, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
		return NULL;
	}
	struct buf b;
	char chunk[4096];
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	return b.p;
}

static bool
load_file(struct arena *a, const char *dir, const char *name, bool versioned, struct file *f,
    struct error *e)
{
	f->text = read_text(a, arena_printf(a, "%s/%s", dir, name), e);
	if (!f->text)
		return false;
	f->checksum = crypto_sha256(a, str_of(f->text));
	f->name = versioned ? arena_strdup(a, name) : arena_printf(a, "functions/%s", name);
	f->version = 0;
	if (versioned &&
	    !str_to_int(str_sub(str_of(name), 0, strspn(name, "0123456789")), &f->version))
		return error_set(
		    e, ERR_INTERNAL, "%s: a migration's name begins with its number.", name);
	return true;
}

/* The files of ${dir} in the order of their names. */
static bool
load(struct arena *a, const char *dir, bool versioned, struct files *out, struct error *e)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_sql, by_name);
	if (n < 0)
		return error_set(
		    e, ERR_NOT_FOUND, "%s: %s (setting SQL_DIR)", dir, strerror(errno));
	bool good = true;
	out->n = (size_t)n;
	out->items = arena_new_array(a, struct file, n + 1);
	for (int i = 0; i < n; i++) {
		good = good && load_file(a, dir, entries[i]->d_name, versioned, &out->items[i], e);
		free(entries[i]);
	}
	free(entries);
	return good;
}

static struct value *
applied(struct db *db, struct arena *a, struct error *e)
{
	struct value *row = db_row(db, a, q_migrate_exists, e);
	if (!row)
		return NULL;
	return value_flag(row, "there") ? db_rows(db, a, q_migrate_applied, e) : value_list(a);
}

static const struct value *
find(const struct value *rows, const char *name)
{
	for (size_t i = 0; i < rows->list.n; i++)
		if (str_is(value_str(rows->list.items[i], "name"), name))
			return rows->list.items[i];
	return NULL;
}

static bool
apply(struct db *db, struct arena *a, const struct file *f, struct error *e)
{
	struct error why = {0};
	if (!db_script(db, f->text, &why))
		return error_set(e, why.kind, "%s: %s", f->name, why.message);
	return db_exec(db, a, q_migrate_record, NULL, e, P_TEXT(f->name), P_ID(f->version),
	    P_TEXT(f->checksum), P_TIME(clock_now()));
}

static bool
in_transaction(struct db *db, struct arena *a, const struct file *f, size_t n, struct error *e)
{
	if (!db_begin(db, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!apply(db, a, &f[i], e)) {
			db_rollback(db);
			return false;
		}
	return db_commit(db, e);
}

static bool
run_migrations(struct db *db, struct arena *a, const struct files *files, const struct value *rows,
    struct migrate_report *report, struct error *e)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct file *f = &files->items[i];
		const struct value *row = find(rows, f->name);
		if (row && !str_is(value_str(row, "checksum"), f->checksum))
			return error_set(e, ERR_CONFLICT,
			    "%s was changed after it had been applied. Put the original back, and write the "
			    "change as a new migration.",
			    f->name);
		if (row)
			continue;
		if (!in_transaction(db, a, f, 1, e))
			return false;
		log_info("migration applied", LOG_TEXT("name", f->name));
		report->migrations++;
	}
	return true;
}

/* All that changed in one transaction: they may name each other. */
static bool
run_functions(struct db *db, struct arena *a, const struct files *files, const struct value *rows,
    struct migrate_report *report, struct error *e)
{
	struct file *changed = arena_new_array(a, struct file, files->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < files->n; i++) {
		const struct value *row = find(rows, files->items[i].name);
		if (!row || !str_is(value_str(row, "checksum"), files->items[i].checksum))
			changed[n++] = files->items[i];
	}
	report->functions = (int)n;
	return n == 0 || in_transaction(db, a, changed, n, e);
}

/* A program that is older than its database does not know what its own functions would break. */
static bool
not_newer(const struct value *rows, const struct files *files, struct error *e)
{
	int64_t known = files->n ? files->items[files->n - 1].version : 0;
	for (size_t i = 0; i < rows->list.n; i++) {
		struct str name = value_str(rows->list.items[i], "name");
		int64_t version = value_num(rows->list.items[i], "version");
		if (version > known)
			return error_set(e, ERR_CONFLICT,
			    "This database was made by a newer Trunkline (it has %.*s, this program knows up to "
			    "%04lld). Install that version again; nothing was changed.",
			    STR_ARG(name), (long long)known);
	}
	return true;
}

bool
migrate_run(struct db *db, struct arena *a, const char *sql_dir, struct migrate_report *report,
    struct error *e)
{
	struct files migrations, functions;
	*report = (struct migrate_report){0};
	if (!load(a, arena_printf(a, "%s/migrations", sql_dir), true, &migrations, e) ||
	    !load(a, arena_printf(a, "%s/functions", sql_dir), false, &functions, e) ||
	    !db_exec(db, a, q_migrate_lock, NULL, e))
		return false;
	struct value *rows = applied(db, a, e);
	bool good = rows && not_newer(rows, &migrations, e) &&
		    run_migrations(db, a, &migrations, rows, report, e) &&
		    run_functions(db, a, &functions, rows, report, e) &&
		    db_exec(db, a, q_migrate_grants, NULL, e);
	/* A lock that cannot be given back went with its connection. */
	(void)!db_exec(db, a, q_migrate_unlock, NULL, NULL);
	return good;
}

bool
migrate_pending(
    struct db *db, struct arena *a, const char *sql_dir, const char **name, struct error *e)
{
	struct files files = {0};
	struct error none = {0};
	*name = NULL;
	if (!load(a, arena_printf(a, "%s/migrations", sql_dir), true, &files, &none))
		return none.kind == ERR_NOT_FOUND || error_set(e, none.kind, "%s", none.message);
	struct value *rows = applied(db, a, e);
	for (size_t i = 0; rows && i < files.n && !*name; i++)
		if (!find(rows, files.items[i].name))
			*name = files.items[i].name;
	return rows != NULL;
}
