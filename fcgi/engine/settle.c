/* Answers wait here until the database has them; a database that is away for a moment loses none.
 */
#include "base/clock.h"
#include "engine/dialer.h"
#include "store/dial.h"

struct reply {
	struct arena *a;
	struct value *result;
	struct reply *next;
	int64_t since;
};

/* The more at once, the less each costs; but a report may come any moment, and finds its call
 * sooner. */
enum { MOST_AT_ONCE = 500, WORTH = 200, MOST_WAIT = 8000 };

void
settle_later(struct dialer *d, struct arena *a, struct value *result)
{
	struct reply *r = arena_new_of(a, struct reply);
	*r = (struct reply){a, result, NULL, clock_monotonic()};
	d->waiting++;
	*d->last_reply = r;
	d->last_reply = &r->next;
}

int
settle_wait(const struct dialer *d)
{
	if (d->waiting >= WORTH || d->placing == 0)
		return 0;
	int64_t left = d->replies->since + MOST_WAIT - clock_monotonic();
	return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

bool
settle_replies(struct dialer *d, bool all, struct error *e)
{
	while (d->replies && (all || settle_wait(d) == 0)) {
		struct value *batch = value_list(d->tick);
		for (struct reply *r = d->replies; r && batch->list.n < MOST_AT_ONCE; r = r->next)
			value_push(d->tick, batch, r->result);
		if (!dial_settle(d->db, d->tick, batch, clock_now(), e))
			return false;
		for (size_t n = batch->list.n; n && d->replies; n--) {
			struct reply *r = d->replies;
			d->replies = r->next;
			if (!d->replies)
				d->last_reply = &d->replies;
			d->waiting--;
			arena_free(r->a);
		}
	}
	return true;
}
