/*
 * A load generator for ready-made HTTP/1.1 requests, each sent once (or over and over with -r): one
 * thread, many kept connections, plain, TLS or a local socket. With -R requests are due at a fixed
 * rate and a latency counts from when its request was due, so that a stalled server cannot hide its
 * stall. The file holds for each request its length (4 bytes, little-endian) and its bytes. Prints
 * one line of JSON. With -g the file's first request is a pattern: see hammer_requests.h; the
 * secret is HAMMER_SECRET.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "hammer_answer.h"
#include "hammer_requests.h"

enum { MOST_CONNS = 1024, BUFFER = 1 << 20, MAX_STATUS = 600, LOST_MOST = 1000 };
#define PATIENCE_NS 60000000000LL /* for answers after the end; then they count as lost */

struct conn {
	int fd;
	SSL *tls;
	const struct request *out; /* the request under way; NULL: idle */
	struct request own;        /* with -g: what is sent here */
	size_t sent, got;
	int64_t since; /* when it was due, ns */
	char *in;
};

static struct {
	const char *url;
	int conns;
	double seconds, rate;
	bool repeat;
	size_t most, first;
} opt = {.conns = 16, .seconds = 5, .first = 1};

static size_t next_request, due_count;
static struct conn conns[MOST_CONNS];
static struct sockaddr_storage address;
static socklen_t address_len;
static SSL_CTX *tls_context;
static int poller;
static double *latencies; /* ms */
static size_t done_count, latency_room, lost_count, in_flight;
static size_t statuses[MAX_STATUS];
static int64_t began;

static void
die(const char *what)
{
	fprintf(stderr, "hammer: %s: %s\n", what, errno ? strerror(errno) : "failed");
	exit(2);
}

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* --- what to send, and where --- */

static void
resolve(const char *url)
{
	if (strncmp(url, "unix:", 5) == 0) {
		struct sockaddr_un *un = (struct sockaddr_un *)&address;
		un->sun_family = AF_UNIX;
		snprintf(un->sun_path, sizeof(un->sun_path), "%s", url + 5);
		address_len = sizeof(*un);
		return;
	}
	bool tls = strncmp(url, "https://", 8) == 0;
	char host[256] = "", *port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *found;
	snprintf(host, sizeof(host), "%s", url + (tls ? 8 : 7));
	host[strcspn(host, "/")] = '\0';
	port = strchr(host, ':');
	if (!port || (!tls && strncmp(url, "http://", 7) != 0))
		die("the address must be https://host:port, http://host:port or unix:/path");
	*port++ = '\0';
	if (getaddrinfo(host, port, &hints, &found))
		die(host);
	memcpy(&address, found->ai_addr, found->ai_addrlen);
	address_len = found->ai_addrlen;
	freeaddrinfo(found);
	if (tls) {
		/* The certificate is the machine's own; what is measured is not whom to trust. */
		tls_context = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_mode(tls_context,
		    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
}

static void
open_conn(struct conn *c)
{
	int one = 1;
	c->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	if (address.ss_family == AF_INET)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (struct sockaddr *)&address, address_len) && errno != EINPROGRESS)
		die("connect");
	if (tls_context) {
		c->tls = SSL_new(tls_context);
		SSL_set_fd(c->tls, c->fd);
		SSL_set_connect_state(c->tls);
	}
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &ev))
		die("epoll_ctl");
}

static void
close_conn(struct conn *c)
{
	if (c->tls)
		SSL_free(c->tls);
	c->tls = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* --- reading and writing: > 0 bytes, 0 not now, < 0 the end --- */

static ssize_t
tls_result(struct conn *c, int n)
{
	if (n > 0)
		return n;
	int why = SSL_get_error(c->tls, n);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t
push(struct conn *c)
{
	const char *p = c->out->p + c->sent;
	size_t n = c->out->n - c->sent;
	if (c->tls)
		return tls_result(c, SSL_write(c->tls, p, (int)n));
	ssize_t wrote = send(c->fd, p, n, MSG_NOSIGNAL);
	return wrote >= 0 ? wrote : errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
}

static ssize_t
pull(struct conn *c)
{
	if (c->got == BUFFER - 1)
		return -1;
	char *p = c->in + c->got;
	size_t room = BUFFER - 1 - c->got;
	if (c->tls)
		return tls_result(c, SSL_read(c->tls, p, (int)room));
	ssize_t n = recv(c->fd, p, room, 0);
	return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

static void
count(struct conn *c, int status)
{
	if (done_count == latency_room) {
		latency_room = latency_room ? latency_room * 2 : 65536;
		latencies = realloc(latencies, latency_room * sizeof(*latencies));
		if (!latencies)
			die("memory");
	}
	latencies[done_count++] = (double)(now_ns() - c->since) / 1e6;
	statuses[status > 0 && status < MAX_STATUS ? status : 0]++;
}

/* --- the loop --- */

static void
finish(struct conn *c, bool kept)
{
	c->out = NULL;
	in_flight--;
	if (!kept) {
		close_conn(c);
		open_conn(c);
	}
}

static void
lose(struct conn *c)
{
	if (c->out && ++lost_count > LOST_MOST)
		die("too many connections were lost");
	if (c->out)
		finish(c, false);
	else {
		close_conn(c);
		open_conn(c);
	}
}

static void
advance(struct conn *c)
{
	ssize_t n;
	int status;
	bool kept;
	while (c->out && c->sent < c->out->n) {
		if ((n = push(c)) < 0) {
			lose(c);
			return;
		}
		if (n == 0)
			return;
		c->sent += (size_t)n;
	}
	while ((n = pull(c)) > 0) {
		c->got += (size_t)n;
		if (c->out && answer_complete(c->in, c->got, &status, &kept)) {
			count(c, status);
			finish(c, kept);
			return;
		}
	}
	if (n < 0)
		lose(c);
}

/* The next request's time, 0 when there is none (any more). */
static int64_t
due_at(void)
{
	int64_t end = began + (int64_t)(opt.seconds * 1e9);
	int64_t due =
	    opt.rate > 0 ? began + (int64_t)((double)due_count / opt.rate * 1e9) : now_ns();
	bool more = opt.repeat || pattern.secret || next_request < request_count;
	if (!more || due >= end || (opt.most && due_count >= opt.most))
		return 0;
	return due;
}

static void
begin(struct conn *c, int64_t due)
{
	if (pattern.secret) {
		pattern_fill((char *)c->own.p, opt.first + due_count);
		c->out = &c->own;
	} else {
		c->out = &requests[next_request++];
		if (opt.repeat && next_request == request_count)
			next_request = 0;
	}
	due_count++;
	in_flight++;
	c->sent = c->got = 0;
	c->since = due;
	advance(c);
}

static void
feed(void)
{
	for (int i = 0; i < opt.conns; i++) {
		int64_t due = due_at();
		if (!due || due > now_ns())
			return;
		if (!conns[i].out)
			begin(&conns[i], due);
	}
}

static void
run(void)
{
	struct epoll_event events[MOST_CONNS];
	int64_t patience = 0;
	began = now_ns();
	for (;;) {
		feed();
		int64_t due = due_at(), now = now_ns();
		if (!due && !in_flight)
			return;
		if (!due && !patience)
			patience = now + PATIENCE_NS;
		if (patience && now > patience) {
			lost_count += in_flight;
			return;
		}
		int64_t wait = opt.rate > 0 && due > now ? due - now : 100000000LL;
		struct timespec t = {.tv_sec = wait / 1000000000LL, .tv_nsec = wait % 1000000000LL};
		int n = epoll_pwait2(poller, events, MOST_CONNS, &t, NULL);
		for (int i = 0; i < n; i++)
			advance(events[i].data.ptr);
	}
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double
percentile(double share)
{
	if (!done_count)
		return 0;
	size_t i = (size_t)(share * (double)done_count);
	return latencies[i < done_count ? i : done_count - 1];
}

static void
report(double seconds)
{
	size_t ok = 0;
	for (int i = 200; i < 300; i++)
		ok += statuses[i];
	if (done_count)
		qsort(latencies, done_count, sizeof(*latencies), by_value);
	printf("{\"sent\": %zu, \"ok\": %zu, \"other\": %zu, \"errors\": %zu, \"seconds\": %.4f, "
	       "\"rate\": %.2f, \"p50_ms\": %.4f, \"p90_ms\": %.4f, \"p99_ms\": %.4f, "
	       "\"max_ms\": %.4f, \"statuses\": {",
	    due_count, ok, done_count - ok, lost_count, seconds, (double)ok / seconds,
	    percentile(0.5), percentile(0.9), percentile(0.99), percentile(1));
	const char *comma = "";
	for (int i = 0; i < MAX_STATUS; i++)
		if (statuses[i]) {
			printf("%s\"%d\": %zu", comma, i, statuses[i]);
			comma = ", ";
		}
	printf("}}\n");
}

int
main(int argc, char **argv)
{
	const char *secret = NULL;
	for (int o; (o = getopt(argc, argv, "u:c:s:R:n:rg:")) != -1;)
		switch (o) {
		case 'u':
			opt.url = optarg;
			break;
		case 'c':
			opt.conns = atoi(optarg);
			break;
		case 's':
			opt.seconds = atof(optarg);
			break;
		case 'R':
			opt.rate = atof(optarg);
			break;
		case 'n':
			opt.most = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			opt.repeat = true;
			break;
		case 'g':
			opt.first = strtoul(optarg, NULL, 10);
			secret = getenv("HAMMER_SECRET");
			break;
		default:
			return 2;
		}
	if (!opt.url || optind + 1 != argc || opt.conns < 1 || opt.conns > MOST_CONNS) {
		fprintf(stderr,
		    "Usage: hammer -u URL [-c CONNS] [-s SECONDS] [-R RATE] [-n MOST] [-r | -g FIRST] FILE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	read_requests(argv[optind]);
	if (secret)
		pattern_find(secret);
	resolve(opt.url);
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < opt.conns; i++) {
		conns[i].in = malloc(BUFFER);
		conns[i].own = (struct request){malloc(requests->n), requests->n};
		if (!conns[i].in || !conns[i].own.p)
			die("memory");
		open_conn(&conns[i]);
	}
	run();
	report((double)(now_ns() - began) / 1e9);
	return 0;
}
