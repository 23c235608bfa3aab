#ifndef SANDBOX_TIMERS_H
#define SANDBOX_TIMERS_H
/* What is to happen later, on the clock of sandbox_now; equal times fire in the order of adding. */
#include "sandbox/sandbox.h"

typedef void timer_fn(struct sandbox *s, void *subject);

struct timers;

struct timers *timers_new(void);
void timers_free(struct timers *t);
void timers_add(struct timers *t, int64_t due_ms, timer_fn *fire, void *subject);
/** Milliseconds until the next one, 0 where it is overdue, ${most} where there is none sooner. */
int64_t timers_wait(const struct timers *t, int64_t most);
/** Fires what is due. */
void timers_run(struct sandbox *s);
void timers_clear(struct timers *t);

#endif
