/* The longest listed prefix of a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "rules/area.h"

static void
the_longest_prefix_wins(void **state)
{
	static const struct {
		const char *phone, *prefix;
	} cases[] = {
	    {"+12125550100", "1212"},
	    {"+12145460100", "1"},
	    {"+12082260100", "1208226"},
	    {"+12082270100", "1208"},
	    {"+441612345678", "44"},
	    {"+4912345", "49"},
	    {"+49", "49"},
	    {"+4", ""},
	    {"+81312345678", ""},
	    {"+", ""},
	    {"", ""},
	};
	struct arena *a = arena_new(1024);
	struct areas areas;
	(void)state;
	areas_read(&areas, a, STR("1 1208 1208226 1212 1213 44 49"));
	assert_int_equal(areas.n, 7);
	assert_int_equal(areas.longest, 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!str_is(areas_find(&areas, cases[i].phone), cases[i].prefix))
			fail_msg("%s: not %s", cases[i].phone, cases[i].prefix);
	arena_free(a);
}

static void
an_empty_list_fits_nothing(void **state)
{
	struct arena *a = arena_new(1024);
	struct areas areas;
	(void)state;
	areas_read(&areas, a, STR(""));
	assert_int_equal(areas_find(&areas, "+12125550100").n, 0);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_longest_prefix_wins),
	    cmocka_unit_test(an_empty_list_fits_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
