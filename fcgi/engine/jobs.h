#ifndef ENGINE_JOBS_H
#define ENGINE_JOBS_H
/* `trunkline jobs`: runs what takes longer than a page may (imports and their undoing), until the time budget is
 * spent, as the dialer does. Any number may run; each job has a lease. */
#include "base/config.h"

/** Returns the exit status. Ends early, after the job at hand, where ${signals} (a signalfd) is readable; ${once}: ends when
 * nothing is left to do. */
int jobs_run(const struct config *config, int signals, bool once);

#endif
