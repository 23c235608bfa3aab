/*
 * What went silent: the provider is asked. An ambiguous call (nobody knows whether it was taken) is
 * searched for among the calls to its number and recognised by its metadata.attempt_id; a placed
 * call is asked for by id.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/dialer.h"
#include "providers/bland.h"
#include "store/dial.h"
#include "store/event.h"

enum { MOST_LOOKUPS = 20, LOOKUP_TIMEOUT_MS = 15000, LOOKUP_LEASE = 60, MOST_CANDIDATES = 10 };

/* One question under way, with all its steps; lives on its own arena. */
struct lookup {
	struct dialer *d;
	struct arena *a;
	struct exchange x;
	struct str call_id;
	const char
	    *provider_call_id;    /* known beforehand, or the candidate that is asked about now */
	struct value *candidates; /* ids of calls to this number */
	size_t next;
	const char *const *headers;
	struct str unknown_since;
	bool ambiguous;
};

/*
 * "Nobody knows of it" counts only when all time has passed in which its POST may still have been
 * on its way, whatever the wall clock did meanwhile. After a reboot nothing is on its way; of
 * another machine only the wall clock is known.
 */
static bool
is_long_absent(const struct lookup *k)
{
	const struct dialer *d = k->d;
	struct str since = k->unknown_since;
	size_t n = strlen(d->boot);
	int64_t at = 0;
	if (since.n <= n || memcmp(since.p, d->boot, n) != 0 ||
	    !str_to_int(str_sub(since, n + 1, since.n), &at))
		return true;
	int64_t most = d->config->http_timeout + PLACE_SECONDS + LEASE_SLACK;
	return clock_monotonic() - at > most * CLOCK_SECOND;
}

static void
finish(struct lookup *k, const char *found)
{
	struct error e = {0};
	struct dialer *d = k->d;
	if (k->ambiguous && str_is(str_of(found), "absent") && !is_long_absent(k))
		found = "early";
	bool ambiguous_found = k->ambiguous && (str_is(str_of(found), "found"));
	log_info("call looked up", LOG_TEXT("call", str_dup(k->a, k->call_id)),
	    LOG_TEXT("found", found));
	int64_t first_ms = (k->ambiguous && !ambiguous_found ? d->config->lookup_first
							     : d->config->call_deadline) *
			   1000;
	if (!dial_lookup_done(
		d->db, k->a, k->call_id, found, k->provider_call_id, first_ms, clock_now(), &e))
		log_warn("a look-up could not be recorded", LOG_TEXT("why", e.message));
	d->looking--;
	arena_free(k->a);
}

/* A report is a report, however it came. */
static void
apply(struct lookup *k, struct value *report)
{
	struct error e = {0};
	const char *verdict = NULL;
	struct event ev = {
	    .provider = "bland", .body = k->x.answer, .signature = "asked", .report = report};
	value_set(k->a, report, "attempt_id", value_text(k->a, k->call_id));
	if (!event_receive(k->d->db, k->a, clock_now(), &ev, &verdict, &e)) {
		log_warn("a look-up could not be recorded", LOG_TEXT("why", e.message));
		finish(k, "away");
		return;
	}
	log_info("call looked up", LOG_TEXT("call", str_dup(k->a, k->call_id)),
	    LOG_TEXT("found", verdict));
	k->d->looking--;
	arena_free(k->a);
}

static void answered(struct exchange *x, void *ctx);

static void
ask(struct lookup *k, const char *path)
{
	struct error e = {0};
	k->x = (struct exchange){.method = "GET",
	    .url = provider_url(k->d, k->a, path),
	    .headers = k->headers,
	    .timeout_ms = LOOKUP_TIMEOUT_MS,
	    .done = answered,
	    .ctx = k};
	if (!client_send(k->d->client, k->a, &k->x, &e))
		finish(k, "away");
}

static void
ask_next(struct lookup *k)
{
	if (k->next == k->candidates->list.n || k->next == MOST_CANDIDATES) {
		k->provider_call_id = NULL;
		finish(k, "absent");
		return;
	}
	k->provider_call_id = str_dup(k->a, k->candidates->list.items[k->next++]->s);
	ask(k, bland_call_path(k->a, k->provider_call_id));
}

static void
read_list(struct lookup *k)
{
	struct error e = {0};
	k->candidates = k->x.status == 200 ? bland_lookup_read(k->a, k->x.answer, &e) : NULL;
	if (!k->candidates) {
		finish(k, "away");
		return;
	}
	ask_next(k);
}

static void
read_call(struct lookup *k)
{
	if (k->x.status == 404) {
		if (k->ambiguous)
			ask_next(k);
		else
			finish(k, "absent");
		return;
	}
	struct value *report = k->x.status == 200 ? bland_report_read(k->a, k->x.answer) : NULL;
	if (!report || !str_is(value_str(report, "kind"), "post_call")) {
		finish(k, "away");
		return;
	}
	if (k->ambiguous && !str_eq(value_str(report, "attempt_id"), k->call_id)) {
		ask_next(k);
		return;
	}
	if (value_flag(report, "final"))
		apply(k, report);
	else
		finish(k, k->ambiguous ? "found" : "going");
}

static void
answered(struct exchange *x, void *ctx)
{
	struct lookup *k = ctx;
	if (x->fate != FATE_ANSWERED)
		finish(k, "away");
	else if (k->ambiguous && !k->candidates)
		read_list(k);
	else
		read_call(k);
}

static void
begin(struct dialer *d, const struct value *row, int64_t client_id)
{
	/* Ours may be wrong by an hour, or by a time zone; the newest of the list are looked at. */
	enum { CLOCKS_DIFFER = 26 * 3600 };
	struct arena *a = arena_new(16384);
	struct lookup *k = arena_new_of(a, struct lookup);
	struct error e = {0};
	*k = (struct lookup){.d = d, .a = a, .call_id = str_copy(a, value_str(row, "id"))};
	k->ambiguous = !value_has(row, "provider_call_id");
	k->unknown_since = str_copy(a, value_str(row, "unknown_since"));
	k->headers = provider_headers(d, a, client_id, &e);
	d->looking++;
	if (!k->headers) {
		finish(k, "away");
		return;
	}
	if (k->ambiguous) {
		int64_t since = value_micros(row, "created_at") - CLOCKS_DIFFER * CLOCK_SECOND;
		ask(k, bland_lookup_path(a, value_strz(a, row, "phone"), since));
		return;
	}
	k->provider_call_id = value_strz(a, row, "provider_call_id");
	ask(k, bland_call_path(a, k->provider_call_id));
}

bool
reconcile(struct dialer *d, int64_t client_id, struct error *e)
{
	int64_t now = clock_now();
	if (!dial_expire(d->db, d->tick, d->config->lookup_first * 1000,
		monotonic_stamp(d, d->tick), now, e))
		return false;
	if (d->looking >= MOST_LOOKUPS)
		return true;
	const struct value *rows = dial_lookups(
	    d->db, d->tick, client_id, MOST_LOOKUPS - d->looking, LOOKUP_LEASE, now, e);
	for (size_t i = 0; rows && i < rows->list.n; i++)
		begin(d, rows->list.items[i], client_id);
	return rows != NULL;
}
