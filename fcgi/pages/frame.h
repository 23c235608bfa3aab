#ifndef PAGES_FRAME_H
#define PAGES_FRAME_H
/*
 * What every page shows around its own content: navigation with counts of what needs a person, the
 * sandbox banner, and the campaigns under way with their buttons. app.frame of trunkline-web; never
 * called for JSON.
 */
#include "http/request.h"

/** Adds nav, bell (alerts that nobody has acknowledged), viewer, sandbox, running, path and now to
 * ${model}. One query; where it fails the page is shown without counts. */
void frame_fill(struct request *rq, struct value *model);

#endif
