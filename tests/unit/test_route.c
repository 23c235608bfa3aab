/* The table, and what the dispatcher enforces before a handler runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mustache.h"
#include "http/route.h"
#include "http/session.h"
#include "wire.h"

static struct arena *a;
static struct app app;
static struct viewer viewer;
static int handled;
static bool database_away;

static bool
authenticate(struct request *rq, struct error *e)
{
	bool by_cookie;
	if (!session_presented(rq, &by_cookie).n)
		return error_set(e, ERR_UNAUTHENTICATED, "Sign in first.");
	viewer.by_cookie = by_cookie;
	rq->viewer = &viewer;
	return true;
}

static bool
refresh(struct app *of, struct error *e)
{
	(void)of;
	return !database_away || error_set(e, ERR_UNAVAILABLE, "password of postgres is hunter2");
}

static bool
show(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	handled++;
	rs->model = value_map(rq->arena);
	value_set_int(rq->arena, rs->model, "id", rq->ids[0]);
	value_set(rq->arena, rs->model, "name", value_text(rq->arena, rq->names[0]));
	return true;
}

static bool
save(struct request *rq, struct response *rs, struct error *e)
{
	struct value *model = value_map(rq->arena);
	struct str name;
	handled++;
	response_form(rs, "form", model);
	return request_required(rq, "name", 10, &name, e) &&
	       response_redirect(rs, rq, "Säved; ok.", "/leads/7");
}

static bool
broken(struct request *rq, struct response *rs, struct error *e)
{
	(void)rq;
	(void)rs;
	return error_set(e, ERR_INTERNAL, "relation secret_table does not exist");
}

static const struct route table[] = {
    {GET, "/", show, "page", ROLE_NONE, ROUTE_NO_DB, 0},
    {GET, "/leads/{id}", show, "page", ROLE_VIEWER, 0, 0},
    {POST | PATCH, "/leads/{id}", save, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/prompts/{name}", show, "page", ROLE_VIEWER, 0, 0},
    {GET, "/prompts/new", broken, "page", ROLE_VIEWER, 0, 0},
    {GET, "/a/{id}/b/{name}", show, "page", ROLE_ADMIN, 0, 0},
    {POST, "/hook", show, NULL, ROLE_NONE, ROUTE_RAW | ROUTE_NO_CSRF | ROUTE_API_ONLY, 0},
    {POST, "/api/special", save, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/broken", broken, NULL, ROLE_NONE, 0, 0},
};
enum { ROWS = sizeof(table) / sizeof(table[0]) };

static int
start(void **state)
{
	struct error e = {0};
	(void)state;
	a = arena_new(64 << 10);
	handled = 0;
	database_away = false;
	viewer = (struct viewer){.user_id = 1, .role = ROLE_MEMBER, .session = "s1"};
	app = (struct app){.config = {.base_url = "https://localhost",
			       .secret_key = "0123456789012345678901234567890123456789"},
	    .authenticate = authenticate,
	    .refresh = refresh};
	app.templates = mustache_set_new(a, MUSTACHE_HTML);
	assert_true(
	    mustache_add(app.templates, "page", STR("id={{id}} name={{name}} {{notice}}"), &e));
	assert_true(
	    mustache_add(app.templates, "form", STR("{{error.message}}|{{typed.other}}"), &e));
	assert_true(mustache_add(app.templates, "error", STR("{{title}}: {{message}}"), &e));
	assert_true(mustache_add(app.templates, "error_plain", STR("{{title}}: {{message}}"), &e));
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static const struct route *
find(enum method method, const char *path, struct request **out, struct error *e)
{
	struct wire *w = wire_new(a, method_name(method), path);
	struct request *rq = *out = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, e));
	return route_find(table, ROWS, rq, e);
}

static void
rows_are_found(void **state)
{
	struct request *rq;
	struct error e = {0};
	(void)state;
	assert_ptr_equal(find(GET, "/leads/12", &rq, &e), &table[1]);
	assert_int_equal(rq->ids[0], 12);
	assert_ptr_equal(find(HEAD, "/leads/12/", &rq, &e), &table[1]);
	assert_ptr_equal(find(PATCH, "/api/leads/12", &rq, &e), &table[2]);
	assert_true(rq->json);
	assert_ptr_equal(find(GET, "/prompts/new", &rq, &e), &table[4]);
	assert_ptr_equal(find(GET, "/prompts/new%20one", &rq, &e), &table[3]);
	assert_true(str_is(rq->names[0], "new one"));
	assert_ptr_equal(find(GET, "/a/5/b/x", &rq, &e), &table[5]);
	assert_int_equal(rq->ids[0], 5);
	assert_true(str_is(rq->names[0], "x"));
	assert_ptr_equal(find(POST, "/hook", &rq, &e), &table[6]);
	assert_true(rq->json);
	assert_ptr_equal(find(POST, "/api/special", &rq, &e), &table[7]);
	assert_ptr_equal(find(GET, "/", &rq, &e), &table[0]);
}

static void
what_fits_no_row(void **state)
{
	static const char *const none[] = {"/leads/0", "/leads/-1", "/leads/+1", "/leads/1x",
	    "/leads/99999999999999999999", "/leads/", "/leads//", "/leads/1/2", "/Leads/1",
	    "//leads/1", "/prompts//", "/special", "/api", "/api/api/leads/1"};
	struct request *rq;
	struct error e = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (find(GET, none[i], &rq, &e))
			fail_msg("%s was found", none[i]);
		assert_int_equal(e.kind, ERR_NOT_FOUND);
	}
	assert_null(find(DELETE, "/leads/1", &rq, &e));
	assert_int_equal(e.kind, ERR_METHOD);
	assert_int_equal(rq->allow, GET | POST | PATCH);
}

/* Dispatches and returns the bytes of the answer. */
static const char *
run(struct wire *w)
{
	route_dispatch(table, ROWS, request_new(a, &app, &w->transport));
	return w->out.p;
}

static void
assert_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static void
assert_not_in(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" in:\n%s", part, text);
}

static struct wire *
signed_in(const char *method, const char *target)
{
	struct wire *w = wire_new(a, method, target);
	wire_param(w, a, "HTTP_COOKIE", "__Host-trunkline=t");
	return w;
}

static void
strangers(void **state)
{
	const char *out;
	(void)state;
	out = run(wire_new(a, "GET", "/leads/7?a=b&c=%2F"));
	assert_in(out, "Status: 303 ");
	assert_in(out, "Location: /login?next=%2Fleads%2F7%3Fa%3Db%26c%3D%252F\r\n");
	out = run(wire_new(a, "GET", "/api/leads/7"));
	assert_in(out, "Status: 401 ");
	assert_in(out, "\"code\":\"unauthenticated\"");
	out = run(wire_new(a, "POST", "/leads/7"));
	assert_in(out, "Location: /login\r\n");
	assert_int_equal(handled, 0);
	assert_in(run(wire_new(a, "GET", "/")), "Status: 200 ");
}

static void
roles(void **state)
{
	(void)state;
	assert_in(run(signed_in("GET", "/a/5/b/x")), "Status: 403 ");
	assert_int_equal(handled, 0);
	viewer.role = ROLE_ADMIN;
	assert_in(run(signed_in("GET", "/a/5/b/x")), "id=5 name=x");
	viewer.role = ROLE_VIEWER;
	assert_in(run(signed_in("PATCH", "/api/leads/7")), "Status: 403 ");
	assert_in(run(signed_in("GET", "/api/leads/7")), "{\"id\":7,\"name\":\"\"}");
}

static void
forms_need_their_token(void **state)
{
	static const char form[] = "application/x-www-form-urlencoded";
	struct wire *w = signed_in("POST", "/leads/7");
	(void)state;
	wire_body(w, a, form, STR("name=x"));
	assert_in(run(w), "Status: 403 ");
	assert_int_equal(handled, 0);
	struct request *rq = request_new(a, &app, &w->transport);
	rq->viewer = &viewer;
	const char *token = session_csrf(rq);
	w = signed_in("POST", "/leads/7");
	wire_body(w, a, form, str_of(arena_printf(a, "name=x&csrf=%s", token)));
	const char *out = run(w);
	assert_in(out, "Status: 303 ");
	assert_in(out, "Location: /leads/7\r\n");
	assert_in(out, "Set-Cookie: __Host-notice=S%C3%A4ved%3B%20ok.;");
	/* Programs have no cookie, so nobody can use theirs. */
	w = wire_new(a, "POST", "/leads/7");
	wire_param(w, a, "HTTP_AUTHORIZATION", "Bearer t");
	wire_body(w, a, form, STR("name=x"));
	assert_in(run(w), "Status: 303 ");
	w = signed_in("GET", "/leads/7");
	wire_param(w, a, "HTTP_COOKIE", "__Host-notice=S%C3%A4ved%3B%20ok.");
	out = run(w);
	assert_in(out, "name= Säved; ok.");
	assert_in(out, "Set-Cookie: __Host-notice=; Path=/; Max-Age=0");
}

static void
typed_values_come_back(void **state)
{
	static const char form[] = "application/x-www-form-urlencoded";
	struct wire *w = wire_new(a, "POST", "/leads/7");
	(void)state;
	wire_param(w, a, "HTTP_AUTHORIZATION", "Bearer t");
	wire_body(w, a, form, STR("other=%3Cb%3E"));
	const char *out = run(w);
	assert_in(out, "Status: 422 ");
	assert_in(out, "name is missing.|&lt;b&gt;");
	w = wire_new(a, "POST", "/api/leads/7");
	wire_param(w, a, "HTTP_AUTHORIZATION", "Bearer t");
	wire_body(w, a, "application/json", STR("{\"name\":\"longer than ten\"}"));
	out = run(w);
	assert_in(out, "Status: 422 ");
	assert_in(out, "\"fields\":{\"name\":");
}

static void
failures_tell_nothing_of_the_inside(void **state)
{
	const char *out;
	(void)state;
	out = run(wire_new(a, "GET", "/broken"));
	assert_in(out, "Status: 500 ");
	assert_not_in(out, "secret_table");
	assert_in(out, "r1");
	database_away = true;
	out = run(signed_in("GET", "/leads/7"));
	assert_in(out, "Status: 503 ");
	assert_in(out, "Retry-After: ");
	assert_not_in(out, "hunter2");
	assert_in(run(signed_in("GET", "/api/leads/7")), "\"code\":\"unavailable\"");
	assert_in(run(wire_new(a, "GET", "/")), "Status: 200 ");
}

static void
every_answer_carries_its_headers(void **state)
{
	const char *out;
	(void)state;
	out = run(wire_new(a, "HEAD", "/"));
	assert_in(out, "X-Request-Id: r1\r\n");
	assert_in(out, "Cache-Control: no-store\r\n");
	assert_in(out, "Content-Length: 11\r\n\r\n");
	assert_not_in(out, "id=0");
	out = run(wire_new(a, "DELETE", "/"));
	assert_in(out, "Status: 405 ");
	assert_in(out, "Allow: GET, HEAD\r\n");
	struct wire *w = wire_new(a, "GET", "/%zz");
	wire_param(w, a, "HTTP_ACCEPT", "application/json");
	assert_in(run(w), "\"code\":\"malformed\"");
	assert_in(run(wire_new(a, "GET", "/api/%zz")), "Status: 400 ");
}

static bool
injecting(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	response_header(rs, rq, "X-Note", "a\r\nSet-Cookie: stolen=1");
	response_file(rs, rq, "text/csv", "l\"i\r\nst \xc3\xbc.csv");
	buf_puts(&rs->body, "x");
	return true;
}

static void
headers_cannot_be_injected(void **state)
{
	static const struct route only[] = {{GET, "/f", injecting, NULL, ROLE_NONE, 0, 0}};
	struct wire *w = wire_new(a, "GET", "/f");
	(void)state;
	route_dispatch(only, 1, request_new(a, &app, &w->transport));
	assert_in(w->out.p, "X-Note: aSet-Cookie: stolen=1\r\n");
	assert_in(
	    w->out.p, "filename=\"l_ist __.csv\"; filename*=UTF-8''l%22i%0D%0Ast%20%C3%BC.csv\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rows_are_found, start, stop),
	    cmocka_unit_test_setup_teardown(what_fits_no_row, start, stop),
	    cmocka_unit_test_setup_teardown(strangers, start, stop),
	    cmocka_unit_test_setup_teardown(roles, start, stop),
	    cmocka_unit_test_setup_teardown(forms_need_their_token, start, stop),
	    cmocka_unit_test_setup_teardown(typed_values_come_back, start, stop),
	    cmocka_unit_test_setup_teardown(failures_tell_nothing_of_the_inside, start, stop),
	    cmocka_unit_test_setup_teardown(every_answer_carries_its_headers, start, stop),
	    cmocka_unit_test_setup_teardown(headers_cannot_be_injected, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
