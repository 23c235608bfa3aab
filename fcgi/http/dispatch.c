/* One request from its first header to the last byte of the answer. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/form.h"
#include "http/meter.h"
#include "http/route.h"
#include "http/session.h"
#include "http/view.h"

static bool
may(struct request *rq, const struct route *route, struct error *e)
{
	struct error none = {0};
	bool by_cookie;
	/* Open pages know who is there, where somebody is. */
	if (route->role == ROLE_NONE) {
		if (!(route->flags & ROUTE_NO_DB) && session_presented(rq, &by_cookie).n &&
		    !rq->app->authenticate(rq, &none))
			rq->viewer = NULL;
		return none.kind != ERR_UNAVAILABLE || error_set(e, none.kind, "%s", none.message);
	}
	if (!rq->app->authenticate(rq, e))
		return false;
	if (rq->viewer->role < route->role)
		return error_set(e, ERR_FORBIDDEN, "Your account may not do this. Ask an admin.");
	return true;
}

static bool
is_unsafe(const struct request *rq)
{
	return rq->method != GET && rq->method != HEAD;
}

static bool
prepare(struct request *rq, const struct route *route, struct error *e)
{
	if (!(route->flags & ROUTE_NO_DB) && rq->app->refresh && !rq->app->refresh(rq->app, e))
		return false;
	if (!may(rq, route, e))
		return false;
	clock_set_zone(rq->viewer && rq->viewer->time_zone ? rq->viewer->time_zone
							   : rq->app->config.time_zone);
	if (!form_read(rq, route, e))
		return false;
	bool asks =
	    rq->viewer && rq->viewer->by_cookie && is_unsafe(rq) && !(route->flags & ROUTE_NO_CSRF);
	return !asks || session_csrf_ok(rq, e);
}

static bool
answer(struct request *rq, struct response *rs, const struct route *route, struct error *e)
{
	bool framed = !(route->flags & ROUTE_OWN_PAGE) && rq->viewer;
	if (!rq->json && rq->method == GET)
		session_notice_take(rs, rq);
	if (!(rq->then ? rq->then : route->fn)(rq, rs, e)) {
		if (rq->json || !rs->form_page || e->kind == ERR_INTERNAL)
			return false;
		struct error why = *e;
		return view_form(rq, rs, framed, &why, e);
	}
	if (!rs->status)
		rs->status = rs->location && !rq->json ? 303 : 200;
	if (rs->content_type)
		return true;
	if (rq->json) {
		view_json(rq, rs, rs->model);
		return true;
	}
	if (rs->location) {
		rs->status = 303;
		response_header(rs, rq, "Location", rs->location);
		if (rs->notice)
			session_notice_set(rs, rq, rs->notice);
		return true;
	}
	const char *page = rs->page ? rs->page : route->page;
	if (!page) {
		view_json(rq, rs, rs->model);
		return true;
	}
	return view_page(rq, rs, page, rs->model, framed, e);
}

/* A browser that is not signed in goes to sign in, and comes back. */
static void
send_to_login(struct request *rq, struct response *rs)
{
	struct buf b;
	buf_init(&b, rq->arena);
	buf_puts(&b, "/login");
	struct str target = request_param(rq, "REQUEST_URI");
	if (!is_unsafe(rq) && target.n > 1 && target.n < 1500) {
		buf_puts(&b, "?next=");
		buf_url(&b, target);
	}
	rs->status = 303;
	response_header(rs, rq, "Location", b.p);
	session_cookie_clear(rs, rq);
}

static void
add_allow(struct request *rq, struct response *rs)
{
	struct buf b;
	unsigned allow = rq->allow & GET ? rq->allow | HEAD : rq->allow;
	buf_init(&b, rq->arena);
	for (unsigned m = GET; m <= HEAD; m <<= 1)
		if (allow & m)
			buf_printf(&b, "%s%s", b.n ? ", " : "", method_name((enum method)m));
	response_header(rs, rq, "Allow", b.p);
}

static void
refuse(struct request *rq, struct response *rs, const struct error *e)
{
	if (e->kind == ERR_UNAUTHENTICATED && !rq->json && !rs->form_page) {
		send_to_login(rq, rs);
		return;
	}
	if (e->kind == ERR_METHOD)
		add_allow(rq, rs);
	if (e->kind == ERR_UNAUTHENTICATED)
		response_header(rs, rq, "WWW-Authenticate", "Bearer");
	view_error(rq, rs, e);
}

static void
log_request(const struct request *rq, const struct route *route, const struct response *rs,
    const struct error *e, int64_t us)
{
	enum { MOST_FIELDS = 7 };
	bool ours = rs->status >= 500;
	struct log_field fields[MOST_FIELDS] = {LOG_TEXT("method", method_name(rq->method)),
	    LOG_TEXT("route", route ? route->pattern : ""), LOG_INT("status", rs->status),
	    LOG_INT("ms", us / 1000)};
	size_t n = 4;
	/* 0 is the admin token; nobody is nobody. */
	if (rq->viewer)
		fields[n++] = LOG_INT("user", rq->viewer->user_id);
	if (e->kind)
		fields[n++] = LOG_TEXT("error", error_name(e));
	if (ours)
		fields[n++] = LOG_TEXT("why", e->message);
	log_write(ours ? LOG_ERROR : LOG_INFO, "request", fields, n);
}

void
route_begin(const struct route *table, size_t n, struct request *rq, struct passage *p)
{
	*p = (struct passage){.rq = rq};
	buf_init(&p->rs.body, rq->arena);
	p->rs.model = value_map(rq->arena);
	bool good = request_head(rq, &p->e);
	log_context(rq->id);
	p->route = good ? route_find(table, n, rq, &p->e) : NULL;
	p->row = p->route ? (size_t)(p->route - table) : n;
	p->good = p->route && prepare(rq, p->route, &p->e) &&
		  (!(p->route->flags & ROUTE_GATHERED) || p->route->fn(rq, &p->rs, &p->e));
}

static bool
states_caching(const struct response *rs)
{
	for (size_t i = 0; rs->headers && i < rs->headers->list.n; i++)
		if (str_is_nocase(value_str(rs->headers->list.items[i], "name"), "cache-control"))
			return true;
	return false;
}

void
route_end(struct passage *p)
{
	struct request *rq = p->rq;
	log_context(rq->id);
	if (!p->good || !answer(rq, &p->rs, p->route, &p->e))
		refuse(rq, &p->rs, &p->e);
	response_header(&p->rs, rq, "X-Request-Id", rq->id);
	if (!states_caching(&p->rs))
		response_header(&p->rs, rq, "Cache-Control", "no-store");
	response_send(&p->rs, rq);
	int64_t us = clock_monotonic() - rq->started;
	meter_count(rq->app->meter, p->row, p->rs.status, us);
	log_request(rq, p->route, &p->rs, &p->e, us);
	log_context(NULL);
}

void
route_dispatch(const struct route *table, size_t n, struct request *rq)
{
	struct passage p;
	route_begin(table, n, rq, &p);
	route_end(&p);
}
