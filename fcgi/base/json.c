#include "base/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct value *
from_jansson(struct arena *a, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT: {
		struct value *map = value_map(a);
		const char *key;
		json_t *member;
		json_object_foreach((json_t *)j, key, member)
		    value_add(a, map, str_of(arena_strdup(a, key)), from_jansson(a, member));
		return map;
	}
	case JSON_ARRAY: {
		struct value *list = value_list(a);
		for (size_t i = 0; i < json_array_size(j); i++)
			value_push(a, list, from_jansson(a, json_array_get(j, i)));
		return list;
	}
	case JSON_STRING:
		return value_text(
		    a, (struct str){arena_strndup(a, json_string_value(j), json_string_length(j)),
			   json_string_length(j)});
	case JSON_INTEGER:
		return value_int(a, json_integer_value(j));
	case JSON_REAL:
		return value_real(a, json_real_value(j));
	case JSON_TRUE:
		return value_bool(a, true);
	case JSON_FALSE:
		return value_bool(a, false);
	case JSON_NULL:
		break;
	}
	return value_null(a);
}

struct value *
json_parse(struct arena *a, struct str text, struct error *e)
{
	json_error_t why;
	/* jansson takes a NUL for the end and would not look at what comes after it. */
	if (text.n && memchr(text.p, '\0', text.n)) {
		error_set(e, ERR_MALFORMED, "This is not valid JSON: it contains a NUL byte.");
		return NULL;
	}
	json_t *j = json_loadb(
	    text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!j) {
		error_set(e, ERR_MALFORMED, "This is not valid JSON: %s (line %d, column %d).",
		    str_utf8(a, str_of(why.text)).p, why.line, why.column);
		return NULL;
	}
	struct value *v = from_jansson(a, j);
	json_decref(j);
	return v;
}

static void
write_quoted(struct buf *out, const struct value *v)
{
	buf_putc(out, '"');
	value_print(out, v);
	buf_putc(out, '"');
}

/* Exactly, without zeros at the end. */
static void
write_money(struct buf *out, int64_t micros)
{
	uint64_t m = micros < 0 ? -(uint64_t)micros : (uint64_t)micros, rest = m % 1000000;
	int digits = 6;
	buf_printf(out, "%s%" PRIu64, micros < 0 ? "-" : "", m / 1000000);
	if (!rest)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	buf_printf(out, ".%0*" PRIu64, digits, rest);
}

/* The shortest of the forms that read back as the same number: 0.1, not 0.10000000000000001. */
static void
write_real(struct buf *out, double d)
{
	char text[40];
	if (!isfinite(d)) {
		buf_puts(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	buf_puts(out, text);
}

static void
write_list(struct buf *out, const struct value *v)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < v->list.n; i++) {
		if (i)
			buf_putc(out, ',');
		json_write(out, v->list.items[i]);
	}
	buf_putc(out, ']');
}

static void
write_map(struct buf *out, const struct value *v)
{
	buf_putc(out, '{');
	for (size_t i = 0; i < v->map.n; i++) {
		if (i)
			buf_putc(out, ',');
		buf_json(out, v->map.members[i].key);
		buf_putc(out, ':');
		json_write(out, v->map.members[i].value);
	}
	buf_putc(out, '}');
}

void
json_write(struct buf *out, const struct value *v)
{
	switch (v ? v->type : VALUE_NULL) {
	case VALUE_NULL:
		buf_puts(out, "null");
		return;
	case VALUE_TEXT:
	case VALUE_PHONE:
		buf_json(out, v->s);
		return;
	case VALUE_TIME:
		write_quoted(out, v);
		return;
	case VALUE_LIST:
		write_list(out, v);
		return;
	case VALUE_MAP:
		write_map(out, v);
		return;
	case VALUE_MONEY:
		write_money(out, v->i);
		return;
	case VALUE_REAL:
		write_real(out, v->d);
		return;
	case VALUE_BOOL:
	case VALUE_INT:
		value_print(out, v);
		return;
	}
}

const char *
json_text(struct arena *a, const struct value *v)
{
	struct buf b;
	buf_init(&b, a);
	json_write(&b, v);
	return b.p;
}
