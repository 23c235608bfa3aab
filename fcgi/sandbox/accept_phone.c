#include "sandbox/accept_phone.h"

#include <ctype.h>
#include <string.h>

static struct refusal
refusal_bare(struct arena *a)
{
	struct value *v = value_map(a);
	value_set_text(a, v, "error", "Invalid phone number format");
	return (struct refusal){400, v, "Invalid phone number format"};
}

const char *
accept_phone(struct arena *a, struct str number, struct refusal *r)
{
	struct buf digits;
	bool plus = number.n && number.p[0] == '+';
	buf_init(&digits, a);
	for (size_t i = plus; i < number.n; i++) {
		if (isdigit((unsigned char)number.p[i])) {
			buf_putc(&digits, number.p[i]);
		} else if (!strchr(" ()-", number.p[i])) {
			*r = refusal_bare(a);
			return NULL;
		}
	}
	if (digits.n < 7 || digits.n > 15) {
		*r = accept_refusal(a, 400,
		    arena_printf(a, "`%.*s` has these validation errors: [\"%s\"]", STR_ARG(number),
			digits.n < 7 ? "too short" : "too long"));
		return NULL;
	}
	bool north_america = digits.p[0] == '1' && digits.n == 11;
	if (!plus && digits.n == 10 && digits.p[0] > '1')
		return arena_printf(a, "+1%s", digits.p);
	if (digits.p[0] == '0' || (!plus && !north_america) ||
	    (digits.p[0] == '1' && !north_america)) {
		*r = accept_refusal(a, 400,
		    "Invalid phone number. Please include a country code if outside the US.");
		return NULL;
	}
	return arena_printf(a, "+%s", digits.p);
}
