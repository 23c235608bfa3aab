/* What stands in a phone column. The first line names the country, the rest is the number. */
#include "fuzz.h"
#include "rules/phone.h"

static void
is_e164(const char *s)
{
	size_t digits = strspn(s + 1, "0123456789");
	MUST(s[0] == '+' && s[1] != '0' && s[1 + digits] == '\0');
	MUST(digits >= 5 && digits <= 15);
}

/* Leaves on the stack what a number before this one would leave there. */
static void
number_before(void)
{
	struct phone other;
	MUST(phone_parse(STR("+1 212 555 0150 x 12"), "US", &other));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct str rest = fuzz_input(data, size);
	const char *country = str_dup(a, str_cut(&rest, '\n'));
	struct phone fast, whole, again;
	number_before();
	enum phone_verdict verdict = phone_fast(rest, country, &fast);
	bool good = phone_parse(rest, country, &whole);
	/* the fast path decides as the slow one does */
	MUST(verdict != PHONE_YES || (good && strcmp(fast.e164, whole.e164) == 0));
	MUST(verdict != PHONE_NO || !good);
	MUST(strspn(whole.extension, "0123456789") == strlen(whole.extension));
	if (!good) {
		MUST(whole.e164[0] == '\0' && whole.code[0] && whole.reason[0]);
		return 0;
	}
	is_e164(whole.e164);
	MUST(whole.code[0] == '\0' && whole.reason[0] == '\0' && whole.calling_code > 0);
	/* what was read once reads as itself, in every country */
	MUST(phone_parse(str_of(whole.e164), country, &again));
	MUST(strcmp(again.e164, whole.e164) == 0);
	MUST(phone_parse(str_of(whole.e164), "FR", &again) && strcmp(again.e164, whole.e164) == 0);
	return 0;
}
