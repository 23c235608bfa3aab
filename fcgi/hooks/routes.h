#ifndef HOOKS_ROUTES_H
#define HOOKS_ROUTES_H
/* Where providers send their events; the rows of pool "hook", see http/route.h. */
#include "http/route.h"

const struct route *routes_hook(size_t *n);

#endif
