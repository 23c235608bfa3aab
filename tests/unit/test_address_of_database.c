/* Where the database is, for other programs: without its password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "store/database.h"

static struct arena *a;

static void
check(const char *url, const char *name, const char *address, const char *password)
{
	struct error e = {0};
	const char *told = "none";
	const char *got = database_address(a, url, name, &told, &e);
	assert_non_null(got);
	assert_string_equal(got, address);
	if (password)
		assert_string_equal(told, password);
	else
		assert_null(told);
}

static void
password_goes_apart(void **state)
{
	(void)state;
	check("host=/run dbname=trunkline", NULL, "dbname='trunkline' host='/run'", NULL);
	check("host=/run dbname=trunkline", "postgres", "host='/run' dbname='postgres'", NULL);
	check("host=/run", NULL, "host='/run'", NULL);
	check("postgresql://u:p%20w@db.example:5433/x?sslmode=require", "y",
	    "user='u' host='db.example' port='5433' sslmode='require' dbname='y'", "p w");
	check("user=u password='it\\'s' dbname='a b'", NULL, "user='u' dbname='a b'", "it's");
}

static void
odd_names_are_quoted(void **state)
{
	(void)state;
	check("host=/run", "it's \\", "host='/run' dbname='it\\'s \\\\'", NULL);
}

static void
unreadable_is_told(void **state)
{
	struct error e = {0};
	const char *password = NULL;
	(void)state;
	assert_null(database_address(a, "hots=/run", NULL, &password, &e));
	assert_int_equal(e.kind, ERR_INVALID);
	assert_null(database_name(a, "=", &e));
}

static void
name_of_the_database(void **state)
{
	struct error e = {0};
	(void)state;
	assert_string_equal(database_name(a, "host=/run dbname=x", &e), "x");
	assert_string_equal(database_name(a, "host=/run", &e), "trunkline");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(password_goes_apart),
	    cmocka_unit_test(odd_names_are_quoted),
	    cmocka_unit_test(unreadable_is_told),
	    cmocka_unit_test(name_of_the_database),
	};
	a = arena_new(4096);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(a);
	return failed;
}
