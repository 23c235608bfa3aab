#ifndef HTTP_FORM_H
#define HTTP_FORM_H
/*
 * Bodies of requests: forms, uploads and JSON become one tree. What is not well-formed is refused
 * with ERR_MALFORMED, what is too much with ERR_TOO_LARGE, another content type with
 * ERR_UNSUPPORTED.
 */
#include "http/route.h"

enum {
	FORM_FIELDS_MAX = 1000,    /* names in a query or form */
	FORM_NAME_MAX = 200,       /* bytes */
	FORM_VALUE_MAX = 512 << 10 /* bytes of one field that is no file */
};

/** Undoes %XX (and + where ${plus}); refuses broken sequences, NUL and ill-formed UTF-8. */
bool form_percent(
    struct arena *a, struct str raw, bool plus, struct str *out, struct error *e) MUST_USE;
/** Adds the fields of an urlencoded text to ${map}; a repeated name keeps its last value. */
bool form_decode(struct arena *a, struct str text, struct value *map, struct error *e) MUST_USE;
/** Adds one decoded field; refuses names and values beyond the limits. */
bool form_add(struct arena *a, struct value *map, struct str name, struct str value,
    struct error *e) MUST_USE;
/** Reads the body as ${route} says into rq->body, rq->raw and rq->uploads. */
bool form_read(struct request *rq, const struct route *route, struct error *e) MUST_USE;

#endif
