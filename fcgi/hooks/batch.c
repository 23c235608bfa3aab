#include "hooks/batch.h"

#include "base/clock.h"
#include "base/log.h"

struct waiting {
	struct event ev;
	const char *verdict; /* NULL: not received, for ${why} */
	struct error why;
};

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

void
batch_apply(struct app *app, struct request *const *rqs, size_t n)
{
	struct error e = {0};
	struct arena *a = rqs[0]->arena;
	struct event *evs = arena_new_array(a, struct event, n);
	const char **verdicts = arena_new_array(a, const char *, n);
	for (size_t i = 0; i < n; i++)
		evs[i] = ((struct waiting *)rqs[i]->waiting)->ev;
	bool together = event_receive_all(app->db, a, clock_now(), evs, n, verdicts, &e);
	if (!together && n > 1)
		log_warn("events were not taken together", LOG_TEXT("why", e.message));
	for (size_t i = 0; i < n; i++) {
		struct waiting *w = rqs[i]->waiting;
		/* Requests end one by one: each holds what it needs itself. */
		w->verdict = together ? arena_strdup(rqs[i]->arena, verdicts[i]) : NULL;
		w->why = e;
		if (!together && e.kind != ERR_UNAVAILABLE)
			apply_alone(app, rqs[i]);
	}
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
