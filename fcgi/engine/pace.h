#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H
/*
 * How fast requests leave this process. The claim counts rows per second (claim.sql), which bounds
 * what any number of dialers begin; but a request reaches the provider some time after its claim,
 * now later, now sooner, so two batches that were begun a second apart may arrive together. Hence
 * each request asks here at the very moment before it is sent. By a clock that neither jumps nor
 * stops.
 */
#include <stdint.h>

#include "base/arena.h"

struct pace;

/** Lives as long as ${a}. */
struct pace *pace_new(struct arena *a);
/**
 * May one more request of the campaign and its client leave now? 0: yes, and it is counted; else
 * the microseconds after which to ask again. In any second at most ${per_second} (its whole part,
 * at least one; below one, one in 1/per_second seconds) leave for each.
 */
int64_t pace_wait(struct pace *p, int64_t client_id, double client_per_second, int64_t campaign_id,
    double campaign_per_second, int64_t now);
/** As if all paces had just been used up: another process sent until now. */
void pace_fill(struct pace *p, int64_t now);

#endif
