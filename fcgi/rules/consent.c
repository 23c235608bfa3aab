#include "rules/consent.h"

#include "base/clock.h"

/* Compared without regard to case; blanks, hyphens and underscores are left out. */
static const char *const given[] = {"yes", "y", "true", "t", "1", "x", "ok", "okay", "optin",
    "optedin", "granted", "given", "agreed", "accepted", "subscribed", "consented", "consent",
    "checked", "verbal", "written", "web", "webform", "express", "ja", "si", "s\xC3\xAD", "oui"};
static const char *const refused[] = {"no", "n", "false", "f", "0", "none", "optout", "optedout",
    "denied", "refused", "rejected", "withdrawn", "revoked", "unsubscribed", "declined", "dnc",
    "donotcall", "donotcontact", "never", "stop", "nein", "non", "nee"};

static bool
is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is_nocase(s, words[i]))
			return true;
	return false;
}

/* Digits from *at on, which moves behind them; -1 where there is none. */
static int
number(struct str s, size_t *at)
{
	int n = -1;
	for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9' && n < 100000; ++*at)
		n = (n < 0 ? 0 : n) * 10 + (s.p[*at] - '0');
	return n;
}

static bool
day(int year, int month, int date, int64_t *at)
{
	char text[24];
	const char digits[] = {(char)('0' + year / 1000), (char)('0' + year / 100 % 10),
	    (char)('0' + year / 10 % 10), (char)('0' + year % 10), '-', (char)('0' + month / 10),
	    (char)('0' + month % 10), '-', (char)('0' + date / 10), (char)('0' + date % 10)};
	static const int longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const char midnight[] = "T00:00:00Z";
	if (year < 1990 || month < 1 || month > 12 || date < 1 || date > longest[month - 1])
		return false;
	size_t n = 0;
	for (size_t i = 0; i < sizeof(digits); i++)
		text[n++] = digits[i];
	for (size_t i = 0; midnight[i]; i++)
		text[n++] = midnight[i];
	return clock_parse((struct str){text, n}, at);
}

/* 3/14/2025, 14.3.2025, 2025-03-14; a time of day behind it is passed over. */
static bool
date(struct str s, int64_t *at)
{
	size_t i = 0;
	int64_t other;
	int a = number(s, &i);
	char mark = i < s.n ? s.p[i] : '\0';
	if (a < 0 || (mark != '/' && mark != '.' && mark != '-'))
		return false;
	i++;
	int b = number(s, &i);
	if (b < 0 || i >= s.n || s.p[i] != mark)
		return false;
	i++;
	int c = number(s, &i);
	if (c < 0 || (i < s.n && s.p[i] != ' ' && s.p[i] != 'T'))
		return false;
	if (a >= 1990)
		return day(a, b, c, at);
	bool month_first = mark != '.' && day(c, a, b, at);
	if (!day(c, b, a, &other))
		return month_first;
	if (!month_first || other < *at)
		*at = other;
	return true;
}

enum consent
consent_read(struct str cell, int64_t now, int64_t *at)
{
	char plain[24];
	struct str s = str_trim(cell), word = {plain, 0};
	*at = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || s.p[i] == '-' || s.p[i] == '_')
			continue;
		if (word.n == sizeof(plain)) {
			word.n = 0;
			break;
		}
		plain[word.n++] = s.p[i];
	}
	if (is_one_of(word, given, sizeof(given) / sizeof(given[0])))
		return CONSENT_GIVEN;
	if (is_one_of(word, refused, sizeof(refused) / sizeof(refused[0])))
		return CONSENT_REFUSED;
	if (((s.n >= 19 && clock_parse(s, at)) || date(s, at)) && *at <= now)
		return CONSENT_GIVEN;
	*at = 0;
	return CONSENT_UNCLEAR;
}
