#include "base/value.h"

#include <ctype.h>
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
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	vsnprintf(p, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
	va_end(again);
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
	case VALUE_MONEY: {
		int64_t m = v->i < 0 ? -v->i : v->i;
		buf_printf(out, "%s%" PRId64 ".%02" PRId64, v->i < 0 ? "-" : "", m / 1000000,
		    m % 1000000 / 10000);
		return;
	}
	}
}

/* Presentation of scalars. */

static struct value *
text_label(struct arena *a, struct str s)
{
	char *p = str_dup(a, s);
	for (char *c = p; *c; c++)
		if (*c == '_')
			*c = ' ';
	p[0] = (char)toupper((unsigned char)p[0]);
	return value_text(a, str_of(p));
}

static struct value *
text_initials(struct arena *a, struct str s)
{
	struct buf b;
	buf_init(&b, a);
	bool start = true;
	for (size_t i = 0; i < s.n && b.n < 2; i++) {
		if (start && isalnum((unsigned char)s.p[i]))
			buf_putc(&b, (char)toupper((unsigned char)s.p[i]));
		start = s.p[i] == ' ';
	}
	return value_text(a, buf_view(&b));
}

static struct value *
text_short(struct arena *a, struct str s)
{
	size_t cut = 80;
	if (s.n <= cut)
		return value_text(a, s);
	while (cut > 0 && ((unsigned char)s.p[cut] & 0xC0) == 0x80)
		cut--;
	return value_printf(a, "%.*s…", (int)cut, s.p);
}

static struct value *
text_member(struct arena *a, struct str s, struct str key)
{
	if (str_is(key, "label"))
		return text_label(a, s);
	if (str_is(key, "initials"))
		return text_initials(a, s);
	if (str_is(key, "short"))
		return text_short(a, s);
	return NULL;
}

static struct value *
phone_member(struct arena *a, struct str s, struct str key)
{
	if (!str_is(key, "pretty"))
		return NULL;
	if (s.n == 12 && str_starts(s, "+1"))
		return value_printf(a, "(%.3s) %.3s-%.4s", s.p + 2, s.p + 5, s.p + 8);
	return value_text(a, s);
}

static struct value *
int_grouped(struct arena *a, int64_t i)
{
	char digits[24], out[40];
	int n = snprintf(digits, sizeof(digits), "%" PRId64, i < 0 ? -i : i), k = 0;
	if (i < 0)
		out[k++] = '-';
	for (int j = 0; j < n; j++) {
		if (j && (n - j) % 3 == 0)
			out[k++] = ',';
		out[k++] = digits[j];
	}
	return value_text(a, (struct str){arena_strndup(a, out, (size_t)k), (size_t)k});
}

static struct value *
int_member(struct arena *a, int64_t i, struct str key)
{
	if (str_is(key, "grouped"))
		return int_grouped(a, i);
	if (str_is(key, "duration"))
		return i >= 3600 ? value_printf(a, "%" PRId64 ":%02d:%02d", i / 3600,
				       (int)(i / 60 % 60), (int)(i % 60))
				 : value_printf(a, "%" PRId64 ":%02d", i / 60, (int)(i % 60));
	return NULL;
}

static struct value *
time_member(struct arena *a, int64_t t, struct str key)
{
	struct buf b;
	buf_init(&b, a);
	if (str_is(key, "ago"))
		clock_print_ago(&b, t);
	else if (str_is(key, "local"))
		clock_print_local(&b, t, "%a %e %b %Y, %H:%M:%S %Z");
	else if (str_is(key, "day"))
		clock_print_local(&b, t, "%e %b");
	else if (str_is(key, "clock"))
		clock_print_local(&b, t, "%H:%M");
	else
		return NULL;
	return value_text(a, buf_view(&b));
}

static struct value *
money_usd(struct arena *a, const struct value *v)
{
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, v->i < 0 ? "-$" : "$");
	struct value magnitude = {.type = VALUE_MONEY, .i = v->i < 0 ? -v->i : v->i};
	value_print(&b, &magnitude);
	return value_text(a, buf_view(&b));
}

struct value *
value_member(struct arena *a, const struct value *v, struct str key)
{
	if (!v)
		return NULL;
	if (v->type == VALUE_MAP)
		return value_get_str(v, key);
	if (str_is(key, "any"))
		return value_bool(a, value_truthy(v));
	switch (v->type) {
	case VALUE_TEXT:
		return text_member(a, v->s, key);
	case VALUE_PHONE:
		return phone_member(a, v->s, key);
	case VALUE_INT:
		return int_member(a, v->i, key);
	case VALUE_TIME:
		return time_member(a, v->i, key);
	case VALUE_MONEY:
		return str_is(key, "usd") ? money_usd(a, v) : NULL;
	case VALUE_LIST:
		return str_is(key, "count") ? value_int(a, (int64_t)v->list.n) : NULL;
	default:
		return NULL;
	}
}
