#ifndef HAMMER_ANSWER_H
#define HAMMER_ANSWER_H
/* Where an HTTP/1.1 answer ends. Included by hammer.c only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The end of a chunked body that begins at p, NULL while it is not there. */
static const char *
chunks_end(const char *p, const char *end)
{
	for (;;) {
		const char *line = memmem(p, (size_t)(end - p), "\r\n", 2);
		if (!line)
			return NULL;
		size_t n = strtoul(p, NULL, 16);
		p = line + 2;
		if ((size_t)(end - p) < n + 2)
			return NULL;
		p += n + 2;
		if (n == 0)
			return p;
	}
}

static const char *
header(const char *head, const char *end, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = head; p && p < end; p = memmem(p, (size_t)(end - p), "\r\n", 2)) {
		p += *p == '\r' ? 2 : 0;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " ");
	}
	return NULL;
}

/* Whether the answer is complete; its status, and whether the connection is kept. */
static bool
answer_complete(char *in, size_t got, int *status, bool *kept)
{
	in[got] = '\0';
	const char *end = in + got, *body = memmem(in, got, "\r\n\r\n", 4);
	if (!body || got < 12)
		return false;
	const char *length = header(in, body, "Content-Length");
	const char *coding = header(in, body, "Transfer-Encoding");
	const char *connection = header(in, body, "Connection");
	*status = atoi(in + 9);
	*kept = !connection || strncasecmp(connection, "close", 5) != 0;
	body += 4;
	if (coding && strncasecmp(coding, "chunked", 7) == 0)
		return chunks_end(body, end) != NULL;
	if (length)
		return (size_t)(end - body) >= strtoul(length, NULL, 10);
	return *status == 204 || *status == 304;
}

#endif
