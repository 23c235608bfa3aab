#ifndef RULES_REASON_H
#define RULES_REASON_H
/* The codes by which a lead waits, is blocked or has failed, in words for people. */
#include "base/str.h"

/** A few words, such as "No consent yet". An unknown code reads as itself. */
const char *reason_short(struct str code);
/** One sentence that says why and what mends it. */
const char *reason_sentence(struct str code);

#endif
