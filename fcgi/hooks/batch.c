#include "hooks/batch.h"

#include "base/clock.h"
#include "base/log.h"

struct waiting {
	struct event ev;
	const char *verdict; /* NULL: not received, for ${why} */
	struct error why;
};

/* The connection for what is done in two steps; one for a process. */
static struct {
	const char *url;
	int statement_timeout_ms;
	struct db *db; /* NULL while it was never reached */
	int64_t tried_at;
	bool asked;
} lane;

void
batch_add(struct request *rq, const struct event *ev)
{
	struct waiting *w = arena_new_of(rq->arena, struct waiting);
	w->ev = *ev;
	rq->waiting = w;
}

static void
apply_alone(struct app *app, struct request *rq)
{
	struct waiting *w = rq->waiting;
	if (!event_receive(app->db, rq->arena, clock_now(), &w->ev, &w->verdict, &w->why))
		w->verdict = NULL;
}

static struct event *
events_of(struct request *const *rqs, size_t n)
{
	struct event *evs = arena_new_array(rqs[0]->arena, struct event, n);
	for (size_t i = 0; i < n; i++)
		evs[i] = ((struct waiting *)rqs[i]->waiting)->ev;
	return evs;
}

/* Requests end one by one: each holds what it needs itself. */
static void
share(struct request *const *rqs, size_t n, const char **verdicts)
{
	for (size_t i = 0; i < n; i++) {
		struct waiting *w = rqs[i]->waiting;
		w->verdict = arena_strdup(rqs[i]->arena, verdicts[i]);
	}
}

/* In one step, on the handlers' connection. */
static void
apply_together(struct app *app, struct request *const *rqs, size_t n)
{
	struct error e = {0};
	struct arena *a = rqs[0]->arena;
	const char **verdicts = arena_new_array(a, const char *, n);
	if (event_receive_all(app->db, a, clock_now(), events_of(rqs, n), n, verdicts, &e)) {
		share(rqs, n, verdicts);
		return;
	}
	if (n > 1)
		log_warn("events were not taken together", LOG_TEXT("why", e.message));
	for (size_t i = 0; i < n; i++) {
		struct waiting *w = rqs[i]->waiting;
		w->verdict = NULL;
		w->why = e;
		if (e.kind != ERR_UNAVAILABLE)
			apply_alone(app, rqs[i]);
	}
}

static void
connect_lane(void)
{
	struct error e = {0};
	enum { SECONDS = 10 };
	if (lane.db || !lane.url || !clock_again(&lane.tried_at, SECONDS * CLOCK_SECOND))
		return;
	lane.db = db_open(lane.url, "trunkline-hook", lane.statement_timeout_ms, &e);
	if (!lane.db)
		log_warn("webhooks are applied in one step", LOG_TEXT("why", e.message));
}

void
batch_open(const char *url, int statement_timeout_ms)
{
	lane.url = url;
	lane.statement_timeout_ms = statement_timeout_ms;
	connect_lane();
}

void
batch_close(void)
{
	db_close(lane.db);
	lane.db = NULL;
	lane.url = NULL;
}

void
batch_begin(struct app *app, struct request *const *rqs, size_t n)
{
	struct error e = {0};
	(void)app;
	connect_lane();
	lane.asked = lane.db && db_refresh(lane.db, &e) &&
		     event_send_all(lane.db, rqs[0]->arena, clock_now(), events_of(rqs, n), n, &e);
}

int
batch_socket(struct app *app)
{
	(void)app;
	return lane.asked ? db_socket(lane.db) : -1;
}

bool
batch_ready(struct app *app)
{
	(void)app;
	return !lane.asked || db_answered(lane.db);
}

void
batch_end(struct app *app, struct request *const *rqs, size_t n)
{
	struct error e = {0};
	struct arena *a = rqs[0]->arena;
	const char **verdicts = arena_new_array(a, const char *, n);
	bool wake = false;
	bool told = lane.asked && event_answer_all(lane.db, a, n, verdicts, &wake, &e);
	lane.asked = false;
	if (!told) {
		/* It says itself what is wrong with the connection. */
		(void)!app->refresh(app, NULL);
		apply_together(app, rqs, n);
		return;
	}
	share(rqs, n, verdicts);
	if (wake)
		event_wake(app->db, a);
}

bool
batch_verdict(
    const struct request *rq, const struct event **ev, const char **verdict, struct error *e)
{
	const struct waiting *w = rq->waiting;
	*ev = &w->ev;
	*verdict = w->verdict;
	if (!w->verdict)
		*e = w->why;
	return w->verdict != NULL;
}
