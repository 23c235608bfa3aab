#include <string.h>

#include "base/csv.h"

static bool
is_signed_number(struct str s)
{
	size_t digits = 0, points = 0;
	for (size_t i = 1; i < s.n; i++) {
		digits += s.p[i] >= '0' && s.p[i] <= '9';
		points += s.p[i] == '.' && i > 1 && i + 1 < s.n;
	}
	return digits && digits <= 30 && points <= 1 && digits + points == s.n - 1;
}

static bool
is_formula(struct str s)
{
	static const char *const wide[] = {
	    "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
	for (size_t i = 0; i < 4; i++)
		if (str_starts(s, wide[i]))
			return true;
	if (!s.n || !memchr("=+-@\t\r\n", s.p[0], 7))
		return false;
	return !((s.p[0] == '+' || s.p[0] == '-') && is_signed_number(s));
}

void
csv_write_field(struct buf *out, struct str field)
{
	bool formula = is_formula(field), quote = formula;
	for (size_t i = 0; i < field.n && !quote; i++)
		quote = memchr("\",;\t|\r\n", field.p[i], 7) != NULL;
	if (field.n && (field.p[0] == ' ' || field.p[field.n - 1] == ' '))
		quote = true;
	if (!quote) {
		buf_str(out, field);
		return;
	}
	buf_puts(out, formula ? "\"'" : "\"");
	while (field.n) {
		size_t i = str_chr(field, '"');
		buf_add(out, field.p, i);
		buf_puts(out, i < field.n ? "\"\"" : "");
		field = str_sub(field, i + 1, field.n);
	}
	buf_putc(out, '"');
}

void
csv_write_row(struct buf *out, const struct str *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(out, ',');
		csv_write_field(out, fields[i]);
	}
	buf_puts(out, "\r\n");
}
