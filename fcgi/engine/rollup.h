#ifndef ENGINE_ROLLUP_H
#define ENGINE_ROLLUP_H
/* `trunkline rollup`: days that are over are counted once, so that pages about weeks stay cheap. */
#include "engine/keeping.h"

/** rollup [--all]: the days since the last run and three before them; --all: from the first call
 * on. Each day is a transaction; it may be killed anywhere. */
bool keeping_rollup(const struct keeping *k, struct error *e) MUST_USE;

#endif
