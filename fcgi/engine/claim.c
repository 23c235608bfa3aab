/*
 * Claiming beside the sending: the database works on the next calls while this process sends the
 * last ones.
 */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "engine/dialer.h"
#include "store/dial.h"

enum phase { IDLE, CLAIMING, READING };

/* So many begin together, then answers are looked for: a provider that answers at once is asked
 * over few connections, one that takes its time over as many as there are calls. */
enum { MOST_TOGETHER = 64 };

struct claim {
	struct db *db;
	struct arena *a,
	    *other; /* of the claim under way, and of the calls that it brought before */
	const struct value *ready; /* calls to be placed, on other */
	size_t placed;             /* of them, so many are */
	int64_t ready_claimed;
	enum phase phase;
	int64_t client_id, claimed; /* claimed: the monotonic time before it was asked for */
	int most;
	bool more, took_over;
};

struct claim *
claim_open(struct dialer *d, struct error *e)
{
	struct claim *c = arena_new_of(d->own, struct claim);
	*c = (struct claim){.a = arena_new(64 << 10), .other = arena_new(64 << 10)};
	c->db = db_open(d->config->database_url, "trunkline-dialer", 30000, e);
	if (c->db)
		return c;
	claim_close(c);
	return NULL;
}

void
claim_close(struct claim *c)
{
	if (!c)
		return;
	db_close(c->db);
	arena_free(c->a);
	arena_free(c->other);
}

/* A run that was killed holds its clients until it has been quiet for long; but here one can see
 * that its process is gone, and what it did not send it never will. */
static bool
bury(struct dialer *d, const struct value *holder, struct error *e)
{
	struct claim *c = d->claim;
	if (!holder || !str_is(value_str(holder, "host"), d->host) ||
	    kill((pid_t)value_num(holder, "pid"), 0) == 0 || errno != ESRCH)
		return true;
	c->more = true;
	return dial_run_gone(d->db, c->a, value_strz(c->a, holder, "run"), clock_now(), e);
}

static bool
was_claimed(struct dialer *d, struct error *e)
{
	struct claim *c = d->claim;
	const struct value *claimed = dial_claimed(c->db, c->a, e);
	c->phase = IDLE;
	if (!claimed || !bury(d, value_get(claimed, "holder"), e))
		return false;
	if (value_flag(claimed, "took_over")) {
		c->took_over = true;
		pace_fill(d->pace, clock_monotonic());
	}
	const struct value *ids = value_get(claimed, "calls");
	size_t n = value_truthy(ids) ? ids->list.n : 0;
	c->more = c->more || value_num(claimed, "moved") > 0 || n == (size_t)c->most;
	if (!n)
		return true;
	if (!dial_calls(c->db, c->a, ids, e))
		return false;
	c->phase = READING;
	return true;
}

static bool
were_read(struct dialer *d, struct error *e)
{
	struct claim *c = d->claim;
	const struct value *calls = db_answer(c->db, c->a, e);
	c->phase = IDLE;
	c->ready = calls && calls->list.n ? calls : NULL;
	c->placed = 0;
	c->ready_claimed = c->claimed;
	struct arena *a = c->a;
	c->a = c->other;
	c->other = a;
	return calls != NULL;
}

bool
claim_place(struct dialer *d)
{
	struct claim *c = d->claim;
	for (int i = 0; c->ready && i < MOST_TOGETHER; i++) {
		place_call(d, c->ready->list.items[c->placed++], c->ready_claimed);
		if (c->placed == c->ready->list.n)
			c->ready = NULL;
	}
	return c->ready != NULL;
}

int
claim_room(const struct dialer *d)
{
	const struct claim *c = d->claim;
	return MOST_PLACING - d->placing - (c->ready ? (int)(c->ready->list.n - c->placed) : 0);
}

bool
claim_go_on(struct dialer *d, bool *idle, struct error *e)
{
	struct claim *c = d->claim;
	bool good = true;
	/* Those of the last claim first. */
	while (good && c->phase != IDLE && !(c->phase == READING && c->ready) && db_answered(c->db))
		good = c->phase == CLAIMING ? was_claimed(d, e) : were_read(d, e);
	*idle = c->phase == IDLE;
	return good;
}

bool
claim_begin(struct dialer *d, int64_t client_id, struct error *e)
{
	struct claim *c = d->claim;
	int64_t lease = d->config->http_timeout + PLACE_SECONDS + LEASE_SLACK;
	arena_reset(c->a);
	c->most = claim_room(d) < MOST_CLAIM ? claim_room(d) : MOST_CLAIM;
	c->client_id = client_id;
	c->claimed = clock_monotonic();
	if (!db_refresh(c->db, e) || !dial_claim(c->db, c->a, client_id, c->most, d->run, lease,
					 d->config->sandbox, clock_now(), d->boot, c->claimed, e))
		return false;
	c->phase = CLAIMING;
	return true;
}

bool
claim_took_over(struct dialer *d)
{
	bool took_over = d->claim->took_over;
	d->claim->took_over = false;
	return took_over;
}

bool
claim_more(struct dialer *d)
{
	bool more = d->claim->more;
	d->claim->more = false;
	return more;
}

int
claim_socket(const struct dialer *d)
{
	return d->claim->phase == IDLE ? -1 : db_socket(d->claim->db);
}
