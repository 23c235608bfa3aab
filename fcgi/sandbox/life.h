#ifndef SANDBOX_LIFE_H
#define SANDBOX_LIFE_H
/* From accepted to ended: queued, connected where somebody answers, ended, reported. */
#include "sandbox/calls.h"

/** Sets a fresh call on its way. Its texts and limits are set; the rest is worked out here. */
void life_begin(struct sandbox *s, struct call *c);
/** Works out what is to happen in it, without beginning. */
void life_plan(struct sandbox *s, struct call *c);
/** Goes on with a planned call of an earlier process: ends it soon, or reports it. */
void life_resume(struct sandbox *s, struct call *c);
/** Ends it now. False where it has ended already. */
bool life_stop(struct sandbox *s, struct call *c);

#endif
