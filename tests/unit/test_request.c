/* Heads, cookies, bodies: what a stranger may send, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/form.h"
#include "wire.h"

static struct arena *a;
static struct app app;

static int
start(void **state)
{
	(void)state;
	a = arena_new(64 << 10);
	app =
	    (struct app){.config = {.base_url = "https://localhost", .state_dir = "/nonexistent"}};
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static enum error_kind
head(const char *method, const char *target, struct request **out)
{
	struct error e = {0};
	struct wire *w = wire_new(a, method, target);
	struct request *rq = request_new(a, &app, &w->transport);
	if (out)
		*out = rq;
	return request_head(rq, &e) ? ERR_NONE : e.kind;
}

static void
paths_are_decoded_once(void **state)
{
	struct request *rq;
	(void)state;
	assert_int_equal(head("GET", "/leads/M%C3%BCller%2fx/?a=1&a=2&b=%2B+c", &rq), ERR_NONE);
	assert_true(str_is(rq->path, "/leads/Müller/x"));
	assert_true(str_is(request_text(rq, "a"), "2"));
	assert_true(str_is(request_text(rq, "b"), "+ c"));
	assert_int_equal(head("GET", "/a%2525", &rq), ERR_NONE);
	assert_true(str_is(rq->path, "/a%25"));
	assert_int_equal(head("GET", "/?", &rq), ERR_NONE);
	assert_true(str_is(rq->path, "/"));
}

static void
bad_targets_are_malformed(void **state)
{
	static const char *const bad[] = {"/%", "/%4", "/%zz", "/%00", "/a%ff", "/%c0%ae", "/a%0ab",
	    "leads", "*", "http://x/", "/?a=%", "/?a=%00", "/?%ff=1", "/?a=%ed%a0%80"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (head("GET", bad[i], NULL) != ERR_MALFORMED)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(head("BREW", "/", NULL), ERR_METHOD);
	assert_int_equal(head("get", "/", NULL), ERR_METHOD);
}

static void
query_has_limits(void **state)
{
	struct buf many, name;
	(void)state;
	buf_init(&many, a);
	buf_puts(&many, "/?");
	for (int i = 0; i <= FORM_FIELDS_MAX; i++)
		buf_printf(&many, "a%d=1&", i);
	assert_int_equal(head("GET", many.p, NULL), ERR_MALFORMED);
	buf_init(&name, a);
	buf_puts(&name, "/?");
	for (int i = 0; i <= FORM_NAME_MAX; i++)
		buf_putc(&name, 'n');
	buf_puts(&name, "=1");
	assert_int_equal(head("GET", name.p, NULL), ERR_MALFORMED);
}

static void
json_is_asked_for_by_path_or_accept(void **state)
{
	struct error e = {0};
	struct request *rq;
	(void)state;
	head("GET", "/api/leads", &rq);
	assert_true(rq->json);
	head("GET", "/apiary", &rq);
	assert_false(rq->json);
	struct wire *w = wire_new(a, "GET", "/leads");
	wire_param(w, a, "HTTP_ACCEPT", "application/json");
	rq = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, &e) && rq->json);
	w = wire_new(a, "GET", "/leads");
	wire_param(w, a, "HTTP_ACCEPT", "text/html,application/json;q=0.5");
	rq = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, &e) && !rq->json);
}

static void
repeated_headers(void **state)
{
	static const char *const once[] = {"HTTP_AUTHORIZATION", "HTTP_CONTENT_TYPE", "HTTP_HOST",
	    "HTTP_ORIGIN", "HTTP_X_CSRF_TOKEN"};
	struct error e = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		struct wire *w = wire_new(a, "GET", "/");
		wire_param(w, a, once[i], "one");
		wire_param(w, a, once[i], "one");
		assert_false(request_head(request_new(a, &app, &w->transport), &e));
		assert_int_equal(e.kind, ERR_MALFORMED);
	}
	struct wire *w = wire_new(a, "POST", "/webhook");
	wire_param(w, a, "HTTP_X_WEBHOOK_SIGNATURE", "aa");
	struct request *rq = request_new(a, &app, &w->transport);
	assert_true(str_is(request_header(rq, "x-webhook-signature"), "aa"));
	wire_param(w, a, "HTTP_X_WEBHOOK_SIGNATURE", "bb");
	assert_int_equal(request_header(rq, "X-Webhook-Signature").n, 0);
}

static void
cookies(void **state)
{
	struct wire *w = wire_new(a, "GET", "/");
	(void)state;
	wire_param(w, a, "HTTP_COOKIE", "a=1; b=x=y;  c = 3 ;d");
	wire_param(w, a, "HTTP_COOKIE", "e=5; f=1; f=2");
	struct request *rq = request_new(a, &app, &w->transport);
	assert_true(str_is(request_cookie(rq, "a"), "1"));
	assert_true(str_is(request_cookie(rq, "b"), "x=y"));
	assert_true(str_is(request_cookie(rq, "e"), "5"));
	assert_int_equal(request_cookie(rq, "d").n, 0);
	assert_int_equal(request_cookie(rq, "f").n, 0); /* which of the two? none */
	assert_int_equal(request_cookie(rq, "A").n, 0);
}

static enum error_kind
body(const char *type, struct str text, const struct route *route, struct request **out)
{
	struct error e = {0};
	struct wire *w = wire_new(a, "POST", "/x");
	wire_body(w, a, type, text);
	w->slice = 3;
	struct request *rq = *out = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, &e));
	return form_read(rq, route, &e) ? ERR_NONE : e.kind;
}

static const struct route plain = {POST, "/x", NULL, NULL, ROLE_NONE, 0, 0};
static const struct route raw = {POST, "/x", NULL, NULL, ROLE_NONE, ROUTE_RAW, 100};
static const struct route upload = {POST, "/x", NULL, NULL, ROLE_NONE, ROUTE_UPLOAD, 64 << 20};

static void
forms_and_json_are_one_tree(void **state)
{
	static const char form[] = "application/x-www-form-urlencoded";
	struct request *rq;
	struct error e = {0};
	int64_t n = 0;
	(void)state;
	assert_int_equal(body(form, STR("name=+Ann+&n=7&on=1&n=8"), &plain, &rq), ERR_NONE);
	assert_true(str_is(request_text(rq, "name"), "Ann"));
	assert_true(request_int(rq, "n", 1, 9, 0, &n, &e) && n == 8);
	assert_true(request_flag(rq, "on"));
	assert_int_equal(
	    body("application/json; charset=UTF-8",
		STR("{\"name\":\" Ann \",\"n\":8,\"on\":true,\"r\":2.0}"), &plain, &rq),
	    ERR_NONE);
	assert_true(str_is(request_text(rq, "name"), "Ann"));
	assert_true(request_int(rq, "n", 1, 9, 0, &n, &e) && n == 8);
	assert_true(request_int(rq, "r", 1, 9, 0, &n, &e) && n == 2);
	assert_true(request_flag(rq, "on"));
	assert_true(request_int(rq, "absent", 1, 9, 4, &n, &e) && n == 4);
	assert_false(request_int(rq, "n", 1, 7, 0, &n, &e));
	assert_string_equal(e.field, "n");
	assert_false(request_int(rq, "name", 1, 7, 0, &n, &e));
}

static void
bad_bodies(void **state)
{
	static const char form[] = "application/x-www-form-urlencoded", json[] = "application/json";
	static const struct {
		const char *type, *text;
		enum error_kind kind;
	} cases[] = {{form, "a=%4", ERR_MALFORMED}, {form, "a=%00", ERR_MALFORMED},
	    {form, "a=\xff", ERR_MALFORMED}, {json, "[]", ERR_MALFORMED},
	    {json, "7", ERR_MALFORMED}, {json, "null", ERR_MALFORMED},
	    {json, "{\"a\":1", ERR_MALFORMED}, {json, "{\"a\":\"\xff\"}", ERR_MALFORMED},
	    {json, "{\"a\":\"\\u0000\"}", ERR_MALFORMED},
	    {json, "{\"a\":1,\"a\":2}", ERR_MALFORMED}, {json, "{} {}", ERR_MALFORMED},
	    {"", "a=1", ERR_UNSUPPORTED}, {"text/plain", "a=1", ERR_UNSUPPORTED},
	    {"application/json; charset=iso-8859-1", "{}", ERR_UNSUPPORTED},
	    {"multipart/form-data", "x", ERR_MALFORMED}};
	struct request *rq;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (body(cases[i].type, str_of(cases[i].text), &plain, &rq) != cases[i].kind)
			fail_msg("%s: %s", cases[i].type, cases[i].text);
}

static void
lengths_must_be_true(void **state)
{
	static const char *const bad[] = {"-1", "x", "+3", "1.5", "99999999999999999999", "0x10"};
	struct error e = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wire *w = wire_new(a, "POST", "/x");
		wire_param(w, a, "CONTENT_LENGTH", bad[i]);
		struct request *rq = request_new(a, &app, &w->transport);
		assert_true(request_head(rq, &e));
		assert_false(form_read(rq, &plain, &e));
		assert_int_equal(e.kind, ERR_MALFORMED);
	}
	struct wire *w = wire_new(a, "POST", "/x");
	w->body = STR("a=1");
	wire_param(w, a, "CONTENT_TYPE", "application/x-www-form-urlencoded");
	wire_param(w, a, "CONTENT_LENGTH", "4");
	struct request *rq = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, &e));
	assert_false(form_read(rq, &plain, &e));
	assert_int_equal(e.kind, ERR_MALFORMED);
}

static void
too_much_is_refused_unread(void **state)
{
	struct request *rq;
	struct error e = {0};
	char *big = arena_alloc(a, (1 << 20) + 10);
	(void)state;
	memset(big, 'a', (1 << 20) + 1);
	struct str text = {big, (1 << 20) + 1};
	assert_int_equal(body("application/json", text, &plain, &rq), ERR_TOO_LARGE);
	/* A route for large files takes no large form. */
	assert_int_equal(body("application/json", text, &upload, &rq), ERR_TOO_LARGE);
	assert_int_equal(body("text/plain", str_sub(text, 0, 101), &raw, &rq), ERR_TOO_LARGE);
	assert_int_equal(body("text/plain", str_sub(text, 0, 100), &raw, &rq), ERR_NONE);
	assert_int_equal(rq->raw.n, 100);
	memcpy(big, "name=", 5);
	assert_int_equal(body("application/x-www-form-urlencoded",
			     str_sub(text, 0, FORM_VALUE_MAX + 6), &plain, &rq),
	    ERR_TOO_LARGE);
	assert_int_equal(
	    body("application/x-www-form-urlencoded", str_sub(text, 0, 300), &plain, &rq),
	    ERR_NONE);
	struct str out;
	assert_false(request_required(rq, "name", 100, &out, &e));
	assert_string_equal(e.field, "name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(paths_are_decoded_once, start, stop),
	    cmocka_unit_test_setup_teardown(bad_targets_are_malformed, start, stop),
	    cmocka_unit_test_setup_teardown(query_has_limits, start, stop),
	    cmocka_unit_test_setup_teardown(json_is_asked_for_by_path_or_accept, start, stop),
	    cmocka_unit_test_setup_teardown(repeated_headers, start, stop),
	    cmocka_unit_test_setup_teardown(cookies, start, stop),
	    cmocka_unit_test_setup_teardown(forms_and_json_are_one_tree, start, stop),
	    cmocka_unit_test_setup_teardown(bad_bodies, start, stop),
	    cmocka_unit_test_setup_teardown(lengths_must_be_true, start, stop),
	    cmocka_unit_test_setup_teardown(too_much_is_refused_unread, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
