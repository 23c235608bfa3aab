#ifndef PAGES_LEADS_H
#define PAGES_LEADS_H
/* The list of leads: search, filters, what is done to many at once, and the download. One lead:
 * lead.h. */
#include "http/response.h"

handler leads_list, leads_bulk;
/** GET /leads.csv with the list's filters (leads_csv.c). */
handler leads_csv;

/** The filters of the URL as sql/functions/lead_page.sql takes them; NULL + ERR_INVALID where one
 * is unknown. */
struct value *leads_filter(const struct request *rq, struct error *e) MUST_USE;

#endif
