#ifndef BASE_CHILD_H
#define BASE_CHILD_H
/* Another program that is run to its end. */
#include "base/str.h"

/**
 * Runs ${argv} (found by PATH, ends with NULL) with ${extra} ("NAME=value", ends with NULL; may be
 * NULL) beside our environment; standard input comes from ${input} (-1: empty), output goes
 * nowhere. It ends when we end, and is killed after ${timeout_ms} (0: it may take its time).
 * ERR_UNAVAILABLE where it cannot be run, is late or fails, with the last line that it wrote to
 * standard error.
 */
bool child_run(struct arena *a, const char *const *argv, const char *const *extra, int input,
    int timeout_ms, struct error *e) MUST_USE;

#endif
