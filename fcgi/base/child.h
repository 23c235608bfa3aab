#ifndef BASE_CHILD_H
#define BASE_CHILD_H
/* Another program that is run to its end. */
#include "base/str.h"

/**
 * Runs ${argv} (found by PATH, ends with NULL) with ${extra} ("NAME=value", ends with NULL; may be
 * NULL) beside our environment; standard input comes from ${input} (-1: empty), output goes
 * nowhere. It ends when we end. Fails with the last line that it wrote to standard error.
 */
bool child_run(struct arena *a, const char *const *argv, const char *const *extra, int input,
    struct error *e) MUST_USE;

#endif
