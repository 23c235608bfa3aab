#ifndef PAGES_CAMPAIGNS_H
#define PAGES_CAMPAIGNS_H
/* /campaigns: list, wizard, review, detail and their buttons; and /start, /stop for the short way.
 */
#include "http/response.h"

/* campaigns.c */
bool campaigns_list(struct request *rq, struct response *rs, struct error *e);
bool campaigns_show(struct request *rq, struct response *rs, struct error *e);
bool campaigns_leads(struct request *rq, struct response *rs, struct error *e);
/* campaign_edit.c */
bool campaigns_new(struct request *rq, struct response *rs, struct error *e);
bool campaigns_create(struct request *rq, struct response *rs, struct error *e);
bool campaigns_edit(struct request *rq, struct response *rs, struct error *e);
bool campaigns_save(struct request *rq, struct response *rs, struct error *e);
bool campaigns_review(struct request *rq, struct response *rs, struct error *e);
/* campaign_acts.c */
bool campaigns_start(struct request *rq, struct response *rs, struct error *e);
bool campaigns_pause(struct request *rq, struct response *rs, struct error *e);
bool campaigns_stop(struct request *rq, struct response *rs, struct error *e);
bool campaigns_archive(struct request *rq, struct response *rs, struct error *e);
bool dialing_start(struct request *rq, struct response *rs, struct error *e);
bool dialing_stop(struct request *rq, struct response *rs, struct error *e);

/** A campaign of everybody that ${import_id} (0: all pending leads) brought, started. For /start
 * and the import's page. Fills {campaign_id, queued, blocked} into ${model}. */
bool dialing_begin(
    struct request *rq, int64_t import_id, struct value *model, struct error *e) MUST_USE;
/** ERR_CONFLICT where no key is set and this is no sandbox. */
bool dialing_possible(struct request *rq, struct error *e) MUST_USE;
/** {value: "sentence"} of blocked and waiting reasons with counts, as a list for templates. */
struct value *campaign_reason_rows(struct arena *a, const struct value *counts);

#endif
