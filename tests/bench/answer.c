/*
 * The stub that dispatch is measured against: answers every POST at once, as Bland does for a call
 * that was taken. One thread, epoll, kept connections. GET /stats tells how many POSTs came, GET
 * /last gives the body of the newest, POST /reset forgets both.
 *
 * usage: answer PORT   (on 127.0.0.1)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 4096, ROOM = 1 << 17, EVENTS = 256, BACKLOG = 4096 };

struct connection {
	int fd;
	bool continued; /* the request in hand was told to go on */
	size_t n;
	char in[ROOM];
};

static struct connection *connections[MOST_CONNECTIONS];
static unsigned long long posts, bytes, opened;
static unsigned long long given; /* ids so far: no two alike, whatever is forgotten */
static unsigned run;             /* ids of two runs differ */
static char last[ROOM];
static size_t last_n;

static void
drop(struct connection *c)
{
	close(c->fd);
	connections[c->fd] = NULL;
	free(c);
}

static bool
send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN) {
			usleep(
			    50); /* a peer that reads nothing: answers are tiny, so this is rare */
			continue;
		}
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool
answer(int fd, const char *body, size_t n)
{
	static char out[ROOM + 256];
	int head = snprintf(out, 256,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", n);
	memcpy(out + head, body, n);
	return send_all(fd, out, (size_t)head + n);
}

/* One whole request. */
static bool
serve(int fd, const char *head, const char *body, size_t n)
{
	char text[256];
	int length;
	if (strncmp(head, "GET /last", 9) == 0)
		return answer(fd, last, last_n);
	if (strncmp(head, "GET ", 4) == 0) {
		length = snprintf(text, sizeof(text),
		    "{\"posts\":%llu,\"bytes\":%llu,\"connections\":%llu}", posts, bytes, opened);
		return answer(fd, text, (size_t)length);
	}
	if (strncmp(head, "POST /reset", 11) == 0) {
		posts = bytes = opened = last_n = 0;
		return answer(fd, "{}", 2);
	}
	posts++;
	bytes += n;
	memcpy(last, body, n);
	last_n = n;
	length = snprintf(text, sizeof(text),
	    "{\"status\":\"success\",\"message\":\"Call successfully queued.\","
	    "\"call_id\":\"%08x-0000-4000-8000-%012llx\",\"batch_id\":null}",
	    run, ++given);
	return answer(fd, text, (size_t)length);
}

/* The value of a header, or NULL; ${head} ends with an empty line. */
static const char *
header(const char *head, const char *end, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = head; (p = memchr(p, '\n', (size_t)(end - p))) && p + n < end;) {
		p++;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " ");
	}
	return NULL;
}

/* Serves what is complete. False: the connection is of no more use. */
static bool
consume(struct connection *c)
{
	size_t at = 0;
	for (;;) {
		char *head = c->in + at, *end = memmem(head, c->n - at, "\r\n\r\n", 4);
		if (!end)
			break;
		const char *text = header(head, end + 2, "content-length");
		size_t n = text ? strtoul(text, NULL, 10) : 0;
		size_t whole = (size_t)(end + 4 - head) + n;
		if (whole > ROOM)
			return false;
		if (c->n - at < whole) {
			if (!c->continued && header(head, end + 2, "expect") &&
			    !send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25))
				return false;
			c->continued = true;
			break;
		}
		if (!serve(c->fd, head, end + 4, n))
			return false;
		c->continued = false;
		at += whole;
	}
	memmove(c->in, c->in + at, c->n - at);
	c->n -= at;
	return c->n < ROOM;
}

static void
readable(struct connection *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->in + c->n, ROOM - c->n, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			drop(c);
			return;
		}
		c->n += (size_t)n;
		bool full = c->n == ROOM;
		if (!consume(c)) {
			drop(c);
			return;
		}
		if (!full)
			return;
	}
}

static void
take_connections(int listener, int poller)
{
	int fd, on = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= MOST_CONNECTIONS) {
			close(fd);
			continue;
		}
		struct connection *c = malloc(sizeof(*c));
		if (!c)
			abort();
		c->fd = fd;
		c->n = 0;
		c->continued = false;
		connections[fd] = c;
		opened++;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
		epoll_ctl(poller, EPOLL_CTL_ADD, fd, &ev);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: answer PORT\n");
		return 2;
	}
	at.sin_port = htons((unsigned short)atoi(argv[1]));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, BACKLOG)) {
		perror("answer");
		return 1;
	}
	run = (unsigned)getpid() << 8;
	int poller = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(poller, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener)
				take_connections(listener, poller);
			else if (connections[fd])
				readable(connections[fd]);
		}
	}
}
