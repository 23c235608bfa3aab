#include "sandbox/exchange.h"

#include <microhttpd.h>

#include "base/json.h"
#include "sandbox/timers.h"

static struct exchange *parked;
static uint64_t tickets;
static bool released;

struct str
exchange_query(const struct exchange *x, const char *name)
{
	return str_of(MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name));
}

struct str
exchange_header(const struct exchange *x, const char *name)
{
	return str_of(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

void
exchange_answer(struct exchange *x, int status, const struct value *body)
{
	x->status = status;
	buf_init(&x->answer, x->a);
	json_write(&x->answer, body);
	x->state = EXCHANGE_READY;
}

void
exchange_refuse(struct exchange *x, int status, const char *message)
{
	struct value *v = value_map(x->a);
	value_set_text(x->a, v, "status", "error");
	value_set_text(x->a, v, "message", message);
	exchange_answer(x, status, v);
}

static void
at_ready(struct sandbox *s, void *ticket)
{
	exchange_release(s, (uint64_t)(uintptr_t)ticket, EXCHANGE_READY);
}

static void
at_cut(struct sandbox *s, void *ticket)
{
	exchange_release(s, (uint64_t)(uintptr_t)ticket, EXCHANGE_CUT);
}

uint64_t
exchange_park(struct exchange *x, int64_t ms, enum exchange_state then)
{
	x->state = EXCHANGE_PARKED;
	x->ticket = ++tickets;
	x->next_parked = parked;
	parked = x;
	MHD_suspend_connection(x->connection);
	timers_add(x->s->timers, sandbox_now() + ms, then == EXCHANGE_CUT ? at_cut : at_ready,
	    (void *)(uintptr_t)x->ticket);
	return x->ticket;
}

/* The list is short: what hangs by its number, or arrived within five seconds of a slow spell. */
void
exchange_release(struct sandbox *s, uint64_t ticket, enum exchange_state as)
{
	(void)s;
	for (struct exchange **link = &parked; *link;) {
		struct exchange *x = *link;
		if (ticket && x->ticket != ticket) {
			link = &x->next_parked;
			continue;
		}
		*link = x->next_parked;
		x->state = as;
		MHD_resume_connection(x->connection);
		released = true;
		if (ticket)
			return;
	}
}

bool
exchange_any_released(void)
{
	bool any = released;
	released = false;
	return any;
}
