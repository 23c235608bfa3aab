#ifndef PAGES_DASHBOARD_H
#define PAGES_DASHBOARD_H
/* The first page: is it running, what came of it, who needs me, what next? */
#include "http/response.h"

handler dashboard_show;

#endif
