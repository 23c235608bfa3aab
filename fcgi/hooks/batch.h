#ifndef HOOKS_BATCH_H
#define HOOKS_BATCH_H
/*
 * What many webhooks want is done in one transaction. A handler reads its request and leaves the
 * event (batch_add); the functions for struct app store and apply all of them; then the handler's
 * second half asks what became of its own.
 */
#include "http/response.h"
#include "store/event.h"

/** ${ev} is to be received; its strings live as long as the request. */
void batch_add(struct request *rq, const struct event *ev);
/** For app.apply_begin and so on, on a connection of their own, so that the handlers have
 * theirs meanwhile. What cannot be asked in two steps, or is not answered, is asked once more in
 * one: an event that was received is known again. Where the whole fails, each event is tried alone,
 * so that one that the database will not take does no harm to its neighbours. */
void batch_begin(struct app *app, struct request *const *rqs, size_t n);
void batch_end(struct app *app, struct request *const *rqs, size_t n);
int batch_socket(struct app *app);
bool batch_ready(struct app *app);
/** Connects for it, or later where the database is away; until then all is done in one step. ${url}
 * lives as long as the process. */
void batch_open(const char *url, int statement_timeout_ms);
void batch_close(void);
/** The event's verdict, see event_receive; false and why where it was not received. ${ev} and its
 * report are as they were added. */
bool batch_verdict(
    const struct request *rq, const struct event **ev, const char **verdict, struct error *e);

#endif
