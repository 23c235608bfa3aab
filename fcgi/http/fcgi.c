#include "http/fcgi.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "http/peer.h"

enum { PEER_SECONDS = 30, ARENA_BLOCK = 256 << 10 }; /* a page of fifty rows fits */

int
fcgi_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	static const int stops[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sigaddset(&set, stops[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* True where a request may be there, false where the process is to end. The signal is looked at
 * first: under load the socket is always readable. */
static bool
await(int signals)
{
	struct pollfd fds[2] = {{.fd = signals, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return fds[0].revents == 0;
}

int
fcgi_serve(struct app *app, const struct route *table, size_t n, int signals, int64_t most)
{
	static struct peer peer;
	if (signals < 0 || !peer_library())
		return 1;
	peer_init(&peer);
	/* Workers that were started together shall not end together. */
	if (most)
		most += getpid() % (most / 4 + 1);
	struct arena *a = arena_new(ARENA_BLOCK);
	int64_t served = 0;
	int status = 0;
	while (await(signals)) {
		enum peer_accept accepted = peer_accept(&peer, PEER_SECONDS);
		if (accepted == PEER_NONE)
			continue;
		if (accepted == PEER_BROKEN) {
			status = 1;
			break;
		}
		route_dispatch(table, n, request_new(a, app, &peer.transport));
		peer_finish(&peer);
		arena_reset(a);
		if (most && ++served >= most)
			break;
	}
	arena_free(a);
	return status;
}
