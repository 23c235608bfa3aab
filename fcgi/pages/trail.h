#ifndef PAGES_TRAIL_H
#define PAGES_TRAIL_H
/* What people do goes into the audit log with who they are and whence. */
#include "http/request.h"

/** ${action}: "lead.archive"; the object reads "lead 7". ${detail} may be NULL. */
bool trail_add(struct request *rq, const char *action, const char *noun, int64_t id,
    const struct value *detail, struct error *e) MUST_USE;

#endif
