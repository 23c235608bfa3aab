/* The loop of one run. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heartbeat.h"
#include "base/log.h"
#include "engine/dialer.h"
#include "store/dial.h"

enum {
	IDLE_MS = 1000, /* the longest sleep: look-ups and other dialers' work are noticed */
	PACED_MS = 50,  /* something is due, but pace, limits or another dialer hold it */
	SEEN_SECONDS = 5,
	RECONCILE_MS = 500,
	RECONCILE_MOST_MS = 3000,
	RECONCILE_SHARE = 50, /* rests so many times as long as it took, within these two */
	DRAIN_SECONDS = 20,   /* answers under way at the end are waited for */
};

/* A pass claims for each client in turn, as often as there is room; between passes it sleeps. */
struct loop {
	int64_t ends_at, seen_at, reconcile_at, retry_at, pass_at; /* all monotonic */
	int64_t told_at;             /* that the database is away; 0: it is there */
	struct arena *a;             /* of the pass */
	const struct value *clients; /* NULL between passes */
	size_t turn;
	bool accepting, placing; /* placing: calls are claimed and not yet begun */
};

static bool
seen(struct dialer *d, struct loop *l, struct error *e)
{
	int64_t now = clock_monotonic();
	if (now < l->seen_at + SEEN_SECONDS * CLOCK_SECOND)
		return true;
	l->seen_at = now;
	return dial_run_seen(d->db, d->tick, d->run, d->host, getpid(), d->placed, clock_now(), e);
}

static bool
reconcile_all(struct dialer *d, struct loop *l, struct error *e)
{
	int64_t now = clock_monotonic();
	if (now < l->reconcile_at)
		return true;
	const struct value *clients = dial_clients(d->db, d->tick, e);
	for (size_t i = 0; clients && i < clients->list.n; i++) {
		int64_t id = value_num(clients->list.items[i], "id");
		if (!reconcile(d, id, e) || !dial_finish(d->db, d->tick, id, clock_now(), e))
			return false;
	}
	int64_t ms = (clock_monotonic() - now) * RECONCILE_SHARE / 1000;
	if (ms < RECONCILE_MS)
		ms = RECONCILE_MS;
	if (ms > RECONCILE_MOST_MS)
		ms = RECONCILE_MOST_MS;
	l->reconcile_at = now + ms * 1000;
	return clients != NULL;
}

/* How long nobody has anything to do: until something falls due, within bounds. */
static bool
nap(struct dialer *d, const struct loop *l, int *ms, struct error *e)
{
	int64_t next = 0, at = 0;
	for (size_t i = 0; i < l->clients->list.n; i++) {
		int64_t id = value_num(l->clients->list.items[i], "id");
		if (!dial_next(d->db, d->tick, id, clock_now(), &at, e))
			return false;
		if (at && (!next || at < next))
			next = at;
	}
	int64_t until = next ? (next - clock_now()) / 1000 : IDLE_MS;
	*ms = until < PACED_MS ? PACED_MS : until > IDLE_MS ? IDLE_MS : (int)until;
	return true;
}

static bool
end_pass(struct dialer *d, struct loop *l, struct error *e)
{
	int ms = 0;
	if (!claim_more(d) && !nap(d, l, &ms, e))
		return false;
	l->clients = NULL;
	l->pass_at = clock_monotonic() + ms * 1000;
	return true;
}

/* Begins the next claim where there is room for what it brings. */
static bool
claim_next(struct dialer *d, struct loop *l, struct error *e)
{
	if (claim_took_over(d)) {
		l->clients = NULL;
		l->pass_at = clock_monotonic() + CLOCK_SECOND / 100 * 105;
	}
	if (l->clients && l->turn == l->clients->list.n && !end_pass(d, l, e))
		return false;
	if (!l->clients && clock_monotonic() >= l->pass_at) {
		arena_reset(l->a);
		l->turn = 0;
		l->clients = dial_clients(d->db, l->a, e);
		if (!l->clients)
			return false;
	}
	if (!l->clients || l->turn == l->clients->list.n ||
	    claim_room(d) < (d->placing > 0 ? MOST_CLAIM : 1))
		return true;
	return claim_begin(d, value_num(l->clients->list.items[l->turn++], "id"), e);
}

static bool
claim_all(struct dialer *d, struct loop *l, struct error *e)
{
	bool idle = false;
	bool good = claim_go_on(d, &idle, e) && (!idle || !l->accepting || claim_next(d, l, e));
	l->placing = claim_place(d);
	return good;
}

static bool
round_trip(struct dialer *d, struct loop *l, struct error *e)
{
	return db_refresh(d->db, e) && settle_replies(d, !l->accepting, e) && seen(d, l, e) &&
	       reconcile_all(d, l, e) && claim_all(d, l, e);
}

static int
sleep_ms(const struct dialer *d, const struct loop *l)
{
	int ms = l->accepting ? IDLE_MS : 50;
	int settle_ms = settle_wait(d);
	if (settle_ms >= 0 && settle_ms < ms)
		ms = settle_ms;
	if (l->placing)
		return 0;
	if (claim_socket(d) >= 0 || !l->accepting)
		return ms;
	if (l->clients)
		return d->placing > 0 && l->turn < l->clients->list.n ? ms : 0;
	int64_t until = (l->pass_at - clock_monotonic() + 999) / 1000;
	return until < 0 ? 0 : until < ms ? (int)until : ms;
}

static bool
told_to_stop(int signals)
{
	struct pollfd p = {.fd = signals, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

/* Sends and receives until there is something else to do. */
static void
drive(struct dialer *d, struct loop *l, int signals, int ms)
{
	int fds[4], n = 0;
	if (db_socket(d->db) >= 0)
		fds[n++] = db_socket(d->db);
	if (claim_socket(d) >= 0)
		fds[n++] = claim_socket(d);
	if (settle_socket(d) >= 0)
		fds[n++] = settle_socket(d);
	/* A signal that was seen once stays readable; it must not turn the draining into a busy
	 * loop. */
	if (l->accepting)
		fds[n++] = signals;
	client_drive(d->client, fds, n, ms);
	if (db_notified(d->db))
		l->pass_at = 0;
}

static bool
has_work(const struct dialer *d, const struct loop *l)
{
	return l->placing || d->placing || d->looking || d->replies || claim_socket(d) >= 0;
}

static void
loop(struct dialer *d, struct loop *l, int signals)
{
	int64_t drain_until = 0;
	while (l->accepting || (has_work(d, l) && clock_monotonic() < drain_until)) {
		struct error e = {0};
		heartbeat();
		if (l->accepting && (told_to_stop(signals) || clock_monotonic() >= l->ends_at)) {
			l->accepting = false;
			drain_until = clock_monotonic() + DRAIN_SECONDS * CLOCK_SECOND;
		}
		int wait = 250;
		if (clock_monotonic() >= l->retry_at) {
			if (round_trip(d, l, &e)) {
				wait = sleep_ms(d, l);
				if (l->told_at)
					log_info("the database is back");
				l->told_at = 0;
			} else {
				/* Answers stay in memory until it is back. It is tried four times a
				 * second, and told twice a minute. */
				if (clock_again(&l->told_at, 30 * CLOCK_SECOND))
					log_warn(
					    "the database is away", LOG_TEXT("why", e.message));
				l->retry_at = clock_monotonic() + CLOCK_SECOND / 4;
				l->clients = NULL;
			}
		}
		arena_reset(d->tick);
		drive(d, l, signals, wait);
	}
}

static const char *
host_name(struct arena *a)
{
	char name[256] = "";
	gethostname(name, sizeof(name) - 1);
	return arena_strdup(a, name);
}

/* A machine that cannot tell is a fresh one each time. */
static const char *
boot_name(struct arena *a)
{
	char name[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool good = f && fgets(name, sizeof(name), f);
	if (f)
		fclose(f);
	return good ? str_dup(a, str_trim(str_of(name))) : crypto_uuid(a);
}

char *
monotonic_stamp(const struct dialer *d, struct arena *a)
{
	return arena_printf(a, "%s %lld", d->boot, (long long)clock_monotonic());
}

int
dialer_run(const struct config *config, struct arena *a, int signals)
{
	struct error e = {0};
	struct dialer d = {.config = config,
	    .run = crypto_uuid(a),
	    .host = host_name(a),
	    .boot = boot_name(a),
	    .own = a,
	    .pace = pace_new(a),
	    .tick = arena_new(65536)};
	struct loop l = {.a = arena_new(4096),
	    .accepting = true,
	    .ends_at = clock_monotonic() + config->dialer_budget * CLOCK_SECOND,
	    .seen_at = INT64_MIN / 2};
	d.last_reply = &d.replies;
	d.db = db_open(config->database_url, "trunkline-dialer", 30000, &e);
	d.settler = d.db ? db_open(config->database_url, "trunkline-dialer", 30000, &e) : NULL;
	d.claim = d.settler ? claim_open(&d, &e) : NULL;
	d.client = d.claim ? client_open(config->ca_file, &e) : NULL;
	int status = 1;
	if (!d.client || !db_listen(d.db, "dialer", &e) ||
	    (!config->sandbox && !dial_leave_sandbox(d.db, d.tick, clock_now(), &e))) {
		log_error("the dialer cannot start", LOG_TEXT("why", e.message));
	} else {
		loop(&d, &l, signals);
		status = 0;
		if (!dial_run_ended(d.db, d.tick, d.run, clock_now(), &e))
			log_warn("the end of the run was not recorded", LOG_TEXT("why", e.message));
		if (d.replies || d.placing)
			log_warn("answers were left behind; the next run looks them up");
	}
	client_close(d.client);
	claim_close(d.claim);
	db_close(d.settler);
	db_close(d.db);
	arena_free(l.a);
	arena_free(d.tick);
	return status;
}
