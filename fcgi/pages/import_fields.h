#ifndef PAGES_IMPORT_FIELDS_H
#define PAGES_IMPORT_FIELDS_H
/* What people choose for a file: read from a form or an API call, checked, and ready for
 * imports.options. */
#include "http/request.h"

/** {prompt_name, list, source, update_policy, default_country, consent, consent_source,
 * campaign_id, encoding, delimiter, header}, as far as given. NULL and ERR_INVALID naming the
 * field. */
struct value *import_fields(struct request *rq, struct error *e) MUST_USE;
/** Only encoding, delimiter and header, set in ${options} where the request names them. */
bool import_fields_reading(struct request *rq, struct value *options, struct error *e) MUST_USE;
/** Choices [{"value", "label", "chosen"}] of encodings and delimiters for forms. */
struct value *import_fields_encodings(struct arena *a, struct str chosen);
struct value *import_fields_delimiters(struct arena *a, struct str chosen);

#endif
