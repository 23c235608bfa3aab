#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define RED_ZONE 16
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#define RED_ZONE 0
#endif

#define ALIGNMENT _Alignof(max_align_t)

/* What is free of a zeroed block holds zeros: clearing a whole block once costs less than each of
 * the thousand pieces of a page. Blocks that come and go are cleared piece by piece. */
struct block {
	struct block *next;
	size_t size, used;
	bool zeroed;
	_Alignas(max_align_t) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct block *first, *last;
	struct deferred *deferred;
	size_t footprint;
};

static void *
or_die(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

static struct block *
block_new(struct arena *a, size_t size, bool zeroed)
{
	if (size > SIZE_MAX / 2)
		or_die(NULL);
	struct block *b = or_die(zeroed ? calloc(1, sizeof(*b) + size) : malloc(sizeof(*b) + size));
	b->next = NULL;
	b->size = size;
	b->used = 0;
	b->zeroed = zeroed;
	a->footprint += sizeof(*b) + size;
	POISON(b->data, size);
	return b;
}

static void
block_free(struct arena *a, struct block *b)
{
	a->footprint -= sizeof(*b) + b->size;
	UNPOISON(b->data, b->size);
	free(b);
}

struct arena *
arena_new(size_t block)
{
	struct arena *a = or_die(calloc(1, sizeof(*a)));
	a->first = a->last = block_new(a, block < 256 ? 256 : block, true);
	return a;
}

void
arena_reset(struct arena *a)
{
	while (a->deferred) {
		struct deferred *d = a->deferred;
		a->deferred = d->next;
		d->fn(d->p);
	}
	while (a->first->next) {
		struct block *b = a->first->next;
		a->first->next = b->next;
		block_free(a, b);
	}
	UNPOISON(a->first->data, a->first->used);
	memset(a->first->data, 0, a->first->used);
	a->first->used = 0;
	a->last = a->first;
	POISON(a->first->data, a->first->size);
}

void
arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	block_free(a, a->first);
	free(a);
}

static size_t
rounded(size_t n)
{
	return (n + RED_ZONE + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 4)
		or_die(NULL);
	size_t need = rounded(size ? size : 1);
	struct block *b = a->last;
	if (b->size - b->used < need) {
		size_t want = a->first->size > 65536 ? a->first->size : 65536;
		b->next = block_new(a, need > want ? need : want, false);
		b = a->last = b->next;
	}
	void *p = b->data + b->used;
	b->used += need;
	UNPOISON(p, size);
	return b->zeroed ? p : memset(p, 0, size);
}

void *
arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	struct block *b = a->last;
	size_t held = rounded(old_size ? old_size : 1);
	size_t need = rounded(new_size ? new_size : 1);
	unsigned char *p = old;
	if (p && p + held == b->data + b->used && new_size >= old_size &&
	    b->size - b->used >= need - held) {
		b->used += need - held;
		UNPOISON(p, new_size);
		if (!b->zeroed)
			memset(p + old_size, 0, new_size - old_size);
		return p;
	}
	void *fresh = arena_alloc(a, new_size);
	if (old)
		memcpy(fresh, old, old_size < new_size ? old_size : new_size);
	return fresh;
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	if (n)
		memcpy(p, s, n);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char usual[200];
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(usual, sizeof(usual), fmt, ap);
	if (n < 0)
		usual[n = 0] = '\0';
	char *p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof(usual))
		memcpy(p, usual, (size_t)n + 1);
	else
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));
	d->fn = fn;
	d->p = p;
	d->next = a->deferred;
	a->deferred = d;
}

size_t
arena_footprint(const struct arena *a)
{
	return a->footprint;
}
