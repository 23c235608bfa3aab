#ifndef PAGES_ROUTES_H
#define PAGES_ROUTES_H
/*
 * The URL surface: one row per method and path, see http/route.h. Webhooks stand in hooks/routes.c,
 * because another pool serves them.
 */
#include "http/route.h"

/** Health checks, which every pool answers. */
const struct route *routes_health(size_t *n);
/** The rows of pool "web"; ${n} gets their number. */
const struct route *routes_web(size_t *n);
/** The rows of pool "stream". */
const struct route *routes_stream(size_t *n);

#endif
