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
};

bool
fault_set(struct sandbox *s, struct str name, int64_t for_ms)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (str_is(name, modes[i].name)) {
			s->fault.mode = &modes[i];
			s->fault.until_ms = for_ms > 0 ? sandbox_now() + for_ms : 0;
			return true;
		}
	return false;
}

const struct fault_mode *
fault_now(struct sandbox *s)
{
	if (s->fault.until_ms && sandbox_now() >= s->fault.until_ms)
		s->fault = (struct fault){0};
	return s->fault.mode ? s->fault.mode : &modes[0];
}

const char *
fault_name(struct sandbox *s)
{
	return fault_now(s)->name;
}
