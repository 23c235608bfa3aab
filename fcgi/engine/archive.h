#ifndef ENGINE_ARCHIVE_H
#define ENGINE_ARCHIVE_H
/*
 * The folder of backups. A backup is two files: trunkline-20261121T021500Z.dump (pg_dump's custom
 * format, compressed) and the same name with .json, its manifest: when, of which database, the
 * dump's SHA-256, and each table's rows and digest as of the very moment that the dump shows. A
 * dump has its name only once both are on the disk.
 */
#include "base/config.h"
#include "base/value.h"

struct archive_file {
	const char *path; /* of the dump */
	int64_t made;     /* microseconds */
};

struct archive {
	const char *dir;
	struct archive_file *files; /* newest first */
	size_t n;
};

/** Makes the folder where it is missing (0700; for root: of the system's user postgres, where there
 * is one, when ${hand_over}). */
bool archive_prepare(const char *dir, bool hand_over, struct error *e) MUST_USE;
/** What is in it. */
bool archive_list(struct arena *a, const char *dir, struct archive *out, struct error *e) MUST_USE;
/** Where the dump of ${now} is written before it has its name. */
const char *archive_part(struct arena *a, const char *dir, int64_t now);
/** Gives dump and manifest their names, durably. sha256 and bytes are added to ${manifest}. *path:
 * the dump's. */
bool archive_seal(struct arena *a, const char *part, struct value *manifest, const char **path,
    struct error *e) MUST_USE;
/** Removes parts that a killed run left, and the older ones that ${config} does not keep. *removed:
 * how many of those. */
bool archive_rotate(struct arena *a, const char *dir, const struct config *config, int64_t *removed,
    struct error *e) MUST_USE;

/** Fails where ${folder} has less than ${needed} bytes and a little to spare: a disk that is filled
 * to the brim stops the database, which is worse than a backup or a check that was not made. A
 * folder that cannot be looked at has room. */
bool archive_room(const char *folder, int64_t needed, const char *what, struct error *e) MUST_USE;

/** A backup that is opened to be restored. */
struct archive_source {
	int fd; /* at its beginning */
	struct value *manifest;
};
/** Fails where a file is missing or the dump's digest is another. Closed with ${a}. */
bool archive_open(
    struct arena *a, const char *path, struct archive_source *out, struct error *e) MUST_USE;

/** Which SECRET_KEY a backup belongs to, without telling it. */
const char *archive_key_print(struct arena *a, const struct config *config);
/** A copy of SECRET_KEY, 0600, beside the dumps; one for each key. *path: its name. */
bool archive_keep_key(struct arena *a, const char *dir, const struct config *config,
    const char **path, struct error *e) MUST_USE;

#endif
