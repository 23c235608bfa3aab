#ifndef HOOKS_BLAND_H
#define HOOKS_BLAND_H
/* POST /webhook and /webhooks/bland: verify → store → apply → answer, in one database round trip
 * for all that come at the same time (hooks/batch.h). */
#include "http/response.h"

bool bland_hook(struct request *rq, struct response *rs, struct error *e);

#endif
