#include "http/view.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mustache.h"
#include "http/session.h"

bool
view_page(struct request *rq, struct response *rs, const char *page, struct value *model,
    bool framed, struct error *e)
{
	struct arena *a = rq->arena;
	if (!model)
		model = value_map(a);
	if (rq->viewer)
		value_set_text(a, model, "csrf", session_csrf(rq));
	if (rq->app->assets)
		value_set(a, model, "assets", (struct value *)rq->app->assets);
	const char *notice = rs->notice ? rs->notice : rq->notice;
	if (notice)
		value_set_text(a, model, "notice", notice);
	if (framed && rq->app->frame)
		rq->app->frame(rq, model);
	rs->content_type = "text/html; charset=utf-8";
	rs->body.n = 0;
	enum { USUAL = 50 << 10 }; /* else it is moved ten times while it grows */
	buf_reserve(&rs->body, USUAL);
	return mustache_render(rq->app->templates, a, page, model, &rs->body, e);
}

void
view_json(struct request *rq, struct response *rs, const struct value *model)
{
	rs->content_type = "application/json";
	rs->body.n = 0;
	json_write(&rs->body, model ? model : value_map(rq->arena));
	buf_putc(&rs->body, '\n');
}

/* What may be told: our own mistakes and what a dependency said are for the log. A handler that
 * wants its words shown gives them a code. */
static const char *
told(struct request *rq, const struct error *e)
{
	if (e->kind == ERR_INTERNAL || e->kind == ERR_NONE)
		return arena_printf(rq->arena,
		    "Something went wrong on our side. The log has it under %s.", rq->id);
	if (e->kind == ERR_UNAVAILABLE && !e->code[0])
		return "The database cannot be reached right now. Nothing was changed; try again in a moment.";
	return e->message;
}

static void
error_json(struct request *rq, struct response *rs, const struct error *e)
{
	struct arena *a = rq->arena;
	struct value *model = value_map(a);
	struct value *error = value_set(a, model, "error", value_map(a));
	value_set_text(a, error, "code", error_name(e));
	value_set_text(a, error, "message", told(rq, e));
	struct value *fields = value_set(a, error, "fields", value_map(a));
	if (e->field[0])
		value_set_text(a, fields, e->field, e->message);
	value_set_text(a, error, "request", rq->id);
	view_json(rq, rs, model);
}

static const char *
title(int status)
{
	switch (status) {
	case 401:
		return "Sign in first";
	case 403:
		return "This is not allowed";
	case 404:
		return "There is nothing here";
	case 409:
		return "That cannot be done now";
	case 413:
		return "Too large";
	case 429:
		return "Too many tries";
	case 503:
		return "Back in a moment";
	default:
		return status >= 500 ? "Something went wrong" : "That could not be understood";
	}
}

static bool
error_page(struct request *rq, struct response *rs, const struct error *e, bool framed)
{
	struct error late = {0};
	struct arena *a = rq->arena;
	struct value *model = value_map(a);
	value_set_int(a, model, "status", rs->status);
	value_set_text(a, model, "title", title(rs->status));
	value_set_text(a, model, "message", told(rq, e));
	value_set_text(a, model, "request", rq->id);
	value_set_bool(a, model, "retry", rs->status == 503);
	if (view_page(rq, rs, framed ? "error" : "error_plain", model, framed, &late))
		return true;
	log_error("error page", LOG_TEXT("why", late.message));
	return false;
}

void
view_error(struct request *rq, struct response *rs, const struct error *e)
{
	rs->status = error_status(e->kind == ERR_NONE ? ERR_INTERNAL : e->kind);
	rs->location = rs->notice = NULL;
	rs->stream = false;
	rs->pump = NULL;
	if (rs->status == 503)
		response_header(rs, rq, "Retry-After", "5");
	if (rq->json) {
		error_json(rq, rs, e);
		return;
	}
	if (error_page(rq, rs, e, rq->viewer && rs->status < 500) || error_page(rq, rs, e, false))
		return;
	rs->content_type = "text/plain; charset=utf-8";
	rs->body.n = 0;
	buf_printf(&rs->body, "%s\n", told(rq, e));
}

bool
view_form(
    struct request *rq, struct response *rs, bool framed, const struct error *why, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *model = rs->form_model ? rs->form_model : value_map(a);
	struct value *error = value_set(a, model, "error", value_map(a));
	value_set_text(a, error, "message", arena_strdup(a, told(rq, why)));
	if (why->field[0]) {
		value_set_text(a, error, "field", arena_strdup(a, why->field));
		value_set_bool(a, error, arena_strdup(a, why->field), true);
	}
	value_set(a, model, "typed", rq->body);
	rs->status = error_status(why->kind);
	return view_page(rq, rs, rs->form_page, model, framed, e);
}
