#ifndef RULES_RENDER_H
#define RULES_RENDER_H
/*
 * A prompt filled in for one lead. Mustache without escaping; a missing or blank value reads as its stated
 * default, never as braces: {{contact|there}} in the text, else the version's defaults, else the built-in
 * one (contact -> "there", company -> "your company", rep -> "our team"), else nothing at all.
 */
#include "base/value.h"

/** ${values}: what placeholders may name (render_values). ${missing} (may be NULL): gets the names, once
 * each, that had no value of the lead, as a VALUE_LIST of text. ERR_INVALID with the place on bad syntax. */
bool render_prompt(struct arena *a, struct str text, const struct value *values,
    const struct value *defaults, struct str *out, struct value *missing, struct error *e) MUST_USE;
/** The placeholders of a lead: its own columns, its attributes (never shadowing them), rep, agent, today. */
struct value *render_values(struct arena *a, const struct value *lead, const char *rep);
/** Names of all placeholders in ${text}, in order of appearance, once each. */
struct value *render_names(struct arena *a, struct str text, struct error *e) MUST_USE;

#endif
