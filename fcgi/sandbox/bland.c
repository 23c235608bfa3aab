#include "sandbox/bland.h"

#include "base/clock.h"
#include "sandbox/life.h"
#include "sandbox/ledger.h"
#include "sandbox/report.h"

#define LIST_MOST 1000

void
bland_refuse_key(struct exchange *x)
{
	struct value *v = value_map(x->a), *one = value_map(x->a);
	value_set(x->a, v, "data", value_null(x->a));
	value_push(x->a, value_set(x->a, v, "errors", value_list(x->a)), one);
	value_set_text(x->a, one, "error", "AUTH_FAILURE");
	value_set_text(x->a, one, "message", "Unauthorized");
	exchange_answer(x, 401, v);
}

bool
bland_admits(struct exchange *x)
{
	struct str key = str_trim(exchange_header(x, "authorization"));
	if (str_is(key, "Bearer") || str_starts(key, "Bearer "))
		key = str_trim(str_sub(key, 6, key.n));
	const char *wanted = x->s->o.api_key;
	if (*wanted ? str_is(key, wanted) : key.n && !str_is(key, "bad"))
		return true;
	bland_refuse_key(x);
	bland_note_refusal(x, "refused", "key");
	return false;
}

struct filter {
	struct str to, from, answered_by;
	int64_t since, until; /* microseconds; 0: open */
	int completed;        /* 1, 0, or -1: either */
	int inbound;
	int64_t index_from, index_to;
	bool ascending;
};

static int
flag(struct str s)
{
	return str_is_nocase(s, "true") || str_is(s, "1")    ? 1
	       : str_is_nocase(s, "false") || str_is(s, "0") ? 0
							     : -1;
}

/* A bare date stands for its whole day, the end included. */
static int64_t
instant(struct str s, bool end)
{
	int64_t micros = 0;
	if (!clock_parse(s, &micros))
		return 0;
	return micros + (end && s.n <= 10 ? 86400 * CLOCK_SECOND - 1 : 0);
}

static int64_t
number_or(struct str s, int64_t otherwise)
{
	int64_t n;
	return str_to_int(s, &n) && n >= 0 ? n : otherwise;
}

/* A + that was not encoded arrives as a blank. */
static struct str
phone_query(const struct exchange *x, const char *name)
{
	struct str s = str_trim(exchange_query(x, name));
	if (!s.n || s.p[0] == '+')
		return s;
	return str_of(arena_printf(x->a, "%s%.*s", s.n == 10 ? "+1" : "+", STR_ARG(s)));
}

static struct filter
read_filter(const struct exchange *x)
{
	struct filter f = {.to = phone_query(x, "to_number"),
	    .from = phone_query(x, "from_number"),
	    .answered_by = exchange_query(x, "answered_by"),
	    .since = instant(exchange_query(x, "start_date"), false),
	    .until = instant(exchange_query(x, "end_date"), true),
	    .completed = flag(exchange_query(x, "completed")),
	    .inbound = flag(exchange_query(x, "inbound")),
	    .ascending = flag(exchange_query(x, "ascending")) == 1};
	int64_t limit = number_or(exchange_query(x, "limit"), LIST_MOST);
	f.index_from = number_or(exchange_query(x, "from"), 0);
	f.index_to = number_or(exchange_query(x, "to"), INT64_MAX);
	if (limit < LIST_MOST && f.index_from + limit < f.index_to)
		f.index_to = f.index_from + limit;
	else if (f.index_to - f.index_from > LIST_MOST)
		f.index_to = f.index_from + LIST_MOST;
	return f;
}

static bool
passes(struct arena *a, const struct filter *f, const struct call *c)
{
	if (f->inbound == 1 || (f->since && c->created < f->since) ||
	    (f->until && c->created > f->until))
		return false;
	if (f->completed >= 0 && f->completed != (c->state == CALL_ENDED))
		return false;
	if (f->to.n && !str_is(f->to, c->number->phone))
		return false;
	if (f->from.n && !str_eq(f->from, c->t.from))
		return false;
	return !f->answered_by.n ||
	       str_eq(f->answered_by, value_str(report_row(a, c), "answered_by"));
}

struct page {
	struct arena *a;
	const struct filter *f;
	struct value *rows;
	int64_t seen;
};

static void
consider(struct page *p, const struct call *c)
{
	if (!passes(p->a, p->f, c))
		return;
	if (p->seen >= p->f->index_from && p->seen < p->f->index_to)
		value_push(p->a, p->rows, report_row(p->a, c));
	p->seen++;
}

/* The calls to one number are chained, newest first: a look-up costs the same at 100,000 calls. */
static void
consider_number(struct page *p, const struct number *n)
{
	size_t count = 0;
	for (const struct call *c = n ? n->newest : NULL; c; c = c->older)
		count++;
	const struct call **all = arena_new_array(p->a, const struct call *, count + 1);
	size_t i = 0;
	for (const struct call *c = n ? n->newest : NULL; c; c = c->older)
		all[i++] = c;
	for (i = 0; i < count; i++)
		consider(p, all[p->f->ascending ? count - 1 - i : i]);
}

void
bland_list(struct exchange *x, struct str id)
{
	struct filter f = read_filter(x);
	struct page p = {x->a, &f, value_list(x->a), 0};
	const struct calls *calls = x->s->calls;
	(void)id;
	if (f.to.n) {
		consider_number(&p, calls_find_number(calls, str_dup(x->a, f.to)));
	} else {
		size_t n = calls_count(calls);
		for (size_t i = 0; i < n; i++)
			consider(&p, calls_at(calls, f.ascending ? i : n - 1 - i));
	}
	struct value *v = value_map(x->a);
	value_set_int(x->a, v, "total_count", p.seen);
	value_set_int(x->a, v, "count", (int64_t)p.rows->list.n);
	value_set(x->a, v, "calls", p.rows);
	exchange_answer(x, 200, v);
}

static void
answer_data(struct exchange *x, int status, struct value *data, const char *error)
{
	struct value *v = value_map(x->a), *one = value_map(x->a);
	value_set(x->a, v, "data", data);
	value_set(x->a, v, "errors", error ? value_list(x->a) : value_null(x->a));
	if (error) {
		value_set_text(x->a, one, "error", error);
		value_set_text(x->a, one, "message", "Call not found");
		value_push(x->a, value_get(v, "errors"), one);
	}
	exchange_answer(x, status, v);
}

void
bland_call(struct exchange *x, struct str id)
{
	const struct call *c = calls_find(x->s->calls, str_dup(x->a, id));
	if (c)
		exchange_answer(x, 200, report_object(x->a, c));
	else
		answer_data(x, 404, value_null(x->a), "CALL_NOT_FOUND");
}

/* Live calls are among the newest, but a scheduled one may be old: all are looked at. */
void
bland_active(struct exchange *x, struct str id)
{
	struct value *rows = value_list(x->a);
	(void)id;
	for (size_t i = 0; i < calls_count(x->s->calls); i++) {
		const struct call *c = calls_at(x->s->calls, i);
		if (c->state != CALL_ENDED)
			value_push(x->a, rows, report_active(x->a, c));
	}
	answer_data(x, 200, rows, NULL);
}

static struct value *
success(struct exchange *x, const char *message)
{
	struct value *v = value_map(x->a);
	value_set_text(x->a, v, "status", "success");
	value_set_text(x->a, v, "message", message);
	return v;
}

void
bland_stop(struct exchange *x, struct str id)
{
	struct call *c = calls_find(x->s->calls, str_dup(x->a, id));
	if (c && life_stop(x->s, c))
		exchange_answer(x, 200, success(x, "Call ended successfully."));
	else
		exchange_refuse(x, 200, "SID not found for the given c_id.");
}

void
bland_stop_all(struct exchange *x, struct str id)
{
	int64_t stopped = 0;
	(void)id;
	for (size_t i = 0; i < calls_count(x->s->calls); i++)
		stopped += life_stop(x->s, calls_at(x->s->calls, i));
	struct value *v = success(x, "Stopping active calls. This may take some time...");
	value_set_int(x->a, v, "num_calls", stopped);
	exchange_answer(x, 200, v);
}

void
bland_me(struct exchange *x, struct str id)
{
	struct value *v = value_map(x->a), *billing = value_map(x->a);
	(void)id;
	value_set_text(x->a, v, "status", "active");
	value_set(x->a, v, "billing", billing);
	value_set(x->a, billing, "current_balance", value_real(x->a, 100));
	value_set(x->a, billing, "refill_to", value_null(x->a));
	value_set_int(x->a, v, "total_calls", (int64_t)calls_total(x->s->calls));
	exchange_answer(x, 200, v);
}
