#include "engine/jobs.h"

#include <poll.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "engine/import.h"
#include "store/import.h"
#include "store/job.h"

enum { IDLE_MS = 2000, TROUBLE_MS = 500 };
static const int64_t TELL_AGAIN = 30 * CLOCK_SECOND; /* of the same trouble */

struct shift {
	int signals;
	int64_t ends_at, told_at;
	struct db *pieces; /* of its own: a piece is done while an import's batch is being merged */
	struct arena *a;
};

static bool
is_over(void *ctx)
{
	const struct shift *s = ctx;
	struct pollfd p = {.fd = s->signals, .events = POLLIN};
	return clock_monotonic() >= s->ends_at || (s->signals >= 0 && poll(&p, 1, 0) > 0);
}

/* True: there was one to do, and there may be more. */
static bool
work_piece(struct shift *s)
{
	struct error why = {0};
	bool worked = false;
	if (db_refresh(s->pieces, &why) && job_step(s->pieces, s->a, clock_now(), &worked, &why))
		s->told_at = 0;
	else if (clock_again(&s->told_at, TELL_AGAIN))
		log_warn("a piece of a job was not done", LOG_TEXT("why", why.message));
	arena_reset(s->a);
	return worked;
}

static void
work_aside(void *ctx)
{
	work_piece(ctx);
}

bool
jobs_one(struct import_worker *w, struct arena *a, int64_t *id, struct error *e)
{
	w->token = crypto_uuid(a);
	*id = 0;
	if (!db_refresh(w->db, e) ||
	    !import_take(w->db, a, w->token, IMPORT_LEASE_SECONDS, clock_now(), id, e))
		return false;
	return !*id || import_run(w, *id, e);
}

static void
rest(struct db *db, int signals, int ms)
{
	struct pollfd fds[2] = {
	    {.fd = db_socket(db), .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	poll(fds, signals >= 0 ? 2 : 1, ms);
	db_notified(db);
}

static void
loop(struct import_worker *w, struct shift *shift, bool once)
{
	int64_t id = 0, told_at = 0;
	struct arena *tick = arena_new(16384);
	while (!is_over(shift)) {
		struct error why = {0};
		bool worked = work_piece(shift), good = jobs_one(w, tick, &id, &why);
		if (good)
			told_at = 0;
		else if (!id && clock_again(&told_at, TELL_AGAIN))
			log_warn("no job could be taken", LOG_TEXT("why", why.message));
		arena_reset(tick);
		if (worked || (good && id))
			continue;
		if (once)
			break;
		rest(w->db, shift->signals, good ? IDLE_MS : TROUBLE_MS);
	}
	arena_free(tick);
}

int
jobs_run(const struct config *config, int signals, bool once)
{
	struct error e = {0};
	struct shift shift = {.signals = signals,
	    .ends_at = clock_monotonic() + config->dialer_budget * CLOCK_SECOND,
	    .a = arena_new(4096)};
	struct import_worker w = {
	    .config = config, .stop = is_over, .aside = work_aside, .ctx = &shift};
	w.db = db_open(config->database_url, "trunkline-jobs", 0, &e);
	shift.pieces = w.db ? db_open(config->database_url, "trunkline-jobs", 0, &e) : NULL;
	bool good = shift.pieces && db_listen(w.db, "jobs", &e);
	if (good)
		loop(&w, &shift, once);
	else
		log_error("jobs cannot start", LOG_TEXT("why", e.message));
	db_close(shift.pieces);
	db_close(w.db);
	arena_free(shift.a);
	return good ? 0 : 1;
}
