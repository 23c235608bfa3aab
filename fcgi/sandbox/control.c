#include "sandbox/control.h"

#include "base/json.h"
#include "sandbox/fault.h"
#include "sandbox/ledger.h"

void
control_ledger(struct exchange *x, struct str id)
{
	(void)id;
	bool numbers = str_is(exchange_query(x, "numbers"), "1");
	exchange_answer(x, 200, ledger_summary(x->a, x->s->ledger, x->s->calls, numbers));
}

static void
say_ok(struct exchange *x)
{
	struct value *v = value_map(x->a);
	value_set_bool(x->a, v, "ok", true);
	value_set_text(x->a, v, "mode", fault_name(x->s));
	exchange_answer(x, 200, v);
}

void
control_reset(struct exchange *x, struct str id)
{
	(void)id;
	sandbox_reset(x->s);
	say_ok(x);
}

void
control_faults(struct exchange *x, struct str id)
{
	struct error e = {0};
	struct value *v = json_parse(x->a, buf_view(&x->body), &e);
	(void)id;
	if (!v || !fault_set(x->s, value_str(v, "mode"), value_num(v, "for_ms"))) {
		exchange_refuse(x, 400,
		    "mode must be one of ok, down, slow, rate_limit, error, auth, balance, flagged, lost, "
		    "half_closed, report_first, tenfold, late, shuffled");
		return;
	}
	say_ok(x);
}

void
control_health(struct exchange *x, struct str id)
{
	(void)id;
	say_ok(x);
}
