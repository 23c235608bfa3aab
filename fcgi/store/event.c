#include "store/event.h"

#include "base/clock.h"
#include "base/crypto.h"
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
