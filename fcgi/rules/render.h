#ifndef RULES_RENDER_H
#define RULES_RENDER_H
/*
 * A prompt filled in for one lead. What a text may hold:
 *   {{name}}  {{name|default}}         the value; {{{name}}} and {{&name}} are the same, nothing is
 * escaped
 *   {{#name}}…{{/name}}                only where the lead has a value; {{^name}}…{{/name}} only
 * where not
 *   {{! remark }}
 * Names are compared as column names are ("Company Name" is company_name). A missing or blank value
 * reads as the default stated there, else the version's, else the built-in one (contact "there",
 * company "your company", rep "our team"), else nothing at all; never as braces. Everything else
 * between {{ }} is refused.
 *
 * A lead's value is data: at most 500 bytes of it, on one line, without control and invisible
 * characters, its braces turned into parentheses, so that neither we nor the provider expands what
 * somebody put into a file.
 */
#include "base/value.h"

enum {
	RENDER_ADVISED =
	    2000, /* characters of a text; longer ones make the agent slow (Bland's advice) */
	RENDER_MOST = 20000 /* bytes of the result */
};

/* A text that was read once, to be filled for any number of leads. Lives on the arena given. */
struct render;

/** NULL and ERR_INVALID with the line on bad syntax. */
struct render *render_read(struct arena *a, struct str text, struct error *e) MUST_USE;
/** ${values}: what placeholders may name (render_values). ${missing} (may be NULL): gets the names,
 * once each, that are shown and had no value of the lead. ERR_INVALID where the result is beyond
 * RENDER_MOST. */
bool render_fill(struct arena *a, const struct render *r, const struct value *values,
    const struct value *defaults, struct str *out, struct value *missing, struct error *e) MUST_USE;
/** Both, for a text that is filled once. */
bool render_prompt(struct arena *a, struct str text, const struct value *values,
    const struct value *defaults, struct str *out, struct value *missing, struct error *e) MUST_USE;
/** The placeholders of a lead: its own columns, its attributes (never shadowing them), first_name,
 * rep, agent and today (where the lead is: its member time_zone). */
struct value *render_values(struct arena *a, const struct value *lead, const char *rep);
/** Names of all placeholders and sections in ${text}, in order of appearance, once each. */
struct value *render_names(struct arena *a, struct str text, struct error *e) MUST_USE;
/** Those of ${values} that the text names, cleaned: what may leave the house beside the text
 * itself.
 */
struct value *render_used(struct arena *a, const struct render *r, const struct value *values);

#endif
