#ifndef RULES_CONSENT_H
#define RULES_CONSENT_H
/*
 * What a cell of a consent column says. Only clear words count: whatever is not clear is no
 * consent, and no refusal either. A date that is not in the future is the day on which consent was
 * given; where day and month could be swapped (03/04/2025), the earlier reading is taken.
 */
#include "base/str.h"

enum consent { CONSENT_UNCLEAR, CONSENT_GIVEN, CONSENT_REFUSED };

/** *at: the instant that the cell names (of a day: its beginning, UTC), or 0. */
enum consent consent_read(struct str cell, int64_t now, int64_t *at);

#endif
