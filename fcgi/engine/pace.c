#include "engine/pace.h"

#include "base/clock.h"

/* Longer than a second: the way to the provider is not always equally long, and a request that took
 * a tenth of a second more than the next one must not meet it there. */
enum { WINDOW = CLOCK_SECOND / 100 * 110, MOST_KEPT = 4096 };

/* When the last requests left, a ring. Faster paces than MOST_KEPT are not held back here. */
struct window {
	int64_t id;
	bool client;
	int64_t *left;
	size_t size, next;
	struct window *older;
};

struct pace {
	struct arena *a;
	struct window *newest;
	int64_t filled; /* windows begin as if filled then */
};

struct pace *
pace_new(struct arena *a)
{
	struct pace *p = arena_new_of(a, struct pace);
	*p = (struct pace){.a = a, .filled = INT64_MIN / 2};
	return p;
}

static size_t
size_of(double per_second)
{
	return per_second < 1 ? 1 : per_second > MOST_KEPT ? 0 : (size_t)per_second;
}

static struct window *
window_of(struct pace *p, int64_t id, bool client, double per_second)
{
	size_t size = size_of(per_second);
	struct window *w = p->newest;
	while (w && (w->id != id || w->client != client))
		w = w->older;
	if (w && w->size == size)
		return w;
	if (!w) {
		w = arena_new_of(p->a, struct window);
		*w = (struct window){.id = id, .client = client, .older = p->newest};
		p->newest = w;
	}
	/* A changed pace begins anew, as if the ring had just been filled. */
	int64_t filled = w->left ? clock_monotonic() : p->filled;
	w->left = arena_new_array(p->a, int64_t, size ? size : 1);
	w->size = size;
	w->next = 0;
	for (size_t i = 0; i < size; i++)
		w->left[i] = filled;
	return w;
}

static int64_t
wait_of(const struct window *w, double per_second, int64_t now)
{
	int64_t length = per_second < 1 ? (int64_t)((double)WINDOW / per_second) : WINDOW;
	int64_t free_at = w->size ? w->left[w->next] + length : now;
	return free_at > now ? free_at - now : 0;
}

static void
count(struct window *w, int64_t now)
{
	if (!w->size)
		return;
	w->left[w->next] = now;
	w->next = (w->next + 1) % w->size;
}

int64_t
pace_wait(struct pace *p, int64_t client_id, double client_per_second, int64_t campaign_id,
    double campaign_per_second, int64_t now)
{
	struct window *client = window_of(p, client_id, true, client_per_second);
	struct window *campaign = window_of(p, campaign_id, false, campaign_per_second);
	int64_t first = wait_of(client, client_per_second, now);
	int64_t second = wait_of(campaign, campaign_per_second, now);
	if (first || second)
		return first > second ? first : second;
	count(client, now);
	count(campaign, now);
	return 0;
}

void
pace_fill(struct pace *p, int64_t now)
{
	p->filled = now;
	for (struct window *w = p->newest; w; w = w->older)
		for (size_t i = 0; i < w->size; i++)
			w->left[i] = now;
}
