#include "sandbox/timers.h"

struct timer {
	int64_t due;
	uint64_t order;
	timer_fn *fire;
	void *subject;
};

/* A binary heap, the soonest first. */
struct timers {
	struct arena *a;
	struct timer *heap;
	size_t n, cap;
	uint64_t added;
};

struct timers *
timers_new(void)
{
	struct arena *a = arena_new(4096);
	struct timers *t = arena_new_of(a, struct timers);
	t->a = a;
	return t;
}

void
timers_free(struct timers *t)
{
	if (t)
		arena_free(t->a);
}

static bool
sooner(const struct timer *a, const struct timer *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
swap(struct timer *a, struct timer *b)
{
	struct timer t = *a;
	*a = *b;
	*b = t;
}

void
timers_add(struct timers *t, int64_t due_ms, timer_fn *fire, void *subject)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		t->heap =
		    arena_grow(t->a, t->heap, t->cap * sizeof(*t->heap), cap * sizeof(*t->heap));
		t->cap = cap;
	}
	size_t i = t->n++;
	t->heap[i] = (struct timer){due_ms, t->added++, fire, subject};
	for (; i > 0 && sooner(&t->heap[i], &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
}

static struct timer
take_first(struct timers *t)
{
	struct timer first = t->heap[0];
	t->heap[0] = t->heap[--t->n];
	for (size_t i = 0;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		if (left < t->n && sooner(&t->heap[left], &t->heap[least]))
			least = left;
		if (right < t->n && sooner(&t->heap[right], &t->heap[least]))
			least = right;
		if (least == i)
			return first;
		swap(&t->heap[i], &t->heap[least]);
		i = least;
	}
}

int64_t
timers_wait(const struct timers *t, int64_t most)
{
	if (!t->n)
		return most;
	int64_t left = t->heap[0].due - sandbox_now();
	return left < 0 ? 0 : left < most ? left : most;
}

void
timers_run(struct sandbox *s)
{
	int64_t now = sandbox_now();
	while (s->timers->n && s->timers->heap[0].due <= now) {
		struct timer t = take_first(s->timers);
		t.fire(s, t.subject);
	}
}

void
timers_clear(struct timers *t)
{
	t->n = 0;
}
