#ifndef HTTP_PEER_H
#define HTTP_PEER_H
/* One accepted FastCGI request, for http/fcgi.c and http/stream.c only. */
#include <fcgiapp.h>

#include "http/transport.h"

struct peer {
	FCGX_Request request;
	struct transport transport;
};

enum peer_accept { PEER_ACCEPTED, PEER_NONE, PEER_BROKEN };

/** Once a process, after fcgi_signals. False where the library fails. */
bool peer_library(void);
/** For ${p} in its first and final place: the transport points into it. */
void peer_init(struct peer *p);
/** PEER_NONE: another worker was faster. Reads and writes give up after ${seconds}. */
enum peer_accept peer_accept(struct peer *p, int seconds);
/** Ends the answer and closes the connection. */
void peer_finish(struct peer *p);

#endif
