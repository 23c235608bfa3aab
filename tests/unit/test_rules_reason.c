/* Codes of reasons in words: every code that SQL writes down has some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/phone.h"
#include "rules/reason.h"

static void
known_codes_have_words(void **state)
{
	static const char *const codes[] = {"ok", "no_consent", "suppressed", "outside_window",
	    "daily_cap", "retry:busy", "missing_prompt", "unauthorized", "account_flagged"};
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const char *words = reason_short(str_of(codes[i]));
		const char *sentence = reason_sentence(str_of(codes[i]));
		assert_true(words[0] >= 'A' && words[0] <= 'Z');
		assert_true(
		    str_ends(str_of(sentence), ".") && str_of(sentence).n > str_of(words).n);
	}
	assert_string_equal(reason_short(STR("daily_cap")), "Enough calls for today");
}

static void
others_say_so(void **state)
{
	(void)state;
	assert_string_equal(reason_short(STR("")), "");
	assert_string_equal(reason_sentence(STR("")), "");
	assert_string_equal(reason_short(STR("news")), "Waits");
	assert_string_equal(reason_sentence(STR("news")), "The cause is in the timeline.");
}

static void
countries_are_known_by_their_codes(void **state)
{
	(void)state;
	assert_true(
	    phone_country_known("US") && phone_country_known("CA") && phone_country_known("DE"));
	assert_false(phone_country_known("XX") || phone_country_known(""));
	assert_int_equal(phone_calling_code("CA"), 1);
	assert_int_equal(phone_calling_code("DE"), 49);
	assert_int_equal(phone_calling_code("XX"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_codes_have_words),
	    cmocka_unit_test(others_say_so),
	    cmocka_unit_test(countries_are_known_by_their_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
