#include "http/peer.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

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

static FCGI_Header
header(const struct peer *peer, unsigned char type, size_t n)
{
	int id = peer->request.requestId;
	return (FCGI_Header){.version = FCGI_VERSION_1,
	    .type = type,
	    .requestIdB1 = (unsigned char)(id >> 8),
	    .requestIdB0 = (unsigned char)id,
	    .contentLengthB1 = (unsigned char)(n >> 8),
	    .contentLengthB0 = (unsigned char)n};
}

/* The library sends 8 kB at a time and nginx wakes up for each; a record may hold 64 kB. What ends
 * a request goes with the last one, so that nginx is not woken for it alone. */
static bool
give_record(const struct peer *peer, const char *p, size_t n, bool last)
{
	FCGI_Header head = header(peer, FCGI_STDOUT, n);
	struct {
		FCGI_Header nothing; /* the end of the answer */
		FCGI_EndRequestRecord done;
	} end = {.nothing = header(peer, FCGI_STDOUT, 0),
	    .done = {.header = header(peer, FCGI_END_REQUEST, sizeof(FCGI_EndRequestBody)),
		.body = {.protocolStatus = FCGI_REQUEST_COMPLETE}}};
	struct iovec parts[3] = {
	    {&head, sizeof(head)}, {(void *)(uintptr_t)p, n}, {&end, sizeof(end)}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = last ? 3 : 2};
	while (message.msg_iovlen) {
		ssize_t sent = sendmsg(peer->request.ipcFd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		struct iovec *part = message.msg_iov;
		for (; message.msg_iovlen && (size_t)sent >= part->iov_len; part++) {
			sent -= (ssize_t)part->iov_len;
			message.msg_iovlen--;
		}
		message.msg_iov = part;
		if (message.msg_iovlen) {
			part->iov_base = (char *)part->iov_base + sent;
			part->iov_len -= (size_t)sent;
		}
	}
	return true;
}

/* The library need not end this request again. */
static void
is_said(struct peer *peer)
{
	FCGX_Stream *streams[] = {peer->request.out, peer->request.err};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		streams[i]->isClosed = streams[i]->wasFCloseCalled = true;
}

static bool
give(void *ctx, const char *p, size_t n)
{
	enum { LARGE = 8192, RECORD = FCGI_MAX_LENGTH / 8 * 8 };
	struct peer *peer = ctx;
	if (n > LARGE) {
		if (FCGX_FFlush(peer->request.out) < 0)
			return false;
		for (size_t at = 0; at < n; at += RECORD) {
			bool rest = n - at <= RECORD;
			if (!give_record(peer, p + at, rest ? n - at : RECORD,
				rest && peer->transport.last)) {
				peer->transport.cut = true; /* half a record may be out */
				return false;
			}
		}
		if (peer->transport.last)
			is_said(peer);
		return true;
	}
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
	p->transport.last = p->transport.stays_open = p->transport.cut = false;
	return PEER_ACCEPTED;
}

/* Waits for the record that ends the request: nginx sends it after the body, all of which may have
 * been read before. Were the connection closed in between, nginx would tell the client of a
 * failure. */
static bool
is_read(const struct peer *p)
{
	int left = 1;
	return FCGX_GetChar(p->request.in) == EOF && FCGX_GetError(p->request.in) == 0 &&
	       ioctl(p->request.ipcFd, FIONREAD, &left) == 0 && left == 0;
}

void
peer_finish(struct peer *p)
{
	/* Closed without the record that ends a request, nginx reports the failure to the client.
	 */
	if (p->transport.cut) {
		FCGX_Free(&p->request, 1);
		return;
	}
	/* Closing, the library would wait until nginx has closed too, for the sake of what was sent
	 * and not read. Where all was read there is nothing to wait for. */
	if (is_read(p))
		FCGX_Detach(&p->request);
	FCGX_Finish_r(&p->request);
}
