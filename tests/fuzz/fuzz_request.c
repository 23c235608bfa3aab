/*
 * A whole request: the first line is method and target, then CGI parameters a line each
 * ("HTTP_COOKIE=a=b"), an empty line, and the body. It is read as the dispatcher reads it, with the
 * product's own table of addresses.
 */
#include <sys/stat.h>

#include "../unit/wire.h"
#include "fuzz.h"
#include "http/form.h"
#include "http/session.h"
#include "pages/routes.h"

enum { MOST_LINES = 30, MOST_NAME = 300 };

static struct app app;

/* Uploads go to a file system in memory. */
static void
prepare(void)
{
	static char dir[] = "/dev/shm/trunkline-fuzz-XXXXXX";
	static char spool[sizeof(dir) + 8];
	if (app.config.state_dir)
		return;
	MUST(mkdtemp(dir));
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	MUST(mkdir(spool, 0700) == 0);
	app.config.state_dir = dir;
	app.config.base_url = "https://calls.example";
	app.config.secret_key = "0123456789012345678901234567890123456789";
}

static void
clean_up(void)
{
	char spool[100];
	if (!app.config.state_dir)
		return;
	snprintf(spool, sizeof(spool), "%s/spool", app.config.state_dir);
	/* nothing may be left in it */
	MUST(rmdir(spool) == 0 && rmdir(app.config.state_dir) == 0);
}

static struct wire *
wire_of(struct arena *a, struct str rest)
{
	struct str target = str_cut(&rest, '\n'), method = str_cut(&target, ' ');
	struct wire *w = wire_new(a, str_dup(a, method), str_dup(a, target));
	for (int i = 0; i < MOST_LINES && rest.n; i++) {
		struct str value = str_cut(&rest, '\n');
		if (!value.n)
			break;
		struct str name = str_cut(&value, '=');
		if (name.n < MOST_NAME)
			wire_param(w, a, str_dup(a, name), str_dup(a, value));
	}
	wire_param(w, a, "CONTENT_LENGTH", arena_printf(a, "%zu", rest.n));
	w->body = rest;
	return w;
}

/* What handlers ask for. */
static void
ask(struct request *rq)
{
	static const char *const names[] = {"q", "phone", "limit", "cursor", "file", "csrf"};
	struct error e = {0};
	bool by_cookie = false;
	struct response rs = {.status = 200, .model = value_map(rq->arena)};
	(void)session_presented(rq, &by_cookie);
	session_notice_take(&rs, rq);
	(void)session_csrf_ok(rq, &e);
	(void)request_cookie(rq, "a");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t n = 0;
		struct str text = request_text(rq, names[i]);
		MUST(str_is_utf8(text) && strlen(request_textz(rq, names[i])) == text.n);
		if (request_int(rq, names[i], -5, 500, 7, &n, &e))
			MUST(n >= -5 && n <= 500);
		(void)request_flag(rq, names[i]);
		(void)request_upload(rq, names[i]);
	}
	if (rq->notice)
		MUST(str_is_utf8(str_of(rq->notice)));
	fuzz_clean(rs.headers);
}

static void
serve(struct arena *a, struct request *rq)
{
	struct error e = {0};
	size_t n = 0;
	const struct route *table = routes_web(&n), any = {.flags = ROUTE_UPLOAD};
	bool good = request_head(rq, &e);
	MUST(rq->path.n && rq->path.p[0] == '/' && str_is_utf8(rq->path));
	MUST(str_is_utf8(str_of(rq->host)) && str_is_utf8(str_of(rq->agent)));
	fuzz_clean(rq->query);
	if (!good) {
		MUST(e.kind == ERR_MALFORMED || e.kind == ERR_METHOD || e.kind == ERR_TOO_LARGE);
		return;
	}
	const struct route *route = route_find(table, n, rq, &e);
	MUST(route || e.kind == ERR_NOT_FOUND || e.kind == ERR_METHOD);
	for (size_t i = 0; i < 4; i++)
		MUST(rq->ids[i] >= 0 && str_is_utf8(rq->names[i]));
	e = (struct error){0};
	if (form_read(rq, route ? route : &any, &e)) {
		MUST(rq->body && rq->body->type == VALUE_MAP && rq->body->map.n <= FORM_FIELDS_MAX);
		fuzz_clean(rq->body);
		if (rq->raw.n == 0)
			fuzz_survives_json(a, rq->body);
		for (size_t i = 0; i < rq->upload_count; i++)
			MUST(strlen(rq->uploads[i].sha256) == 64 &&
			     access(rq->uploads[i].path, R_OK) == 0);
	} else {
		MUST(e.kind == ERR_MALFORMED || e.kind == ERR_TOO_LARGE ||
		     e.kind == ERR_UNSUPPORTED);
	}
	ask(rq);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct viewer viewer = {.session = "one"};
	if (!app.config.state_dir) {
		prepare();
		atexit(clean_up);
	}
	struct arena *a = fuzz_arena();
	struct wire *w = wire_of(a, fuzz_input(data, size));
	struct request *rq = request_new(a, &app, &w->transport);
	w->slice = size % 7 ? 0 : 1 + size % 50;
	rq->viewer = &viewer;
	serve(a, rq);
	/* removes what was uploaded */
	arena_reset(a);
	return 0;
}
