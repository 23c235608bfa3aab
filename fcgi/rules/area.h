#ifndef RULES_AREA_H
#define RULES_AREA_H
/* Which listed area a number belongs to (table area_code_zones): the longest prefix of its digits.
 * As area_of in sql/functions/contactability.sql, for a million numbers. */
#include "base/str.h"

struct areas {
	struct str *prefixes; /* in the order of their bytes */
	size_t n, longest;
};

/** ${list}: prefixes in the order of their bytes, a blank between two of them; borrowed. */
void areas_read(struct areas *areas, struct arena *a, struct str list);
/** The prefix of a number in E.164, from the list; empty where none fits. */
struct str areas_find(const struct areas *areas, const char *e164);

#endif
