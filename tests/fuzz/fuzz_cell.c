/* Single cells of a list: consent, instants, numbers, and a header that becomes a key. */
#include <ctype.h>

#include "fuzz.h"
#include "rules/columns.h"
#include "rules/consent.h"

static void
instants(struct arena *a, struct str s)
{
	int64_t micros = 0, again = 0;
	struct buf b;
	buf_init(&b, a);
	if (!clock_parse(s, &micros))
		return;
	/* by its offset it may lie in year 10000, which is written, but not read */
	if (micros >= INT64_C(253402300800) * CLOCK_SECOND)
		return;
	clock_print_rfc3339(&b, micros);
	MUST(clock_parse(buf_view(&b), &again) && again == micros);
	clock_print_ago(&b, micros);
	clock_print_zone(&b, micros, "America/New_York", "%Y-%m-%d %H:%M");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	/* readers of files hand out UTF-8 only */
	struct str s = str_utf8(a, fuzz_input(data, size));
	int64_t at = 0, number;
	double real;
	enum consent consent = consent_read(s, clock_now(), &at);
	MUST(consent == CONSENT_UNCLEAR || consent == CONSENT_GIVEN || consent == CONSENT_REFUSED);
	MUST(at <= clock_now());
	instants(a, s);
	if (str_to_int(s, &number))
		MUST(str_to_double(s, &real));
	const char *key = columns_key(a, s);
	for (const char *c = key; *c; c++)
		MUST(*c == '_' || (*c >= 'a' && *c <= 'z') || isdigit((unsigned char)*c) ||
		     (unsigned char)*c >= 0x80);
	MUST(str_is_utf8(str_of(key)));
	return 0;
}
