#ifndef BASE_JSON_H
#define BASE_JSON_H
/* JSON text to struct value and back. The only file that knows jansson. */
#include "base/value.h"

/**
 * Parses any JSON document; refuses duplicate keys, ill-formed UTF-8, NUL (escaped too) and
 * nesting beyond jansson's 2048. On error fills ${e} with ERR_MALFORMED and the place, and returns
 * NULL. The result lives on ${a}.
 */
struct value *json_parse(struct arena *a, struct str text, struct error *e) MUST_USE;
/** Writes ${v} compactly. Times become RFC 3339 strings, money a decimal number of dollars. */
void json_write(struct buf *out, const struct value *v);
/** The same as a NUL-terminated string on ${a}. */
const char *json_text(struct arena *a, const struct value *v);

#endif
