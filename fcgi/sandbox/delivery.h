#ifndef SANDBOX_DELIVERY_H
#define SANDBOX_DELIVERY_H
/*
 * Posting to the webhook addresses, like a sender that promises at least once: anything but a 2xx
 * is tried again after 0.5, 1, 2, 4, 8 and 16 seconds of real time, then given up. Broken, forged
 * and stray reports and in-call events get one try. Bodies are made when they are sent, so what
 * waits costs little.
 */
#include "sandbox/calls.h"

struct deliveries;

/** ${ca_file} and ${secret} "" for none; borrowed. */
struct deliveries *deliveries_new(const char *ca_file, const char *secret);
void deliveries_free(struct deliveries *d);
/** Drops what waits and what is on its way. */
void deliveries_clear(struct deliveries *d);
/** Sends ${first}, and ${then} (REPORT_NONE for none) a moment after that came to an end. */
void deliveries_send(struct sandbox *s, struct call *c, enum report first, enum report then);
/**
 * Moves transfers on, then sleeps until something happens on them or on ${fds}, at most ${wait_ms}.
 */
void deliveries_run(struct sandbox *s, const int *fds, unsigned n_fds, int64_t wait_ms);

#endif
