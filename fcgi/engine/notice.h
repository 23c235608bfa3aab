#ifndef ENGINE_NOTICE_H
#define ENGINE_NOTICE_H
/* Telling people of alerts: a POST of JSON to a webhook, an e-mail. Each message is tried six times
 * within half an hour, then given up; the list of alerts has it anyhow. */
#include "engine/watch.h"

struct notice_ways {
	const char *webhook, *email; /* "": not that way */
};

/** What is set under Settings, else in the configuration; from ${a}. A key that cannot be opened is
 * an error. */
bool notice_ways_get(const struct config *config, struct db *db, struct arena *a, int64_t client_id,
    struct notice_ways *out, struct error *e) MUST_USE;
/** Sends what alert_messages_take gives, and counts it in ${report}. */
bool notice_send_all(const struct config *config, struct db *db, struct arena *a,
    const struct notice_ways *ways, struct watch_report *report, struct error *e) MUST_USE;
/** One telling of ${messages} (as alert_messages_take gives them) by one way; false with why. */
bool notice_send(const struct config *config, struct arena *a, const char *channel, const char *to,
    struct value *messages, struct error *e) MUST_USE;

#endif
