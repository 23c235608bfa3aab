/* What a cell of a consent column says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rules/consent.h"

static int64_t
instant(const char *text)
{
	int64_t at = 0;
	assert_true(clock_parse(str_of(text), &at));
	return at;
}

static void
test_words(void **state)
{
	static const struct {
		const char *cell;
		enum consent is;
	} cases[] = {{"yes", CONSENT_GIVEN}, {" YES ", CONSENT_GIVEN}, {"Y", CONSENT_GIVEN},
	    {"true", CONSENT_GIVEN}, {"1", CONSENT_GIVEN}, {"x", CONSENT_GIVEN},
	    {"Opt-In", CONSENT_GIVEN}, {"opted in", CONSENT_GIVEN}, {"OPTED_IN", CONSENT_GIVEN},
	    {"ja", CONSENT_GIVEN}, {"no", CONSENT_REFUSED}, {"N", CONSENT_REFUSED},
	    {"FALSE", CONSENT_REFUSED}, {"0", CONSENT_REFUSED}, {"opt out", CONSENT_REFUSED},
	    {"Do not call", CONSENT_REFUSED}, {"DNC", CONSENT_REFUSED}, {"", CONSENT_UNCLEAR},
	    {"-", CONSENT_UNCLEAR}, {"maybe", CONSENT_UNCLEAR}, {"yes?", CONSENT_UNCLEAR},
	    {"not yet", CONSENT_UNCLEAR}, {"unknown", CONSENT_UNCLEAR}, {"2", CONSENT_UNCLEAR},
	    {"yes but only on Tuesdays after lunch", CONSENT_UNCLEAR},
	    {"\xFF\xFE", CONSENT_UNCLEAR}};
	int64_t at, now = instant("2026-11-20T12:00:00Z");
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (consent_read(str_of(cases[i].cell), now, &at) != cases[i].is)
			fail_msg("\"%s\" was read otherwise", cases[i].cell);
		assert_int_equal(at, 0);
	}
}

static void
test_dates(void **state)
{
	static const struct {
		const char *cell, *at; /* NULL: unclear */
	} cases[] = {{"2024-03-01", "2024-03-01T00:00:00Z"}, {"2024-3-1", "2024-03-01T00:00:00Z"},
	    {"2024/03/01", "2024-03-01T00:00:00Z"}, {"3/14/2025", "2025-03-14T00:00:00Z"},
	    {"14/3/2025", "2025-03-14T00:00:00Z"}, {"14.3.2025", "2025-03-14T00:00:00Z"},
	    {"04.03.2025", "2025-03-04T00:00:00Z"}, {"03/04/2025", "2025-03-04T00:00:00Z"},
	    {"12/01/2025", "2025-01-12T00:00:00Z"}, {"2024-03-01 15:30", "2024-03-01T00:00:00Z"},
	    {"2024-03-01T15:30:00Z", "2024-03-01T15:30:00Z"}, {"2999-01-01", NULL},
	    {"13/13/2024", NULL}, {"2024-13-01", NULL}, {"1/2", NULL}, {"1/2/24", NULL},
	    {"1800-01-01", NULL}, {"2024-01-01-01", NULL}, {"99999999999999-1-1", NULL}};
	int64_t at, now = instant("2026-11-20T12:00:00Z");
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum consent is = consent_read(str_of(cases[i].cell), now, &at);
		if (is != (cases[i].at ? CONSENT_GIVEN : CONSENT_UNCLEAR))
			fail_msg("\"%s\" was read otherwise", cases[i].cell);
		assert_int_equal(at, cases[i].at ? instant(cases[i].at) : 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words), cmocka_unit_test(test_dates)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
