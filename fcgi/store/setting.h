#ifndef STORE_SETTING_H
#define STORE_SETTING_H
/*
 * Settings of a client that people change in the browser. Keys are sealed with SECRET_KEY and never
 * leave by a page. What is not stored comes from the configuration of the same name in upper case.
 */
#include "base/config.h"
#include "store/db.h"

/**
 * The plain text of a key or setting; "" where neither stored nor configured. NULL on error. Names:
 * bland_api_key, bland_webhook_secret, alert_webhook (sealed); alert_email, voice_id, rep,
 * caller_number, default_country, min_gap_seconds, per_day, per_week. Read at most every
 * SETTING_SECONDS from the database; ${a} holds the answer.
 */
const char *setting_get(struct db *db, struct arena *a, const struct config *config,
    int64_t client_id, const char *name, struct error *e) MUST_USE;
enum { SETTING_SECONDS = 3 };
/** The next setting_get reads again: a page begins so, to show what any worker saved just now. */
void setting_forget(void);

/** All stored ones: {name: {"value" | "hint", "updated_at"}}; sealed ones only with their hint. */
struct value *setting_list(
    struct db *db, struct arena *a, int64_t client_id, struct error *e) MUST_USE;
/** Stores a plain setting; "" removes it, so that the configuration counts again. */
bool setting_put(struct db *db, struct arena *a, int64_t client_id, const char *name,
    struct str value, int64_t user_id, int64_t now, struct error *e) MUST_USE;
/** Seals and stores a key; "" removes it. */
bool setting_seal(struct db *db, struct arena *a, const struct config *config, int64_t client_id,
    const char *name, struct str value, int64_t user_id, int64_t now, struct error *e) MUST_USE;

#endif
