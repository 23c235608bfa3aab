#ifndef NET_CLIENT_H
#define NET_CLIENT_H
/*
 * The only code that sends HTTP. One libcurl-multi loop: many exchanges at once in one thread.
 * A POST is never sent twice: fresh connection, no resend on a dead reused one (7.88 would do it
 * silently). The result says whether the provider may have seen it.
 */
#include "base/value.h"

struct client;

enum exchange_fate {
	FATE_ANSWERED, /* a whole HTTP answer came: see status */
	FATE_NOT_SENT, /* not a byte of it left, or of its body where it has one: safe to try again
			*/
	FATE_UNKNOWN,  /* bytes left, no whole answer: the provider may have acted */
};

struct exchange {
	/* filled by the caller */
	const char *method, *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	struct str body;
	int timeout_ms;
	int64_t
	    send_before; /* clock_monotonic: after it no body is sent any more; 0: no such limit */
	/* Asked just before the body leaves, NULL: at once. 0: now; else microseconds to wait
	 * before it is asked again. */
	int64_t (*gate)(void *ctx);
	/* ${url} was typed in by somebody: only addresses of the public internet are connected to,
	 * whatever its name means (net/address.h). */
	bool guarded;
	bool plain_ok; /* plain http may leave this machine */
	void (*done)(struct exchange *x, void *ctx);
	void *ctx;
	/* filled by the client before done is called */
	enum exchange_fate fate;
	int status;
	struct str answer;      /* at most 8 MiB, on the arena given to client_send */
	int64_t retry_after_ms; /* from Retry-After, or -1 */
	const char *problem;    /* for people, where fate is not FATE_ANSWERED */
	int64_t took_us;
};

/** ${ca_file} "" = the system's. Ends with client_close. */
struct client *client_open(const char *ca_file, struct error *e) MUST_USE;
void client_close(struct client *c);
/** Starts ${x}, which must live until done was called. */
bool client_send(struct client *c, struct arena *a, struct exchange *x, struct error *e) MUST_USE;
/** Drives all exchanges; waits at most ${timeout_ms} for them or for ${fds} to become readable.
 * Returns the number of exchanges still under way. done functions run inside. */
int client_drive(struct client *c, const int *fds, int nfds, int timeout_ms);
/** One exchange, blocking; for "test this key" and look-ups. */
bool client_once(struct client *c, struct arena *a, struct exchange *x, struct error *e) MUST_USE;

#endif
