#ifndef HTTP_GATHER_H
#define HTTP_GATHER_H
/*
 * The loop of a FastCGI worker whose requests are cheap alone and much cheaper together: it takes
 * all requests that are there, lets each say what it wants (its handler), does that for all of them
 * in one go (app.apply_begin, apply_end), and answers each (request.then). While the database works
 * on those, the next ones are gathered; so under load the batches grow by themselves, and a request
 * that comes alone waits for nobody.
 */
#include "http/route.h"

/** As fcgi_serve. */
int gather_serve(struct app *app, const struct route *table, size_t n, int signals, int64_t most);

#endif
