#ifndef RULES_DIFF_H
#define RULES_DIFF_H
/* What changed between two texts, line by line, for people to read. */
#include "base/value.h"

/** [{text, added | removed | same: true}] of the lines of ${before} and ${after}: the fewest
 * changes, except for texts of many hundred lines, which are then shown as wholly replaced. */
struct value *diff_lines(struct arena *a, struct str before, struct str after);

#endif
