#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H
/*
 * One HTTP request as a handler sees it: read, checked and decoded before the handler runs.
 * Everything lives on its arena. Query, form and JSON bodies are the same tree, so a page's form
 * and its API twin need one handler.
 */
#include "base/config.h"
#include "base/value.h"

enum method { GET = 1, POST = 2, PUT = 4, PATCH = 8, DELETE = 16, HEAD = 32 };

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_MEMBER, ROLE_ADMIN };

/** Who asks; worked out once by the dispatcher (app.authenticate). */
struct viewer {
	int64_t user_id; /* 0: ADMIN_TOKEN */
	int64_t client_id;
	enum role role;
	const char *email, *name, *time_zone;
	const char *session;       /* the token's id; CSRF tokens are bound to it */
	bool by_cookie;            /* only then a CSRF token is asked for */
	const struct value *frame; /* what app.frame shows, where it was asked for already */
};

/** A file part of a multipart body, spooled to disk while it came in. */
struct upload {
	const char *field, *file_name; /* file_name as sent: for showing only */
	const char *path; /* below config.state_dir/spool; removed with the request unless kept */
	int64_t size;
	const char *sha256;
	bool kept; /* a handler that takes the file over sets this */
};

struct db;
struct request;
struct mustache_set;
struct token_memory;
struct transport;

/** What a process keeps over requests. Made by main, constant but for the connection's state. */
struct response;

struct app {
	struct config config;
	struct arena *arena; /* of the process */
	struct db *db;       /* NULL while it was never reached */
	/** Makes ${db} usable for the next request: (re)connects, ends a forgotten transaction. */
	bool (*refresh)(struct app *app, struct error *e);
	struct mustache_set *templates;
	const struct value *assets; /* {"app_css": "/static/app.0123456789.css", …} */
	/** Fills rq->viewer from cookie or bearer token; false + ERR_UNAUTHENTICATED where there is
	 * none. */
	bool (*authenticate)(struct request *rq, struct error *e);
	/** Adds what every page shows (navigation, badges, running campaigns) to ${model}. */
	void (*frame)(struct request *rq, struct value *model);
	/** Does what ${n} requests wait for (rq->waiting), together and in two steps, one batch at
	 * a time: asks the database; waits for its answer. Between them apply_socket is for poll(),
	 * and apply_ready tells whether there is nothing to wait for. NULL in pools where none
	 * waits. */
	void (*apply_begin)(struct app *app, struct request *const *rqs, size_t n);
	void (*apply_end)(struct app *app, struct request *const *rqs, size_t n);
	int (*apply_socket)(struct app *app);
	bool (*apply_ready)(struct app *app);
	/** Counts of what is answered (http/meter.h); NULL where nobody counts. */
	struct meter *meter;
	/** Tokens that were found good (http/token.h); NULL where none is remembered. */
	struct token_memory *tokens;
};

struct request {
	struct arena *arena;
	struct app *app;
	enum method method;
	struct str
	    path;  /* decoded, without query and trailing slash; begins with /api where it did */
	bool json; /* the answer is to be JSON: the path began with /api, or Accept says so */
	const char *id; /* request id, from nginx */
	const char *address, *agent, *host;
	struct value *query; /* decoded; a repeated name keeps the last value */
	struct value *body;  /* form fields or the JSON object; an empty map where there is none */
	struct str raw;      /* the body's bytes, for routes marked ROUTE_RAW */
	struct upload *uploads;
	size_t upload_count;
	int64_t ids[4];      /* {id} parts of the path, in order */
	struct str names[4]; /* {name} parts */
	struct viewer *viewer;
	const char *notice; /* left by the request before this one, shown once */
	unsigned allow;     /* methods of the path, where the one asked for is not among them */
	int64_t started;    /* clock_monotonic */
	struct transport *transport;
	/* Of routes marked ROUTE_GATHERED: what app.apply_begin is to do, and who answers then. */
	void *waiting;
	bool (*then)(struct request *rq, struct response *rs, struct error *e);
};

/** A request of ${t}, nothing read yet. */
struct request *request_new(struct arena *a, struct app *app, struct transport *t);
/** Method, path, query and headers. ERR_MALFORMED or ERR_METHOD; what could be read is then set. */
bool request_head(struct request *rq, struct error *e) MUST_USE;
/** The CGI parameter; "" where missing. */
struct str request_param(const struct request *rq, const char *name);
/** "GET", … */
const char *method_name(enum method method);

/** A request header by its HTTP name, such as "X-Webhook-Signature"; "" where missing. A repeated
 * header answers "" and logs: two signatures are none. */
struct str request_header(const struct request *rq, const char *name);
struct str request_cookie(const struct request *rq, const char *name);

/* Reading input. A member of the body wins over the query. Text is trimmed; numbers may come as
 * text (forms) or as numbers (JSON). */
struct str request_text(const struct request *rq, const char *name);
const char *request_textz(const struct request *rq, const char *name); /* "" where missing */
bool request_has(const struct request *rq, const char *name);
/** Checkbox or boolean. */
bool request_flag(const struct request *rq, const char *name);
/** ${fallback} where missing; ERR_INVALID naming the field where it is no number or out of [least,
 * most]. */
bool request_int(const struct request *rq, const char *name, int64_t least, int64_t most,
    int64_t fallback, int64_t *out, struct error *e) MUST_USE;
/** As request_text, but must be there, at most ${most} bytes. */
bool request_required(const struct request *rq, const char *name, size_t most, struct str *out,
    struct error *e) MUST_USE;
/** ?limit= (1…200, default 50). */
bool request_limit(const struct request *rq, int64_t *limit, struct error *e) MUST_USE;
struct upload *request_upload(const struct request *rq, const char *field); /* NULL where missing */

#endif
