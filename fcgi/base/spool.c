#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW 16384
#define WINDOWS 12

/* A file that grows at the end and is read through a direct-mapped cache of windows. */
struct store {
	int fd;
	uint64_t size; /* including what is still in pending */
	char pending[WINDOW];
	size_t pending_n;
	uint64_t held[WINDOWS]; /* window number + 1; 0: empty */
	char window[WINDOWS][WINDOW];
};

struct spool {
	struct store ends; /* where each string ends in the texts: 8 bytes each */
	struct store texts;
	size_t count;
};

static void
spool_close(void *p)
{
	struct spool *s = p;
	close(s->ends.fd);
	if (s->texts.fd >= 0)
		close(s->texts.fd);
}

static int
nameless_file(struct arena *a, const char *dir)
{
	if (!dir)
		dir = getenv("TMPDIR");
	char *path = arena_printf(a, "%s/trunkline-sheet-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

struct spool *
spool_new(struct arena *a, const char *dir, struct error *e)
{
	struct spool *s = arena_new_of(a, struct spool);
	s->ends.fd = nameless_file(a, dir);
	s->texts.fd = s->ends.fd < 0 ? -1 : nameless_file(a, dir);
	if (s->ends.fd >= 0)
		arena_defer(a, spool_close, s);
	if (s->texts.fd < 0) {
		error_set(e, ERR_INTERNAL, "No room for temporary files: %s.", strerror(errno));
		return NULL;
	}
	return s;
}

static bool
store_flush(struct store *t, struct error *e)
{
	uint64_t at = t->size - t->pending_n;
	for (size_t done = 0; done < t->pending_n;) {
		ssize_t k =
		    pwrite(t->fd, t->pending + done, t->pending_n - done, (off_t)(at + done));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return error_set(e, ERR_INTERNAL, "Temporary file: %s.", strerror(errno));
		done += (size_t)k;
	}
	t->pending_n = 0;
	return true;
}

static bool
store_add(struct store *t, const char *p, size_t n, struct error *e)
{
	while (n) {
		size_t k = sizeof(t->pending) - t->pending_n;
		k = k < n ? k : n;
		memcpy(t->pending + t->pending_n, p, k);
		t->pending_n += k;
		t->size += k;
		p += k;
		n -= k;
		if (t->pending_n == sizeof(t->pending) && !store_flush(t, e))
			return false;
	}
	return true;
}

static bool
store_get(struct store *t, uint64_t at, char *out, size_t n, struct error *e)
{
	if (at + n > t->size || (t->pending_n && !store_flush(t, e)))
		return error_set(e, ERR_INTERNAL, "Temporary file: read past its end.");
	while (n) {
		uint64_t number = at / WINDOW;
		size_t slot = number % WINDOWS, from = at % WINDOW;
		if (t->held[slot] != number + 1) {
			ssize_t got =
			    pread(t->fd, t->window[slot], WINDOW, (off_t)(number * WINDOW));
			if (got < 0)
				return error_set(
				    e, ERR_INTERNAL, "Temporary file: %s.", strerror(errno));
			t->held[slot] = number + 1;
		}
		size_t k = WINDOW - from < n ? WINDOW - from : n;
		memcpy(out, t->window[slot] + from, k);
		out += k;
		at += k;
		n -= k;
	}
	return true;
}

bool
spool_add(struct spool *s, struct str text, struct error *e)
{
	if (!store_add(&s->texts, text.p, text.n, e))
		return false;
	uint64_t end = s->texts.size;
	s->count++;
	return store_add(&s->ends, (const char *)&end, sizeof(end), e);
}

size_t
spool_count(const struct spool *s)
{
	return s->count;
}

bool
spool_get(struct spool *s, size_t i, char *out, size_t cap, size_t *n, struct error *e)
{
	uint64_t from = 0, to = 0;
	if (i >= s->count)
		return error_set(e, ERR_INVALID, "The sheet refers to a text that is not there.");
	if (i && !store_get(&s->ends, (i - 1) * 8, (char *)&from, 8, e))
		return false;
	if (!store_get(&s->ends, i * 8, (char *)&to, 8, e))
		return false;
	*n = (size_t)(to - from);
	return store_get(&s->texts, from, out, *n < cap ? *n : cap, e);
}
