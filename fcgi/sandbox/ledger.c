#include "sandbox/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define BUCKETS 65536u
#define STATUSES 600

struct attempt {
	struct attempt *next;
	bool reported; /* is in the list of duplicates */
	char id[];
};

struct ledger {
	struct arena *a, *attempts_a, *scratch;
	int fd; /* -1: none */
	uint64_t posts, accepted, dropped, live, max_live, webhooks_sent, webhooks_failed;
	uint64_t refused[STATUSES];
	/* Posts of the last 1,000 ms, a cell for each, to find the busiest second wherever it
	 * began. */
	uint32_t cells[1000];
	int64_t cells_at;
	uint64_t in_second, max_in_second;
	struct attempt **attempts;
	struct value *duplicates;
};

struct ledger *
ledger_open(const char *path, struct error *e)
{
	int fd = -1;
	if (path && *path) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
		if (fd < 0) {
			error_set(e, ERR_INVALID, "%s: %s", path, strerror(errno));
			return NULL;
		}
	}
	struct arena *a = arena_new(4096);
	struct ledger *l = arena_new_of(a, struct ledger);
	l->a = a;
	l->fd = fd;
	l->attempts = arena_new_array(a, struct attempt *, BUCKETS);
	l->attempts_a = arena_new(65536);
	l->scratch = arena_new(4096);
	l->duplicates = value_list(l->attempts_a);
	return l;
}

void
ledger_close(struct ledger *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	arena_free(l->attempts_a);
	arena_free(l->scratch);
	arena_free(l->a);
}

static void
count_post(struct ledger *l)
{
	int64_t now = sandbox_now();
	if (now - l->cells_at >= 1000) {
		memset(l->cells, 0, sizeof(l->cells));
		l->in_second = 0;
		l->cells_at = now;
	}
	while (l->cells_at < now) {
		uint32_t *old = &l->cells[++l->cells_at % 1000];
		l->in_second -= *old;
		*old = 0;
	}
	l->cells[now % 1000]++;
	if (++l->in_second > l->max_in_second)
		l->max_in_second = l->in_second;
	l->posts++;
}

static void
count_attempt(struct ledger *l, struct str id)
{
	if (!id.n)
		return;
	const char *text = str_dup(l->scratch, id);
	struct lot lot = lot_of(text, 0);
	struct attempt **head = &l->attempts[lot_below(&lot, BUCKETS)], *t = *head;
	while (t && strcmp(t->id, text) != 0)
		t = t->next;
	if (t) {
		if (!t->reported)
			value_push(l->attempts_a, l->duplicates, value_textz(l->attempts_a, t->id));
		t->reported = true;
		return;
	}
	t = arena_alloc(l->attempts_a, sizeof(*t) + id.n + 1);
	memcpy(t->id, text, id.n);
	t->next = *head;
	*head = t;
}

static void
count(struct ledger *l, const struct entry *e)
{
	struct str what = str_of(e->what);
	if (str_is(what, "post")) {
		count_post(l);
	} else if (str_is(what, "accepted")) {
		l->accepted++;
		if (++l->live > l->max_live)
			l->max_live = l->live;
		count_attempt(l, e->call ? e->call->t.attempt : e->attempt);
	} else if (str_is(what, "ended")) {
		l->live--;
	} else if (str_is(what, "refused")) {
		l->refused[e->status < STATUSES ? e->status : 0]++;
	} else if (str_is(what, "dropped")) {
		l->dropped++;
	} else if (str_is(what, "webhook")) {
		l->webhooks_sent++;
	} else if (str_is(what, "webhook_failed")) {
		l->webhooks_failed++;
	}
}

static void
member(struct buf *b, const char *key, struct str text)
{
	if (!text.n)
		return;
	buf_printf(b, ",\"%s\":", key);
	buf_json(b, text);
}

void
ledger_write(struct ledger *l, const struct entry *e)
{
	struct buf b;
	count(l, e);
	if (l->fd < 0) {
		arena_reset(l->scratch);
		return;
	}
	buf_init(&b, l->scratch);
	buf_printf(&b, "{\"t\":%" PRId64 ",\"m\":%" PRId64 ",\"what\":\"%s\"", clock_now() / 1000,
	    sandbox_now(), e->what);
	member(&b, "call_id", str_of(e->call ? e->call->id : NULL));
	member(&b, "to", e->call ? str_of(e->call->number->phone) : e->to);
	member(&b, "attempt_id", e->call ? e->call->t.attempt : e->attempt);
	buf_printf(&b, ",\"concurrent\":%" PRIu64, l->live);
	if (e->status)
		buf_printf(&b, ",\"status\":%ld", e->status);
	member(&b, "why", str_of(e->why));
	member(&b, "digest", str_of(e->digest));
	if (e->call && str_is(str_of(e->what), "accepted"))
		member(&b, "body", e->call->said);
	buf_puts(&b, "}\n");
	if (write(l->fd, b.p, b.n) != (ssize_t)b.n)
		log_error("ledger cannot be written", LOG_TEXT("why", strerror(errno)));
	arena_reset(l->scratch);
}

static void
forget(struct ledger *l)
{
	arena_reset(l->attempts_a);
	memset(l->attempts, 0, BUCKETS * sizeof(*l->attempts));
	memset(l->refused, 0, sizeof(l->refused));
	memset(l->cells, 0, sizeof(l->cells));
	l->duplicates = value_list(l->attempts_a);
	l->posts = l->accepted = l->dropped = l->live = l->max_live = 0;
	l->webhooks_sent = l->webhooks_failed = l->in_second = l->max_in_second = 0;
}

void
ledger_recount(struct ledger *l, const struct entry *e)
{
	struct str what = str_of(e->what);
	if (str_is(what, "reset"))
		forget(l);
	else if (str_is(what, "post"))
		l->posts++;
	else
		count(l, e);
	arena_reset(l->scratch);
}

void
ledger_reset(struct ledger *l)
{
	forget(l);
	ledger_write(l, &(struct entry){.what = "reset"});
}

struct numbers {
	struct arena *a;
	struct value *map;
};

/* value_set looks for the key first, which 100,000 numbers do not need: they differ. */
static void
add_number(void *p, const struct number *n)
{
	struct numbers *to = p;
	struct value *v = to->map;
	if (v->map.n == v->map.cap) {
		size_t cap = v->map.cap ? v->map.cap * 2 : 64;
		v->map.members = arena_grow(to->a, v->map.members,
		    v->map.cap * sizeof(struct member), cap * sizeof(struct member));
		v->map.cap = cap;
	}
	v->map.members[v->map.n++] =
	    (struct member){str_of(n->phone), value_int(to->a, n->accepted)};
}

struct value *
ledger_summary(struct arena *a, const struct ledger *l, const struct calls *calls, bool numbers)
{
	struct value *v = value_map(a), *refused = value_map(a);
	value_set_int(a, v, "posts", (int64_t)l->posts);
	value_set_int(a, v, "accepted", (int64_t)l->accepted);
	for (int status = 0; status < STATUSES; status++)
		if (l->refused[status])
			value_set_int(
			    a, refused, arena_printf(a, "%d", status), (int64_t)l->refused[status]);
	value_set(a, v, "refused", refused);
	value_set_int(a, v, "dropped", (int64_t)l->dropped);
	value_set_int(a, v, "live", (int64_t)l->live);
	value_set_int(a, v, "max_concurrent", (int64_t)l->max_live);
	value_set_int(a, v, "max_posts_in_one_second", (int64_t)l->max_in_second);
	value_set(a, v, "duplicate_attempt_ids", l->duplicates);
	value_set_int(a, v, "webhooks_sent", (int64_t)l->webhooks_sent);
	value_set_int(a, v, "webhooks_failed", (int64_t)l->webhooks_failed);
	if (numbers) {
		struct numbers to = {a, value_map(a)};
		calls_each_number(calls, add_number, &to);
		value_set(a, v, "numbers", to.map);
	}
	return v;
}
