/* The loop of one run. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "engine/dialer.h"
#include "store/dial.h"

enum {
	MOST_CLAIM = 500,
	MOST_PLACING = 1000,
	IDLE_MS = 1000, /* the longest sleep: look-ups and other dialers' work are noticed */
	PACED_MS = 50,  /* something is due, but pace, limits or another dialer hold it */
	SEEN_SECONDS = 5,
	RECONCILE_MS = 500,
	DRAIN_SECONDS = 20, /* answers under way at the end are waited for */
};

struct loop {
	int64_t ends_at, seen_at, reconciled_at, retry_at;
	bool again, due; /* more may be claimed at once; something is due but held */
	int64_t next;    /* wall clock: when something falls due */
};

/* A run that was killed holds its clients until it has been quiet for long; but here one can see
 * that its process is gone, and what it did not send it never will. */
static bool
bury(struct dialer *d, struct loop *l, const struct value *holder, struct error *e)
{
	if (!holder || !str_is(value_str(holder, "host"), d->host) ||
	    kill((pid_t)value_num(holder, "pid"), 0) == 0 || errno != ESRCH)
		return true;
	l->again = true;
	return dial_run_gone(d->db, d->tick, value_strz(d->tick, holder, "run"), clock_now(), e);
}

/* Claims for one client and sends what was claimed. */
static bool
claim(struct dialer *d, struct loop *l, int64_t client_id, struct error *e)
{
	int64_t lease = d->config->http_timeout + PLACE_SECONDS + LEASE_SLACK;
	int64_t claimed = clock_monotonic();
	int most = MOST_PLACING - d->placing < MOST_CLAIM ? MOST_PLACING - d->placing : MOST_CLAIM;
	bool again = false;
	const struct value *holder = NULL;
	if (most <= 0)
		return true;
	const struct value *calls = dial_claim(d->db, d->tick, client_id, most, d->run, lease,
	    d->config->sandbox, clock_now(), &again, &holder, e);
	if (!calls || !bury(d, l, holder, e))
		return false;
	for (size_t i = 0; i < calls->list.n; i++)
		place_call(d, calls->list.items[i], claimed);
	l->again = l->again || again || calls->list.n == (size_t)most;
	return true;
}

static bool
serve_client(struct dialer *d, struct loop *l, int64_t client_id, bool accepting, struct error *e)
{
	int64_t next = 0;
	if (clock_monotonic() >= l->reconciled_at + RECONCILE_MS * 1000 &&
	    (!reconcile(d, client_id, e) ||
		!dial_finish(d->db, d->tick, client_id, clock_now(), e)))
		return false;
	if (!accepting)
		return true;
	if (!claim(d, l, client_id, e) ||
	    !dial_next(d->db, d->tick, client_id, clock_now(), &next, e))
		return false;
	if (next && (!l->next || next < l->next))
		l->next = next;
	return true;
}

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
round_trip(struct dialer *d, struct loop *l, bool accepting, struct error *e)
{
	l->again = false;
	l->next = 0;
	if (!db_refresh(d->db, e) || !settle_replies(d, e) || !seen(d, l, e))
		return false;
	const struct value *clients = dial_clients(d->db, d->tick, e);
	if (!clients)
		return false;
	for (size_t i = 0; i < clients->list.n; i++)
		if (!serve_client(d, l, value_num(clients->list.items[i], "id"), accepting, e))
			return false;
	if (clock_monotonic() >= l->reconciled_at + RECONCILE_MS * 1000)
		l->reconciled_at = clock_monotonic();
	return true;
}

static int
sleep_ms(const struct dialer *d, const struct loop *l)
{
	if (l->again || d->replies)
		return 0;
	if (!l->next)
		return IDLE_MS;
	int64_t ms = (l->next - clock_now()) / 1000;
	return ms < PACED_MS ? PACED_MS : ms > IDLE_MS ? IDLE_MS : (int)ms;
}

static bool
told_to_stop(int signals)
{
	struct pollfd p = {.fd = signals, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

static void
loop(struct dialer *d, struct loop *l, int signals)
{
	bool accepting = true;
	int64_t drain_until = 0;
	while (accepting || ((d->placing || d->replies) && clock_monotonic() < drain_until)) {
		struct error e = {0};
		if (accepting && (told_to_stop(signals) || clock_monotonic() >= l->ends_at)) {
			accepting = false;
			drain_until = clock_monotonic() + DRAIN_SECONDS * CLOCK_SECOND;
		}
		int wait = 250;
		if (clock_monotonic() >= l->retry_at) {
			if (round_trip(d, l, accepting, &e)) {
				wait = accepting ? sleep_ms(d, l) : 50;
			} else {
				/* Answers stay in memory until it is back. */
				log_warn("the database is away", LOG_TEXT("why", e.message));
				l->retry_at = clock_monotonic() + CLOCK_SECOND / 4;
			}
		}
		arena_reset(d->tick);
		/* A signal that was seen once stays readable; it must not turn the draining into a
		 * busy loop. */
		int fds[2] = {db_socket(d->db), signals}, n = accepting ? 2 : 1;
		client_drive(d->client, fds[0] >= 0 ? fds : fds + 1, fds[0] >= 0 ? n : n - 1, wait);
		db_notified(d->db);
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
	struct loop l = {.ends_at = clock_monotonic() + config->dialer_budget * CLOCK_SECOND,
	    .seen_at = INT64_MIN / 2,
	    .reconciled_at = INT64_MIN / 2};
	d.last_reply = &d.replies;
	d.db = db_open(config->database_url, "trunkline-dialer", 30000, &e);
	d.client = d.db ? client_open(config->ca_file, &e) : NULL;
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
	db_close(d.db);
	arena_free(d.tick);
	return status;
}
