#include "http/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/log.h"

/* libfcgi reads short both at the end and where the peer is gone; its error flag tells which. */
static ptrdiff_t
take(void *ctx, char *p, size_t n)
{
	struct peer *peer = ctx;
	int want = n > INT_MAX ? INT_MAX : (int)n;
	int got = FCGX_GetStr(p, want, peer->request.in);
	return got == 0 && FCGX_GetError(peer->request.in) ? -1 : got;
}

static bool
give(void *ctx, const char *p, size_t n)
{
	struct peer *peer = ctx;
	while (n) {
		int some = n > (1 << 20) ? 1 << 20 : (int)n;
		if (FCGX_PutStr(p, some, peer->request.out) != some)
			return false;
		p += some;
		n -= (size_t)some;
	}
	return true;
}

bool
peer_library(void)
{
	if (FCGX_Init() != 0)
		return false;
	/* After the library, which puts a handler of its own here. */
	signal(SIGPIPE, SIG_IGN);
	int flags = fcntl(0, F_GETFL);
	return flags >= 0 && fcntl(0, F_SETFL, flags | O_NONBLOCK) == 0;
}

void
peer_init(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	FCGX_InitRequest(&p->request, 0, 0);
	p->transport = (struct transport){.ctx = p, .read = take, .write = give};
}

enum peer_accept
peer_accept(struct peer *p, int seconds)
{
	int rc = FCGX_Accept_r(&p->request);
	if (rc == -EAGAIN || rc == -EINTR || rc == -ECONNABORTED)
		return PEER_NONE;
	if (rc < 0) {
		log_error("accept", LOG_INT("errno", -rc));
		return PEER_BROKEN;
	}
	struct timeval limit = {.tv_sec = seconds};
	setsockopt(p->request.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(p->request.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	p->transport.params = (const char *const *)p->request.envp;
	p->transport.stays_open = p->transport.cut = false;
	return PEER_ACCEPTED;
}

void
peer_finish(struct peer *p)
{
	/* Closed without the record that ends a request, nginx reports the failure to the client.
	 */
	if (p->transport.cut)
		FCGX_Free(&p->request, 1);
	else
		FCGX_Finish_r(&p->request);
}
