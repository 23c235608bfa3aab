#include "base/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static struct value *
make(struct arena *a, enum value_type type)
{
	struct value *v = arena_new_of(a, struct value);
	v->type = type;
	return v;
}

struct value *
value_null(struct arena *a)
{
	return make(a, VALUE_NULL);
}

struct value *
value_bool(struct arena *a, bool b)
{
	struct value *v = make(a, VALUE_BOOL);
	v->b = b;
	return v;
}

static struct value *
make_int(struct arena *a, enum value_type type, int64_t i)
{
	struct value *v = make(a, type);
	v->i = i;
	return v;
}

struct value *
value_int(struct arena *a, int64_t i)
{
	return make_int(a, VALUE_INT, i);
}

struct value *
value_time(struct arena *a, int64_t micros)
{
	return make_int(a, VALUE_TIME, micros);
}

struct value *
value_money(struct arena *a, int64_t micros)
{
	return make_int(a, VALUE_MONEY, micros);
}

struct value *
value_real(struct arena *a, double d)
{
	struct value *v = make(a, VALUE_REAL);
	v->d = d;
	return v;
}

static struct value *
make_str(struct arena *a, enum value_type type, struct str s)
{
	struct value *v = make(a, type);
	v->s = s;
	return v;
}

struct value *
value_text(struct arena *a, struct str s)
{
	return make_str(a, VALUE_TEXT, s);
}

struct value *
value_phone(struct arena *a, struct str e164)
{
	return make_str(a, VALUE_PHONE, e164);
}

struct value *
value_textz(struct arena *a, const char *s)
{
	return s ? value_text(a, str_of(s)) : value_null(a);
}

struct value *
value_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return value_text(a, str_of(p));
}

struct value *
value_list(struct arena *a)
{
	return make(a, VALUE_LIST);
}

struct value *
value_map(struct arena *a)
{
	return make(a, VALUE_MAP);
}

struct value *
value_map_for(struct arena *a, size_t n)
{
	struct value *map = value_map(a);
	map->map.members = arena_new_array(a, struct member, n);
	map->map.cap = n;
	return map;
}

struct value *
value_push(struct arena *a, struct value *list, struct value *v)
{
	if (list->list.n == list->list.cap) {
		size_t cap = list->list.cap ? list->list.cap * 2 : 8;
		list->list.items = arena_grow(a, list->list.items,
		    list->list.cap * sizeof(*list->list.items), cap * sizeof(*list->list.items));
		list->list.cap = cap;
	}
	list->list.items[list->list.n++] = v;
	return v;
}

struct value *
value_add(struct arena *a, struct value *map, struct str key, struct value *v)
{
	if (map->map.n == map->map.cap) {
		size_t cap = map->map.cap ? map->map.cap * 2 : 8;
		map->map.members = arena_grow(a, map->map.members,
		    map->map.cap * sizeof(*map->map.members), cap * sizeof(*map->map.members));
		map->map.cap = cap;
	}
	map->map.members[map->map.n++] = (struct member){key, v};
	return v;
}

struct value *
value_set_str(struct arena *a, struct value *map, struct str key, struct value *v)
{
	for (size_t i = 0; i < map->map.n; i++)
		if (str_eq(map->map.members[i].key, key)) {
			map->map.members[i].value = v;
			return v;
		}
	return value_add(a, map, key, v);
}

struct value *
value_set(struct arena *a, struct value *map, const char *key, struct value *v)
{
	return value_set_str(a, map, str_of(key), v);
}

void
value_set_bool(struct arena *a, struct value *map, const char *key, bool b)
{
	value_set(a, map, key, value_bool(a, b));
}

void
value_set_int(struct arena *a, struct value *map, const char *key, int64_t i)
{
	value_set(a, map, key, value_int(a, i));
}

void
value_set_text(struct arena *a, struct value *map, const char *key, const char *s)
{
	value_set(a, map, key, value_textz(a, s));
}

struct value *
value_get_str(const struct value *v, struct str key)
{
	if (!v || v->type != VALUE_MAP)
		return NULL;
	for (size_t i = 0; i < v->map.n; i++)
		if (str_eq(v->map.members[i].key, key))
			return v->map.members[i].value;
	return NULL;
}

struct value *
value_get(const struct value *v, const char *key)
{
	return value_get_str(v, str_of(key));
}

bool
value_has(const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	return m && m->type != VALUE_NULL;
}

struct str
value_str(const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	if (m && (m->type == VALUE_TEXT || m->type == VALUE_PHONE))
		return m->s;
	return (struct str){"", 0};
}

const char *
value_strz(struct arena *a, const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	if (m && (m->type == VALUE_TEXT || m->type == VALUE_PHONE))
		return str_dup(a, m->s);
	return NULL;
}

int64_t
value_num(const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	if (!m)
		return 0;
	if (m->type == VALUE_INT)
		return m->i;
	if (m->type == VALUE_REAL && fabs(m->d) < 9e15)
		return (int64_t)m->d;
	return 0;
}

double
value_dbl(const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	if (!m)
		return 0;
	return m->type == VALUE_REAL ? m->d : m->type == VALUE_INT ? (double)m->i : 0;
}

bool
value_flag(const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	return m && m->type == VALUE_BOOL && m->b;
}

int64_t
value_micros(const struct value *v, const char *key)
{
	const struct value *m = value_get(v, key);
	return m && (m->type == VALUE_TIME || m->type == VALUE_MONEY) ? m->i : 0;
}

bool
value_truthy(const struct value *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case VALUE_NULL:
		return false;
	case VALUE_BOOL:
		return v->b;
	case VALUE_INT:
	case VALUE_MONEY:
		return v->i != 0;
	case VALUE_TIME:
		return true;
	case VALUE_REAL:
		return v->d != 0;
	case VALUE_TEXT:
	case VALUE_PHONE:
		return v->s.n > 0;
	case VALUE_LIST:
		return v->list.n > 0;
	case VALUE_MAP:
		return true;
	}
	return false;
}

/* Rounded to the nearest cent. */
static void
print_cents(struct buf *out, int64_t micros)
{
	uint64_t magnitude = micros < 0 ? -(uint64_t)micros : (uint64_t)micros;
	uint64_t cents = (magnitude + 5000) / 10000;
	buf_printf(out, "%s%" PRIu64 ".%02" PRIu64, micros < 0 && cents ? "-" : "", cents / 100,
	    cents % 100);
}

void
value_print(struct buf *out, const struct value *v)
{
	if (!v)
		return;
	switch (v->type) {
	case VALUE_NULL:
	case VALUE_LIST:
	case VALUE_MAP:
		return;
	case VALUE_BOOL:
		buf_puts(out, v->b ? "true" : "false");
		return;
	case VALUE_INT:
		buf_int(out, v->i);
		return;
	case VALUE_REAL:
		buf_printf(out, "%.15g", v->d);
		return;
	case VALUE_TEXT:
	case VALUE_PHONE:
		buf_str(out, v->s);
		return;
	case VALUE_TIME:
		clock_print_rfc3339(out, v->i);
		return;
	case VALUE_MONEY:
		print_cents(out, v->i);
		return;
	}
}
