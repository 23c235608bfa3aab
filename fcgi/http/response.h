#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H
/*
 * What a handler answers. It fills a model; the dispatcher renders the template with it, or writes
 * the very same model as JSON where rq->json. Nothing is sent before the handler has returned.
 */
#include "http/request.h"

struct error;
/** Sends a long body piece by piece with response_write; false: it ends here, cut off. */
typedef bool response_pump(struct request *rq, void *ctx, struct error *e);

struct response {
	int status;               /* 200 unless set */
	struct value *model;      /* an empty map at first */
	const char *page;         /* template; the route's unless set */
	const char *location;     /* redirect (303) for browsers; ignored where JSON is asked for */
	const char *notice;       /* one sentence shown on the next page */
	const char *content_type; /* set with body: the bytes are sent as they are */
	struct buf body;
	struct value *headers; /* list of {name, value} */
	const char *form_page; /* see response_form */
	struct value *form_model;
	response_pump *pump; /* runs once status and headers are sent, instead of body */
	void *pump_ctx;
	bool stream; /* the answer stays open for server-sent events (http/stream.h) */
};

typedef bool handler(struct request *rq, struct response *rs, struct error *e);

/** After a POST: 303 to ${path} with ${notice} (may be NULL) shown there. API clients get the
 * model. */
bool response_redirect(struct response *rs, struct request *rq, const char *notice, const char *fmt,
    ...) PRINTF_LIKE(4, 5);
/** Sets a header (Set-Cookie: adds one). Control characters are dropped. */
void response_header(struct response *rs, struct request *rq, const char *name, const char *value);
/** Sends bytes as a download named ${file_name}. */
void response_file(
    struct response *rs, struct request *rq, const char *type, const char *file_name);
/**
 * For POST handlers of forms: if the handler then fails, the dispatcher renders template ${page}
 * with
 * ${model} plus {"error": {"message", "field", "<field>": true}, "typed": body} and the error's
 * status (422 for ERR_INVALID), so that nothing typed is lost. API clients get the JSON error.
 */
void response_form(struct response *rs, const char *page, struct value *model);

/** A piece of the body, in a pump; false where the peer is gone. */
bool response_write(struct request *rq, struct str bytes) MUST_USE;

/** Status line, headers and body. */
void response_send(struct response *rs, struct request *rq);

#endif
