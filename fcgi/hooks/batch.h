#ifndef HOOKS_BATCH_H
#define HOOKS_BATCH_H
/*
 * What many webhooks want is done in one transaction. A handler reads its request and leaves the
 * event (batch_add); hooks_apply, which is app.apply of the pool, stores and applies all of them;
 * then the handler's second half asks what became of its own.
 */
#include "http/response.h"
#include "store/event.h"

/** ${ev} is to be received; its strings live as long as the request. */
void batch_add(struct request *rq, const struct event *ev);
/** For app.apply. Where the whole fails, each event is tried alone, so that one that the database
 * will not take does no harm to its neighbours. */
void batch_apply(struct app *app, struct request *const *rqs, size_t n);
/** The event's verdict, see event_receive; false and why where it was not received. ${ev} and its
 * report are as they were added. */
bool batch_verdict(
    const struct request *rq, const struct event **ev, const char **verdict, struct error *e);

#endif
