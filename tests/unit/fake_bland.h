#ifndef FAKE_BLAND_H
#define FAKE_BLAND_H
/* A provider on this machine that answers as a test says, one connection after the other. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
	int status; /* 0: the connection is closed without a word */
	const char *body;
};

/* In bodies "@id" stands for the attempt that was POSTed last. */
static struct {
	int fd;
	pthread_t thread;
	struct answer post, list, call;
	atomic_int posts, lists, calls;
	char attempt[40];
} bland;

static void
say(int fd, struct answer answer)
{
	char body[2000], head[200];
	const char *at = strstr(answer.body ? answer.body : "", "@id");
	if (!answer.status)
		return;
	if (at)
		snprintf(body, sizeof(body), "%.*s%s%s", (int)(at - answer.body), answer.body,
		    bland.attempt, at + 3);
	else
		snprintf(body, sizeof(body), "%s", answer.body ? answer.body : "");
	snprintf(head, sizeof(head),
	    "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", answer.status,
	    strlen(body));
	(void)!write(fd, head, strlen(head));
	(void)!write(fd, body, strlen(body));
}

static void
serve(int fd)
{
	static char in[65536];
	size_t n = 0, want = 0;
	char *end = NULL;
	while (!end || n < want) {
		ssize_t got = read(fd, in + n, sizeof(in) - 1 - n);
		if (got <= 0)
			return;
		in[n += (size_t)got] = '\0';
		end = strstr(in, "\r\n\r\n");
		const char *length = strstr(in, "Content-Length: ");
		if (end)
			want = (size_t)(end + 4 - in) +
			       (length && length < end ? strtoul(length + 16, NULL, 10) : 0);
	}
	if (strncmp(in, "POST", 4) == 0) {
		const char *id = strstr(in, "\"attempt_id\":\"");
		if (id)
			snprintf(bland.attempt, sizeof(bland.attempt), "%.36s", id + 14);
		bland.posts++;
		say(fd, bland.post);
	} else if (strncmp(in, "GET /v1/calls?", 14) == 0) {
		bland.lists++;
		say(fd, bland.list);
	} else {
		bland.calls++;
		say(fd, bland.call);
	}
}

static void *
serve_all(void *arg)
{
	(void)arg;
	for (int fd; (fd = accept(bland.fd, NULL, NULL)) >= 0; close(fd))
		serve(fd);
	return NULL;
}

/** Listens on a free port; ${url} gets its address. False where that fails. */
static bool
bland_start(char *url, size_t cap)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	bland.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(bland.fd, (struct sockaddr *)&at, n) < 0 || listen(bland.fd, 256) < 0 ||
	    getsockname(bland.fd, (struct sockaddr *)&at, &n) < 0)
		return false;
	snprintf(url, cap, "http://127.0.0.1:%d", ntohs(at.sin_port));
	return pthread_create(&bland.thread, NULL, serve_all, NULL) == 0;
}

static void
bland_stop(void)
{
	shutdown(bland.fd, SHUT_RDWR);
	pthread_join(bland.thread, NULL);
	close(bland.fd);
}

#endif
