#include "sandbox/fault.h"

static const struct fault_mode modes[] = {
    {"ok", FAULT_NONE, 0, NULL, NULL},
    {"down", FAULT_CUT, 0, NULL, NULL},
    {"slow", FAULT_SLOW, 0, NULL, NULL},
    {"rate_limit", FAULT_REFUSE, 429, "2", "Rate limit exceeded"},
    {"error", FAULT_REFUSE, 500, NULL,
	"Error triggering call. Please check your twilio account for errors"},
    {"auth", FAULT_REFUSE, 401, NULL, "Unauthorized"},
    {"balance", FAULT_REFUSE, 402, NULL, "Insufficient balance."},
    {"flagged", FAULT_REFUSE, 403, NULL,
	"The Bland Team has flagged your account for security purposes."},
    {"lost", FAULT_LOST, 0, NULL, NULL},
    {"half_closed", FAULT_HALF, 0, NULL, NULL},
    {"report_first", FAULT_REPORT_FIRST, 0, NULL, NULL},
    {"tenfold", FAULT_TENFOLD, 0, NULL, NULL},
    {"late", FAULT_LATE, 0, NULL, NULL},
    {"shuffled", FAULT_SHUFFLED, 0, NULL, NULL},
};

bool
fault_set(struct sandbox *s, struct str name, int64_t for_ms)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (str_is(name, modes[i].name)) {
			struct fault new = {&modes[i], for_ms > 0 ? sandbox_now() + for_ms : 0};
			if (modes[i].kind < FAULT_TENFOLD)
				s->fault = new;
			if (modes[i].kind >= FAULT_TENFOLD || modes[i].kind == FAULT_NONE)
				s->hooks = new;
			return true;
		}
	return false;
}

static const struct fault_mode *
now(struct fault *f)
{
	if (f->until_ms && sandbox_now() >= f->until_ms)
		*f = (struct fault){0};
	return f->mode ? f->mode : &modes[0];
}

const struct fault_mode *
fault_now(struct sandbox *s)
{
	return now(&s->fault);
}

enum fault_kind
fault_of_reports(struct sandbox *s)
{
	return now(&s->hooks)->kind;
}

const char *
fault_name(struct sandbox *s)
{
	const char *name = fault_now(s)->name;
	return fault_now(s)->kind == FAULT_NONE ? now(&s->hooks)->name : name;
}
