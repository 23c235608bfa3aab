#ifndef RULES_ALERT_H
#define RULES_ALERT_H
/* What the kinds of alerts mean to people: a title, and what to do about it. */
#include "base/value.h"

struct alert_kind {
	const char *kind, *title, *mend;
	bool urgent; /* calls are not placed, or data is in danger */
};

/** Never NULL: one that is not in the table is called by its name. */
const struct alert_kind *alert_kind_of(struct str kind);
/** Adds title, mend and urgent to each row of ${rows} by its kind. */
void alert_explain(struct arena *a, struct value *rows);

#endif
