#ifndef NET_PEEK_H
#define NET_PEEK_H
/* A look at our own site as a browser sees it: whether it answers, and until when its certificate
 * is good, which is not always what lies on the disk. */
#include "base/str.h"

struct peek {
	int status;         /* of HTTP */
	int64_t expires_at; /* microseconds; 0: no certificate, or it does not say */
	bool trusted;       /* by this machine's list of authorities, and for this name */
};

/** GET ${url}. ${host} (NULL: as the name says) is connected to instead, such as "127.0.0.1". The
 * certificate is looked at, never refused. ERR_UNAVAILABLE where nothing answers. */
bool peek(
    const char *url, const char *host, int timeout_ms, struct peek *out, struct error *e) MUST_USE;

#endif
