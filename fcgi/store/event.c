#include "store/event.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "queries.h"

enum { MOST_REFUSED = 4096 };

/* What cannot be believed is kept short, so that a stranger cannot fill the disk. */
static struct str
body_kept(struct arena *a, const struct event *ev)
{
	struct str body = ev->body;
	bool refused = str_is(str_of(ev->signature), "bad");
	if (refused && body.n > MOST_REFUSED)
		body.n = MOST_REFUSED;
	return str_is_utf8(body) ? body : str_utf8(a, body);
}

/*
 * A refused body is another event than the same body with a good signature. Of refused ones at most
 * 256 an hour are kept; the others count as deliveries of one of those, so that a stranger cannot
 * fill the disk.
 */
static const char *
key_of(struct arena *a, int64_t now, const struct event *ev)
{
	const char *digest = crypto_sha256(a, ev->body);
	if (!str_is(str_of(ev->signature), "bad"))
		return digest;
	return arena_printf(a, "refused %lld %.2s", (long long)(now / CLOCK_SECOND / 3600), digest);
}

bool
event_receive(struct db *db, struct arena *a, int64_t now, const struct event *ev,
    const char **verdict, struct error *e)
{
	const char *key = key_of(a, now, ev);
	const struct value *row = db_row(db, a, q_event_receive, e, P_TEXT(ev->provider),
	    P_TEXT(key), P_TEXT(ev->signature), P_STR(body_kept(a, ev)), P_JSON(ev->headers),
	    P_JSON(ev->report), P_TIME(now));
	if (!row)
		return false;
	*verdict = value_strz(a, row, "verdict");
	return true;
}

/* The columns of a batch, as the database takes them. */
struct columns {
	struct str *keys, *attempts, *signatures, *bodies, *headers, *reports;
};

static void
columns_set(struct columns *c, size_t i, struct arena *a, int64_t now, const struct event *ev)
{
	struct str attempt = value_str(ev->report, "attempt_id");
	c->keys[i] = str_of(key_of(a, now, ev));
	c->attempts[i] = attempt.n ? attempt : (struct str){NULL, 0};
	c->signatures[i] = str_of(ev->signature);
	c->bodies[i] = body_kept(a, ev);
	c->headers[i] = str_of(json_text(a, ev->headers));
	c->reports[i] = ev->report ? str_of(json_text(a, ev->report)) : (struct str){NULL, 0};
}

static struct columns
columns_of(struct arena *a, int64_t now, const struct event *evs, size_t n)
{
	struct str *all = arena_new_array(a, struct str, 6 * n);
	struct columns c = {all, all + n, all + 2 * n, all + 3 * n, all + 4 * n, all + 5 * n};
	for (size_t i = 0; i < n; i++)
		columns_set(&c, i, a, now, &evs[i]);
	return c;
}

/* Out of the transaction: a NOTIFY within it would make it wait for others' to commit. */
void
event_wake(struct db *db, struct arena *a)
{
	struct error e = {0};
	if (!db_exec(db, a, q_dial_wake, NULL, &e))
		log_warn("the dialer was not woken", LOG_TEXT("why", e.message));
}

static void
verdicts_of(struct arena *a, const struct value *row, size_t n, const char **verdicts)
{
	const struct value *list = value_get(row, "verdicts");
	for (size_t i = 0; i < n; i++)
		verdicts[i] = str_dup(a, list->list.items[i]->s);
}

enum { RECEIVE_PARAMS = 8 };

static void
receive_params(struct db_param *p, struct arena *a, int64_t now, const struct event *evs, size_t n)
{
	struct columns c = columns_of(a, now, evs, n);
	p[0] = P_TEXT(evs[0].provider);
	p[1] = P_TEXTS(c.keys, n);
	p[2] = P_TEXTS(c.attempts, n);
	p[3] = P_TEXTS(c.signatures, n);
	p[4] = P_TEXTS(c.bodies, n);
	p[5] = P_TEXTS(c.headers, n);
	p[6] = P_TEXTS(c.reports, n);
	p[7] = P_TIME(now);
}

bool
event_receive_all(struct db *db, struct arena *a, int64_t now, const struct event *evs, size_t n,
    const char **verdicts, struct error *e)
{
	struct db_param p[RECEIVE_PARAMS];
	receive_params(p, a, now, evs, n);
	const struct value *row = db_row_(db, a, &q_events_receive, p, RECEIVE_PARAMS, e);
	if (!row)
		return false;
	verdicts_of(a, row, n, verdicts);
	if (value_flag(row, "wake"))
		event_wake(db, a);
	return true;
}

bool
event_send_all(
    struct db *db, struct arena *a, int64_t now, const struct event *evs, size_t n, struct error *e)
{
	struct db_param p[RECEIVE_PARAMS];
	receive_params(p, a, now, evs, n);
	return db_send_(db, a, &q_events_receive, p, RECEIVE_PARAMS, e);
}

bool
event_answer_all(
    struct db *db, struct arena *a, size_t n, const char **verdicts, bool *wake, struct error *e)
{
	const struct value *rows = db_answer(db, a, e);
	if (!rows)
		return false;
	verdicts_of(a, rows->list.items[0], n, verdicts);
	*wake = value_flag(rows->list.items[0], "wake");
	return true;
}

struct value *
event_page(struct db *db, struct arena *a, int64_t cursor, int64_t limit, struct str verdict,
    struct error *e)
{
	return db_rows(db, a, q_event_page, e, P_INT(cursor ? cursor : INT64_MAX), P_INT(limit),
	    P_STR_OR_NULL(verdict));
}

struct value *
event_find(struct db *db, struct arena *a, int64_t id, struct error *e)
{
	return db_row(db, a, q_event_find, e, P_INT(id));
}

bool
event_replay(struct db *db, struct arena *a, int64_t id, const struct value *report, int64_t now,
    const char **verdict, struct error *e)
{
	const struct value *row =
	    db_row(db, a, q_event_replay, e, P_INT(id), P_JSON(report), P_TIME(now));
	if (!row)
		return false;
	*verdict = value_strz(a, row, "verdict");
	return true;
}
