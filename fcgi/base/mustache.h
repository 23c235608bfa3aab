#ifndef BASE_MUSTACHE_H
#define BASE_MUSTACHE_H
/*
 * Mustache (github.com/mustache/spec 1.4): interpolation, sections, inverted sections, partials,
 * delimiters, comments, inheritance ({{<parent}} {{$block}}) and dynamic names ({{>*name}}).
 * Lambdas are not part of it. Templates are compiled once to a flat list of instructions; rendering
 * escapes HTML unless the set was made with MUSTACHE_PLAIN or the tag is {{{x}}} / {{&x}}.
 */
#include "base/value.h"

struct mustache_set; /* compiled templates by name; not changed by rendering */

enum mustache_escape { MUSTACHE_HTML, MUSTACHE_PLAIN };

/** A set whose templates live on ${a}. */
struct mustache_set *mustache_set_new(struct arena *a, enum mustache_escape escape);
/**
 * Compiles ${text} (borrowed, must outlive the set) under ${name}; replaces an older one. A bad
 * template is ERR_INVALID, its message begins with "Line N: "; an older one then stays.
 */
bool mustache_add(
    struct mustache_set *set, const char *name, struct str text, struct error *e) MUST_USE;
/**
 * Compiles every FILE.mustache below ${dir}, others are passed over; "leads.mustache" gets the name
 * "leads", "partials/chip.mustache" the name "chip", "mail/welcome.mustache" "mail/welcome".
 */
bool mustache_add_dir(struct mustache_set *set, const char *dir, struct error *e) MUST_USE;
bool mustache_has(const struct mustache_set *set, struct str name);
/**
 * Renders template ${name} with ${model} into ${out}. A missing partial renders as nothing.
 * Names are looked up in maps, from the innermost context outwards; the presentation of a scalar or
 * list (base/value.h) only behind a dot: {{created.ago}}, {{.ago}}.
 * ERR_INVALID where partials or sections go deeper than any page does (a partial that includes
 * itself); ${out} then holds the part before.
 */
bool mustache_render(const struct mustache_set *set, struct arena *scratch, const char *name,
    const struct value *model, struct buf *out, struct error *e) MUST_USE;

#endif
