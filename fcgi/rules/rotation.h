#ifndef RULES_ROTATION_H
#define RULES_ROTATION_H
/* Which backups stay. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rotation {
	int64_t daily, weekly, monthly; /* how many days, weeks and months keep one */
};

/**
 * ${made}: when each was made, microseconds, newest first. The newest of a day, of a week (from
 * Monday) and of a month (UTC) stands for it; as many of them stay as ${r} says, counted over those
 * that have a backup, so that a machine that was off loses none. The newest of all always stays.
 */
void rotation_choose(const struct rotation *r, const int64_t *made, size_t n, bool *keep);

#endif
