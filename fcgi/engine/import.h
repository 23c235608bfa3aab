#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H
/*
 * Files of leads: a first look at one, its way into the queue, and the job that reads it.
 *
 * The job stages a batch of lines by COPY and merges it with one statement, which commits it
 * together with the counts and the last line dealt with. So it may be killed at any moment: another
 * worker goes on behind that line. Memory does not grow with the file.
 */
#include "base/config.h"
#include "base/table.h"
#include "rules/columns.h"
#include "store/db.h"

/** What the file is and what its columns may be. */
struct import_sight {
	struct value
	    *columns;        /* [{"name", "field", "key", "samples": [...]}] in the file's order */
	struct value *names; /* the headers alone */
	struct value *rows;  /* the first rows, lists of text, for showing */
	const char *format, *encoding, *delimiter;
	const char *doubt; /* why not sure, for people; "" where sure */
	bool sure, has_phone, has_consent, has_rows, has_header;
};

/**
 * Reads the head of ${path}. ${options}: encoding, delimiter ("tab", "," ...), header ("yes",
 * "no"), default_country; may be empty. ERR_INVALID with words for the person who uploaded it.
 */
bool import_look(struct arena *a, const struct config *config, const char *path,
    const struct value *options, struct import_sight *out, struct error *e) MUST_USE;
/** Takes the fields that people chose before for the same headers. */
void import_recall(struct arena *a, struct import_sight *sight, const struct value *remembered);
struct table_options import_table_options(
    struct arena *a, const struct config *config, const struct value *options);

/** A file that somebody wants to have imported. */
struct import_wish {
	int64_t client_id, user_id;
	const char *path; /* in the spool; the job removes it */
	const char *file_name, *sha256;
	int64_t size;
	struct value *options; /* see imports.options */
	bool ask; /* rather ask a person about columns or a second time than take what is likely */
};
struct import_made {
	int64_t id, same_as;
	bool asks;           /* waits for a person at /imports/{id}/mapping */
	const char *consent; /* what it came to: "column", "attested", "none" */
};

/** Looks, remembers, writes it down. ERR_INVALID naming the field where it cannot be imported. */
bool import_add(const struct config *config, struct db *db, struct arena *a,
    const struct import_wish *wish, struct import_made *made, struct error *e) MUST_USE;

/** For the command line: copies ${wish->path} into the spool, adds it and stays until it is over,
 * running jobs itself where nobody else does. ${wish->size} and sha256 are worked out. */
bool import_file(const struct config *config, struct db *db, struct arena *a,
    struct import_wish *wish, struct import_made *made, struct error *e) MUST_USE;

/** Both are asked between two batches and may be NULL. */
typedef bool import_stop(void *ctx);  /* true: stop, another worker goes on */
typedef void import_aside(void *ctx); /* a moment for other work; not on the worker's connection */
struct import_worker {
	const struct config *config;
	struct db *db;
	const char *token; /* of the lease */
	import_stop *stop;
	import_aside *aside;
	void *ctx;
};
enum { IMPORT_LEASE_SECONDS = 60 };

/** Runs job ${id}, which was taken under the worker's token. What is wrong with the file is written
 * down there; false: the job was given back, for a while. */
bool import_run(const struct import_worker *worker, int64_t id, struct error *e) MUST_USE;

#endif
