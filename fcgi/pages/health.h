#ifndef PAGES_HEALTH_H
#define PAGES_HEALTH_H
/* Is it alive, is it ready? For load balancers and watchdogs; the members are fixed by INTERFACES.
 */
#include "http/response.h"

handler health_alive; /* GET /health: without the database */
handler health_ready; /* GET /healthz: 503 where the database is away */

#endif
