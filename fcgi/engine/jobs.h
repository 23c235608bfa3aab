#ifndef ENGINE_JOBS_H
#define ENGINE_JOBS_H
/*
 * `trunkline jobs`: runs what takes longer than a page may, until the time budget (DIALER_BUDGET)
 * is spent, as the dialer does: imports and their undoing, and in between, piece by piece, what
 * pages began and left (store/job.h). Any number may run; each import has a lease, and one that
 * outlives the process is gone on with by the next.
 */
#include "engine/import.h"

/**
 * Returns the exit status. Ends early, between two batches, where ${signals} (a signalfd; -1: none)
 * is readable; ${once}: ends when nothing is left to do.
 */
int jobs_run(const struct config *config, int signals, bool once);
/** Takes and runs the oldest import; *id 0: there is none. */
bool jobs_one(struct import_worker *w, struct arena *a, int64_t *id, struct error *e) MUST_USE;

#endif
