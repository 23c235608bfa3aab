#ifndef PAGES_METRICS_H
#define PAGES_METRICS_H
/*
 * /metrics in the text format of Prometheus (version 0.0.4): what the pools have answered, and the
 * state of the queue. For this machine itself, and for who brings METRICS_TOKEN as a bearer token.
 */
#include "http/response.h"

bool metrics_show(struct request *rq, struct response *rs, struct error *e);

#endif
