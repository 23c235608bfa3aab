#include "sandbox/life.h"

#include "base/clock.h"
#include "sandbox/delivery.h"
#include "sandbox/ledger.h"
#include "sandbox/story.h"
#include "sandbox/timers.h"

static void
tell(struct sandbox *s, struct call *c, enum call_event asked, enum report event)
{
	if (c->events & asked)
		deliveries_send(s, c, event, REPORT_NONE);
}

static void
end(struct sandbox *s, struct call *c)
{
	c->state = CALL_ENDED;
	c->ended = clock_now();
	c->early = c->behaviour->report == REPORT_EARLY;
	ledger_write(s->ledger,
	    &(struct entry){.what = "ended", .call = c, .why = outcome_name(c->outcome)});
	tell(s, c, EVENT_LATENCY, REPORT_LATENCY);
	tell(s, c, EVENT_CALL, REPORT_ENDED);
	deliveries_send(s, c, c->behaviour->report, c->behaviour->then);
}

static void
at_end(struct sandbox *s, void *subject)
{
	struct call *c = subject;
	c->holds--;
	if (c->state != CALL_ENDED)
		end(s, c);
}

static void
at_answer(struct sandbox *s, void *subject)
{
	struct call *c = subject;
	if (c->state == CALL_ENDED || !story_ending(c->outcome)->talk[1]) {
		at_end(s, c);
		return;
	}
	c->state = CALL_CONNECTED;
	c->started = clock_now();
	ledger_write(s->ledger, &(struct entry){.what = "started", .call = c});
	tell(s, c, EVENT_CALL, REPORT_CONNECTED);
	timers_add(s->timers, sandbox_now() + c->planned / 1000, at_end, c);
}

static bool
at_once(const struct call *c)
{
	return c->behaviour->answer == ANSWER_AFTER_REPORT;
}

void
life_plan(struct sandbox *s, struct call *c)
{
	struct lot l = lot_of(c->number->phone, s->o.seed + c->number->accepted);
	c->seed = l.state;
	c->outcome = behaviour_outcome(c->behaviour, c->number->phone, s->o.seed);
	story_durations(c);
	c->planned = at_once(c) ? 1000 : sandbox_lasts(s, c->talk) * 1000;
}

void
life_resume(struct sandbox *s, struct call *c)
{
	if (c->state == CALL_ENDED) {
		c->early = c->behaviour->report == REPORT_EARLY;
		if (!c->told)
			deliveries_send(s, c, c->behaviour->report, c->behaviour->then);
		return;
	}
	c->holds++;
	timers_add(s->timers, sandbox_now() + sandbox_lasts(s, c->ring),
	    c->state == CALL_QUEUED ? at_answer : at_end, c);
}

void
life_begin(struct sandbox *s, struct call *c)
{
	life_plan(s, c);
	c->holds++;
	ledger_write(s->ledger, &(struct entry){.what = "accepted", .call = c});
	tell(s, c, EVENT_QUEUE, REPORT_QUEUED);
	int64_t ring = at_once(c) ? 0 : sandbox_lasts(s, c->ring);
	timers_add(s->timers, sandbox_now() + c->start_after + ring, at_answer, c);
}

bool
life_stop(struct sandbox *s, struct call *c)
{
	if (c->state == CALL_ENDED)
		return false;
	c->stopped = true;
	end(s, c);
	return true;
}
