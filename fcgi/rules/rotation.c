#include "rules/rotation.h"

#include <time.h>

#include "base/clock.h"

enum { DAY_SECONDS = 86400, MONDAY = 3 /* the first day of the epoch was a Thursday */ };

static int64_t
day_of(int64_t at)
{
	return at / CLOCK_SECOND / DAY_SECONDS;
}

static int64_t
week_of(int64_t at)
{
	return (day_of(at) + MONDAY) / 7;
}

static int64_t
month_of(int64_t at)
{
	time_t seconds = (time_t)(at / CLOCK_SECOND);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	return tm.tm_year * INT64_C(12) + tm.tm_mon;
}

static void
keep_newest(int64_t (*of)(int64_t), int64_t most, const int64_t *made, size_t n, bool *keep)
{
	int64_t last = -1;
	for (size_t i = 0; i < n && most > 0; i++)
		if (of(made[i]) != last) {
			last = of(made[i]);
			keep[i] = true;
			most--;
		}
}

void
rotation_choose(const struct rotation *r, const int64_t *made, size_t n, bool *keep)
{
	for (size_t i = 0; i < n; i++)
		keep[i] = i == 0;
	keep_newest(day_of, r->daily, made, n, keep);
	keep_newest(week_of, r->weekly, made, n, keep);
	keep_newest(month_of, r->monthly, made, n, keep);
}
