#include "net/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"

enum {
	MOST_ANSWER = 8 << 20,
	CONNECT_MS = 5000,
	MOST_IDLE = 1024, /* handles and connections that wait for the next exchange */
	MOST_FDS = 8
};

struct client {
	CURLM *multi;
	const char *ca_file;
	CURL *idle[MOST_IDLE]; /* handles to be used again; connections are kept by the multi handle
				*/
	int idle_count, running;
	struct flight *held; /* by their gates */
};

/* One exchange under way. */
struct flight {
	struct client *client;
	struct exchange *x;
	struct arena *a;
	CURL *curl;
	struct curl_slist *headers;
	struct buf answer;
	size_t sent;
	int64_t began, ask_at; /* ask_at: when the gate is to be asked again */
	bool passed;           /* the gate */
	struct flight *next;   /* of client.held */
};

struct client *
client_open(const char *ca_file, struct error *e)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		error_set(e, ERR_INTERNAL, "libcurl cannot be started.");
		return NULL;
	}
	struct client *c = calloc(1, sizeof(*c));
	CURLM *multi = curl_multi_init();
	if (!c || !multi)
		abort();
	c->multi = multi;
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MOST_IDLE);
	c->ca_file = ca_file && *ca_file ? strdup(ca_file) : NULL;
	return c;
}

void
client_close(struct client *c)
{
	if (!c)
		return;
	while (c->idle_count)
		curl_easy_cleanup(c->idle[--c->idle_count]);
	curl_multi_cleanup(c->multi);
	free((char *)c->ca_file);
	free(c);
	curl_global_cleanup();
}

static size_t
take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct flight *f = ctx;
	if (f->answer.n + size * n > MOST_ANSWER)
		return 0;
	buf_add(&f->answer, p, size * n);
	return size * n;
}

/* Seconds, or an HTTP date (RFC 9110, 10.2.3). */
static size_t
take_header(char *p, size_t size, size_t n, void *ctx)
{
	static const char name[] = "retry-after:";
	struct flight *f = ctx;
	struct str line = {p, size * n};
	if (line.n > sizeof(name) - 1 && strncasecmp(p, name, sizeof(name) - 1) == 0) {
		struct str text = str_trim(str_sub(line, sizeof(name) - 1, line.n));
		int64_t seconds;
		if (str_to_int(text, &seconds)) {
			f->x->retry_after_ms = seconds < 0       ? 0
					       : seconds > 86400 ? 86400000
								 : seconds * 1000;
		} else {
			time_t at = curl_getdate(str_dup(f->a, text), NULL);
			int64_t ms = (int64_t)at * 1000 - clock_now() / 1000;
			if (at > 0)
				f->x->retry_after_ms = ms < 0 ? 0 : ms > 86400000 ? 86400000 : ms;
		}
	}
	return size * n;
}

/* Who may not pass yet is held. */
static bool
passes(struct flight *f)
{
	int64_t wait = f->x->gate(f->x->ctx);
	f->passed = wait == 0;
	if (f->passed)
		return true;
	f->ask_at = clock_monotonic() + wait;
	f->next = f->client->held;
	f->client->held = f;
	return false;
}

/* Asks the gates whose time has come again; how long to sleep at most until the next one's. */
static int
open_gates(struct client *c, int timeout_ms)
{
	int64_t now = clock_monotonic();
	struct flight *f = c->held;
	c->held = NULL;
	for (struct flight *next; f; f = next) {
		next = f->next;
		int64_t ms = (f->ask_at - now + 999) / 1000;
		if (ms <= 0) {
			/* It reads the body, which may hold it again. */
			curl_easy_pause(f->curl, CURLPAUSE_CONT);
			ms = f->passed ? timeout_ms : 1;
		} else {
			f->next = c->held;
			c->held = f;
		}
		timeout_ms = ms < timeout_ms ? (int)ms : timeout_ms;
	}
	return timeout_ms;
}

static void
forget_held(struct client *c, const struct flight *f)
{
	for (struct flight **p = &c->held; *p; p = &(*p)->next)
		if (*p == f) {
			*p = f->next;
			return;
		}
}

/*
 * The body is read once. There is no way back, so libcurl, which would silently send a POST again
 * where a kept connection turns out to be dead, fails instead. And a process that slept past its
 * lease sends nothing more.
 */
static size_t
give_body(char *p, size_t size, size_t n, void *ctx)
{
	struct flight *f = ctx;
	size_t left = f->x->body.n - f->sent, room = size * n;
	if (f->x->send_before && clock_monotonic() > f->x->send_before)
		return CURL_READFUNC_ABORT;
	if (f->x->gate && !f->passed && !passes(f))
		return CURL_READFUNC_PAUSE;
	if (left > room)
		left = room;
	if (left)
		memcpy(p, f->x->body.p + f->sent, left);
	f->sent += left;
	return left;
}

/* Plain http is for stand-ins on this machine only. */
static bool
is_loopback(const char *url)
{
	static const char *const starts[] = {
	    "http://127.", "http://localhost:", "http://localhost/", "http://[::1]"};
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncasecmp(url, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

/* A request without one of its headers is another request: no key, no charset. */
static bool
add_header(struct flight *f, const char *line)
{
	struct curl_slist *longer = curl_slist_append(f->headers, line);
	if (longer)
		f->headers = longer;
	return longer != NULL;
}

static bool
set_method(struct flight *f)
{
	CURL *c = f->curl;
	if (strcmp(f->x->method, "GET") == 0)
		return curl_easy_setopt(c, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	if (strcmp(f->x->method, "POST") != 0 &&
	    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, f->x->method) != CURLE_OK)
		return false;
	curl_easy_setopt(c, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(c, CURLOPT_READDATA, f);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->x->body.n);
	/* Without it large bodies wait a second for "100 Continue". */
	return add_header(f, "Expect:");
}

/* Texts are copied, which may fail; the other options cannot. */
static bool
set_texts(struct flight *f)
{
	CURL *c = f->curl;
	bool plain = is_loopback(f->x->url) && !f->x->guarded;
	const char *protocol = f->x->plain_ok ? "http,https" : plain ? "http" : "https";
	if (curl_easy_setopt(c, CURLOPT_URL, f->x->url) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocol) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROXY, "") != CURLE_OK ||
	    (f->client->ca_file &&
		curl_easy_setopt(c, CURLOPT_CAINFO, f->client->ca_file) != CURLE_OK) ||
	    !set_method(f))
		return false;
	for (const char *const *h = f->x->headers; h && *h; h++)
		if (!add_header(f, *h))
			return false;
	return true;
}

/* The last word on where a connection leads: the name was looked up, this is what came of it. */
static curl_socket_t
open_public(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)ctx;
	if (purpose != CURLSOCKTYPE_IPCXN || !address_is_public(&to->addr))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* A connection that somebody else may have made, to anywhere, is not used again. */
static void
set_guard(CURL *c)
{
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_public);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
}

static bool
set_options(struct flight *f)
{
	CURL *c = f->curl;
	curl_easy_setopt(c, CURLOPT_PRIVATE, f);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)f->x->timeout_ms);
	curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, 50L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	if (f->x->guarded)
		set_guard(c);
	bool good = set_texts(f);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
	return good;
}

bool
client_send(struct client *c, struct arena *a, struct exchange *x, struct error *e)
{
	struct flight *f = arena_new_of(a, struct flight);
	*f = (struct flight){.client = c, .x = x, .a = a, .began = clock_monotonic()};
	x->fate = FATE_NOT_SENT;
	x->status = 0;
	x->retry_after_ms = -1;
	x->problem = NULL;
	x->answer = (struct str){"", 0};
	buf_init(&f->answer, a);
	f->curl = c->idle_count ? c->idle[--c->idle_count] : curl_easy_init();
	if (!f->curl)
		return error_set(e, ERR_UNAVAILABLE, "No more connections can be made.");
	if (!set_options(f) || curl_multi_add_handle(c->multi, f->curl) != CURLM_OK) {
		curl_slist_free_all(f->headers);
		curl_easy_cleanup(f->curl);
		return error_set(e, ERR_UNAVAILABLE, "The request could not be begun.");
	}
	c->running++;
	return true;
}

static void
judge(struct flight *f, CURLcode code)
{
	struct exchange *x = f->x;
	long status = 0, request_bytes = 0;
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->curl, CURLINFO_REQUEST_SIZE, &request_bytes);
	x->took_us = clock_monotonic() - f->began;
	x->answer = buf_view(&f->answer);
	x->status = (int)status;
	if (code == CURLE_OK) {
		x->fate = FATE_ANSWERED;
		return;
	}
	/* A request whose body did not begin cannot be acted on. */
	bool has_body = x->body.n && strcmp(x->method, "GET") != 0;
	bool left = has_body ? f->sent > 0 : request_bytes > 0;
	x->fate = left ? FATE_UNKNOWN : FATE_NOT_SENT;
	x->problem = arena_strdup(f->a, curl_easy_strerror(code));
}

static void
finish(struct client *c, CURL *curl, CURLcode code)
{
	struct flight *f = NULL;
	curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&f);
	judge(f, code);
	forget_held(c, f);
	curl_multi_remove_handle(c->multi, curl);
	curl_slist_free_all(f->headers);
	if (c->idle_count < MOST_IDLE) {
		curl_easy_reset(curl);
		c->idle[c->idle_count++] = curl;
	} else {
		curl_easy_cleanup(curl);
	}
	c->running--;
	f->x->done(f->x, f->x->ctx);
}

static void
perform(struct client *c)
{
	int running, left;
	curl_multi_perform(c->multi, &running);
	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));)
		if (m->msg == CURLMSG_DONE)
			finish(c, m->easy_handle, m->data.result);
}

int
client_drive(struct client *c, const int *fds, int nfds, int timeout_ms)
{
	struct curl_waitfd waits[MOST_FDS];
	int before = c->running;
	for (int i = 0; i < nfds && i < MOST_FDS; i++)
		waits[i] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
	perform(c);
	/* What has just ended is the caller's business first. */
	if (c->running < before)
		return c->running;
	timeout_ms = open_gates(c, timeout_ms);
	curl_multi_poll(c->multi, waits, (unsigned)nfds, timeout_ms, NULL);
	open_gates(c, 0);
	perform(c);
	return c->running;
}

static void
note_done(struct exchange *x, void *ctx)
{
	(void)x;
	*(bool *)ctx = true;
}

bool
client_once(struct client *c, struct arena *a, struct exchange *x, struct error *e)
{
	bool done = false;
	x->done = note_done;
	x->ctx = &done;
	if (!client_send(c, a, x, e))
		return false;
	while (!done)
		client_drive(c, NULL, 0, 1000);
	return true;
}
