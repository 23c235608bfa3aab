#include "http/ping.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST = 1, MOST = 4096 };

struct letter {
	unsigned char bytes[1024];
	size_t n;
};

static void
put(struct letter *l, const void *p, size_t n)
{
	if (n)
		memcpy(l->bytes + l->n, p, n);
	l->n += n;
}

static void
put_record(struct letter *l, int type, const void *content, size_t n)
{
	FCGI_Header h = {.version = FCGI_VERSION_1,
	    .type = (unsigned char)type,
	    .requestIdB0 = REQUEST,
	    .contentLengthB1 = (unsigned char)(n >> 8),
	    .contentLengthB0 = (unsigned char)n};
	put(l, &h, sizeof(h));
	put(l, content, n);
}

/* The whole request; names and values are shorter than 128 bytes, so a length is one byte. */
static void
write_request(struct letter *out)
{
	static const char *const params[][2] = {{"REQUEST_METHOD", "GET"},
	    {"REQUEST_URI", "/healthz"}, {"DOCUMENT_URI", "/healthz"}, {"QUERY_STRING", ""},
	    {"SERVER_PROTOCOL", "HTTP/1.1"}, {"HTTP_HOST", "localhost"},
	    {"REMOTE_ADDR", "127.0.0.1"}, {"REQUEST_ID", "ping"}};
	FCGI_BeginRequestBody begin = {.roleB0 = FCGI_RESPONDER};
	struct letter pairs = {.n = 0};
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		unsigned char lengths[] = {
		    (unsigned char)strlen(params[i][0]), (unsigned char)strlen(params[i][1])};
		put(&pairs, lengths, sizeof(lengths));
		put(&pairs, params[i][0], lengths[0]);
		put(&pairs, params[i][1], lengths[1]);
	}
	put_record(out, FCGI_BEGIN_REQUEST, &begin, sizeof(begin));
	put_record(out, FCGI_PARAMS, pairs.bytes, pairs.n);
	put_record(out, FCGI_PARAMS, NULL, 0);
	put_record(out, FCGI_STDIN, NULL, 0);
}

/* The first record of an answer holds its status line. */
static bool
is_good(const char *answer, size_t n)
{
	static const char status[] = "Status: 200";
	return n > FCGI_HEADER_LEN + sizeof(status) &&
	       memcmp(answer + FCGI_HEADER_LEN, status, sizeof(status) - 1) == 0;
}

static bool
ask(int fd, const struct sockaddr_un *address, struct error *e)
{
	struct letter request = {.n = 0};
	char answer[MOST];
	size_t n = 0;
	write_request(&request);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return error_set(e, ERR_UNAVAILABLE, "%s: %s", address->sun_path, strerror(errno));
	if (send(fd, request.bytes, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
		return error_set(e, ERR_UNAVAILABLE, "%s: %s", address->sun_path, strerror(errno));
	for (ssize_t got;
	     n < sizeof(answer) && (got = read(fd, answer + n, sizeof(answer) - n)) > 0;)
		n += (size_t)got;
	return is_good(answer, n) ||
	       error_set(e, ERR_UNAVAILABLE, "%s: %s.", address->sun_path,
		   n ? "the answer is not a good one" : "there was no answer");
}

bool
ping(const char *socket_path, int timeout_ms, struct error *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(socket_path);
	if (n >= sizeof(address.sun_path))
		return error_set(e, ERR_INVALID, "The path of a socket has at most 107 bytes.");
	memcpy(address.sun_path, socket_path, n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
	struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	bool good = ask(fd, &address, e);
	close(fd);
	return good;
}
