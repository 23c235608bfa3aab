#ifndef WIRE_H
#define WIRE_H
/* A request made of strings, in place of a FastCGI connection. */
#include <string.h>

#include "http/request.h"
#include "http/transport.h"

enum { WIRE_PARAMS = 40 };

struct wire {
	struct transport transport;
	const char *params[WIRE_PARAMS + 1];
	size_t n;
	struct str body;
	size_t at, slice; /* bytes of the body handed out at once; 0: all */
	struct buf out;
};

static inline ptrdiff_t
wire_read(void *ctx, char *p, size_t n)
{
	struct wire *w = ctx;
	size_t left = w->body.n - w->at;
	if (w->slice && n > w->slice)
		n = w->slice;
	if (n > left)
		n = left;
	memcpy(p, w->body.p + w->at, n);
	w->at += n;
	return (ptrdiff_t)n;
}

static inline bool
wire_write(void *ctx, const char *p, size_t n)
{
	struct wire *w = ctx;
	buf_add(&w->out, p, n);
	return true;
}

static inline void
wire_param(struct wire *w, struct arena *a, const char *name, const char *value)
{
	w->params[w->n++] = arena_printf(a, "%s=%s", name, value);
}

static inline struct wire *
wire_new(struct arena *a, const char *method, const char *target)
{
	struct wire *w = arena_new_of(a, struct wire);
	w->transport = (struct transport){
	    .params = w->params, .ctx = w, .read = wire_read, .write = wire_write};
	buf_init(&w->out, a);
	struct str query = str_of(target);
	(void)str_cut(&query, '?');
	wire_param(w, a, "REQUEST_METHOD", method);
	wire_param(w, a, "REQUEST_URI", target);
	wire_param(w, a, "QUERY_STRING", str_dup(a, query));
	wire_param(w, a, "REQUEST_ID", "r1");
	return w;
}

static inline void
wire_body(struct wire *w, struct arena *a, const char *type, struct str body)
{
	w->body = body;
	wire_param(w, a, "CONTENT_TYPE", type);
	wire_param(w, a, "CONTENT_LENGTH", arena_printf(a, "%zu", body.n));
}

#endif
