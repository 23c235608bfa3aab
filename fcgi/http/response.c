#include "http/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "http/transport.h"

bool
response_redirect(struct response *rs, struct request *rq, const char *notice, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *path = arena_alloc(rq->arena, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(path, (size_t)n + 1, fmt, ap);
	va_end(ap);
	rs->location = path;
	rs->notice = notice ? arena_strdup(rq->arena, notice) : NULL;
	return true;
}

static const char *
without_controls(struct arena *a, const char *s)
{
	char *copy = arena_strdup(a, s), *to = copy;
	for (const char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x20 && *c != 0x7f)
			*to++ = *c;
	*to = '\0';
	return copy;
}

void
response_header(struct response *rs, struct request *rq, const char *name, const char *value)
{
	struct value *text = value_textz(rq->arena, without_controls(rq->arena, value));
	if (!rs->headers)
		rs->headers = value_list(rq->arena);
	for (size_t i = 0; i < rs->headers->list.n && strcmp(name, "Set-Cookie") != 0; i++) {
		struct value *h = rs->headers->list.items[i];
		if (str_is_nocase(value_str(h, "name"), name)) {
			value_set(rq->arena, h, "value", text);
			return;
		}
	}
	struct value *h = value_push(rq->arena, rs->headers, value_map(rq->arena));
	value_set_text(rq->arena, h, "name", name);
	value_set(rq->arena, h, "value", text);
}

/* RFC 6266: a plain name for old clients, the real one in UTF-8 for the others. */
void
response_file(struct response *rs, struct request *rq, const char *type, const char *file_name)
{
	char *plain = arena_strdup(rq->arena, without_controls(rq->arena, file_name));
	struct buf b;
	for (char *c = plain; *c; c++)
		if ((unsigned char)*c > 0x7e || strchr("\"\\/%", *c))
			*c = '_';
	buf_init(&b, rq->arena);
	buf_printf(&b, "attachment; filename=\"%s\"; filename*=UTF-8''", plain);
	buf_url(&b, str_of(file_name));
	response_header(rs, rq, "Content-Disposition", b.p);
	rs->content_type = type;
}

void
response_form(struct response *rs, const char *page, struct value *model)
{
	rs->form_page = page;
	rs->form_model = model;
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
	    {303, "See Other"}, {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"},
	    {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"}, {409, "Conflict"},
	    {413, "Content Too Large"}, {415, "Unsupported Media Type"},
	    {422, "Unprocessable Content"}, {429, "Too Many Requests"},
	    {500, "Internal Server Error"}, {502, "Bad Gateway"}, {503, "Service Unavailable"}};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Answer";
}

bool
response_write(struct request *rq, struct str bytes)
{
	return rq->transport->write(rq->transport->ctx, bytes.p, bytes.n);
}

void
response_send(struct response *rs, struct request *rq)
{
	struct buf b;
	buf_init(&b, rq->arena);
	buf_printf(&b, "Status: %d %s\r\n", rs->status, reason(rs->status));
	if (rs->content_type)
		buf_printf(&b, "Content-Type: %s\r\n", rs->content_type);
	for (size_t i = 0; rs->headers && i < rs->headers->list.n; i++) {
		const struct value *h = rs->headers->list.items[i];
		struct str name = value_str(h, "name"), value = value_str(h, "value");
		buf_printf(&b, "%.*s: %.*s\r\n", STR_ARG(name), STR_ARG(value));
	}
	/* A HEAD tells the length of what GET would send, and nginx drops a body by itself. */
	if (!rs->stream && !rs->pump)
		buf_printf(
		    &b, "Content-Length: %zu\r\n", rs->status == 204 ? (size_t)0 : rs->body.n);
	buf_puts(&b, "\r\n");
	enum { TOGETHER = 64 << 10 }; /* copying costs less than to wake nginx twice */
	bool body = rq->method != HEAD && rs->status != 204 && rs->body.n;
	bool together = body && rs->body.n <= TOGETHER;
	if (together)
		buf_add(&b, rs->body.p, rs->body.n);
	bool more = body && !together;
	rq->transport->last = !more && !rs->stream && !rs->pump;
	bool there = rq->transport->write(rq->transport->ctx, b.p, b.n);
	rq->transport->last = !rs->stream && !rs->pump;
	if (there && more)
		there = rq->transport->write(rq->transport->ctx, rs->body.p, rs->body.n);
	struct error e = {0};
	if (there && rs->pump && rq->method != HEAD && !rs->pump(rq, rs->pump_ctx, &e)) {
		log_error("an answer was cut off", LOG_TEXT("why", e.message));
		rq->transport->cut = true;
	}
	rq->transport->stays_open = there && rs->stream;
}
