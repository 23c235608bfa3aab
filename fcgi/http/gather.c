#include "http/gather.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "http/peer.h"

enum { MOST_AT_ONCE = 32, PEER_SECONDS = 30, ARENA_BLOCK = 64 << 10 };

struct place {
	struct peer peer;
	struct arena *a;
	struct passage passage;
};

struct gathering {
	struct app *app;
	const struct route *table;
	size_t routes;
	struct place places[MOST_AT_ONCE];
	size_t held;
	int64_t served;
	bool broken;
};

/* Waits for a request (timeout -1) or only looks (0). The signal is looked at first. */
static bool
comes(int signals, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = signals, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	while (poll(fds, 2, timeout_ms) < 0)
		if (errno != EINTR)
			return false;
	return fds[0].revents == 0 && fds[1].revents != 0;
}

static void
leave(struct place *p)
{
	route_end(&p->passage);
	peer_finish(&p->peer);
	arena_reset(p->a);
}

/* Takes one request; false where there was none after all. What waits for nothing is answered at
 * once. */
static bool
take(struct gathering *g)
{
	struct place *p = &g->places[g->held];
	enum peer_accept accepted = peer_accept(&p->peer, PEER_SECONDS);
	if (accepted != PEER_ACCEPTED) {
		g->broken = accepted == PEER_BROKEN;
		return false;
	}
	g->served++;
	struct request *rq = request_new(p->a, g->app, &p->peer.transport);
	route_begin(g->table, g->routes, rq, &p->passage);
	if (p->passage.good && rq->waiting)
		g->held++;
	else
		leave(p);
	return true;
}

static void
settle(struct gathering *g)
{
	struct request *rqs[MOST_AT_ONCE];
	for (size_t i = 0; i < g->held; i++)
		rqs[i] = g->places[i].passage.rq;
	if (g->held)
		g->app->apply(g->app, rqs, g->held);
	for (size_t i = 0; i < g->held; i++)
		leave(&g->places[i]);
	g->held = 0;
}

int
gather_serve(struct app *app, const struct route *table, size_t n, int signals, int64_t most)
{
	static struct gathering g;
	if (signals < 0 || !peer_library())
		return 1;
	g = (struct gathering){.app = app, .table = table, .routes = n};
	/* Workers that were started together shall not end together. */
	if (most)
		most += getpid() % (most / 4 + 1);
	for (size_t i = 0; i < MOST_AT_ONCE; i++) {
		peer_init(&g.places[i].peer);
		g.places[i].a = arena_new(ARENA_BLOCK);
	}
	while (!g.broken && (!most || g.served < most) && comes(signals, -1)) {
		while (take(&g) && g.held < MOST_AT_ONCE && comes(signals, 0))
			;
		settle(&g);
	}
	for (size_t i = 0; i < MOST_AT_ONCE; i++)
		arena_free(g.places[i].a);
	return g.broken;
}
