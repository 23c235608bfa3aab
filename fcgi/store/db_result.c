#include "store/db_result.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

/* 2000-01-01, from which PostgreSQL counts microseconds, and what four digits of a year can say. */
#define EPOCH (INT64_C(946684800) * CLOCK_SECOND)
#define FIRST (INT64_C(-62135596800) * CLOCK_SECOND)
#define AFTER (INT64_C(253402300800) * CLOCK_SECOND)

enum { SPARE = 8, UUID_BYTES = 16, UUID_TEXT = 36 };

enum reader {
	READ_NOTHING,
	READ_BOOL,
	READ_INT,
	READ_MONEY,
	READ_REAL,
	READ_TIME,
	READ_JSON,
	READ_JSONB,
	READ_TEXT, /* this and what follows need room for their text */
	READ_PHONE,
	READ_UUID,
};

struct db_column {
	struct str name;
	enum reader reader;
};

/* The object identifiers of pg_type that never change. tests/explain.py reads this table. */
static const struct {
	Oid oid;
	enum reader reader;
} readers[] = {
    {25, READ_TEXT},    /* text */
    {20, READ_INT},     /* bigint */
    {1184, READ_TIME},  /* timestamp with time zone */
    {23, READ_INT},     /* integer */
    {16, READ_BOOL},    /* boolean */
    {3802, READ_JSONB}, /* jsonb */
    {2278, READ_TEXT},  /* void */
    {701, READ_REAL},   /* double precision */
    {2950, READ_UUID},  /* uuid */
    {19, READ_TEXT},    /* name */
    {21, READ_INT},     /* smallint */
    {114, READ_JSON},   /* json */
    {1043, READ_TEXT},  /* character varying */
};

static enum reader
reader_of(Oid oid, struct str name)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (readers[i].oid != oid)
			continue;
		if (readers[i].reader == READ_INT && str_ends(name, "_usd"))
			return READ_MONEY;
		if (readers[i].reader == READ_TEXT &&
		    (str_is(name, "phone") || str_ends(name, "_phone")))
			return READ_PHONE;
		return readers[i].reader;
	}
	return READ_NOTHING;
}

struct db_column *
db_result_columns(struct arena *a, const PGresult *res, const char *query, struct error *e)
{
	int n = PQnfields(res);
	struct db_column *columns = arena_new_array(a, struct db_column, n + 1);
	for (int c = 0; c < n; c++) {
		struct str name = str_of(arena_strdup(a, PQfname(res, c)));
		columns[c] = (struct db_column){name, reader_of(PQftype(res, c), name)};
		if (columns[c].reader != READ_NOTHING)
			continue;
		error_set(e, ERR_INTERNAL, "%s: nobody reads type %u of %s", query,
		    (unsigned)PQftype(res, c), name.p);
		return NULL;
	}
	return columns;
}

/* Big endian, sign extended; the columns' types have 2, 4 or 8 bytes. */
static int64_t
integer(struct str raw)
{
	uint64_t u = raw.n && raw.p[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < raw.n; i++)
		u = u << 8 | (unsigned char)raw.p[i];
	return (int64_t)u;
}

static void
read_real(struct value *v, struct str raw)
{
	int64_t bits = integer(raw);
	double d;
	memcpy(&d, &bits, sizeof(d));
	if (isfinite(d))
		*v = (struct value){.type = VALUE_REAL, .d = d};
}

/* Infinity, and what RFC 3339 has no year for, is nothing. */
static void
read_time(struct value *v, struct str raw)
{
	int64_t micros;
	if (!__builtin_add_overflow(integer(raw), EPOCH, &micros) && micros >= FIRST &&
	    micros < AFTER)
		*v = (struct value){.type = VALUE_TIME, .i = micros};
}

static size_t
put_uuid(char *to, struct str raw)
{
	static const char digit[] = "0123456789abcdef";
	char *p = to;
	for (size_t i = 0; i < raw.n && i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digit[(unsigned char)raw.p[i] >> 4];
		*p++ = digit[raw.p[i] & 15];
	}
	return (size_t)(p - to);
}

static struct value *
read_tree(struct arena *a, struct value *v, struct str text)
{
	struct value *tree = json_parse(a, text, NULL);
	return tree ? tree : v;
}

/* ${v} is null so far. ${text} moves on behind what was put there. */
static struct value *
cell(struct arena *a, struct value *v, enum reader reader, struct str raw, char **text)
{
	switch (reader) {
	case READ_BOOL:
		*v = (struct value){.type = VALUE_BOOL, .b = raw.p[0] != 0};
		break;
	case READ_INT:
		*v = (struct value){.type = VALUE_INT, .i = integer(raw)};
		break;
	case READ_MONEY:
		*v = (struct value){.type = VALUE_MONEY, .i = integer(raw)};
		break;
	case READ_REAL:
		read_real(v, raw);
		break;
	case READ_TIME:
		read_time(v, raw);
		break;
	case READ_JSON:
		return read_tree(a, v, raw);
	case READ_JSONB: /* behind its version */
		return read_tree(a, v, str_sub(raw, 1, raw.n));
	case READ_TEXT:
	case READ_PHONE:
		v->type = reader == READ_TEXT ? VALUE_TEXT : VALUE_PHONE;
		v->s = (struct str){memcpy(*text, raw.p, raw.n), raw.n};
		*text += raw.n + 1;
		break;
	case READ_UUID:
		*v = (struct value){.type = VALUE_TEXT, .s = {*text, put_uuid(*text, raw)}};
		*text += UUID_TEXT + 1;
		break;
	case READ_NOTHING:
		break;
	}
	return v;
}

/* One piece of memory for all texts of a row, each with a NUL behind it. */
static char *
room(struct arena *a, const PGresult *res, int row, const struct db_column *columns, int n)
{
	size_t bytes = 0;
	for (int c = 0; c < n; c++)
		if (columns[c].reader == READ_UUID)
			bytes += UUID_TEXT + 1;
		else if (columns[c].reader >= READ_TEXT)
			bytes += (size_t)PQgetlength(res, row, c) + 1;
	return arena_alloc(a, bytes);
}

struct value *
db_result_row(struct arena *a, const PGresult *res, int row, const struct db_column *columns)
{
	int n = PQnfields(res);
	struct value *map = value_map_for(a, (size_t)n + SPARE);
	struct value *cells = arena_new_array(a, struct value, n + 1);
	char *text = room(a, res, row, columns, n);
	for (int c = 0; c < n; c++) {
		struct value *v = &cells[c];
		struct str raw = {PQgetvalue(res, row, c), (size_t)PQgetlength(res, row, c)};
		if (raw.n || !PQgetisnull(res, row, c))
			v = cell(a, v, columns[c].reader, raw, &text);
		value_add(a, map, columns[c].name, v);
	}
	return map;
}
