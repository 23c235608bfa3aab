#include "engine/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "rules/rotation.h"

static const char prefix[] = "trunkline-", dump_end[] = ".dump", manifest_end[] = ".json";
static const char part_end[] = ".part";

static bool
failed(struct error *e, const char *path)
{
	return error_set(e, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

bool
archive_prepare(const char *dir, bool hand_over, struct error *e)
{
	struct passwd *p = hand_over && geteuid() == 0 ? getpwnam("postgres") : NULL;
	if (mkdir(dir, 0700) < 0)
		return errno == EEXIST || failed(e, dir);
	return !p || chown(dir, p->pw_uid, p->pw_gid) == 0 || failed(e, dir);
}

/* "trunkline-20261121T021500Z.dump"; false for every other name. */
static bool
read_name(struct arena *a, struct str name, int64_t *made)
{
	enum { STAMP = 16 };
	if (!str_starts(name, prefix) || !str_ends(name, dump_end) ||
	    name.n != sizeof(prefix) - 1 + STAMP + sizeof(dump_end) - 1)
		return false;
	const char *s = name.p + sizeof(prefix) - 1;
	const char *time = arena_printf(
	    a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s, s + 4, s + 6, s + 9, s + 11, s + 13);
	return clock_parse(str_of(time), made);
}

static int
newest_first(const void *x, const void *y)
{
	int64_t a = ((const struct archive_file *)x)->made,
		b = ((const struct archive_file *)y)->made;
	return (a < b) - (a > b);
}

bool
archive_list(struct arena *a, const char *dir, struct archive *out, struct error *e)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);
	if (n < 0)
		return failed(e, dir);
	*out = (struct archive){dir, arena_new_array(a, struct archive_file, n + 1), 0};
	for (int i = 0; i < n; i++) {
		struct archive_file *f = &out->files[out->n];
		if (read_name(a, str_of(entries[i]->d_name), &f->made)) {
			f->path = arena_printf(a, "%s/%s", dir, entries[i]->d_name);
			out->n++;
		}
		free(entries[i]);
	}
	free(entries);
	if (out->n)
		qsort(out->files, out->n, sizeof(*out->files), newest_first);
	return true;
}

const char *
archive_part(struct arena *a, const char *dir, int64_t now)
{
	struct buf b;
	buf_init(&b, a);
	buf_printf(&b, "%s/%s", dir, prefix);
	clock_print_zone(&b, now, "UTC", "%Y%m%dT%H%M%SZ");
	buf_printf(&b, "%s%s", dump_end, part_end);
	return b.p;
}

/* The dump's manifest: another end of the name. */
static const char *
manifest_path(struct arena *a, const char *dump)
{
	struct str name = str_of(dump);
	return arena_printf(
	    a, "%.*s%s", (int)(name.n - (sizeof(dump_end) - 1)), dump, manifest_end);
}

static bool
sync_path(const char *path, int flags, struct error *e)
{
	int fd = open(path, flags | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	if (!good)
		failed(e, path);
	if (fd >= 0)
		close(fd);
	return good;
}

/* Writes ${text} so that ${path} is whole or not there. */
static bool
write_file(struct arena *a, const char *path, struct str text, struct error *e)
{
	const char *part = arena_printf(a, "%s%s", path, part_end);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0 &&
		    rename(part, path) == 0;
	if (!good)
		failed(e, path);
	if (fd >= 0)
		close(fd);
	return good;
}

static const char *
digest_of(struct arena *a, int fd, const char *path, int64_t *bytes, struct error *e)
{
	enum { PIECE = 1 << 16 };
	struct crypto_digest *digest = crypto_digest_new(a);
	char *piece = arena_alloc(a, PIECE);
	ssize_t n = 0;
	*bytes = 0;
	while ((n = read(fd, piece, PIECE)) > 0) {
		crypto_digest_add(digest, piece, (size_t)n);
		*bytes += n;
	}
	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		failed(e, path);
		return NULL;
	}
	return crypto_digest_hex(digest, a);
}

static const char *
folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? arena_strndup(a, path, (size_t)(slash - path + 1)) : ".";
}

bool
archive_seal(
    struct arena *a, const char *part, struct value *manifest, const char **path, struct error *e)
{
	int64_t bytes = 0;
	struct str name = str_of(part);
	*path = arena_strndup(a, part, name.n - (sizeof(part_end) - 1));
	if (!sync_path(part, O_RDONLY, e))
		return false;
	int fd = open(part, O_RDONLY | O_CLOEXEC);
	const char *digest = fd >= 0 ? digest_of(a, fd, part, &bytes, e) : NULL;
	if (fd >= 0)
		close(fd);
	if (!digest)
		return failed(e, part);
	value_set_text(a, manifest, "sha256", digest);
	value_set_int(a, manifest, "bytes", bytes);
	if (!write_file(a, manifest_path(a, *path), str_of(json_text(a, manifest)), e))
		return false;
	if (rename(part, *path) < 0)
		return failed(e, *path);
	return sync_path(folder_of(a, *path), O_RDONLY | O_DIRECTORY, e);
}

static bool
remove_parts(struct arena *a, const char *dir, struct error *e)
{
	DIR *d = opendir(dir);
	if (!d)
		return failed(e, dir);
	for (struct dirent *entry; (entry = readdir(d));) {
		struct str name = str_of(entry->d_name);
		if (str_starts(name, prefix) && str_ends(name, part_end))
			unlink(arena_printf(a, "%s/%s", dir, entry->d_name));
	}
	closedir(d);
	return true;
}

bool
archive_rotate(struct arena *a, const char *dir, const struct config *config, int64_t *removed,
    struct error *e)
{
	const struct rotation r = {
	    config->backup_daily, config->backup_weekly, config->backup_monthly};
	struct archive all = {0};
	*removed = 0;
	if (!remove_parts(a, dir, e) || !archive_list(a, dir, &all, e))
		return false;
	int64_t *made = arena_new_array(a, int64_t, all.n + 1);
	bool *keep = arena_new_array(a, bool, all.n + 1);
	for (size_t i = 0; i < all.n; i++)
		made[i] = all.files[i].made;
	rotation_choose(&r, made, all.n, keep);
	for (size_t i = 0; i < all.n; i++) {
		if (keep[i])
			continue;
		if (unlink(all.files[i].path) < 0)
			return failed(e, all.files[i].path);
		unlink(manifest_path(a, all.files[i].path));
		++*removed;
	}
	return true;
}

bool
archive_room(const char *folder, int64_t needed, const char *what, struct error *e)
{
	enum { SPARE_MB = 64, MB = 1 << 20 };
	struct statvfs fs;
	if (!folder || statvfs(folder, &fs) < 0)
		return true;
	int64_t there = (int64_t)(fs.f_bavail * fs.f_frsize) / MB, wanted = needed / MB + SPARE_MB;
	return there >= wanted || error_set(e, ERR_UNAVAILABLE,
				      "There is no room %s: %s has %lld MB, about %lld are needed.",
				      what, folder, (long long)there, (long long)wanted);
}

static void
close_source(void *p)
{
	close(*(int *)p);
}

static struct value *
read_manifest(struct arena *a, const char *path, struct error *e)
{
	struct buf b;
	char chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		error_set(e, ERR_NOT_FOUND, "%s: %s. A backup is two files; copy both.", path,
		    strerror(errno));
		return NULL;
	}
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	return json_parse(a, buf_view(&b), e);
}

bool
archive_open(struct arena *a, const char *path, struct archive_source *out, struct error *e)
{
	int64_t bytes = 0;
	if (!str_ends(str_of(path), dump_end))
		return error_set(e, ERR_INVALID, "%s: a backup's name ends in .dump.", path);
	int *fd = arena_new_of(a, int);
	*fd = out->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return failed(e, path);
	arena_defer(a, close_source, fd);
	out->manifest = read_manifest(a, manifest_path(a, path), e);
	const char *digest = out->manifest ? digest_of(a, *fd, path, &bytes, e) : NULL;
	if (!digest)
		return false;
	return str_is(value_str(out->manifest, "sha256"), digest) ||
	       error_set(e, ERR_INVALID,
		   "%s is damaged: its digest is not the one that its manifest names. Take another backup.",
		   path);
}

const char *
archive_key_print(struct arena *a, const struct config *config)
{
	enum { SHOWN = 16 };
	const char *digest =
	    crypto_hmac_sha256(a, str_of(config->secret_key), STR("backup of trunkline"));
	return arena_strndup(a, digest, SHOWN);
}

bool
archive_keep_key(struct arena *a, const char *dir, const struct config *config, const char **path,
    struct error *e)
{
	*path = arena_printf(a, "%s/secret-key-%s", dir, archive_key_print(a, config));
	return write_file(a, *path, str_of(config->secret_key), e) &&
	       sync_path(dir, O_RDONLY | O_DIRECTORY, e);
}
