#ifndef HTTP_PING_H
#define HTTP_PING_H
/* Asks a pool of workers through its socket whether it answers, as nginx would; for whoever
 * replaces workers. */
#include <stdbool.h>

#include "base/error.h"

/** True where GET /healthz is answered with 200 within ${timeout_ms}. */
bool ping(const char *socket_path, int timeout_ms, struct error *e) MUST_USE;

#endif
