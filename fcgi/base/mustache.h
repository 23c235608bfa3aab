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
/** Compiles ${text} (borrowed, must outlive the set) under ${name}; replaces an older one. */
bool mustache_add(
    struct mustache_set *set, const char *name, struct str text, struct error *e) MUST_USE;
/** Compiles every FILE.mustache below ${dir}; "partials/chip.mustache" gets the name "chip". */
bool mustache_add_dir(struct mustache_set *set, const char *dir, struct error *e) MUST_USE;
bool mustache_has(const struct mustache_set *set, struct str name);
/** Renders template ${name} with ${model} into ${out}. A missing partial renders as nothing. */
bool mustache_render(const struct mustache_set *set, struct arena *scratch, const char *name,
    const struct value *model, struct buf *out, struct error *e) MUST_USE;

#endif
