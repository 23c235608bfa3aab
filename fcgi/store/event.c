#include "store/event.h"

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

bool
event_receive(struct db *db, struct arena *a, int64_t now, const struct event *ev, const char **verdict,
    struct error *e)
{
	/* A refused body is another event than the same body with a good signature. */
	bool refused = str_is(str_of(ev->signature), "bad");
	const char *key = arena_printf(a, "%s%s", refused ? "refused " : "", crypto_sha256(a, ev->body));
	const struct value *row = db_row(db, a, q_event_receive, e, P_TEXT(ev->provider), P_TEXT(key),
	    P_TEXT(ev->signature), P_STR(body_kept(a, ev)), P_JSON(ev->headers), P_JSON(ev->report),
	    P_TIME(now));
	if (!row)
		return false;
	*verdict = value_strz(a, row, "verdict");
	return true;
}
