#include "http/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/peer.h"

enum { PEER_SECONDS = 3, TICK_MS = 1000, HINT_GAP_MS = 300, ARENA_BLOCK = 32 << 10 };
enum { SIGNALS, LISTEN, SOURCE, FIRST_VIEWER };

struct seat {
	struct peer peer;
	bool taken;
	int64_t until; /* clock_monotonic */
};

struct hall {
	struct seat seats[STREAM_VIEWERS_MAX];
	int64_t pinged, hinted;
	bool news; /* not told yet */
};

bool
stream_open(struct request *rq, struct response *rs)
{
	rs->stream = true;
	rs->content_type = "text/event-stream";
	response_header(rs, rq, "X-Accel-Buffering", "no");
	return true;
}

static void
leave(struct seat *s)
{
	s->taken = false;
	peer_finish(&s->peer);
}

/* One that does not read what it is sent is let go, rather than waited for. */
static void
tell(struct seat *s, const char *text)
{
	struct pollfd p = {.fd = s->peer.request.ipcFd, .events = POLLOUT};
	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT ||
	    !s->peer.transport.write(&s->peer, text, strlen(text)) ||
	    FCGX_FFlush(s->peer.request.out) < 0)
		leave(s);
}

static void
tell_all(struct hall *h, const char *text)
{
	for (size_t i = 0; i < STREAM_VIEWERS_MAX; i++)
		if (h->seats[i].taken)
			tell(&h->seats[i], text);
}

static struct seat *
free_seat(struct hall *h)
{
	for (size_t i = 0; i < STREAM_VIEWERS_MAX; i++)
		if (!h->seats[i].taken)
			return &h->seats[i];
	return NULL;
}

static bool
admit(struct hall *h, struct app *app, const struct route *table, size_t n, struct arena *a)
{
	struct seat *s = free_seat(h);
	enum peer_accept accepted = peer_accept(&s->peer, PEER_SECONDS);
	if (accepted == PEER_NONE)
		return true;
	if (accepted == PEER_BROKEN)
		return false;
	route_dispatch(table, n, request_new(a, app, &s->peer.transport));
	arena_reset(a);
	if (!s->peer.transport.stays_open) {
		peer_finish(&s->peer);
		return true;
	}
	s->taken = true;
	s->until = clock_monotonic() + STREAM_SECONDS * CLOCK_SECOND;
	tell(s, "retry: 2000\n: here\n\n");
	return true;
}

static void
serve_seats(struct hall *h)
{
	int64_t now = clock_monotonic();
	for (size_t i = 0; i < STREAM_VIEWERS_MAX; i++)
		if (h->seats[i].taken && now >= h->seats[i].until)
			leave(&h->seats[i]);
	if (h->news && now - h->hinted >= HINT_GAP_MS * INT64_C(1000)) {
		h->news = false;
		h->hinted = now;
		tell_all(h, "event: live\ndata: {}\n\n");
	}
	if (now - h->pinged >= STREAM_PING_SECONDS * CLOCK_SECOND) {
		h->pinged = now;
		tell_all(h, "event: ping\ndata: {}\n\n");
	}
}

/* Fills the poll set; a viewer's descriptor is watched only for its leaving. */
static size_t
watch(struct hall *h, struct pollfd *fds, struct seat **who, int signals, int source)
{
	size_t n = FIRST_VIEWER;
	fds[SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
	fds[LISTEN] = (struct pollfd){.fd = free_seat(h) ? 0 : -1, .events = POLLIN};
	fds[SOURCE] = (struct pollfd){.fd = source, .events = POLLIN};
	for (size_t i = 0; i < STREAM_VIEWERS_MAX; i++)
		if (h->seats[i].taken) {
			who[n] = &h->seats[i];
			fds[n++] = (struct pollfd){
			    .fd = h->seats[i].peer.request.ipcFd, .events = POLLRDHUP};
		}
	return n;
}

static int
loop(struct hall *h, struct app *app, const struct route *table, size_t n, int signals,
    const struct stream_source *source)
{
	struct pollfd fds[FIRST_VIEWER + STREAM_VIEWERS_MAX];
	struct seat *who[FIRST_VIEWER + STREAM_VIEWERS_MAX];
	struct arena *a = arena_new(ARENA_BLOCK);
	int status = 0;
	(void)!source->news(source->ctx);
	for (;;) {
		size_t watched = watch(h, fds, who, signals, source->socket(source->ctx));
		if (poll(fds, watched, h->news ? HINT_GAP_MS : TICK_MS) < 0 && errno != EINTR)
			break;
		if (fds[SIGNALS].revents)
			break;
		for (size_t i = FIRST_VIEWER; i < watched; i++)
			if (fds[i].revents)
				leave(who[i]);
		if (fds[LISTEN].revents && !admit(h, app, table, n, a)) {
			status = 1;
			break;
		}
		h->news = source->news(source->ctx) || h->news;
		serve_seats(h);
	}
	arena_free(a);
	return status;
}

int
stream_serve(struct app *app, const struct route *table, size_t n, int signals,
    const struct stream_source *source)
{
	static struct hall hall;
	/* libfcgi waits for the other side when it closes; here all viewers would wait with it. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "50", 1);
	if (signals < 0 || !peer_library())
		return 1;
	for (size_t i = 0; i < STREAM_VIEWERS_MAX; i++)
		peer_init(&hall.seats[i].peer);
	hall.pinged = clock_monotonic();
	int status = loop(&hall, app, table, n, signals, source);
	for (size_t i = 0; i < STREAM_VIEWERS_MAX; i++)
		if (hall.seats[i].taken)
			leave(&hall.seats[i]);
	return status;
}
