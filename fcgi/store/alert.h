#ifndef STORE_ALERT_H
#define STORE_ALERT_H
/*
 * What needs a person. Raised by what happens (alert_raise) or opened by `trunkline watch`
 * (alert_watch), once for each (kind, subject), shown until resolved. Acknowledged: somebody knows;
 * it no longer counts at the bell, and stays in the list until it is over. And the audit log.
 */
#include "store/db.h"

bool alert_raise(struct db *db, struct arena *a, int64_t client_id, const char *kind,
    const char *subject, const char *message, const char *link, int64_t now,
    struct error *e) MUST_USE;
bool alert_resolve(struct db *db, struct arena *a, int64_t client_id, int64_t id, int64_t user_id,
    int64_t now, struct error *e) MUST_USE;
/** *done: false where it is over, unknown, or acknowledged already. */
bool alert_acknowledge(struct db *db, struct arena *a, int64_t client_id, int64_t id,
    int64_t user_id, int64_t now, bool *done, struct error *e) MUST_USE;
/** Newest first, ids below ${cursor} (0: from the newest): the open ones, or those that are over.
 */
struct value *alert_list(struct db *db, struct arena *a, int64_t client_id, bool open,
    int64_t cursor, int64_t limit, struct error *e) MUST_USE;
/** Open ones of all clients, at most 50; for `trunkline status`. */
struct value *alert_open_all(struct db *db, struct arena *a, struct error *e) MUST_USE;

/** Opens and closes what `trunkline watch` looks at. ${facts}: what the database cannot know
 * ([{kind, subject, message, link, opens}]). {opened, closed, open}. */
struct value *alert_watch(struct db *db, struct arena *a, const struct value *facts, bool sandbox,
    int64_t now, struct error *e) MUST_USE;
/** Writes down what is to be told by each of ${n} ${channels} ("webhook", "email"). */
bool alert_messages_add(struct db *db, struct arena *a, const struct str *channels, size_t n,
    int64_t now, struct error *e) MUST_USE;
/** What is to be sent now by ${channel}, at most 50: {id, what: "opened" or "closed", kind,
 * subject, message, link, first_at, resolved_at}. Each is given out again after a pause, a few
 * times, unless alert_messages_done says that it was sent. */
struct value *alert_messages_take(
    struct db *db, struct arena *a, const char *channel, int64_t now, struct error *e) MUST_USE;
/** ${problem} "": they were sent. */
bool alert_messages_done(struct db *db, struct arena *a, const struct value *messages,
    const char *problem, int64_t now, struct error *e) MUST_USE;

struct value *audit_page(struct db *db, struct arena *a, int64_t client_id, int64_t cursor,
    int64_t limit, struct error *e) MUST_USE;

#endif
