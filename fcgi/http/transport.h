#ifndef HTTP_TRANSPORT_H
#define HTTP_TRANSPORT_H
/*
 * Where a request comes from and its answer goes: http/fcgi.c in a worker, a few strings in a test.
 */
#include <stdbool.h>
#include <stddef.h>

struct transport {
	const char *const
	    *params; /* "NAME=value" as CGI has them, ended by NULL; names may repeat */
	void *ctx;
	/** The next bytes of the body, at most ${n}; 0 at its end, -1 where the peer is gone. */
	ptrdiff_t (*read)(void *ctx, char *p, size_t n);
	/** False where the peer is gone. */
	bool (*write)(void *ctx, const char *p, size_t n);
	bool last;       /* set before the write that is an answer's last */
	bool stays_open; /* set by an answer that is a stream: more will be written later */
	bool cut;        /* set where an answer broke off: nobody may take it for whole */
};

#endif
