/* Answers wait here until the database has them; a database that is away for a moment loses none.
 */
#include "base/clock.h"
#include "engine/dialer.h"
#include "store/dial.h"

struct reply {
	struct arena *a;
	struct value *result;
	struct reply *next;
};

enum { MOST_AT_ONCE = 500 };

void
settle_later(struct dialer *d, struct arena *a, struct value *result)
{
	struct reply *r = arena_new_of(a, struct reply);
	*r = (struct reply){a, result, NULL};
	*d->last_reply = r;
	d->last_reply = &r->next;
}

bool
settle_replies(struct dialer *d, struct error *e)
{
	while (d->replies) {
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
			arena_free(r->a);
		}
	}
	return true;
}
