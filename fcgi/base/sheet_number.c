#include "base/sheet_number.h"

#include <math.h>
#include <string.h>
#include <time.h>

int
sheet_format_builtin(int64_t id)
{
	bool date = (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
		    (id >= 50 && id <= 58);
	return date ? SHEET_DATE : SHEET_NUMBER;
}

/* Length of what is literal at s.p[i]: "quoted", \x, _x, *x, [Red]; 0 where nothing is. */
static size_t
literal(struct str s, size_t i)
{
	static const char *const elapsed[] = {"[h", "[m", "[s", "[H", "[M", "[S"};
	if (strchr("\\_*", s.p[i]))
		return 2;
	if (s.p[i] == '"')
		return str_chr(str_sub(s, i + 1, s.n), '"') + 2;
	if (s.p[i] != '[')
		return 0;
	for (size_t k = 0; k < 6; k++)
		if (str_starts(str_sub(s, i, s.n), elapsed[k]) && i + 2 < s.n &&
		    strchr("hmsHMS]", s.p[i + 2]))
			return 0;
	return str_chr(str_sub(s, i, s.n), ']') + 1;
}

int
sheet_format_of(struct str code)
{
	size_t zeros = 0;
	for (size_t i = 0; i < code.n; i++)
		zeros += code.p[i] == '0';
	if (zeros == code.n && zeros > 1 && zeros <= 20)
		return SHEET_ZEROS + (int)zeros;
	for (size_t i = 0; i < code.n && code.p[i] != ';';) {
		size_t k = code.p[i] ? literal(code, i) : 1;
		if (!k && strchr("ymdhsYMDHS", code.p[i]))
			return SHEET_DATE;
		i += k ? k : 1;
	}
	return SHEET_NUMBER;
}

static bool
print_date(struct buf *out, double serial, bool since_1904)
{
	if (serial < 0 || serial >= 2958466) /* the year 10000 */
		return false;
	double day = floor(serial);
	int64_t seconds = (int64_t)round((serial - day) * 86400);
	/* 1900-02-29 exists in Excel only: days before it are one off. */
	int64_t epoch = since_1904 ? -24107 : serial < 60 ? -25568 : -25569;
	time_t t = (time_t)(((int64_t)day + epoch) * 86400 + seconds);
	struct tm tm;
	if (!gmtime_r(&t, &tm))
		return false;
	bool has_day = day > 0 || since_1904, has_time = seconds != 0 || !has_day;
	if (has_day)
		buf_printf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	if (has_time)
		buf_printf(
		    out, "%s%02d:%02d:%02d", has_day ? " " : "", tm.tm_hour, tm.tm_min, tm.tm_sec);
	return true;
}

static bool
is_plain(struct str s)
{
	size_t digits = 0;
	for (size_t i = 0; i < s.n; i++) {
		digits += s.p[i] >= '0' && s.p[i] <= '9';
		if (!strchr("-.0123456789", s.p[i]) || !s.p[i])
			return false;
	}
	return digits && digits <= 15;
}

void
sheet_number_print(struct buf *out, struct str raw, int format, bool since_1904)
{
	double v;
	if (!str_to_double(raw, &v) || !isfinite(v)) {
		buf_str(out, raw);
		return;
	}
	if (format == SHEET_DATE && print_date(out, v, since_1904))
		return;
	bool whole = v == floor(v) && fabs(v) < 1e15;
	if (format > SHEET_ZEROS && whole && v >= 0)
		buf_printf(out, "%0*.0f", format - SHEET_ZEROS, v);
	else if (is_plain(raw))
		buf_str(out, raw);
	else if (whole)
		buf_printf(out, "%.0f", v);
	else
		buf_printf(out, "%.15g", v);
}
