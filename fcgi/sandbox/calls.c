#include "sandbox/calls.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"

#define BUCKETS 131072u

struct calls {
	struct arena *a; /* the ring and the bucket arrays */
	struct arena *numbers_a;
	struct call **ring;
	size_t keep, cap, first, n;
	uint64_t total;
	struct call **by_id;
	struct number **by_phone;
};

struct calls *
calls_new(size_t keep)
{
	struct arena *a = arena_new(4096);
	struct calls *c = arena_new_of(a, struct calls);
	c->a = a;
	c->keep = keep;
	c->cap = 1024;
	c->ring = arena_new_array(a, struct call *, c->cap);
	c->by_id = arena_new_array(a, struct call *, BUCKETS);
	c->by_phone = arena_new_array(a, struct number *, BUCKETS);
	c->numbers_a = arena_new(65536);
	return c;
}

static unsigned
bucket(const char *s)
{
	struct lot l = lot_of(s, 0);
	return lot_below(&l, BUCKETS);
}

struct call *
calls_at(const struct calls *c, size_t i)
{
	return c->ring[(c->first + i) % c->cap];
}

void
calls_clear(struct calls *c)
{
	for (size_t i = 0; i < c->n; i++)
		arena_free(calls_at(c, i)->a);
	c->first = c->n = 0;
	c->total = 0;
	memset(c->by_id, 0, BUCKETS * sizeof(*c->by_id));
	memset(c->by_phone, 0, BUCKETS * sizeof(*c->by_phone));
	arena_reset(c->numbers_a);
}

void
calls_free(struct calls *c)
{
	if (!c)
		return;
	calls_clear(c);
	arena_free(c->numbers_a);
	arena_free(c->a);
}

struct number *
calls_find_number(const struct calls *c, const char *phone)
{
	struct number *n = c->by_phone[bucket(phone)];
	while (n && strcmp(n->phone, phone) != 0)
		n = n->next;
	return n;
}

struct number *
calls_number(struct calls *c, const char *phone)
{
	struct number *n = calls_find_number(c, phone);
	if (n)
		return n;
	n = arena_new_of(c->numbers_a, struct number);
	snprintf(n->phone, sizeof(n->phone), "%s", phone);
	struct number **head = &c->by_phone[bucket(phone)];
	n->next = *head;
	return *head = n;
}

static void
forget_oldest(struct calls *c)
{
	struct call *old = calls_at(c, 0);
	struct call **link = &c->by_id[bucket(old->id)];
	while (*link != old)
		link = &(*link)->next;
	*link = old->next;
	link = &old->number->newest;
	while (*link != old)
		link = &(*link)->older;
	*link = old->older;
	c->first = (c->first + 1) % c->cap;
	c->n--;
	arena_free(old->a);
}

static void
grow(struct calls *c)
{
	size_t cap = c->cap * 2;
	struct call **ring = arena_new_array(c->a, struct call *, cap);
	for (size_t i = 0; i < c->n; i++)
		ring[i] = calls_at(c, i);
	c->ring = ring;
	c->cap = cap;
	c->first = 0;
}

/* All texts into one piece, so that a call is one block of exactly its size. */
static void
copy_texts(struct arena *a, struct call_texts *to, const struct call_texts *from, size_t bytes)
{
	const struct str *source = (const struct str *)from;
	struct str *target = (struct str *)to;
	char *p = arena_alloc(a, bytes);
	for (size_t i = 0; i < sizeof(*to) / sizeof(struct str); i++) {
		target[i] = (struct str){p, source[i].n};
		if (source[i].n)
			memcpy(p, source[i].p, source[i].n);
		p += source[i].n;
	}
}

struct call *
calls_add(struct calls *c, struct number *number, const struct call_texts *t, const char *id)
{
	const struct str *texts = (const struct str *)t;
	size_t bytes = 1;
	for (size_t i = 0; i < sizeof(*t) / sizeof(struct str); i++)
		bytes += texts[i].n;
	struct arena *a = arena_new(sizeof(struct call) + bytes + 256);
	struct call *call = arena_new_of(a, struct call);
	call->a = a;
	copy_texts(a, &call->t, t, bytes);
	snprintf(call->id, sizeof(call->id), "%s", id ? id : crypto_uuid(a));
	call->number = number;
	call->older = number->newest;
	number->newest = call;
	number->accepted++;
	number->last_accepted = sandbox_now();
	call->created = clock_now();
	call->order = c->total++;
	struct call **head = &c->by_id[bucket(call->id)];
	call->next = *head;
	*head = call;
	while (c->n >= c->keep && calls_at(c, 0)->state == CALL_ENDED && !calls_at(c, 0)->holds)
		forget_oldest(c);
	if (c->n == c->cap)
		grow(c);
	c->ring[(c->first + c->n++) % c->cap] = call;
	return call;
}

struct call *
calls_find(const struct calls *c, const char *id)
{
	struct call *call = c->by_id[bucket(id)];
	while (call && strcmp(call->id, id) != 0)
		call = call->next;
	return call;
}

size_t
calls_count(const struct calls *c)
{
	return c->n;
}

uint64_t
calls_total(const struct calls *c)
{
	return c->total;
}

void
calls_each_number(const struct calls *c, void (*fn)(void *p, const struct number *n), void *p)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct number *n = c->by_phone[i]; n; n = n->next)
			if (n->accepted)
				fn(p, n);
}
