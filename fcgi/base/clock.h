#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
/*
 * The only place that asks what time it is. Instants are microseconds since the Unix epoch, UTC.
 * TRUNKLINE_CLOCK_OFFSET (seconds, may be negative) shifts the wall clock of a process, for tests.
 */
#include "base/str.h"

#define CLOCK_SECOND INT64_C(1000000)

int64_t clock_now(void);
/** Never jumps; only differences mean anything. */
int64_t clock_monotonic(void);
/** Whether ${every} microseconds have passed since it last said so; true at first, with *said = 0.
 * For what should not be told each time. */
bool clock_again(int64_t *said, int64_t every);
/** Sets the wall clock to a fixed instant (tests); 0 gives the real one back. */
void clock_freeze(int64_t micros);
/** The viewer's IANA zone for clock_print_local; kept until the next call. NULL or unknown: UTC. */
void clock_set_zone(const char *iana);

/** "2026-11-20T22:38:52Z", with a fraction only where there is one. */
void clock_print_rfc3339(struct buf *out, int64_t micros);
/** "just now", "4 min ago", "in 2 h", "3 days ago". */
void clock_print_ago(struct buf *out, int64_t micros);
void clock_print_local(struct buf *out, int64_t micros, const char *strftime_format);
/** The same in another zone than the viewer's; NULL or unknown: UTC. */
void clock_print_zone(
    struct buf *out, int64_t micros, const char *iana, const char *strftime_format);
/** RFC 3339 and the looser forms of PostgreSQL and providers ("2026-01-05 15:00:00.12+00"). */
bool clock_parse(struct str s, int64_t *micros) MUST_USE;

#endif
