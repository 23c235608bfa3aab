#ifndef HTTP_FCGI_H
#define HTTP_FCGI_H
/*
 * The loop of a FastCGI worker; the listening socket is file descriptor 0. Signals are blocked and
 * come through a descriptor, because libfcgi takes an interrupted read for the end of a request.
 * TERM, INT, HUP, USR1 and USR2 all mean: finish what you hold, then end.
 */
#include "http/route.h"

/** Blocks the signals; returns the descriptor on which they arrive. To be called before anything
 * else. */
int fcgi_signals(void);
/** Serves until asked to stop or until ${most} requests (0: no end). The exit status of the
 * process. */
int fcgi_serve(struct app *app, const struct route *table, size_t n, int signals, int64_t most);

#endif
