#ifndef STORE_CAMPAIGN_H
#define STORE_CAMPAIGN_H
/* Campaigns: what people do with them (sql/functions/campaign.sql) and what pages show of them. */
#include "store/db.h"

/** ${fields}: a map of columns, see campaign_put. ${id} 0 makes one; *made gets the id.
 * ERR_CONFLICT where the name is taken or the campaign runs. */
bool campaign_put(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    const struct value *fields, int64_t user_id, int64_t now, int64_t *made,
    struct error *e) MUST_USE;
/** Enrols leads of ${import_id} (0: any), or ${leads} (a list of ids, NULL: any). *n gets how many
 * are new. */
bool campaign_enrol(struct db *db, struct arena *a, int64_t campaign_id, int64_t import_id,
    const struct value *leads, int64_t now, int64_t *n, struct error *e) MUST_USE;
bool campaign_enrol_list(struct db *db, struct arena *a, int64_t client_id, int64_t campaign_id,
    struct str list, int64_t now, int64_t *n, struct error *e) MUST_USE;

enum campaign_act { CAMPAIGN_START, CAMPAIGN_PAUSE, CAMPAIGN_STOP, CAMPAIGN_ARCHIVE };
/** *changed: false where it was so already. For STOP *n gets how many were taken off (n may be
 * NULL). */
bool campaign_do(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    enum campaign_act act, int64_t user_id, int64_t now, bool *changed, int64_t *n,
    struct error *e) MUST_USE;

struct value *campaign_find(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    int64_t now, struct error *e) MUST_USE;
/** Newest first, ids below ${cursor} (0: from the newest); ${state} "" = all but the archived. */
struct value *campaign_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor,
    int64_t limit, struct str state, int64_t now, struct error *e) MUST_USE;
/** {total, judged, adding, now, later, later_from, blocked, waits}; at most ${most} leads are
 * judged. */
struct value *campaign_preflight(struct db *db, struct arena *a, int64_t id, int64_t most,
    int64_t now, struct error *e) MUST_USE;
/** [{reason, state, n, next_at}] of those that wait or are blocked. */
struct value *campaign_reasons(
    struct db *db, struct arena *a, int64_t id, int64_t now, struct error *e) MUST_USE;
struct value *campaign_leads(struct db *db, struct arena *a, int64_t id, int64_t cursor,
    int64_t limit, struct str state, int64_t now, struct error *e) MUST_USE;
/** Some of its leads, with everything that placeholders may name. */
struct value *campaign_sample(
    struct db *db, struct arena *a, int64_t id, int64_t most, struct error *e) MUST_USE;
/** The running one, else the newest paused one; *id 0: none.
 * Without ${sandbox} those that were made in the sandbox are passed over. */
bool campaign_open(struct db *db, struct arena *a, int64_t client_id, bool sandbox, int64_t *id,
    struct error *e) MUST_USE;
struct value *campaign_running(
    struct db *db, struct arena *a, int64_t client_id, struct error *e) MUST_USE;
/** {lists: [{name, n}], imports: [{id, file_name, …}], pending}: where leads of a new campaign may
 * come from. */
struct value *campaign_sources(
    struct db *db, struct arena *a, int64_t client_id, int64_t now, struct error *e) MUST_USE;

#endif
