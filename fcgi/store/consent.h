#ifndef STORE_CONSENT_H
#define STORE_CONSENT_H
/* Permission to contact, as dated events, and the standing orders never to. Confined to ${client}.
 */
#include "store/db.h"

struct value *consent_list(struct db *db, struct arena *a, int64_t client, int64_t lead,
    int64_t limit, struct error *e) MUST_USE;

struct consent {
	const char *channel; /* call, sms, whatsapp, email */
	bool granted;        /* false: withdrawn */
	const char *source;  /* where it comes from, in words */
	const char *evidence;
	int64_t at;      /* when the person gave or withdrew it */
	int64_t user_id; /* who recorded it; 0: the admin token */
};

/** Records one event for each of ${ids} (VALUE_LIST of the client's leads) and has their blocked
 * journeys judged anew. *recorded: how many leads. */
bool consent_add(struct db *db, struct arena *a, int64_t client, const struct value *ids,
    const struct consent *consent, int64_t now, int64_t *recorded, struct error *e) MUST_USE;

/** Newest first, ids below ${cursor} (0: all); ${part} of a number or address, or NULL. */
struct value *suppression_list(struct db *db, struct arena *a, int64_t client, int64_t cursor,
    const char *part, int64_t limit, struct error *e) MUST_USE;
struct value *suppression_find(
    struct db *db, struct arena *a, int64_t client, int64_t id, struct error *e) MUST_USE;

struct suppression {
	const char *channel;       /* NULL: all of them */
	const char *phone, *email; /* E.164; at least one */
	const char *reason, *source, *evidence;
	int64_t user_id;
};

/** One that is there already is no error: *made says false. */
bool suppression_add(struct db *db, struct arena *a, int64_t client,
    const struct suppression *order, int64_t now, int64_t *id, bool *made,
    struct error *e) MUST_USE;
/** The numbers of these leads, on all channels. */
bool suppression_add_leads(struct db *db, struct arena *a, int64_t client, const struct value *ids,
    const char *reason, int64_t user_id, int64_t now, int64_t *added, struct error *e) MUST_USE;
/** Its lead, where there is one, is judged anew. ERR_NOT_FOUND where there is none (any more). */
bool suppression_remove(struct db *db, struct arena *a, int64_t client, int64_t id, int64_t now,
    struct error *e) MUST_USE;

#endif
