#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H
/* The listening side: libmicrohttpd without threads of its own, and the table of routes. */
#include "sandbox/exchange.h"

struct server;

/** Listens at once. ${s} outlives it. */
struct server *server_new(struct sandbox *s, struct error *e) MUST_USE;
void server_free(struct server *server);
int server_port(const struct server *server);
/** Becomes readable when server_run has something to do. */
int server_fd(const struct server *server);
void server_run(struct server *server);
/** Milliseconds until server_run must be called again, at most ${most}. */
int64_t server_wait(const struct server *server, int64_t most);

#endif
