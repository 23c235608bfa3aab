#include "rules/consent.h"

#include "base/clock.h"

static const char *const given[] = {"yes", "y", "true", "t", "1", "x", "ok", "opt-in", "opt in", "optin", "opted in",
    "opted-in", "granted", "given", "agreed", "subscribed", "consented", "checked", "ja", "si", "sí", "oui"};
static const char *const refused[] = {"no", "n", "false", "f", "0", "opt-out", "opt out", "optout", "opted out",
    "opted-out", "denied", "refused", "withdrawn", "revoked", "unsubscribed", "declined", "dnc", "do not call", "nein",
    "non"};

static bool
is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is_nocase(s, words[i]))
			return true;
	return false;
}

enum consent
consent_read(struct str cell)
{
	struct str s = str_trim(cell);
	int64_t at;
	if (is_one_of(s, given, sizeof(given) / sizeof(given[0])))
		return CONSENT_GIVEN;
	if (is_one_of(s, refused, sizeof(refused) / sizeof(refused[0])))
		return CONSENT_REFUSED;
	/* The day on which it was given. */
	if (s.n >= 10 && clock_parse(s, &at) && at <= clock_now())
		return CONSENT_GIVEN;
	return CONSENT_UNCLEAR;
}
