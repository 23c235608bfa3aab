#ifndef PAGES_EVENT_LOG_H
#define PAGES_EVENT_LOG_H
/* /event-log: what providers sent, raw, with the verdict on its signature and what was made of it.
 */
#include "http/response.h"

bool event_log_list(struct request *rq, struct response *rs, struct error *e);
bool event_log_show(struct request *rq, struct response *rs, struct error *e);
/** Reads the stored body again and applies what it says. */
bool event_log_replay(struct request *rq, struct response *rs, struct error *e);

#endif
