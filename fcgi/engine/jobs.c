#include "engine/jobs.h"

#include <poll.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "engine/import.h"
#include "store/import.h"

enum { LEASE_SECONDS = 60, IDLE_MS = 2000 };

static bool
told_to_stop(int signals)
{
	struct pollfd p = {.fd = signals, .events = POLLIN};
	return signals >= 0 && poll(&p, 1, 0) > 0;
}

/* One job, if there is any: *id is 0 else. */
static bool
one(const struct config *config, struct db *db, struct arena *a, int64_t *id, struct error *e)
{
	const char *token = crypto_uuid(a);
	*id = 0;
	if (!db_refresh(db, e) || !import_take(db, a, token, LEASE_SECONDS, clock_now(), id, e))
		return false;
	return !*id || import_run(config, db, *id, token, e);
}

static void
rest(struct db *db, int signals, int ms)
{
	struct pollfd fds[2] = {{.fd = db_socket(db), .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	poll(fds, signals >= 0 ? 2 : 1, ms);
	db_notified(db);
}

int
jobs_run(const struct config *config, int signals, bool once)
{
	struct error e = {0};
	struct db *db = db_open(config->database_url, "trunkline-jobs", 0, &e);
	int64_t ends_at = clock_monotonic() + config->dialer_budget * CLOCK_SECOND, id = 0;
	if (!db || !db_listen(db, "jobs", &e)) {
		log_error("jobs cannot start", LOG_TEXT("why", e.message));
		db_close(db);
		return 1;
	}
	struct arena *tick = arena_new(16384);
	while (!told_to_stop(signals) && clock_monotonic() < ends_at) {
		struct error why = {0};
		bool good = one(config, db, tick, &id, &why);
		arena_reset(tick);
		if (!good)
			log_warn("a job was interrupted", LOG_INT("import", id), LOG_TEXT("why", why.message));
		if (good && id)
			continue;
		if (once)
			break;
		rest(db, signals, good ? IDLE_MS : 500);
	}
	arena_free(tick);
	db_close(db);
	return 0;
}
