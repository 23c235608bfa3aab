#ifndef STORE_LEAD_H
#define STORE_LEAD_H
/*
 * Leads as pages read and change them. Rows are view models (store/db.h). Every function is
 * confined to
 * ${client}. ${ids} is a VALUE_LIST of integers; ids of other clients are passed over.
 */
#include "store/db.h"

/** Which rows: ${limit} of them, newest first, ids below ${cursor} (0: from the newest), or with
 * ${newer} those just above it. ${filter}: see sql/functions/lead_page.sql; an empty map takes the
 * plain index. */
struct lead_place {
	const struct value *filter;
	int64_t cursor, limit;
	bool newer;
};
struct value *lead_page(struct db *db, struct arena *a, int64_t client,
    const struct lead_place *place, struct error *e) MUST_USE;

/** What the page shows, asked in one flight: ${rows} with what its table shows of them; ${choices}:
 * names of "lists" and "campaigns" {id, name, state} to choose from; ${matches}: how many the
 * filter finds, counted up to ${most}; without a filter all, beyond ${most} as they were counted
 * last. */
struct lead_screen {
	struct value *rows, *choices;
	int64_t matches;
};
bool lead_screen(struct db *db, struct arena *a, int64_t client, const struct lead_place *place,
    int64_t most, int64_t now, struct lead_screen *out, struct error *e) MUST_USE;
/** Prompts {name} to choose from. */
struct value *lead_prompts(
    struct db *db, struct arena *a, int64_t client, struct error *e) MUST_USE;

struct value *lead_find(
    struct db *db, struct arena *a, int64_t client, int64_t id, struct error *e) MUST_USE;
/** Members calls, decisions, enrollments and consents of one lead. */
struct value *lead_history(
    struct db *db, struct arena *a, int64_t client, int64_t id, struct error *e) MUST_USE;
/** {allowed, reason, permanent, next_at} for the channel; ${campaign} may be 0. The lead must be
 * the client's own: call lead_find first. */
struct value *lead_contactability(struct db *db, struct arena *a, int64_t id, const char *channel,
    int64_t campaign, int64_t now, struct error *e) MUST_USE;
/** Local times where the lead may be: [{clock, zone, zones}]. */
struct value *lead_clock(
    struct db *db, struct arena *a, int64_t id, int64_t now, struct error *e) MUST_USE;

/** ${fields}: phone (E.164), extension, contact, company, … as the columns are named; missing
 * members are empty, or unchanged in an update. A number that is already there: ERR_CONFLICT. */
bool lead_insert(struct db *db, struct arena *a, int64_t client, const struct value *fields,
    int64_t *id, struct error *e) MUST_USE;
/** Also has blocked journeys judged anew where number, region, zone or prompt changed. */
bool lead_update(struct db *db, struct arena *a, int64_t client, int64_t id,
    const struct value *fields, int64_t now, struct error *e) MUST_USE;
bool lead_note(struct db *db, struct arena *a, int64_t client, int64_t id, const char *line,
    int64_t now, struct error *e) MUST_USE;
/** ${archive} false brings them back. */
bool lead_archive(struct db *db, struct arena *a, int64_t client, const struct value *ids,
    bool archive, int64_t now, int64_t *changed, struct error *e) MUST_USE;
/** Blocked journeys of these leads become due and are judged anew. */
bool lead_recheck(struct db *db, struct arena *a, int64_t client, const struct value *ids,
    int64_t now, struct error *e) MUST_USE;
/** Adds them to a campaign: {enrolled, name}; ERR_NOT_FOUND where there is no such campaign. */
struct value *lead_enrol(struct db *db, struct arena *a, int64_t client, int64_t campaign,
    const struct value *ids, int64_t now, struct error *e) MUST_USE;
/** Every match in turn, newest first, about ${most} at most; a lead that changes meanwhile may be
 * missed. */
bool lead_export(struct db *db, struct arena *a, int64_t client, const struct value *filter,
    int64_t most, db_row_fn *each, void *ctx, struct error *e) MUST_USE;

#endif
