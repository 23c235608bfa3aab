#ifndef PAGES_LEAD_FIELDS_H
#define PAGES_LEAD_FIELDS_H
/* What people and programs may say about a lead, checked. */
#include "http/request.h"

/**
 * The members of the body that are fields of a lead, as store/lead takes them; the phone in E.164.
 * Errors name the field and the mend. ${whole}: a phone must be there.
 */
struct value *lead_fields_read(struct request *rq, bool whole, struct error *e) MUST_USE;

#endif
