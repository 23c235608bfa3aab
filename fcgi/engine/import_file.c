/* A file from the command line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "engine/jobs.h"
#include "store/import.h"

/* Copies ${from} to ${to}; counts and digests what it copies. */
static bool
copy(struct arena *a, int from, int to, struct import_wish *wish)
{
	enum { PIECE = 1 << 16 };
	struct crypto_digest *digest = crypto_digest_new(a);
	char *piece = arena_alloc(a, PIECE);
	ssize_t n = 0;
	while ((n = read(from, piece, PIECE)) > 0) {
		crypto_digest_add(digest, piece, (size_t)n);
		wish->size += n;
		if (write(to, piece, (size_t)n) != n)
			return false;
	}
	wish->sha256 = crypto_digest_hex(digest, a);
	return n == 0 && fsync(to) == 0;
}

/* Who runs this as root must not lock the service out of the file. */
static bool
hand_over(const struct config *config, struct arena *a, int file)
{
	struct stat dir;
	return geteuid() != 0 || (stat(arena_printf(a, "%s/spool", config->state_dir), &dir) == 0 &&
				     fchown(file, dir.st_uid, dir.st_gid) == 0);
}

static bool
spool(const struct config *config, struct arena *a, struct import_wish *wish, struct error *e)
{
	const char *slash = strrchr(wish->path, '/'), *from_path = wish->path;
	int from = open(from_path, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return error_set(e, ERR_INVALID, "%s: %s", from_path, strerror(errno));
	wish->file_name = slash ? slash + 1 : from_path;
	wish->size = 0;
	wish->path = arena_printf(a, "%s/spool/%s.upload", config->state_dir, crypto_uuid(a));
	int to = open(wish->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	bool good = to >= 0 && copy(a, from, to, wish) && hand_over(config, a, to);
	if (!good)
		error_set(e, ERR_UNAVAILABLE, "%s: %s", wish->path, strerror(errno));
	if (to >= 0)
		close(to);
	close(from);
	return good;
}

static bool
stay(const struct config *config, struct db *db, struct arena *a, const struct import_wish *wish,
    int64_t id, struct error *e)
{
	enum { PAUSE_MS = 200 };
	struct import_worker w = {.config = config, .db = db};
	for (;;) {
		struct error why = {0};
		int64_t ran = 0;
		if (!jobs_one(&w, a, &ran, &why) && why.kind != ERR_CONFLICT && !ran) {
			*e = why;
			return false;
		}
		const struct value *i = import_find(db, a, wish->client_id, id, e);
		if (!i)
			return false;
		struct str state = value_str(i, "state");
		if (!str_is(state, "queued") && !str_is(state, "running"))
			return true;
		if (!ran)
			poll(NULL, 0, PAUSE_MS);
	}
}

bool
import_file(const struct config *config, struct db *db, struct arena *a, struct import_wish *wish,
    struct import_made *made, struct error *e)
{
	if (!spool(config, a, wish, e))
		return false;
	if (!import_add(config, db, a, wish, made, e)) {
		unlink(wish->path);
		return false;
	}
	return stay(config, db, a, wish, made->id, e);
}
