/*
 * libcurl failing at its N-th call, N = 1, 2, … until an exchange passes: nothing is sent twice,
 * what is said to be unsent was not sent, what is sent has all its headers, and the next exchange
 * works. The functions that fcgi/net calls are defined here, before the library's; so are its
 * allocations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/client.h"

enum { MOST = 3000 };
#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* --- faults --- */

static struct {
	int at, calls;
	bool memory; /* allocations of the library instead of its functions */
	bool fired;
} fault;
static long held; /* blocks of memory that the library has now */

static void
arm(int at, bool memory)
{
	fault.at = at;
	fault.calls = 0;
	fault.memory = memory;
	fault.fired = false;
}

static bool
due(bool memory)
{
	if (!fault.at || fault.memory != memory || ++fault.calls != fault.at)
		return false;
	return fault.fired = true;
}

#undef curl_easy_setopt
CURLcode
curl_easy_setopt(CURL *c, CURLoption option, ...)
{
	va_list ap;
	va_start(ap, option);
	void *word = va_arg(ap, void *); /* every kind of argument fits */
	va_end(ap);
	/* the others only keep what they are given and cannot fail */
	bool copies = option == CURLOPT_URL || option == CURLOPT_PROTOCOLS_STR ||
		      option == CURLOPT_PROXY || option == CURLOPT_CUSTOMREQUEST ||
		      option == CURLOPT_CAINFO;
	return copies && due(false) ? CURLE_OUT_OF_MEMORY : REAL(curl_easy_setopt)(c, option, word);
}

CURL *
curl_easy_init(void)
{
	return due(false) ? NULL : REAL(curl_easy_init)();
}

struct curl_slist *
curl_slist_append(struct curl_slist *list, const char *line)
{
	return due(false) ? NULL : REAL(curl_slist_append)(list, line);
}

CURLMcode
curl_multi_add_handle(CURLM *m, CURL *c)
{
	return due(false) ? CURLM_OUT_OF_MEMORY : REAL(curl_multi_add_handle)(m, c);
}

CURLMcode
curl_multi_perform(CURLM *m, int *running)
{
	return due(false) ? CURLM_OUT_OF_MEMORY : REAL(curl_multi_perform)(m, running);
}

CURLMcode
curl_multi_poll(CURLM *m, struct curl_waitfd *fds, unsigned n, int ms, int *out)
{
	return due(false) ? CURLM_OUT_OF_MEMORY : REAL(curl_multi_poll)(m, fds, n, ms, out);
}

CURLcode
curl_global_init(long flags)
{
	return due(false) ? CURLE_FAILED_INIT : REAL(curl_global_init)(flags);
}

static void *
lib_malloc(size_t n)
{
	void *p = due(true) ? NULL : malloc(n);
	held += p != NULL;
	return p;
}

static void
lib_free(void *p)
{
	held -= p != NULL;
	free(p);
}

static void *
lib_realloc(void *p, size_t n)
{
	void *q = due(true) ? NULL : realloc(p, n);
	held += !p && q;
	return q;
}

static char *
lib_strdup(const char *s)
{
	char *p = due(true) ? NULL : strdup(s);
	held += p != NULL;
	return p;
}

static void *
lib_calloc(size_t n, size_t size)
{
	void *p = due(true) ? NULL : calloc(n, size);
	held += p != NULL;
	return p;
}

/* --- a server that counts what is whole and what lacks a header --- */

static struct {
	int fd, port;
	atomic_int posts, bare;
	pthread_t thread;
} server;

static void
serve(int fd)
{
	static char in[8192];
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
	size_t n = 0;
	/* one whose request never comes must not keep the next one waiting */
	struct timeval most = {.tv_sec = 1};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	in[0] = '\0';
	while (!strstr(in, "\r\n\r\n{\"a\":1}")) {
		ssize_t got = read(fd, in + n, sizeof(in) - 1 - n);
		if (got <= 0)
			break;
		in[n += (size_t)got] = '\0';
	}
	if (strstr(in, "\r\n\r\n{\"a\":1}")) {
		server.posts++;
		server.bare += !strstr(in, "authorization: key") || !strstr(in, "X-Last: yes");
		(void)!write(fd, answer, sizeof(answer) - 1);
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
start(void **state)
{
	(void)state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	/* stays for the whole program, so that its allocations are ours from the first one on */
	curl_global_init_mem(
	    CURL_GLOBAL_DEFAULT, lib_malloc, lib_free, lib_realloc, lib_strdup, lib_calloc);
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server.fd, (struct sockaddr *)&at, n) < 0 || listen(server.fd, 16) < 0 ||
	    getsockname(server.fd, (struct sockaddr *)&at, &n) < 0)
		return -1;
	server.port = ntohs(at.sin_port);
	return pthread_create(&server.thread, NULL, serve_all, NULL);
}

static int
stop(void **state)
{
	(void)state;
	shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.fd);
	curl_global_cleanup();
	return 0;
}

/* --- the tests --- */

static bool
post(struct client *c, struct arena *a, struct exchange *x, struct error *e)
{
	static const char *const headers[] = {
	    "authorization: key", "Content-Type: application/json", "X-Last: yes", NULL};
	*x = (struct exchange){.method = "POST",
	    .url = arena_printf(a, "http://127.0.0.1:%d/v1/calls", server.port),
	    .headers = headers,
	    .body = STR("{\"a\":1}"),
	    .timeout_ms = 10000};
	return client_once(c, a, x, e);
}

/* One exchange with the fault, then one without. True where the fault came to pass. */
static bool
exchange_with_fault(struct client *c, int n, bool memory)
{
	struct arena *a = arena_new(65536);
	struct error e = {0};
	struct exchange x;
	int posts = server.posts, bare = server.bare;
	arm(n, memory);
	bool begun = post(c, a, &x, &e);
	fault.at = 0;
	if (!begun)
		assert_true(fault.fired && e.kind == ERR_UNAVAILABLE && e.message[0]);
	else if (x.fate != FATE_ANSWERED)
		assert_true(fault.fired && x.problem);
	int sent = server.posts - posts;
	if (server.bare != bare)
		fail_msg("fault %d: a request was sent without its headers", n);
	if (sent > 1 || (sent && (!begun || x.fate == FATE_NOT_SENT)))
		fail_msg("fault %d: sent %d times, begun %d, fate %d", n, sent, begun, x.fate);
	posts = server.posts;
	/* a connection that was kept may be dead meanwhile: then nothing is sent again by itself */
	for (int i = 0; i < 3; i++)
		if (!post(c, a, &x, &e) || x.fate == FATE_ANSWERED)
			break;
	if (x.fate != FATE_ANSWERED || x.status != 200)
		fail_msg("fault %d: the next exchange: %s %s", n, e.message, x.problem);
	assert_int_equal(server.posts, posts + 1);
	arena_free(a);
	return fault.fired;
}

static void
each_fault(bool memory)
{
	bool fired = true;
	long before = held;
	for (int n = 1; fired; n++) {
		assert_true(n < MOST);
		struct client *c = client_open("", NULL);
		assert_non_null(c);
		fired = exchange_with_fault(c, n, memory);
		client_close(c);
		if (held != before)
			fail_msg("fault %d: %ld blocks are kept", n, held - before);
	}
}

static void
each_function_may_fail(void **state)
{
	(void)state;
	each_fault(false);
}

static void
each_allocation_may_fail(void **state)
{
	(void)state;
	each_fault(true);
}

static void
a_client_opens_or_says_why(void **state)
{
	struct error e = {0};
	(void)state;
	arm(1, false);
	assert_null(client_open("", &e));
	fault.at = 0;
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_true(e.message[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_client_opens_or_says_why),
	    cmocka_unit_test(each_function_may_fail),
	    cmocka_unit_test(each_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
