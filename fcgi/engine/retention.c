#include "engine/retention.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "rules/phone.h"
#include "store/database.h"
#include "store/maintenance.h"
#include "store/retention.h"

enum { BATCH = 2000, FILES = 200, SECONDS = 600, DAY = 86400 };

static const char *const kinds[] = {
    "events", "transcripts", "decisions", "import_lines", "login_failures"};

/* An upload, or what a workbook's texts were written to (base/spool.c) where the machine went down
 * between its making and the loss of its name. */
static bool
is_ours(struct str name)
{
	return str_ends(name, ".upload") || str_starts(name, "trunkline-sheet-");
}

/* Those of ${found} that nobody needs are removed; what somebody does, the database knows. */
static bool
remove_unknown(struct db *db, struct arena *a, const struct str *found, size_t n, int64_t *removed,
    struct error *e)
{
	const struct value *needed = n ? retention_needed(db, a, found, n, e) : value_list(a);
	for (size_t i = 0; needed && i < n; i++) {
		bool known = false;
		for (size_t j = 0; j < needed->list.n; j++)
			known |= str_eq(value_str(needed->list.items[j], "path"), found[i]);
		*removed += !known && unlink(found[i].p) == 0;
	}
	return needed != NULL;
}

bool
retention_sweep(struct db *db, struct arena *a, const struct config *config, int64_t now,
    int64_t *removed, struct error *e)
{
	const char *dir = arena_printf(a, "%s/spool", config->state_dir);
	struct str found[FILES];
	size_t n = 0;
	bool good = true;
	DIR *d = opendir(dir);
	*removed = 0;
	if (!d)
		return errno == ENOENT ||
		       error_set(e, ERR_UNAVAILABLE, "%s: %s", dir, strerror(errno));
	for (struct dirent *entry; good && (entry = readdir(d));) {
		const char *path = arena_printf(a, "%s/%s", dir, entry->d_name);
		struct stat file;
		if (!is_ours(str_of(entry->d_name)) || stat(path, &file) < 0 ||
		    now / CLOCK_SECOND - file.st_mtime < DAY)
			continue;
		found[n++] = str_of(path);
		if (n == FILES) {
			good = remove_unknown(db, a, found, n, removed, e);
			n = 0;
		}
	}
	closedir(d);
	return good && remove_unknown(db, a, found, n, removed, e);
}

/* Files that imports do not need any more. */
static bool
remove_files(
    const struct keeping *k, struct db *db, int64_t now, struct value *detail, struct error *e)
{
	int64_t swept = 0, done = 0;
	const struct value *old;
	do {
		old = retention_files(db, k->a, FILES, now, e);
		for (size_t i = 0; old && i < old->list.n; i++)
			done += unlink(value_strz(k->a, old->list.items[i], "path")) == 0;
	} while (old && old->list.n == FILES);
	if (!old || !retention_sweep(db, k->a, k->config, now, &swept, e))
		return false;
	value_set_int(k->a, detail, "files", done + swept);
	return true;
}

/* Each piece is a transaction; other people's work goes on between them. */
static bool
remove_rows(
    const struct keeping *k, struct db *db, int64_t until, struct value *detail, struct error *e)
{
	struct arena *piece = arena_new(4096);
	bool good = true;
	for (size_t i = 0; good && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int64_t n = 1, sum = 0;
		while (good && n && clock_monotonic() < until) {
			good = retention_step(db, piece, kinds[i], BATCH, clock_now(), &n, e);
			sum += n;
			arena_reset(piece);
		}
		value_set_int(k->a, detail, kinds[i], sum);
		if (n)
			value_set_bool(k->a, detail, "unfinished", true);
	}
	arena_free(piece);
	return good;
}

static bool
retain(const struct keeping *k, struct db *db, int64_t seconds, struct error *e)
{
	int64_t id = 0, until = clock_monotonic() + seconds * CLOCK_SECOND;
	struct value *detail = value_map(k->a);
	if (!maintenance_begin(db, k->a, "retention", clock_now(), &id, e))
		return false;
	bool good =
	    remove_rows(k, db, until, detail, e) && remove_files(k, db, clock_now(), detail, e);
	maintenance_end(db, k->a, id, detail, good ? NULL : e, clock_now());
	for (size_t i = 0; good && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		printf("%-16s %lld\n", kinds[i], (long long)value_num(detail, kinds[i]));
	if (good)
		printf("%-16s %lld\n%s", "files", (long long)value_num(detail, "files"),
		    value_flag(detail, "unfinished") ? "The time is over; the next run goes on.\n"
						     : "");
	return good;
}

bool
keeping_retention(const struct keeping *k, struct error *e)
{
	const char *url = k->config->database_url, *text = keeping_option(k, "--seconds");
	int64_t seconds = SECONDS;
	if (text && (!str_to_int(str_of(text), &seconds) || seconds < 1))
		return error_set(e, ERR_INVALID, "--seconds takes a whole number.");
	if (!database_become(k->a, url, "trunkline", e))
		return false;
	struct db *db = database_open(k->a, url, NULL, e);
	bool good =
	    db && database_lock(db, k->a, DATABASE_RETENTION, e) && retain(k, db, seconds, e);
	db_close(db);
	return good;
}

const char *
retention_hash(struct arena *a, const struct config *config, const char *phone)
{
	return crypto_hmac_sha256(
	    a, str_of(config->secret_key), str_of(arena_printf(a, "erased %s", phone)));
}

static void
say_erased(const struct phone *phone, const struct value *removed)
{
	static const char *const counts[] = {
	    "leads", "calls", "events", "import_lines", "consents"};
	printf("%s was erased and stays on the do-not-contact list:", phone->e164);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		printf("%s %lld %s", i ? "," : "", (long long)value_num(removed, counts[i]),
		    counts[i]);
	printf(".\nBackups hold it until they are rotated out.\n");
}

bool
keeping_erase(const struct keeping *k, struct error *e)
{
	struct phone phone;
	const char *url = k->config->database_url;
	if (k->argc < 1 || k->argv[0][0] == '-')
		return error_set(e, ERR_MALFORMED, "Which number? trunkline erase PHONE --yes");
	if (!phone_parse(str_of(k->argv[0]), k->config->default_country, &phone))
		return error_set(e, ERR_INVALID, "%s: %s", k->argv[0], phone.reason);
	if (!keeping_flag(k, "--yes"))
		return error_set(e, ERR_INVALID,
		    "This cannot be taken back. To erase all that is known of %s: trunkline erase %s --yes",
		    phone.e164, phone.e164);
	if (!database_become(k->a, url, "trunkline", e))
		return false;
	struct db *db = database_open(k->a, url, NULL, e);
	const struct erasure who = {.phone = phone.e164,
	    .hash = retention_hash(k->a, k->config, phone.e164),
	    .who = "trunkline"};
	const struct value *removed = db ? person_erase(db, k->a, &who, clock_now(), e) : NULL;
	db_close(db);
	if (removed)
		say_erased(&phone, removed);
	return removed != NULL;
}
