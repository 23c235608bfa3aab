/* Tokens, CSRF masks, foreign origins, and where signing in may lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "http/session.h"
#include "wire.h"

static struct arena *a;
static struct app app;
static struct viewer viewer;

static int
start(void **state)
{
	(void)state;
	a = arena_new(64 << 10);
	viewer = (struct viewer){.session = "one"};
	app = (struct app){.config = {.base_url = "https://calls.example:8443",
			       .secret_key = "0123456789012345678901234567890123456789"}};
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	clock_freeze(0);
	arena_free(a);
	return 0;
}

static struct request *
request(struct wire **out)
{
	struct error e = {0};
	struct wire *w = wire_new(a, "POST", "/x");
	struct request *rq = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, &e));
	rq->viewer = &viewer;
	if (out)
		*out = w;
	return rq;
}

static void
tokens_name_user_and_epoch_and_end(void **state)
{
	struct error e = {0};
	struct request *rq = request(NULL);
	(void)state;
	clock_freeze(INT64_C(1800000000) * CLOCK_SECOND);
	char *token = session_token(rq, 7, 3, &e);
	struct value *claims =
	    crypto_jwt_verify(a, app.config.secret_key, str_of(token), clock_now(), &e);
	assert_non_null(claims);
	assert_int_equal(value_num(claims, "uid"), 7);
	assert_int_equal(value_num(claims, "epoch"), 3);
	assert_true(value_str(claims, "sid").n >= 24);
	int64_t later = clock_now() + (SESSION_SECONDS + 1) * CLOCK_SECOND;
	assert_null(crypto_jwt_verify(a, app.config.secret_key, str_of(token), later, &e));
	assert_int_equal(e.kind, ERR_UNAUTHENTICATED);
	assert_string_not_equal(
	    token, session_token(rq, 7, 3, &e)); /* each sign-in is its own session */
}

static void
where_the_token_is_presented(void **state)
{
	struct wire *w;
	struct request *rq = request(&w);
	bool by_cookie;
	(void)state;
	assert_int_equal(session_presented(rq, &by_cookie).n, 0);
	wire_param(w, a, "HTTP_COOKIE", "__Host-trunkline=c; trunkline=plain");
	assert_true(str_is(session_presented(rq, &by_cookie), "c") && by_cookie);
	wire_param(w, a, "HTTP_AUTHORIZATION", "bearer  b ");
	assert_true(str_is(session_presented(rq, &by_cookie), "b") && !by_cookie);
	rq = request(&w);
	wire_param(w, a, "HTTP_AUTHORIZATION", "Basic b");
	assert_int_equal(session_presented(rq, &by_cookie).n, 0);
}

static void
cookies_are_closed(void **state)
{
	struct request *rq = request(NULL);
	struct response rs = {0};
	(void)state;
	session_cookie_set(&rs, rq, "t");
	struct str cookie = value_str(rs.headers->list.items[0], "value");
	assert_true(str_is(
	    cookie, "__Host-trunkline=t; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"));
}

static bool
accepts(struct str token, const char *session)
{
	struct error e = {0};
	struct request *rq = request(NULL);
	viewer.session = session;
	value_set(a, rq->body, "csrf", value_text(a, token));
	return session_csrf_ok(rq, &e);
}

static void
csrf_masks_differ_and_all_fit(void **state)
{
	(void)state;
	viewer.session = "one";
	char *first = session_csrf(request(NULL)), *second = session_csrf(request(NULL));
	assert_string_not_equal(first, second);
	assert_true(accepts(str_of(first), "one"));
	assert_true(accepts(str_of(second), "one"));
	assert_false(accepts(str_of(first), "two"));
	for (size_t i = 0; i < strlen(first); i++) {
		char *changed = arena_strdup(a, first);
		changed[i] = changed[i] == '0' ? '1' : '0';
		assert_false(accepts(str_of(changed), "one"));
	}
	assert_false(accepts(STR(""), "one"));
	assert_false(accepts(str_sub(str_of(first), 0, 62), "one"));
	assert_false(accepts(str_of(arena_printf(a, "%s00", first)), "one"));
	for (char *c = first; *c; c++)
		*c = 'z';
	assert_false(accepts(str_of(first), "one"));
}

static bool
origin_ok(const char *name, const char *value)
{
	struct error e = {0};
	struct wire *w = wire_new(a, "POST", "/x");
	wire_param(w, a, "HTTP_HOST", "localhost:9443");
	wire_param(w, a, name, value);
	struct request *rq = request_new(a, &app, &w->transport);
	assert_true(request_head(rq, &e));
	return session_origin_ok(rq, &e);
}

static void
origins(void **state)
{
	(void)state;
	assert_true(origin_ok("HTTP_X_NONE", ""));
	assert_true(origin_ok("HTTP_ORIGIN", "https://calls.example:8443"));
	assert_true(origin_ok("HTTP_ORIGIN", "https://localhost:9443"));
	assert_false(origin_ok("HTTP_ORIGIN", "null"));
	assert_false(origin_ok("HTTP_ORIGIN", "https://evil.example"));
	assert_false(origin_ok("HTTP_ORIGIN", "https://calls.example:8443.evil.example"));
	assert_false(origin_ok("HTTP_ORIGIN", "https://localhost"));
	assert_true(origin_ok("HTTP_SEC_FETCH_SITE", "same-origin"));
	assert_false(origin_ok("HTTP_SEC_FETCH_SITE", "cross-site"));
}

static void
signing_in_leads_nowhere_else(void **state)
{
	static const char *const bad[] = {"", "leads", "//evil.example", "/\\evil.example",
	    "\\\\evil", "/\t/evil", "https://evil.example", "javascript:alert(1)", " /leads",
	    "/a b", "/a\r\nSet-Cookie: x=1", "/\x7f", "///evil.example", "/%0a\n"};
	struct request *rq = request(NULL);
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(session_next(rq, str_of(bad[i])), "/");
	assert_string_equal(
	    session_next(rq, STR("/leads?status=done&x=%2F#top")), "/leads?status=done&x=%2F#top");
	assert_string_equal(session_next(rq, STR("/")), "/");
}

static void
notices_travel_once(void **state)
{
	struct request *rq = request(NULL);
	struct response rs = {0};
	(void)state;
	session_notice_set(&rs, rq, "612 leads; \"ok\" – <b>");
	struct str cookie = value_str(rs.headers->list.items[0], "value");
	struct wire *w = wire_new(a, "GET", "/");
	wire_param(w, a, "HTTP_COOKIE", str_dup(a, str_sub(cookie, 0, str_chr(cookie, ';'))));
	rq = request_new(a, &app, &w->transport);
	session_notice_take(&rs, rq);
	assert_string_equal(rq->notice, "612 leads; \"ok\" – <b>");
	w = wire_new(a, "GET", "/");
	wire_param(w, a, "HTTP_COOKIE", "__Host-notice=%ff%zz");
	rq = request_new(a, &app, &w->transport);
	session_notice_take(&rs, rq);
	assert_null(rq->notice);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(tokens_name_user_and_epoch_and_end, start, stop),
	    cmocka_unit_test_setup_teardown(where_the_token_is_presented, start, stop),
	    cmocka_unit_test_setup_teardown(cookies_are_closed, start, stop),
	    cmocka_unit_test_setup_teardown(csrf_masks_differ_and_all_fit, start, stop),
	    cmocka_unit_test_setup_teardown(origins, start, stop),
	    cmocka_unit_test_setup_teardown(signing_in_leads_nowhere_else, start, stop),
	    cmocka_unit_test_setup_teardown(notices_travel_once, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
