#ifndef STORE_SETTING_H
#define STORE_SETTING_H
/*
 * Settings of a client that people change in the browser. Keys are sealed with SECRET_KEY and never
 * leave by a page. What is not stored comes from the configuration of the same name in upper case.
 * Names: bland_api_key, bland_webhook_secret (sealed); voice_id, rep, default_prompt, caller_number,
 * default_country, time_zone, quiet_hours, … (plain).
 */
#include "base/config.h"
#include "store/db.h"

/** The plain text of a key or setting; "" where neither stored nor configured. NULL on error. */
const char *setting_get(struct db *db, struct arena *a, const struct config *config, int64_t client_id,
    const char *name, struct error *e) MUST_USE;

#endif
