#ifndef RULES_CONSENT_H
#define RULES_CONSENT_H
/* What a consent column says. Only clear words count: whatever is not clear is no consent. */
#include "base/str.h"

enum consent { CONSENT_UNCLEAR, CONSENT_GIVEN, CONSENT_REFUSED };

enum consent consent_read(struct str cell);

#endif
