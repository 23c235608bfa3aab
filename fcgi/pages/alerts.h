#ifndef PAGES_ALERTS_H
#define PAGES_ALERTS_H
/* /alerts: what needs a person, and what did; whom to tell of it (POST /settings/alerts). */
#include "http/response.h"

bool alerts_list(struct request *rq, struct response *rs, struct error *e);
bool alerts_resolve(struct request *rq, struct response *rs, struct error *e);
bool alerts_acknowledge(struct request *rq, struct response *rs, struct error *e);

/** Stores whom to tell, or ("test" set) tells them something. */
bool alerts_tell(struct request *rq, struct response *rs, struct error *e);
/** Adds alert_ways {webhook_set, webhook_hint, email, email_typed} to the model of /settings.
 * ${stored}: as setting_list gives it. */
bool alerts_ways(
    struct request *rq, struct value *model, const struct value *stored, struct error *e) MUST_USE;

#endif
