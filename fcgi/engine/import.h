#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H
/* Files of leads: a first look at one, and the job that reads it line by line. */
#include "base/config.h"
#include "base/table.h"
#include "rules/columns.h"
#include "store/db.h"

/** A first look: what the file is and what its columns may be. */
struct import_sight {
	struct value *columns; /* [{"name", "field", "key", "samples": [...]}] in the file's order */
	struct value *rows;    /* the first rows, lists of text, for showing */
	struct value *names;
	const char *format, *encoding, *delimiter;
	bool sure;
	const char *doubt; /* why not sure, for people */
	bool has_phone, has_consent, has_rows;
};

/** Reads the head of ${path}. ${options}: encoding, delimiter, header ("yes", "no"); may be empty. ERR_INVALID with words
 * for the person who uploaded it. */
bool import_look(struct arena *a, const char *path, const struct value *options, const char *country,
    const char *spool_dir, struct import_sight *out, struct error *e) MUST_USE;

/** Runs one import under the lease of ${token} to its end; a failure of the file itself is written down there. */
bool import_run(const struct config *config, struct db *db, int64_t id, const char *token, struct error *e) MUST_USE;

#endif
