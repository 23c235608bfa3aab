/* What the server's binary format becomes, type by type; results are made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "store/db_result.h"

enum { BOOL = 16, NAME = 19, INT8 = 20, INT2 = 21, INT4 = 23, TEXT = 25, JSON = 114, REAL = 701 };
enum { VARCHAR = 1043, TIME = 1184, NUMERIC = 1700, NOTHING = 2278, UUID = 2950, JSONB = 3802 };

static struct arena *a;
static struct error e;

static int
before(void **state)
{
	(void)state;
	a = arena_new(4096);
	e = (struct error){0};
	return 0;
}

static int
after(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

/* The row of one column; ${p} NULL is SQL's NULL. NULL where it cannot be read. */
static struct value *
row_of(const char *name, Oid type, const char *p, int n)
{
	char column[64];
	strncpy(column, name, sizeof(column) - 1);
	column[sizeof(column) - 1] = '\0';
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc attribute = {.name = column, .format = 1, .typid = type, .typlen = -1};
	assert_true(PQsetResultAttrs(res, 1, &attribute));
	assert_true(PQsetvalue(res, 0, 0, (char *)p, p ? n : -1));
	struct db_column *columns = db_result_columns(a, res, "query", &e);
	struct value *row = columns ? db_result_row(a, res, 0, columns) : NULL;
	PQclear(res);
	return row;
}

static const struct value *
read_as(const char *name, Oid type, const char *p, int n)
{
	struct value *row = row_of(name, type, p, n);
	assert_non_null(row);
	assert_int_equal(row->map.n, 1);
	assert_string_equal(row->map.members[0].key.p, name);
	return row->map.members[0].value;
}

/* As JSON has it, which is what people see. */
#define reads(name, type, bytes, json)                                                             \
	assert_string_equal(json_text(a, read_as(name, type, bytes, sizeof(bytes) - 1)), json)

static void
integers(void **state)
{
	(void)state;
	reads("n", INT2, "\x01\x02", "258");
	reads("n", INT2, "\xFF\xFE", "-2");
	reads("n", INT4, "\x80\0\0\0", "-2147483648");
	reads("n", INT4, "\x7F\xFF\xFF\xFF", "2147483647");
	reads("n", INT8, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "9223372036854775807");
	reads("n", INT8, "\x80\0\0\0\0\0\0\0", "-9223372036854775808");
	reads("cost_usd", INT8, "\0\0\0\0\0\x13\x12\xD0", "1.25");
	assert_int_equal(read_as("cost_usd", INT4, "\xFF\xFF\xFF\xFF", 4)->type, VALUE_MONEY);
	assert_int_equal(read_as("usd", INT4, "\0\0\0\x01", 4)->type, VALUE_INT);
}

static void
booleans_and_reals(void **state)
{
	(void)state;
	reads("b", BOOL, "\x01", "true");
	reads("b", BOOL, "\0", "false");
	reads("r", REAL, "\x40\x04\0\0\0\0\0\0", "2.5");
	reads("r", REAL, "\x3F\xB9\x99\x99\x99\x99\x99\x9A", "0.1");
	reads("r", REAL, "\x7F\xF0\0\0\0\0\0\0", "null"); /* infinity */
	reads("r", REAL, "\x7F\xF8\0\0\0\0\0\0", "null"); /* not a number */
}

static void
times(void **state)
{
	(void)state;
	reads("t", TIME, "\0\0\0\0\0\0\0\0", "\"2000-01-01T00:00:00Z\"");
	reads("t", TIME, "\0\0\0\0\0\0\0\x01", "\"2000-01-01T00:00:00.000001Z\"");
	reads("t", TIME, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "\"1999-12-31T23:59:59.999999Z\"");
	/* The first and the last microsecond that have a year of four digits, and their neighbours.
	 */
	reads("t", TIME, "\xFF\x1F\xE2\xFF\xC5\x9C\x60\0", "\"0001-01-01T00:00:00Z\"");
	reads("t", TIME, "\xFF\x1F\xE2\xFF\xC5\x9C\x5F\xFF", "null");
	reads("t", TIME, "\x03\x80\xE7\x0B\x91\x3B\x7F\xFF", "\"9999-12-31T23:59:59.999999Z\"");
	reads("t", TIME, "\x03\x80\xE7\x0B\x91\x3B\x80\0", "null");
	reads("t", TIME, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "null"); /* infinity */
	reads("t", TIME, "\x80\0\0\0\0\0\0\0", "null");
}

static void
texts(void **state)
{
	(void)state;
	reads("s", TEXT, "M\xC3\xBCller", "\"M\xC3\xBCller\"");
	reads("s", TEXT, "", "\"\"");
	reads("s", VARCHAR, "x", "\"x\"");
	reads("s", NAME, "UTF8", "\"UTF8\"");
	reads("s", NOTHING, "", "\"\"");
	reads("id", UUID, "\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10",
	    "\"01234567-89ab-cdef-fedc-ba9876543210\"");
	assert_int_equal(read_as("phone", TEXT, "+1555", 5)->type, VALUE_PHONE);
	assert_int_equal(read_as("to_phone", TEXT, "+1555", 5)->type, VALUE_PHONE);
	assert_int_equal(read_as("telephone", TEXT, "+1555", 5)->type, VALUE_TEXT);
	assert_string_equal(read_as("s", TEXT, "ended", 5)->s.p, "ended");
}

static void
trees(void **state)
{
	(void)state;
	reads("j", JSON, "{\"a\": [1, null]}", "{\"a\":[1,null]}");
	reads("j", JSONB, "\x01{\"a\": 2}", "{\"a\":2}");
	reads("j", JSONB, "\x01null", "null");
	reads("j", JSONB, "", "null");
}

static void
null_of_any_type(void **state)
{
	(void)state;
	static const Oid types[] = {BOOL, INT8, TEXT, JSONB, REAL, TIME, UUID, NOTHING};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_int_equal(read_as("phone", types[i], NULL, 0)->type, VALUE_NULL);
}

static void
a_type_without_a_reader_is_told(void **state)
{
	(void)state;
	assert_null(row_of("pace", NUMERIC, "\0\0", 2));
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_string_equal(e.message, "query: nobody reads type 1700 of pace");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(integers, before, after),
	    cmocka_unit_test_setup_teardown(booleans_and_reals, before, after),
	    cmocka_unit_test_setup_teardown(times, before, after),
	    cmocka_unit_test_setup_teardown(texts, before, after),
	    cmocka_unit_test_setup_teardown(trees, before, after),
	    cmocka_unit_test_setup_teardown(null_of_any_type, before, after),
	    cmocka_unit_test_setup_teardown(a_type_without_a_reader_is_told, before, after),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
