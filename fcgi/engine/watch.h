#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H
/* `trunkline watch`, run each minute: looks at what may go wrong, opens and closes alerts, and
 * tells of them by webhook and e-mail (engine/notice.h). */
#include "base/config.h"
#include "store/db.h"

struct watch_report {
	int64_t open, opened, closed;
	int sent, unsent; /* messages, each of which may tell of several alerts */
};

/** One look. A message that cannot be sent is no failure: it is tried again by the next one. */
bool watch_run(const struct config *config, struct db *db, struct arena *a,
    struct watch_report *report, struct error *e) MUST_USE;
/** Without a database nothing can be looked at or written down; but that can be told, at most
 * hourly, to whom the configuration names. */
void watch_database_away(const struct config *config, struct arena *a, const struct error *why);

#endif
