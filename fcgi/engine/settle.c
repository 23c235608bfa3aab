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
	if (!d->replies || d->settling)
		return -1;
	if (d->waiting >= WORTH || d->placing == 0)
		return 0;
	int64_t left = d->replies->since + MOST_WAIT - clock_monotonic();
	return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

int
settle_socket(const struct dialer *d)
{
	return d->settling ? db_socket(d->settler) : -1;
}

static bool
send_replies(struct dialer *d, struct error *e)
{
	struct value *batch = value_list(d->tick);
	for (struct reply *r = d->replies; r && batch->list.n < MOST_AT_ONCE; r = r->next)
		value_push(d->tick, batch, r->result);
	if (!db_refresh(d->settler, e) || !dial_settle(d->settler, d->tick, batch, clock_now(), e))
		return false;
	d->settling = (int)batch->list.n;
	return true;
}

/* The database has them, or has them still to get: settling one twice changes nothing. */
static bool
sent_replies(struct dialer *d, struct error *e)
{
	int n = d->settling;
	d->settling = 0;
	if (!db_answer(d->settler, d->tick, e))
		return false;
	for (; n && d->replies; n--) {
		struct reply *r = d->replies;
		d->replies = r->next;
		if (!d->replies)
			d->last_reply = &d->replies;
		d->waiting--;
		arena_free(r->a);
	}
	return true;
}

bool
settle_replies(struct dialer *d, bool all, struct error *e)
{
	for (;;) {
		if (d->settling && !all && !db_answered(d->settler))
			return true;
		if (d->settling && !sent_replies(d, e))
			return false;
		if (!d->replies || (!all && settle_wait(d) != 0))
			return true;
		if (!send_replies(d, e))
			return false;
	}
}
