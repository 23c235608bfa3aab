#ifndef HTTP_METER_H
#define HTTP_METER_H
/*
 * Counts of requests and how long they took, for each route and class of status, over all workers
 * of a pool, kept in a file that they all map. One table for all of them rather than one for each:
 * a relaxed atomic addition costs some nanoseconds (below 100 where two workers meet in a cache
 * line), so nobody needs a lock or a place of his own, and what a worker that died had counted
 * stays counted. A worker that is killed between two additions leaves a sum without its last
 * request, which nobody will notice.
 *
 * The file says itself what its rows are, so that any program can read the counters of all pools.
 * Its name holds a digest of them: a newer program with other routes makes a file of its own, while
 * workers of the old one still write to theirs; a reader adds both.
 */
#include "http/route.h"

enum {
	METER_BOUNDS =
	    12, /* upper bounds of the histogram, meter_bounds; what is slower comes after them */
	METER_CLASSES = 4, /* 2xx, 3xx, 4xx, 5xx */
};
/** Seconds, as they are printed. */
extern const char *const meter_bounds[METER_BOUNDS];

struct meter;

/** The counters of ${pool} in ${dir}, made where there are none. One more row than ${table} has
 * ${n}: for what is no route. NULL and ${e} where it cannot be; the pool then works without. */
struct meter *meter_open(struct arena *a, const char *dir, const char *pool,
    const struct route *table, size_t n, struct error *e) MUST_USE;
/** One answer. ${m} may be NULL. Never blocks, never allocates. */
void meter_count(struct meter *m, size_t row, int status, int64_t us);

struct meter_row {
	const char *pool, *method,
	    *route; /* "web", "GET" or "POST,PUT", "/leads/{id}"; "" : no route */
	struct {
		uint64_t
		    counts[METER_BOUNDS + 1]; /* not cumulative; the last one is what was slower */
		uint64_t sum_us;
	} classes[METER_CLASSES];
};

/** What all files in ${dir} hold, equal rows added up: *rows on ${a}. Files that are none of ours
 * are passed over; a folder that cannot be read holds nothing. Returns how many rows. */
size_t meter_read(struct arena *a, const char *dir, struct meter_row **rows);

#endif
