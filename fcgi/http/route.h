#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H
/*
 * The URL surface is one table (pages/routes.c). A row states its requirements; the dispatcher
 * enforces them before the handler runs, so a handler never checks who asks. A path that begins
 * with /api and has no row of its own is matched without it and answered as JSON: every page has
 * its twin.
 */
#include "http/response.h"

enum {
	ROUTE_UPLOAD = 1,    /* multipart with a file: large bodies, spooled */
	ROUTE_RAW = 2,       /* rq->raw holds the body, nothing is parsed (webhooks) */
	ROUTE_NO_CSRF = 4,   /* sign-in, webhooks */
	ROUTE_API_ONLY = 8,  /* always answers JSON */
	ROUTE_NO_DB = 16,    /* works while the database is away */
	ROUTE_OWN_PAGE = 32, /* a whole document without the frame */
	ROUTE_GATHERED = 64, /* runs in two steps around app.apply_begin, _end: see request.then */
};

struct route {
	unsigned methods;
	const char *pattern; /* "/leads/{id}/notes", "/prompts/{name}" */
	handler *fn;
	const char *page; /* template for browsers, or NULL */
	enum role role;   /* least role; ROLE_NONE: everybody */
	unsigned flags;
	size_t most; /* bytes of body; 0: 1 MiB */
};

/** One request on its way: begun, perhaps waiting for app.apply_end, ended. Lives where its request
 * does. */
struct passage {
	struct request *rq;
	const struct route *route;
	size_t row; /* of the table; its length where there is no such route */
	struct response rs;
	struct error e;
	bool good;
};

/** The row for method and path; fills rq->ids and rq->names. NULL and ERR_NOT_FOUND or ERR_METHOD.
 */
const struct route *route_find(
    const struct route *table, size_t n, struct request *rq, struct error *e);

/** In two steps, for who gathers several: after begin, rq->waiting is set where app.apply_begin is
 * to be called before end. */
void route_begin(const struct route *table, size_t n, struct request *rq, struct passage *p);
void route_end(struct passage *p);
/** Runs one request from headers to the last byte; logs one line. Never fails: errors become
 * answers. */
void route_dispatch(const struct route *table, size_t n, struct request *rq);

#endif
