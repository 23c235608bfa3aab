#ifndef SANDBOX_MEMORY_H
#define SANDBOX_MEMORY_H
/*
 * What a provider knows outlives its processes: with --remember the ledger holds each accepted POST
 * whole, and the next process reads it. Calls that were under way end soon; reports that nobody
 * took are sent.
 */
#include "sandbox/sandbox.h"

/** Reads the ledger; a line that breaks off (the process died in it) is passed over. */
void memory_load(struct sandbox *s, const char *path);

#endif
