#include "sandbox/delivery.h"

#include <curl/curl.h>
#include <string.h>

#include "base/crypto.h"
#include "sandbox/exchange.h"
#include "sandbox/fault.h"
#include "sandbox/ledger.h"
#include "sandbox/report.h"
#include "sandbox/timers.h"

#define SLOTS 64        /* transfers at once */
#define ANSWER_MS 10000 /* how long a receiver may take */
#define MOMENT_MS 300   /* between the two reports of a number that gets two */

static const int64_t waits_ms[] = {500, 1000, 2000, 4000, 8000, 16000};
#define TRIES (sizeof(waits_ms) / sizeof(waits_ms[0]) + 1)

struct delivery {
	struct delivery *next; /* in the queue, or in the list of free ones */
	struct call *call;
	enum report kind, then;
	unsigned tries;
};

struct slot {
	CURL *easy;
	struct arena *a;
	struct curl_slist *headers;
	struct delivery *d; /* NULL: idle */
	char digest[65];    /* of its body */
};

struct deliveries {
	struct arena *a;
	CURLM *multi;
	struct slot slots[SLOTS];
	struct delivery *head, *tail, *unused;
	const char *ca_file, *secret;
};

struct deliveries *
deliveries_new(const char *ca_file, const char *secret)
{
	struct arena *a = arena_new(16384);
	struct deliveries *d = arena_new_of(a, struct deliveries);
	d->a = a;
	d->ca_file = ca_file;
	d->secret = secret;
	d->multi = curl_multi_init();
	for (size_t i = 0; i < SLOTS; i++) {
		d->slots[i].easy = curl_easy_init();
		d->slots[i].a = arena_new(16384);
	}
	return d;
}

static void
empty(struct deliveries *d, struct slot *slot)
{
	curl_multi_remove_handle(d->multi, slot->easy);
	curl_slist_free_all(slot->headers);
	slot->headers = NULL;
	slot->d = NULL;
	arena_reset(slot->a);
}

static void
recycle(struct deliveries *d, struct delivery *done)
{
	done->next = d->unused;
	d->unused = done;
}

/* Those that wait for a timer are lost to the list of free ones: a reset is rare, they are small.
 */
void
deliveries_clear(struct deliveries *d)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (d->slots[i].d) {
			recycle(d, d->slots[i].d);
			empty(d, &d->slots[i]);
		}
	while (d->head) {
		struct delivery *first = d->head;
		d->head = first->next;
		recycle(d, first);
	}
	d->tail = NULL;
}

void
deliveries_free(struct deliveries *d)
{
	if (!d)
		return;
	deliveries_clear(d);
	for (size_t i = 0; i < SLOTS; i++) {
		curl_easy_cleanup(d->slots[i].easy);
		arena_free(d->slots[i].a);
	}
	curl_multi_cleanup(d->multi);
	arena_free(d->a);
}

static void
enqueue(struct sandbox *s, void *subject)
{
	struct deliveries *d = s->deliveries;
	struct delivery *new = subject;
	new->next = NULL;
	if (d->head)
		d->tail->next = new;
	else
		d->head = new;
	d->tail = new;
}

static struct delivery *
make(struct deliveries *d, struct call *c, enum report first, enum report then)
{
	struct delivery *new = d->unused;
	if (new)
		d->unused = new->next;
	else
		new = arena_new_of(d->a, struct delivery);
	*new = (struct delivery){.call = c, .kind = first, .then = then};
	c->holds++;
	return new;
}

void
deliveries_send(struct sandbox *s, struct call *c, enum report first, enum report then)
{
	struct deliveries *d = s->deliveries;
	enum fault_kind fault = fault_of_reports(s);
	if (first == REPORT_NONE || !c->t.webhook.n)
		return;
	struct lot lot = {c->seed + (uint64_t)sandbox_now()};
	int64_t wait = fault == FAULT_LATE       ? FAULT_LATE_MS
		       : fault == FAULT_SHUFFLED ? lot_below(&lot, FAULT_SHUFFLE_MS)
						 : 0;
	struct delivery *new = make(d, c, first, then);
	if (wait)
		timers_add(s->timers, sandbox_now() + wait, enqueue, new);
	else
		enqueue(s, new);
	for (int i = 1; fault == FAULT_TENFOLD && i < FAULT_COPIES; i++)
		enqueue(s, make(d, c, first, REPORT_NONE));
}

static size_t
ignore_answer(char *p, size_t size, size_t n, void *user)
{
	(void)p;
	(void)user;
	return size * n;
}

static void
sign(struct deliveries *d, struct slot *slot, struct str body, bool forged)
{
	if (!*d->secret && !forged)
		return;
	const char *secret = forged ? "not the secret" : d->secret;
	const char *hmac = crypto_hmac_sha256(slot->a, str_of(secret), body);
	slot->headers = curl_slist_append(
	    slot->headers, arena_printf(slot->a, "X-Webhook-Signature: %s", hmac));
}

static void
start(struct deliveries *d, struct slot *slot, struct delivery *next)
{
	CURL *easy = slot->easy;
	slot->d = next;
	next->tries++;
	if (next->kind == REPORT_FULL)
		next->call->early = false;
	struct str body = report_body(slot->a, next->call, next->kind);
	memcpy(slot->digest, crypto_sha256(slot->a, body), sizeof(slot->digest));
	slot->headers = curl_slist_append(NULL, "Content-Type: application/json");
	slot->headers = curl_slist_append(slot->headers, "Expect:");
	sign(d, slot, body, next->kind == REPORT_FORGED);
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, str_dup(slot->a, next->call->t.webhook));
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "trunkline-sandbox");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_answer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)slot);
	if (*d->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, d->ca_file);
	curl_multi_add_handle(d->multi, easy);
}

static void
finish(struct sandbox *s, struct delivery *done)
{
	struct call *c = done->call;
	if (done->then != REPORT_NONE) {
		*done = (struct delivery){.call = c, .kind = done->then};
		timers_add(s->timers, sandbox_now() + MOMENT_MS, enqueue, done);
		return;
	}
	c->holds--;
	recycle(s->deliveries, done);
}

static bool
once(enum report kind)
{
	return kind == REPORT_FORGED || kind == REPORT_BROKEN || kind == REPORT_STRANGER ||
	       kind >= REPORT_QUEUED;
}

static const char *
report_name(enum report kind)
{
	static const char *const names[] = {[REPORT_NONE] = "none",
	    [REPORT_FULL] = "full",
	    [REPORT_EARLY] = "early",
	    [REPORT_FORGED] = "forged",
	    [REPORT_HUGE] = "huge",
	    [REPORT_BARE] = "bare",
	    [REPORT_BROKEN] = "broken",
	    [REPORT_SMALL] = "small",
	    [REPORT_STRANGER] = "stranger",
	    [REPORT_QUEUED] = "event",
	    [REPORT_CONNECTED] = "event",
	    [REPORT_LATENCY] = "event",
	    [REPORT_ENDED] = "event"};
	return names[kind];
}

static void
ended(struct sandbox *s, struct slot *slot, CURLcode code)
{
	struct delivery *d = slot->d;
	long status = 0;
	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	bool ok = code == CURLE_OK && status / 100 == 2;
	const char *why = code == CURLE_OK ? report_name(d->kind) : curl_easy_strerror(code);
	struct entry entry = {.what = ok ? "webhook" : "webhook_failed",
	    .call = d->call,
	    .status = status,
	    .why = why,
	    .digest = slot->digest};
	if (ok && !once(d->kind) && d->kind != REPORT_EARLY)
		d->call->told = true;
	empty(s->deliveries, slot);
	ledger_write(s->ledger, &entry);
	if (d->call->waiting)
		exchange_release(s, d->call->waiting, EXCHANGE_READY);
	d->call->waiting = 0;
	if (ok || once(d->kind)) {
		finish(s, d);
	} else if (d->tries < TRIES) {
		timers_add(s->timers, sandbox_now() + waits_ms[d->tries - 1], enqueue, d);
	} else {
		entry.what = "webhook_given_up";
		ledger_write(s->ledger, &entry);
		finish(s, d);
	}
}

static void
fill_slots(struct deliveries *d)
{
	for (size_t i = 0; i < SLOTS && d->head; i++) {
		if (d->slots[i].d)
			continue;
		struct delivery *next = d->head;
		d->head = next->next;
		start(d, &d->slots[i], next);
	}
}

void
deliveries_run(struct sandbox *s, const int *fds, unsigned n_fds, int64_t wait_ms)
{
	struct deliveries *d = s->deliveries;
	struct curl_waitfd extra[4];
	int running, left;
	fill_slots(d);
	curl_multi_perform(d->multi, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(d->multi, &left));) {
		struct slot *slot;
		CURLcode code = m->data.result;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		ended(s, slot, code);
		wait_ms = 0;
	}
	for (unsigned i = 0; i < n_fds; i++)
		extra[i] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
	curl_multi_poll(d->multi, extra, n_fds, (int)wait_ms, NULL);
}
