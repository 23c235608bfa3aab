#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H
/*
 * A stand-in for the voice provider: speaks its wire format, plays calls in compressed time, posts
 * signed reports, and by the last two digits of a number misbehaves (sandbox/behaviour.h). It is an
 * outside company as far as the product is concerned: it shares nothing with it but base/.
 *
 * One thread, one loop (sandbox.c): libmicrohttpd's epoll descriptor, libcurl's transfers and the
 * timers take turns, so nothing here needs a lock.
 *
 * Time: a story's second lasts 1/20 s, divided by --speed. A talk of two minutes is over in six
 * seconds; durations and prices in reports are those of the story, timestamps are real.
 */
#include "base/value.h"

struct options {
	const char *host; /* a loopback address */
	int port;         /* 0: any free one */
	const char *ledger_path;
	double speed;
	uint64_t seed;
	bool http_webhooks;  /* plain http to this machine is taken as a webhook address */
	size_t keep;         /* finished calls beyond this number are forgotten, oldest first */
	const char *api_key; /* "" : any key but "bad" */
	const char *webhook_secret; /* "" : reports are not signed */
	const char *ca_file;        /* "" : the system's */
	bool remember; /* calls outlive the process: the ledger holds what was asked for */
};

/* What every call suffers, whatever its number: POST /sandbox/faults. */
struct fault {
	const struct fault_mode *mode; /* NULL: none */
	int64_t until_ms;              /* on the clock of sandbox_now; 0: until changed */
};

struct sandbox {
	struct options o;
	struct timers *timers;
	struct calls *calls;
	struct ledger *ledger;
	struct deliveries *deliveries;
	struct server *server;
	struct fault fault, hooks; /* of requests, and of reports */
};

/** Milliseconds; only differences mean anything. */
int64_t sandbox_now(void);
/** Real milliseconds that ${seconds} of a story last. */
int64_t sandbox_lasts(const struct sandbox *s, double seconds);
/** Forgets calls, numbers, counters, faults, reports on their way and connections kept waiting. */
void sandbox_reset(struct sandbox *s);

#endif
