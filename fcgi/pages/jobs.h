#ifndef PAGES_JOBS_H
#define PAGES_JOBS_H
/* Progress of what a page began and `trunkline jobs` goes on with (store/job.h). */
#include "base/value.h"

/** Adds "words" and "percent" to each of ${jobs}, as templates/partials/jobs.mustache shows them.
 */
void jobs_words(struct arena *a, struct value *jobs);

#endif
