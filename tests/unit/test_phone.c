#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "rules/phone.h"
#include "rules/phone_check.h"
#include "rules/phone_plan.h"

static void
numbers_become_e164(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *country, *e164, *extension;
	} cases[] = {
	    {"+15550100002", "US", "+15550100002", ""},
	    {"15550100002", "US", "+15550100002", ""},
	    {"(415) 555-0132", "US", "+14155550132", ""},
	    {" 1-415.555.2671 ", "US", "+14155552671", ""},
	    {"001 415 867 5309", "US", "+14158675309", ""},
	    {"tel:+1-415-867-5309", "US", "+14158675309", ""},
	    {"Mobile: 415 867 5309", "US", "+14158675309", ""},
	    {"415-867-5309 x12", "US", "+14158675309", "12"},
	    {"415-867-5309 ext. 1234", "US", "+14158675309", "1234"},
	    {"+14158675309;ext=77", "US", "+14158675309", "77"},
	    {"415-867-5309 #5", "US", "+14158675309", "5"},
	    {"415-867-5309,,9", "US", "+14158675309", "9"},
	    {"'+14158675309", "US", "+14158675309", ""},
	    {"\xE2\x80\xAA+1 415\xC2\xA0"
	     "867\xE2\x80\x91"
	     "5309\xE2\x80\xAC",
		"US", "+14158675309", ""},
	    {"\xEF\xBC\x8B\xEF\xBC\x91 415 867 5309", "US", "+14158675309", ""},
	    {"1.5550100002E+10", "US", "+15550100002", ""},
	    {"1,5550100002E+10", "US", "+15550100002", ""},
	    {"4158675309.0", "US", "+14158675309", ""},
	    {"415.867.5309", "US", "+14158675309", ""},
	    {"+16455550123", "US", "+16455550123",
		""}, /* an area code newer than libphonenumber's data */
	    {"416 867 5309", "CA", "+14168675309", ""},
	    {"415 867 5309", NULL, "+14158675309", ""},
	    {"011 49 30 901820", "US", "+4930901820", ""},
	    {"+49 (0)30 901820", "US", "+4930901820", ""},
	    {"030/901820", "DE", "+4930901820", ""},
	    {"0049 30 901820", "DE", "+4930901820", ""},
	    {"0151 23456789", "DE", "+4915123456789", ""},
	    {"4915123456789", "DE", "+4915123456789", ""},
	    {"07400 123456", "GB", "+447400123456", ""},
	    {"+44 (0)20 7946 0958", "US", "+442079460958", ""},
	    {"06 12 34 56 78", "FR", "+33612345678", ""},
	    {"+39 06 6982", "US", "+39066982", ""},
	    {"+39 312 345 6789", "US", "+393123456789", ""},
	    {"8 912 345-67-89", "RU", "+79123456789", ""},
	    {"011 2345 6789", "IN", "+911123456789", ""},
	    {"+91 98765 43210", "IN", "+919876543210", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct phone p;
		bool ok = phone_parse(str_of(cases[i].raw), cases[i].country, &p);
		if (!ok || strcmp(p.e164, cases[i].e164) ||
		    strcmp(p.extension, cases[i].extension) || *p.reason || *p.code)
			fail_msg("%s: %s %s ext %s", cases[i].raw, p.e164, p.code, p.extension);
	}
}

static void
refusals_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *country, *code;
	} cases[] = {
	    {"", "US", "empty"},
	    {"  ", "US", "empty"},
	    {"-", "US", "empty"},
	    {"n/a", "US", "letters"},
	    {"1-800-FLOWERS", "US", "letters"},
	    {"unknown 5550100", "US", "letters"},
	    {"867-5309", "US", "area_code_missing"},
	    {"86753", "US", "too_short"},
	    {"415867530", "US", "too_short"},
	    {"447911123456", "US", "country_missing"},
	    {"+141586753099", "US", "too_long"},
	    {"1.55501E+10", "US", "digits_lost"},
	    {"1,55501E+10", "US", "digits_lost"},
	    {"1.5550E10", "US", "digits_lost"},
	    {"0000000000", "US", "filler"},
	    {"+1 999 999 9999", "US", "filler"},
	    {"123-456-7890", "US", "area_code"},
	    {"023 456 7890", "US", "area_code"},
	    {"+1 299 456 7890", "US", "area_code"},
	    {"+1 370 456 7890", "US", "area_code"},
	    {"911-456-7890", "US", "service"},
	    {"415-555-1212", "US", "service"},
	    {"415-067-5309", "US", "exchange"},
	    {"415-911-5309", "US", "exchange"},
	    {"800 867 5309", "US", "toll_free"},
	    {"+1 833 867 5309", "US", "toll_free"},
	    {"900 867 5309", "US", "premium"},
	    {"415-867-5309 / 415-867-5310", "US", "several_numbers"},
	    {"415-867-5309; 415-867-5310", "US", "several_numbers"},
	    {"415-867-5309 or 415-867-5310", "US", "several_numbers"},
	    {"+999 123 4567", "US", "country_unknown"},
	    {"+0 123 456 789", "US", "country_unknown"},
	    {"+49 30", "US", "too_short"},
	    {"+44 900 867 5309 1234", "US", "too_long"},
	    {"+44 909 879 0123", "US", "premium"},
	    {"+44 800 123 4567", "US", "toll_free"},
	    {"+33 0 00 00 00 01", "US", NULL},
	    {"415-867-5309 ask for Joe", "US", "letters"},
	    {"123456789012345678901234567890", "US", "too_long"},
	    {"hello@example.com", "US", "letters"},
	    {"=1+1", "US", "unreadable"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct phone p;
		bool ok = phone_parse(str_of(cases[i].raw), cases[i].country, &p);
		if (ok || (cases[i].code && strcmp(p.code, cases[i].code)))
			fail_msg("%s: %s %s", cases[i].raw, p.e164, p.code);
		assert_true(p.reason[0] && p.reason[strlen(p.reason) - 1] == '.' && !p.e164[0]);
	}
}

static void
invented_numbers_are_marked(void **state)
{
	(void)state;
	struct phone p;
	assert_true(phone_parse(str_of("+15550100002"), "US", &p) && p.fictitious);
	assert_true(phone_parse(str_of("+14155550199"), "US", &p) && p.fictitious);
	assert_true(phone_parse(str_of("+14155550200"), "US", &p) && !p.fictitious);
	assert_true(phone_parse(str_of("+14158675309"), "US", &p) && !p.fictitious);
}

static void
result_is_its_own_input(void **state)
{
	(void)state;
	static const char *const raws[] = {"415 867 5309", "+49 30 901820", "+54 9 11 2345-6789",
	    "+52 55 1234 5678", "+55 11 91234-5678", "+39 06 6982", "+7 912 345 67 89"};
	for (size_t i = 0; i < sizeof(raws) / sizeof(raws[0]); i++) {
		struct phone p, again;
		assert_true(phone_parse(str_of(raws[i]), "US", &p));
		assert_true(phone_parse(str_of(p.e164), "DE", &again));
		assert_string_equal(p.e164, again.e164);
	}
}

static unsigned
dice(unsigned below)
{
	static uint64_t seed = 7;
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % below;
}

/* "+", ${start} and ${n} random digits. */
static char *
made_up(struct arena *a, const char *start, unsigned n)
{
	struct buf b;
	buf_init(&b, a);
	buf_printf(&b, "+%s", start);
	while (n--)
		buf_putc(&b, (char)('0' + dice(10)));
	return b.p;
}

/* A sure yes of the table must be valid for libphonenumber, a no must not be. */
static bool
differs(const char *text, size_t verdicts[3])
{
	struct phone p;
	char e164[20] = "";
	enum phone_verdict v = phone_fast(str_of(text), "US", &p);
	bool valid = phone_check(text, "US", e164, sizeof(e164)) == PHONE_OPINION_VALID;
	bool differ =
	    (v == PHONE_YES && (!valid || strcmp(p.e164, e164))) || (v == PHONE_NO && valid);
	if (differ)
		print_message(
		    "%s: %s %s here\n", text, v == PHONE_YES ? "sure" : "refused", p.code);
	verdicts[v]++;
	return differ;
}

/*
 * The table against libphonenumber, on made-up numbers of all lengths: no lead is kept or lost
 * wrongly by the fast path. Where the table leaves it open, libphonenumber has the last word.
 */
static void
table_agrees_with_libphonenumber(void **state)
{
	(void)state;
	static const char *const countries[] = {"GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH",
	    "AT", "AU", "PL", "PT", "IE", "IN", "NO", "CZ", "SE", "DK", "BR", "MX", "AR", "JP",
	    "ZA", "NZ", "SG", "IL", "RU", "CN"};
	struct arena *a = arena_new(65536);
	size_t verdicts[3] = {0}, different = 0;
	for (size_t c = 0; c < sizeof(countries) / sizeof(countries[0]); c++) {
		const struct phone_plan *plan = phone_plan_of_country(countries[c]);
		char *code = arena_printf(a, "%d", plan->code);
		for (int i = 0; i < 600; i++)
			different += differs(made_up(a, code, 5 + dice(8)), verdicts);
		for (struct str list = str_of(plan->sure); list.n;) {
			struct str range = str_cut(&list, ' ');
			for (int i = 0; i < 60 && range.n; i++)
				different += differs(
				    made_up(a, arena_printf(a, "%s%.*s", code, STR_ARG(range)),
					plan->sure_length - (unsigned)range.n),
				    verdicts);
		}
	}
	print_message("refused %zu, sure %zu, left to libphonenumber %zu\n", verdicts[PHONE_NO],
	    verdicts[PHONE_YES], verdicts[PHONE_ASK]);
	assert_int_equal(different, 0);
	assert_true(
	    verdicts[PHONE_NO] > 1000 && verdicts[PHONE_YES] > 1000 && verdicts[PHONE_ASK] > 1000);
	arena_free(a);
}

/*
 * North America, where libphonenumber is not asked. It may call a number invalid that we accept
 * only because its list of area codes is of 2022, or because the number is fictitious; what it
 * calls valid we refuse only for a reason of the plan's: toll-free and premium numbers, 555-1212,
 * N11 exchanges.
 */
static void
differences_in_north_america_have_reasons(void **state)
{
	(void)state;
	/* Area codes that the packaged data does not know, among those tried below. */
	static const char *const newer[] = {"227", "235", "283", "324", "329", "350", "353", "363",
	    "369", "436", "472", "624", "645", "728", "730", "975", "557", "257", "382", "263",
	    "942"};
	static const char *const older[] = {
	    "201", "212", "305", "312", "415", "416", "514", "604", "617", "702", "808", "907"};
	char text[32], e164[20];
	struct phone p;
	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {
		snprintf(text, sizeof(text), "+1%s8675309", newer[i]);
		assert_true(phone_parse(str_of(text), "US", &p));
	}
	size_t differ = 0;
	for (size_t i = 0; i < sizeof(older) / sizeof(older[0]); i++)
		for (int exchange = 0; exchange < 1000; exchange += 3) {
			snprintf(text, sizeof(text), "+1%s%03d5309", older[i], exchange);
			bool ours = phone_parse(str_of(text), "US", &p);
			bool theirs =
			    phone_check(text, "US", e164, sizeof(e164)) == PHONE_OPINION_VALID;
			bool n11 = exchange % 100 == 11;
			if (ours != theirs && !n11)
				fail_msg("%s: ours %s, theirs %d", text, ours ? "accepted" : p.code,
				    theirs);
			differ += ours != theirs;
		}
	print_message("differences, all of them N11 exchanges: %zu\n", differ);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_become_e164),
	    cmocka_unit_test(refusals_say_why),
	    cmocka_unit_test(invented_numbers_are_marked),
	    cmocka_unit_test(result_is_its_own_input),
	    cmocka_unit_test(table_agrees_with_libphonenumber),
	    cmocka_unit_test(differences_in_north_america_have_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
