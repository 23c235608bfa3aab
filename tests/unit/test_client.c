#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/client.h"

/*
 * A server whose path says how it behaves. /ok answers and keeps the connection; a later request on
 * a kept connection to /drop is read whole, counted, and the connection closed without a word, as a
 * server does that dies after it has acted.
 */
static struct {
	int fd, port;
	atomic_int posts; /* whole bodies that arrived */
	pthread_t thread;
} server;

static void
answer(int fd, const char *path)
{
	char text[512];
	const char *head = strcmp(path, "/date") == 0
			       ? "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n"
			   : strcmp(path, "/busy") == 0 ? "Retry-After: 2\r\n"
							: "";
	int status = strcmp(path, "/busy") == 0 ? 429 : strcmp(path, "/moved") == 0 ? 302 : 200;
	snprintf(text, sizeof(text),
	    "HTTP/1.1 %d X\r\n%sLocation: /ok\r\nContent-Length: 2\r\n\r\nhi", status, head);
	(void)!write(fd, text, strlen(text));
}

static void
pour(int fd)
{
	static char block[65536];
	static const char head[] = "HTTP/1.1 200 X\r\nContent-Length: 20971520\r\n\r\n";
	if (write(fd, head, sizeof(head) - 1) < 0)
		return;
	for (int i = 0; i < 320; i++)
		if (write(fd, block, sizeof(block)) < 0)
			return;
}

/* Reads one request; the path in ${path}. False at the end of the connection. */
static bool
read_request(int fd, char path[64])
{
	char in[8192];
	size_t n = 0;
	const char *end = NULL;
	while (!end) {
		ssize_t got = read(fd, in + n, sizeof(in) - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		in[n] = '\0';
		end = strstr(in, "\r\n\r\n");
	}
	char method[8];
	if (sscanf(in, "%7s %63s", method, path) != 2)
		return false;
	const char *length = strstr(in, "Content-Length: ");
	size_t want = length ? strtoul(length + 16, NULL, 10) : 0,
	       have = n - (size_t)(end + 4 - in);
	while (have < want) {
		ssize_t got = read(fd, in, sizeof(in) - 1);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	if (strcmp(method, "POST") == 0)
		server.posts++;
	return true;
}

static void
serve(int fd)
{
	char path[64];
	while (read_request(fd, path)) {
		if (strcmp(path, "/drop") == 0)
			break;
		if (strcmp(path, "/hang") == 0) {
			(void)!read(fd, path, 1);
			break;
		}
		if (strcmp(path, "/big") == 0)
			pour(fd);
		else
			answer(fd, path);
	}
	close(fd);
}

static void *
serve_all(void *arg)
{
	(void)arg;
	for (int fd; (fd = accept(server.fd, NULL, NULL)) >= 0;)
		serve(fd);
	return NULL;
}

static int
start_server(void **state)
{
	(void)state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server.fd, (struct sockaddr *)&at, n) < 0 || listen(server.fd, 16) < 0 ||
	    getsockname(server.fd, (struct sockaddr *)&at, &n) < 0)
		return -1;
	server.port = ntohs(at.sin_port);
	return pthread_create(&server.thread, NULL, serve_all, NULL);
}

static int
stop_server(void **state)
{
	(void)state;
	shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.fd);
	return 0;
}

static struct exchange
ask(struct client *c, struct arena *a, const char *method, const char *path, int timeout_ms)
{
	struct error e = {0};
	struct exchange x = {.method = method,
	    .url = arena_printf(a, "http://127.0.0.1:%d%s", server.port, path),
	    .body = STR("{\"phone_number\":\"+12125550150\"}"),
	    .timeout_ms = timeout_ms};
	if (!client_once(c, a, &x, &e))
		fail_msg("%s", e.message);
	return x;
}

static void
answers(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct client *c = client_open("", NULL);
	struct exchange x = ask(c, a, "POST", "/ok", 5000);
	assert_int_equal(x.fate, FATE_ANSWERED);
	assert_int_equal(x.status, 200);
	assert_true(str_is(x.answer, "hi"));
	assert_int_equal(x.retry_after_ms, -1);
	x = ask(c, a, "POST", "/busy", 5000);
	assert_int_equal(x.status, 429);
	assert_int_equal(x.retry_after_ms, 2000);
	assert_int_equal(ask(c, a, "GET", "/date", 5000).retry_after_ms, 86400000);
	assert_int_equal(ask(c, a, "GET", "/moved", 5000).status, 302);
	client_close(c);
	arena_free(a);
}

static void
a_post_is_never_sent_twice(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct client *c = client_open("", NULL);
	for (int i = 0; i < 5; i++) {
		/* The connection is kept, then dies with the next request, which has acted. */
		assert_int_equal(ask(c, a, "GET", "/ok", 5000).fate, FATE_ANSWERED);
		int before = server.posts;
		assert_int_equal(ask(c, a, "POST", "/drop", 5000).fate, FATE_UNKNOWN);
		assert_int_equal(server.posts, before + 1);
	}
	client_close(c);
	arena_free(a);
}

static void
silence_and_excess_are_unknown(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct client *c = client_open("", NULL);
	assert_int_equal(ask(c, a, "POST", "/hang", 200).fate, FATE_UNKNOWN);
	struct exchange x = ask(c, a, "GET", "/big", 10000);
	assert_int_equal(x.fate, FATE_UNKNOWN);
	assert_true(x.answer.n <= 8 << 20);
	client_close(c);
	arena_free(a);
}

static void
what_never_left_is_safe_to_send_again(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct client *c = client_open("", NULL);
	static const char *const urls[] = {"http://127.0.0.1:1/", "http://192.0.2.1/",
	    "ftp://127.0.0.1/", "file:///etc/passwd", "https://127.0.0.1:1/", "nonsense"};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct error e = {0};
		struct exchange x = {
		    .method = "POST", .url = urls[i], .body = STR("{}"), .timeout_ms = 500};
		assert_true(client_once(c, a, &x, &e));
		if (x.fate != FATE_NOT_SENT)
			fail_msg("%s: %d", urls[i], x.fate);
		assert_non_null(x.problem);
	}
	client_close(c);
	arena_free(a);
}

/* A process that slept past its lease sends no body any more. */
static void
too_late_is_not_sent(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct client *c = client_open("", NULL);
	struct error e = {0};
	int before = server.posts;
	struct exchange x = {.method = "POST",
	    .url = arena_printf(a, "http://127.0.0.1:%d/ok", server.port),
	    .body = STR("{}"),
	    .timeout_ms = 1000,
	    .send_before = clock_monotonic() - 1};
	assert_true(client_once(c, a, &x, &e));
	assert_int_not_equal(x.fate, FATE_ANSWERED);
	client_close(c);
	assert_int_equal(server.posts, before);
	arena_free(a);
}

/* A name that was typed in may mean any address; only a public one is connected to. */
static void
a_guarded_request_never_comes_here(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	struct client *c = client_open("", NULL);
	struct exchange before = ask(c, a, "POST", "/ok", 5000);
	assert_int_equal(before.fate, FATE_ANSWERED);
	static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]", "0x7f.1", "0"};
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct error e = {0};
		struct exchange x = {.method = "POST",
		    .url = arena_printf(a, "http://%s:%d/ok", hosts[i], server.port),
		    .body = STR("{}"),
		    .timeout_ms = 5000,
		    .plain_ok = true,
		    .guarded = true};
		assert_true(client_once(c, a, &x, &e));
		if (x.fate != FATE_NOT_SENT)
			fail_msg("%s was asked", hosts[i]);
	}
	client_close(c);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(a_post_is_never_sent_twice),
	    cmocka_unit_test(silence_and_excess_are_unknown),
	    cmocka_unit_test(what_never_left_is_safe_to_send_again),
	    cmocka_unit_test(too_late_is_not_sent),
	    cmocka_unit_test(a_guarded_request_never_comes_here),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
