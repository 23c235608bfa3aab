#ifndef PAGES_EVENTS_H
#define PAGES_EVENTS_H
/* GET /events: hints that something shown on pages has changed (pool "stream"). */
#include "http/stream.h"

handler events_open;
/** What http/stream asks for news: NOTIFY live. ${ctx} is the struct app. */
bool events_news(void *ctx);
int events_socket(void *ctx);

#endif
