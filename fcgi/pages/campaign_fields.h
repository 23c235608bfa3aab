#ifndef PAGES_CAMPAIGN_FIELDS_H
#define PAGES_CAMPAIGN_FIELDS_H
/* The fields of a campaign, from a form or JSON to the map that campaign_put takes. */
#include "http/request.h"

/** Reads what the request has. With ${fresh} the defaults of a new campaign are filled in (in the
 * sandbox: all day, short waits). *widened: the hours go beyond 08:00 to 21:00, which only an
 * administrator may do. ERR_INVALID names the field, ERR_FORBIDDEN. */
struct value *campaign_fields(
    struct request *rq, bool fresh, bool *widened, struct error *e) MUST_USE;
/** "HH:MM" (or 24:00) to minutes; -1 where it is none. */
int campaign_minutes(struct str s);
/** Sets window_start, window_end and window_wide in ${fields}; see above. */
bool campaign_window(struct request *rq, struct value *fields, struct str start, struct str end,
    bool *widened, struct error *e) MUST_USE;

#endif
