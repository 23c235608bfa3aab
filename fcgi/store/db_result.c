#include "store/db_result.h"

#include "base/clock.h"
#include "base/json.h"

enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_JSON = 114 };
enum { OID_FLOAT4 = 700, OID_FLOAT8 = 701, OID_TIMESTAMPTZ = 1184, OID_NUMERIC = 1700 };
enum { OID_JSONB = 3802 };

static struct value *
integer_cell(struct arena *a, struct str name, struct str text)
{
	int64_t i = 0;
	if (!str_to_int(text, &i))
		return value_null(a);
	return str_ends(name, "_usd") ? value_money(a, i) : value_int(a, i);
}

static struct value *
cell(struct arena *a, const PGresult *res, int row, int col, struct str name)
{
	int64_t i = 0;
	double d = 0;
	if (PQgetisnull(res, row, col))
		return value_null(a);
	struct str raw = {PQgetvalue(res, row, col), (size_t)PQgetlength(res, row, col)};
	switch (PQftype(res, col)) {
	case OID_BOOL:
		return value_bool(a, raw.p[0] == 't');
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		return integer_cell(a, name, raw);
	case OID_FLOAT4:
	case OID_FLOAT8:
	case OID_NUMERIC:
		return str_to_double(raw, &d) ? value_real(a, d) : value_null(a);
	case OID_TIMESTAMPTZ:
		return clock_parse(raw, &i) ? value_time(a, i) : value_null(a);
	case OID_JSON:
	case OID_JSONB: {
		struct value *tree = json_parse(a, raw, NULL);
		return tree ? tree : value_null(a);
	}
	default:
		break;
	}
	struct str text = str_copy(a, raw);
	if (str_is(name, "phone") || str_ends(name, "_phone"))
		return value_phone(a, text);
	return value_text(a, text);
}

struct value *
db_result_row(struct arena *a, const PGresult *res, int row, const struct str *names)
{
	struct value *map = value_map(a);
	for (int c = 0; c < PQnfields(res); c++)
		value_add(a, map, names[c], cell(a, res, row, c, names[c]));
	return map;
}

struct str *
db_result_names(struct arena *a, const PGresult *res)
{
	int n = PQnfields(res);
	struct str *names = arena_new_array(a, struct str, n + 1);
	for (int c = 0; c < n; c++)
		names[c] = str_of(arena_strdup(a, PQfname(res, c)));
	return names;
}
