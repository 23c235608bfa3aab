/* Presentation of scalars: what a template asks for behind a dot. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/value.h"

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

/* How many bytes the character at ${at} has, going by where the next one begins. */
static size_t
character(struct str s, size_t at)
{
	size_t n = 1;
	while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xC0) == 0x80)
		n++;
	return n;
}

/* The first letters of the first two words. */
static struct value *
text_initials(struct arena *a, struct str s)
{
	struct buf b;
	int found = 0;
	buf_init(&b, a);
	bool start = true;
	for (size_t i = 0, n; i < s.n && found < 2; i += n) {
		unsigned char c = (unsigned char)s.p[i];
		n = character(s, i);
		if (start && c >= 0x80)
			buf_add(&b, s.p + i, n);
		else if (start && isalnum(c))
			buf_putc(&b, (char)toupper(c));
		found += start && (c >= 0x80 || isalnum(c));
		start = c == ' ' || c == '-';
	}
	return value_text(a, buf_view(&b));
}

static struct value *
text_short(struct arena *a, struct str s)
{
	size_t cut = 0;
	for (int i = 0; i < 80 && cut < s.n; i++)
		cut += character(s, cut);
	return cut == s.n ? value_text(a, s) : value_printf(a, "%.*s…", (int)cut, s.p);
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
	if (s.n != 12 || !str_starts(s, "+1"))
		return value_text(a, s);
	/* Not printf: a page has a hundred of them. */
	char *p = arena_strndup(a, "(xxx) xxx-xxxx", 14);
	memcpy(p + 1, s.p + 2, 3);
	memcpy(p + 6, s.p + 5, 3);
	memcpy(p + 10, s.p + 8, 4);
	return value_text(a, (struct str){p, 14});
}

static void
put_grouped(struct buf *b, struct str digits)
{
	for (size_t i = 0; i < digits.n; i++) {
		if (i > 0 && (digits.n - i) % 3 == 0)
			buf_putc(b, ',');
		buf_putc(b, digits.p[i]);
	}
}

static struct value *
int_grouped(struct arena *a, int64_t i)
{
	struct buf digits, b;
	buf_init(&digits, a);
	buf_init(&b, a);
	buf_int(&digits, i);
	if (i < 0)
		buf_putc(&b, '-');
	put_grouped(&b, str_sub(buf_view(&digits), i < 0, digits.n));
	return value_text(a, buf_view(&b));
}

const char *
value_counted(struct arena *a, int64_t n, const char *noun)
{
	return arena_printf(a, "%.*s %s%s", STR_ARG(int_grouped(a, n)->s), noun, n == 1 ? "" : "s");
}

static struct value *
int_duration(struct arena *a, int64_t i)
{
	const char *sign = i < 0 ? "-" : "";
	uint64_t s = i < 0 ? -(uint64_t)i : (uint64_t)i;
	int minutes = (int)(s / 60 % 60), seconds = (int)(s % 60);
	return s >= 3600
		   ? value_printf(a, "%s%" PRIu64 ":%02d:%02d", sign, s / 3600, minutes, seconds)
		   : value_printf(a, "%s%d:%02d", sign, minutes, seconds);
}

static struct value *
int_member(struct arena *a, int64_t i, struct str key)
{
	if (str_is(key, "grouped"))
		return int_grouped(a, i);
	return str_is(key, "duration") ? int_duration(a, i) : NULL;
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
	struct buf plain, b;
	buf_init(&plain, a);
	buf_init(&b, a);
	value_print(&plain, v);
	struct str rest = buf_view(&plain);
	bool minus = str_starts(rest, "-");
	rest = str_sub(rest, minus, rest.n);
	buf_puts(&b, minus ? "-$" : "$");
	put_grouped(&b, str_cut(&rest, '.'));
	buf_putc(&b, '.');
	buf_str(&b, rest);
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
