#ifndef PAGES_DASHBOARD_H
#define PAGES_DASHBOARD_H
/* The first page: is it running, what came of it, who needs me, what next? */
#include "http/response.h"

handler dashboard_show;

/** The progress bar of a tally (tally_campaign): [{status, label, count, x, width}] of 1000. */
struct value *dashboard_segments(struct arena *a, const struct value *tally);

#endif
