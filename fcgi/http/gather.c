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

/* Requests that are gathered, or of which the database has been asked. */
struct set {
	struct place places[MOST_AT_ONCE];
	size_t held;
};

struct gathering {
	struct app *app;
	const struct route *table;
	size_t routes;
	struct set sets[2];
	struct set *gathered, *asked;
	int64_t served;
	bool broken, ended; /* ended: by a signal */
};

/* Waits for a request, where there is room for one, and for the database's answer; or only looks,
 * where something can be done now. True where a request may be there. The signal is looked at
 * first. */
static bool
comes(struct gathering *g, int signals, bool wait)
{
	bool room = g->gathered->held < MOST_AT_ONCE;
	struct pollfd fds[3] = {{.fd = signals, .events = POLLIN},
	    {.fd = room ? 0 : -1, .events = POLLIN},
	    {.fd = g->asked->held ? g->app->apply_socket(g->app) : -1, .events = POLLIN}};
	while (poll(fds, 3, wait ? -1 : 0) < 0)
		if (errno != EINTR) {
			g->broken = true;
			return false;
		}
	g->ended = fds[0].revents != 0;
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
	struct place *p = &g->gathered->places[g->gathered->held];
	if (!p->a)
		p->a = arena_new(ARENA_BLOCK); /* most are never needed */
	enum peer_accept accepted = peer_accept(&p->peer, PEER_SECONDS);
	if (accepted != PEER_ACCEPTED) {
		g->broken = accepted == PEER_BROKEN;
		return false;
	}
	g->served++;
	struct request *rq = request_new(p->a, g->app, &p->peer.transport);
	route_begin(g->table, g->routes, rq, &p->passage);
	if (p->passage.good && rq->waiting)
		g->gathered->held++;
	else
		leave(p);
	return true;
}

static size_t
requests_of(const struct set *s, struct request **rqs)
{
	for (size_t i = 0; i < s->held; i++)
		rqs[i] = s->places[i].passage.rq;
	return s->held;
}

/* Asks the database for all that were gathered; what comes next is gathered in the other set. */
static void
ask(struct gathering *g)
{
	struct request *rqs[MOST_AT_ONCE];
	struct set *s = g->gathered;
	g->app->apply_begin(g->app, rqs, requests_of(s, rqs));
	g->gathered = g->asked;
	g->asked = s;
}

/* Its answer is there: it is asked for the next ones first, and works while these are told. */
static void
answer(struct gathering *g)
{
	struct request *rqs[MOST_AT_ONCE];
	struct set *told = g->asked;
	g->app->apply_end(g->app, rqs, requests_of(told, rqs));
	size_t n = told->held;
	told->held = 0;
	if (g->gathered->held)
		ask(g);
	for (size_t i = 0; i < n; i++)
		leave(&told->places[i]);
}

static void
gather(struct gathering *g, int signals, int64_t most)
{
	while (!g->broken && !g->ended && (!most || g->served < most)) {
		bool ready = g->asked->held && g->app->apply_ready(g->app);
		bool more = comes(g, signals, !ready);
		while (more && take(g))
			more = comes(g, signals, false);
		if (g->asked->held && g->app->apply_ready(g->app))
			answer(g);
		if (!g->asked->held && g->gathered->held)
			ask(g);
	}
	/* Whoever was taken is answered. */
	while (g->asked->held || g->gathered->held) {
		if (!g->asked->held)
			ask(g);
		answer(g);
	}
}

int
gather_serve(struct app *app, const struct route *table, size_t n, int signals, int64_t most)
{
	static struct gathering g;
	if (signals < 0 || !peer_library())
		return 1;
	g = (struct gathering){.app = app, .table = table, .routes = n};
	g.gathered = &g.sets[0];
	g.asked = &g.sets[1];
	/* Workers that were started together shall not end together. */
	if (most)
		most += getpid() % (most / 4 + 1);
	for (size_t i = 0; i < 2 * MOST_AT_ONCE; i++)
		peer_init(&g.sets[i / MOST_AT_ONCE].places[i % MOST_AT_ONCE].peer);
	gather(&g, signals, most);
	for (size_t i = 0; i < 2 * MOST_AT_ONCE; i++) {
		struct place *p = &g.sets[i / MOST_AT_ONCE].places[i % MOST_AT_ONCE];
		if (p->a)
			arena_free(p->a);
	}
	return g.broken;
}
