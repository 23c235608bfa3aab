#include "base/clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t frozen;

static int64_t
offset(void)
{
	static int64_t micros;
	static bool read;
	if (!read) {
		const char *s = getenv("TRUNKLINE_CLOCK_OFFSET");
		int64_t seconds = 0;
		if (s && str_to_int(str_of(s), &seconds))
			micros = seconds * CLOCK_SECOND;
		read = true;
	}
	return micros;
}

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
}

int64_t
clock_now(void)
{
	return frozen ? frozen : read_clock(CLOCK_REALTIME) + offset();
}

int64_t
clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

bool
clock_again(int64_t *said, int64_t every)
{
	int64_t now = clock_monotonic();
	if (*said && now < *said + every)
		return false;
	*said = now;
	return true;
}

void
clock_freeze(int64_t micros)
{
	frozen = micros;
}

enum { ZONE_NAME = 64 }; /* the longest in the database has 32 */

static char zone[ZONE_NAME];

/* The C library takes any text for a zone, a path as well, and says UTC under that name. */
static bool
zone_exists(const char *iana)
{
	char path[ZONE_NAME + 32];
	size_t n = strlen(iana);
	if (n >= ZONE_NAME || !isalpha((unsigned char)iana[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)iana[i]) && !strchr("/_+-", iana[i]))
			return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", iana);
	return access(path, R_OK) == 0;
}

void
clock_set_zone(const char *iana)
{
	if (iana && *zone && strcmp(zone, iana) == 0)
		return;
	if (!iana || !zone_exists(iana))
		iana = "UTC";
	if (strcmp(zone, iana) == 0)
		return;
	snprintf(zone, sizeof(zone), "%s", iana);
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ${count} digits, then ${after}. */
static char *
put_digits(char *p, int64_t n, int count, char after)
{
	for (int i = count - 1; i >= 0; i--, n /= 10)
		p[i] = (char)('0' + n % 10);
	p[count] = after;
	return p + count + 1;
}

struct date {
	int64_t year;
	int month, day;
};

/* Days since 1970 as a date. The years begin with March here, so that a leap day is the last of
 * one; every 400 of them have as many days. (Not gmtime_r: it counts years one by one.) */
static struct date
date_of(int64_t days)
{
	enum { ERA = 146097, TO_MARCH_OF_0 = 719468 };
	days += TO_MARCH_OF_0;
	int64_t era = floor_div(days, ERA), day = days - era * ERA;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	int64_t month = (5 * day + 2) / 153;
	struct date d = {.year = era * 400 + year + (month >= 10),
	    .month = (int)(month < 10 ? month + 3 : month - 9),
	    .day = (int)(day - (153 * month + 2) / 5 + 1)};
	return d;
}

void
clock_print_rfc3339(struct buf *out, int64_t micros)
{
	enum { DAY = 86400, LONGEST = 64 };
	int64_t t = floor_div(micros, CLOCK_SECOND), fraction = micros % CLOCK_SECOND;
	int64_t days = floor_div(t, DAY), second = t - days * DAY;
	struct date d = date_of(days);
	char text[LONGEST], *p = text;
	int64_t year = d.year < 0 ? -d.year : d.year;
	int digits = 4;
	for (int64_t rest = year / 10000; rest; rest /= 10)
		digits++;
	p = put_digits(p, year, digits, '-');
	p = put_digits(p, d.month, 2, '-');
	p = put_digits(p, d.day, 2, 'T');
	p = put_digits(p, second / 3600, 2, ':');
	p = put_digits(p, second / 60 % 60, 2, ':');
	p = put_digits(p, second % 60, 2, fraction ? '.' : 'Z');
	if (fraction)
		p = put_digits(p, fraction < 0 ? fraction + CLOCK_SECOND : fraction, 6, 'Z');
	buf_add(out, text, (size_t)(p - text));
}

void
clock_print_ago(struct buf *out, int64_t micros)
{
	int64_t d = clock_now() / CLOCK_SECOND - floor_div(micros, CLOCK_SECOND);
	int64_t s = d < 0 ? -d : d;
	if (s < 10) {
		buf_puts(out, d < 0 ? "in a moment" : "just now");
		return;
	}
	int64_t n = s < 60 ? s : s < 3600 ? s / 60 : s < 86400 ? s / 3600 : s / 86400;
	const char *unit = s < 60      ? "s"
			   : s < 3600  ? "min"
			   : s < 86400 ? "h"
			   : n == 1    ? "day"
				       : "days";
	if (d < 0)
		buf_puts(out, "in ");
	buf_int(out, n);
	buf_putc(out, ' ');
	buf_puts(out, unit);
	if (d >= 0)
		buf_puts(out, " ago");
}

void
clock_print_local(struct buf *out, int64_t micros, const char *format)
{
	time_t t = (time_t)floor_div(micros, CLOCK_SECOND);
	struct tm tm;
	char s[128];
	if (!*zone)
		clock_set_zone(NULL);
	localtime_r(&t, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a format of ours, passed on */
	size_t n = strftime(s, sizeof(s), format, &tm);
#pragma GCC diagnostic pop
	struct str v = str_trim((struct str){s, n});
	buf_str(out, v);
}

void
clock_print_zone(struct buf *out, int64_t micros, const char *iana, const char *format)
{
	char viewers[sizeof(zone)];
	memcpy(viewers, zone, sizeof(zone));
	clock_set_zone(iana);
	clock_print_local(out, micros, format);
	clock_set_zone(viewers);
}

static bool
digits(struct str *s, int count, int *out)
{
	*out = 0;
	if (s->n < (size_t)count)
		return false;
	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)s->p[i]))
			return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	*s = str_sub(*s, (size_t)count, s->n);
	return true;
}

static bool
literal(struct str *s, const char *any)
{
	if (!s->n || !s->p[0] || !strchr(any, s->p[0]))
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static int64_t
fraction_micros(struct str *s)
{
	int64_t micros = 0, scale = 100000;
	if (s->n < 2 || s->p[0] != '.' || !isdigit((unsigned char)s->p[1]))
		return 0;
	*s = str_sub(*s, 1, s->n);
	while (s->n && isdigit((unsigned char)s->p[0])) {
		micros += (s->p[0] - '0') * scale;
		scale /= 10;
		*s = str_sub(*s, 1, s->n);
	}
	return micros;
}

static int
days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

/* What follows the time of day: nothing or Z is UTC; +HH, +HHMM, +HH:MM. */
static bool
zone_seconds(struct str s, int *seconds)
{
	*seconds = 0;
	s = str_trim(s);
	if (s.n == 0 || str_is(s, "Z") || str_is(s, "z"))
		return true;
	int sign = s.p[0] == '-' ? -1 : 1, h, m = 0;
	if (!literal(&s, "+-") || !digits(&s, 2, &h))
		return false;
	if (s.n) {
		if (s.p[0] == ':')
			s = str_sub(s, 1, s.n);
		if (!digits(&s, 2, &m))
			return false;
	}
	*seconds = sign * (h * 3600 + m * 60);
	return s.n == 0 && h < 24 && m < 60;
}

bool
clock_parse(struct str s, int64_t *micros)
{
	struct tm tm = {0};
	int year, month, offset_seconds;
	s = str_trim(s);
	if (!digits(&s, 4, &year) || !literal(&s, "-") || !digits(&s, 2, &month) ||
	    !literal(&s, "-") || !digits(&s, 2, &tm.tm_mday))
		return false;
	int64_t fraction = 0;
	if (s.n) {
		if (!literal(&s, "T t") || !digits(&s, 2, &tm.tm_hour) || !literal(&s, ":") ||
		    !digits(&s, 2, &tm.tm_min))
			return false;
		if (literal(&s, ":")) {
			if (!digits(&s, 2, &tm.tm_sec))
				return false;
			fraction = fraction_micros(&s);
		}
	}
	if (!zone_seconds(s, &offset_seconds) || year < 1 || month < 1 || month > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > days_in(year, month) || tm.tm_hour > 23 ||
	    tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*micros = ((int64_t)timegm(&tm) - offset_seconds) * CLOCK_SECOND + fraction;
	return true;
}
