#ifndef STORE_CALL_H
#define STORE_CALL_H
/* Calls as pages read them. The dialer's side is store/dial. Confined to ${client}. */
#include "store/db.h"

/** Where a page of calls ends: the newest first, by the instant they were made. */
struct call_cursor {
	int64_t at; /* microseconds; 0: from the newest */
	const char *id;
	bool newer; /* those after it instead of before */
};

/** ${filter}: see sql/functions/call_page.sql. ${transcripts}: with their text. */
struct value *call_list(struct db *db, struct arena *a, int64_t client, const struct value *filter,
    const struct call_cursor *cursor, int64_t limit, bool transcripts, struct error *e) MUST_USE;
/** Pending leads that nobody called yet, as calls with a null id; lead ids below ${cursor} (0:
 * all). */
struct value *call_none_yet(struct db *db, struct arena *a, int64_t client, int64_t cursor,
    int64_t limit, struct error *e) MUST_USE;
struct value *call_campaigns(
    struct db *db, struct arena *a, int64_t client, struct error *e) MUST_USE;

/** With members decisions and, where ${raw}, events as the provider sent them. ${id}: a uuid;
 * anything else is ERR_NOT_FOUND. */
struct value *call_find(struct db *db, struct arena *a, int64_t client, struct str id, bool raw,
    struct error *e) MUST_USE;
/** Has the provider asked what became of a call that is not ended; ERR_CONFLICT where it is. */
bool call_ask_again(struct db *db, struct arena *a, int64_t client, struct str id, int64_t now,
    struct error *e) MUST_USE;
/** A person's word on an ambiguous call: it was ${placed}, or never reached the provider. */
bool call_resolve(struct db *db, struct arena *a, int64_t client, struct str id, bool placed,
    int64_t user_id, int64_t now, struct error *e) MUST_USE;

#endif
