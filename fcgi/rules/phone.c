#include "rules/phone.h"

#include <stdio.h>
#include <string.h>

#include "rules/phone_check.h"
#include "rules/phone_plan.h"
#include "rules/phone_text.h"

static const struct {
	const char *code, *reason;
} reasons[] = {
    {"empty", "There is no phone number."},
    {"letters", "It contains letters; write the number in digits."},
    {"several_numbers", "The field holds more than one number; keep one per line."},
    {"digits_lost",
	"Excel shortened the number and its last digits are lost; format the column as text and "
	"export again."},
    {"too_short", "It has too few digits."},
    {"area_code_missing", "It has seven digits: the area code is missing."},
    {"too_long", "It has too many digits."},
    {"country_missing",
	"It is too long for a number of this country; write foreign numbers with + and the "
	"country code."},
    {"country_unknown", "No country has this calling code."},
    {"filler", "It is a filler, not a number: all digits are the same."},
    {"area_code", "There is no such area code."},
    {"exchange",
	"There is no such number: after the area code it cannot go on with 0, 1 or a service code."},
    {"service", "It is a service number such as 411 or 911."},
    {"toll_free", "It is a toll-free number; nobody to call lives there."},
    {"premium", "It is a premium-rate number."},
    {"not_in_use", "No such number is in use in that country."},
    {"unreadable", "It is not a phone number."},
};

static enum phone_verdict
refuse(struct phone *out, const char *code)
{
	size_t i = 0;
	while (i + 1 < sizeof(reasons) / sizeof(reasons[0]) && strcmp(reasons[i].code, code) != 0)
		i++;
	out->code = reasons[i].code;
	out->reason = reasons[i].reason;
	out->e164[0] = out->extension[0] = '\0';
	return PHONE_NO;
}

static bool
same_digits(const char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

static bool
is_service_code(const char *p)
{
	return p[1] == '1' && p[2] == '1';
}

/* NXX NXX XXXX, by the North American Numbering Plan Administrator's assignment guidelines. */
static enum phone_verdict
north_american(const char *d, size_t n, struct phone *out)
{
	out->calling_code = 1;
	if (n == 7)
		return refuse(out, "area_code_missing");
	if (n != 10)
		return refuse(out, n < 10 ? "too_short" : "too_long");
	if (same_digits(d, 10))
		return refuse(out, "filler");
	bool invented = !memcmp(d, "555", 3);
	if (!invented) {
		if (d[0] < '2' || d[1] == '9' || !memcmp(d, "37", 2) || !memcmp(d, "96", 2))
			return refuse(out, "area_code");
		if (is_service_code(d))
			return refuse(out, "service");
		if (d[0] == '8' && d[1] == d[2] && d[1] != '1')
			return refuse(out, "toll_free");
		if (!memcmp(d, "900", 3) || !memcmp(d, "700", 3))
			return refuse(out, "premium");
		if (d[3] < '2' || is_service_code(d + 3))
			return refuse(out, "exchange");
		if (!memcmp(d + 3, "5551212", 7))
			return refuse(out, "service");
		invented = !memcmp(d + 3, "55501", 5);
	}
	out->fictitious = invented;
	snprintf(out->e164, sizeof(out->e164), "+1%.10s", d);
	return PHONE_YES;
}

static bool
is_sure(const struct phone_plan *plan, struct str national)
{
	struct str list = str_of(plan->sure);
	if (national.n != plan->sure_length)
		return false;
	while (list.n) {
		struct str range = str_cut(&list, ' ');
		if (range.n && range.n <= national.n && !memcmp(range.p, national.p, range.n))
			return true;
	}
	return false;
}

/* ${national}: digits behind the country code, or as dialled within the country. */
static enum phone_verdict
elsewhere(const struct phone_plan *plan, struct str national, bool abroad, struct phone *out)
{
	struct str dialled = national;
	bool trunk = plan->trunk[0] && str_starts(national, plan->trunk) &&
		     (plan->trunk[0] == '0' || national.n > plan->most);
	out->calling_code = plan->code;
	if (trunk)
		national = str_sub(national, strlen(plan->trunk), national.n);
	if (national.n && same_digits(national.p, national.n))
		return refuse(out, "filler");
	if (national.n < plan->least)
		return refuse(out, "too_short");
	if (dialled.n > (abroad ? plan->most + strlen(plan->trunk) : 15 + 5))
		return refuse(out, "too_long");
	snprintf(out->e164, sizeof(out->e164), "+%d%.*s", plan->code,
	    (int)(national.n > 13 ? 13 : national.n), national.p);
	bool usual = abroad ? !trunk : trunk || !plan->trunk[0];
	return usual && is_sure(plan, national) ? PHONE_YES : PHONE_ASK;
}

static enum phone_verdict
international(struct str digits, struct phone *out)
{
	if (digits.n < 7)
		return refuse(out, "too_short");
	if (digits.p[0] == '1')
		return north_american(digits.p + 1, digits.n - 1, out);
	if (same_digits(digits.p, digits.n))
		return refuse(out, "filler");
	const struct phone_plan *plan = phone_plan_of_number(digits);
	if (!plan)
		return refuse(out, "country_unknown");
	size_t k = plan->code > 99 ? 3 : plan->code > 9 ? 2 : 1;
	return elsewhere(plan, str_sub(digits, k, digits.n), true, out);
}

static enum phone_verdict
domestic(struct str digits, const char *country, struct phone *out)
{
	const struct phone_plan *plan = phone_plan_of_country(country);
	if (plan)
		return elsewhere(plan, digits, false, out);
	if (digits.n == 11 && digits.p[0] == '1')
		digits = str_sub(digits, 1, 11);
	if (digits.n > 10 && !same_digits(digits.p, digits.n))
		return refuse(out, "country_missing");
	return north_american(digits.p, digits.n, out);
}

/* As phone_fast; also tells what to ask libphonenumber about. */
static enum phone_verdict
interpret(struct str raw, const char *country, struct phone_text *d, struct phone *out)
{
	const char *trouble = phone_text_read(raw, d);
	*out = (struct phone){.code = "", .reason = ""};
	if (trouble)
		return refuse(out, trouble);
	memcpy(out->extension, d->extension, sizeof(out->extension));
	struct str digits = {d->digits, d->n};
	size_t prefix = d->plus                     ? 0
			: str_starts(digits, "00")  ? 2
			: str_starts(digits, "011") ? 3
						    : 0;
	if (prefix == 3 && phone_plan_of_country(country))
		prefix = 0; /* 011 is an area code elsewhere (Delhi) */
	if (!d->plus && !prefix)
		return domestic(digits, country, out);
	memmove(d->digits, d->digits + prefix, d->n - prefix + 1);
	d->n -= prefix;
	d->plus = true;
	return international((struct str){d->digits, d->n}, out);
}

enum phone_verdict
phone_fast(struct str raw, const char *country, struct phone *out)
{
	struct phone_text d = {0};
	return interpret(raw, country, &d, out);
}

/* "4915123456789" typed in Germany without + and without the 0 of a national number. */
static bool
may_have_lost_its_plus(const struct phone_text *d, const struct phone *out)
{
	char code[8];
	snprintf(code, sizeof(code), "%d", out->calling_code);
	return !d->plus && d->n > 9 && str_starts((struct str){d->digits, d->n}, code);
}

static enum phone_opinion
ask(const struct phone_text *d, const char *country, struct phone *out)
{
	char text[PHONE_TEXT_DIGITS + 2];
	snprintf(text, sizeof(text), "+%s", d->digits);
	enum phone_opinion opinion = PHONE_OPINION_UNREADABLE;
	if (d->plus || may_have_lost_its_plus(d, out))
		opinion = phone_check(text, country, out->e164, sizeof(out->e164));
	if (!d->plus && opinion != PHONE_OPINION_VALID)
		opinion = phone_check(text + 1, country, out->e164, sizeof(out->e164));
	return opinion;
}

bool
phone_parse(struct str raw, const char *country, struct phone *out)
{
	static const char *const codes[] = {
	    [PHONE_OPINION_TOO_SHORT] = "too_short",
	    [PHONE_OPINION_TOO_LONG] = "too_long",
	    [PHONE_OPINION_NOT_IN_USE] = "not_in_use",
	    [PHONE_OPINION_PREMIUM] = "premium",
	    [PHONE_OPINION_TOLL_FREE] = "toll_free",
	    [PHONE_OPINION_UNREADABLE] = "unreadable",
	};
	struct phone_text d = {0};
	char national[sizeof(out->e164)];
	enum phone_verdict verdict = interpret(raw, country, &d, out);
	if (verdict != PHONE_ASK)
		return verdict == PHONE_YES;
	enum phone_opinion opinion = ask(&d, country, out);
	if (opinion != PHONE_OPINION_VALID)
		return refuse(out, codes[opinion]) == PHONE_YES;
	if (!str_starts(str_of(out->e164), "+1"))
		return true;
	snprintf(national, sizeof(national), "%s", out->e164 + 2);
	return north_american(national, strlen(national), out) == PHONE_YES;
}

bool
phone_country_known(const char *country)
{
	return phone_plan_is_nanp(country) || phone_plan_of_country(country);
}

int
phone_calling_code(const char *country)
{
	const struct phone_plan *plan = phone_plan_of_country(country);
	return plan ? plan->code : phone_plan_is_nanp(country) ? 1 : 0;
}
