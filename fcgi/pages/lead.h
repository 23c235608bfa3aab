#ifndef PAGES_LEAD_H
#define PAGES_LEAD_H
/* One lead: who it is, whether it may be called, all that happened, and what a person can do about
 * it. */
#include "http/response.h"

handler lead_show, lead_new, lead_create, lead_save, lead_remove;
handler lead_note_add, lead_archive_toggle, lead_suppress, lead_contact;
/** What the page shows. */
struct value *lead_model(struct request *rq, struct error *e) MUST_USE;
/* lead_consents.c */
handler lead_consents, lead_consent_add;
/** Records consent to be called (or its withdrawal) for one lead, now, in words of where it comes
 * from. */
bool lead_consent_record(
    struct request *rq, int64_t id, bool granted, struct str source, struct error *e) MUST_USE;

#endif
