#include "sandbox/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sandbox/bland.h"
#include "sandbox/control.h"
#include "sandbox/fault.h"

#define BODY_MAX (1024 * 1024)
#define CONNECTIONS 8192
#define BACKLOG 4096
#define IDLE_SECONDS 120

struct server {
	struct arena *a;
	struct sandbox *s;
	struct MHD_Daemon *daemon;
};

static const struct route {
	const char *method, *path; /* * stands for one segment */
	void (*handle)(struct exchange *x, struct str id);
} routes[] = {
    {"POST", "/v1/calls", bland_place},
    {"GET", "/v1/calls", bland_list},
    {"GET", "/v1/calls/active", bland_active},
    {"POST", "/v1/calls/active/stop", bland_stop_all},
    {"GET", "/v1/calls/*", bland_call},
    {"POST", "/v1/calls/*/stop", bland_stop},
    {"GET", "/v1/me", bland_me},
    {"GET", "/v1/voices", bland_voices},
    {"GET", "/v1/voices/*", bland_voice},
    {"GET", "/sandbox/ledger", control_ledger},
    {"POST", "/sandbox/reset", control_reset},
    {"POST", "/sandbox/faults", control_faults},
    {"GET", "/sandbox/healthz", control_health},
};

static bool
path_matches(const char *pattern, struct str path, struct str *id)
{
	struct str rest = str_of(pattern);
	while (rest.n || path.n) {
		struct str want = str_cut(&rest, '/'), have = str_cut(&path, '/');
		if (str_is(want, "*") && have.n)
			*id = have;
		else if (!str_eq(want, have))
			return false;
	}
	return true;
}

static bool
from_this_machine(const struct exchange *x)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!info || info->client_addr->sa_family != AF_INET)
		return false;
	const struct sockaddr_in *in = (const void *)info->client_addr;
	return ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static void
route(struct exchange *x)
{
	bool known_path = false;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct str id = {"", 0};
		if (!path_matches(routes[i].path, str_of(x->path), &id))
			continue;
		known_path = true;
		if (strcmp(routes[i].method, x->method) == 0) {
			routes[i].handle(x, id);
			return;
		}
	}
	exchange_refuse(x, known_path ? 405 : 404, known_path ? "Method not allowed" : "Not found");
}

static void
refuse_by_fault(struct exchange *x, const struct fault_mode *fault)
{
	x->retry_after = fault->retry_after;
	if (fault->status == 401)
		bland_refuse_key(x);
	else
		exchange_refuse(x, fault->status, fault->message);
	bland_note_refusal(x, "refused", fault->message);
}

/* What the caller gets is the beginning of an answer and the end of the stream; we would still
 * read.
 */
static void
close_half(struct exchange *x)
{
	static const char half[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				   "Content-Length: 150\r\n\r\n{\"status\":\"suc";
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info && send(info->connect_fd, half, sizeof(half) - 1, MSG_NOSIGNAL) > 0)
		shutdown(info->connect_fd, SHUT_WR);
	exchange_park(x, FAULT_HALF_MS, EXCHANGE_CUT);
}

static void
dispatch_bland(struct exchange *x)
{
	const struct fault_mode *fault = fault_now(x->s);
	bland_note_post(x);
	if (fault->kind == FAULT_CUT) {
		bland_note_refusal(x, "dropped", "fault");
		x->state = EXCHANGE_CUT;
		return;
	}
	if (fault->kind == FAULT_REFUSE) {
		refuse_by_fault(x, fault);
		return;
	}
	if (bland_admits(x))
		route(x);
	if (fault->kind == FAULT_SLOW && x->state == EXCHANGE_READY)
		exchange_park(x, FAULT_SLOW_MS, EXCHANGE_READY);
	if (fault->kind == FAULT_HALF && x->state == EXCHANGE_READY)
		close_half(x);
	if (fault->kind == FAULT_LOST && x->state == EXCHANGE_READY)
		x->state = EXCHANGE_CUT;
}

static void
dispatch(struct exchange *x)
{
	if (x->too_large)
		exchange_refuse(x, 413, "request entity too large");
	else if (str_starts(str_of(x->path), "/v1/"))
		dispatch_bland(x);
	else if (str_starts(str_of(x->path), "/sandbox/") && !from_this_machine(x))
		exchange_refuse(x, 403, "only from this machine");
	else
		route(x);
}

static enum MHD_Result
send_answer(struct exchange *x)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(x->answer.n, x->answer.p, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (x->retry_after)
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, x->retry_after);
	enum MHD_Result done = MHD_queue_response(x->connection, (unsigned)x->status, r);
	MHD_destroy_response(r);
	return done;
}

static struct exchange *
exchange_new(struct sandbox *s, struct MHD_Connection *c, const char *path, const char *method)
{
	struct arena *a = arena_new(8192);
	struct exchange *x = arena_new_of(a, struct exchange);
	x->a = a;
	x->s = s;
	x->connection = c;
	x->path = arena_strdup(a, path);
	x->method = arena_strdup(a, method);
	buf_init(&x->body, a);
	return x;
}

/* Called for the head, for each piece of the body, at its end, and again after a wait. */
static enum MHD_Result
on_request(void *server, struct MHD_Connection *c, const char *path, const char *method,
    const char *version, const char *data, size_t *n, void **mine)
{
	struct exchange *x = *mine;
	(void)version;
	if (!x) {
		*mine = exchange_new(((struct server *)server)->s, c, path, method);
		return MHD_YES;
	}
	if (*n) {
		if (x->body.n + *n > BODY_MAX)
			x->too_large = true;
		else
			buf_add(&x->body, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (x->state == EXCHANGE_READING)
		dispatch(x);
	if (x->state == EXCHANGE_PARKED)
		return MHD_YES;
	return x->state == EXCHANGE_CUT ? MHD_NO : send_answer(x);
}

static void
on_completed(
    void *server, struct MHD_Connection *c, void **mine, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *mine;
	(void)server;
	(void)c;
	(void)why;
	if (x)
		arena_free(x->a);
	*mine = NULL;
}

struct server *
server_new(struct sandbox *s, struct error *e)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->o.port)};
	if (inet_pton(AF_INET, s->o.host, &at.sin_addr) != 1) {
		error_set(e, ERR_INVALID, "%s is no IPv4 address", s->o.host);
		return NULL;
	}
	struct arena *a = arena_new(1024);
	struct server *server = arena_new_of(a, struct server);
	server->a = a;
	server->s = s;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    on_request, server, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)IDLE_SECONDS, MHD_OPTION_END);
	if (server->daemon)
		return server;
	error_set(e, ERR_UNAVAILABLE, "cannot listen on %s:%d: %s", s->o.host, s->o.port,
	    strerror(errno));
	arena_free(a);
	return NULL;
}

void
server_free(struct server *server)
{
	if (!server)
		return;
	exchange_release(server->s, 0, EXCHANGE_CUT);
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	arena_free(server->a);
}

int
server_port(const struct server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

int
server_fd(const struct server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void
server_run(struct server *server)
{
	MHD_run(server->daemon);
}

int64_t
server_wait(const struct server *server, int64_t most)
{
	MHD_UNSIGNED_LONG_LONG ms;
	/* The daemon notices a resumed connection only when it is run. */
	if (exchange_any_released())
		return 0;
	if (MHD_get_timeout(server->daemon, &ms) != MHD_YES || (int64_t)ms > most)
		return most;
	return (int64_t)ms;
}
