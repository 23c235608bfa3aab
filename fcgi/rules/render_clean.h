#ifndef RULES_RENDER_CLEAN_H
#define RULES_RENDER_CLEAN_H
/* Parts of rules/render that its files share. */
#include "base/str.h"

/** A lead's value as a prompt may say it: at most 500 bytes, one line, no control or invisible
 * characters, parentheses for braces. */
struct str render_clean(struct arena *a, struct str s);

#endif
