#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H
/*
 * Server-sent events for many viewers from one process and one thread: each viewer is an accepted
 * request that stays open, all of them and the source of news stand in one poll set. A worker of
 * the other pools would be held by a single viewer. Viewers get a hint ("event: live") when there
 * is news, a ping every 15 s, and are let go after a minute: the browser comes again, and is
 * authenticated again.
 */
#include "http/route.h"

enum { STREAM_VIEWERS_MAX = 400, STREAM_SECONDS = 60, STREAM_PING_SECONDS = 15 };

struct stream_source {
	void *ctx;
	bool (*news)(void *ctx);  /* true where something happened since the last question */
	int (*socket)(void *ctx); /* readable when it is worth to ask; -1 where there is none */
};

/** For handlers: the answer is a stream. */
bool stream_open(struct request *rq, struct response *rs);
/** Serves until asked to stop. A request whose answer is no stream ends as usual. */
int stream_serve(struct app *app, const struct route *table, size_t n, int signals,
    const struct stream_source *source);

#endif
