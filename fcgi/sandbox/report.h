#ifndef SANDBOX_REPORT_H
#define SANDBOX_REPORT_H
/* A call as JSON: what GET answers, what lists show, what is posted to the webhook address. */
#include "sandbox/calls.h"

/** The object of GET /v1/calls/{id}. */
struct value *report_object(struct arena *a, const struct call *c);
/** One row of GET /v1/calls. */
struct value *report_row(struct arena *a, const struct call *c);
/** One row of GET /v1/calls/active. */
struct value *report_active(struct arena *a, const struct call *c);
/** The bytes of a webhook. */
struct str report_body(struct arena *a, const struct call *c, enum report kind);
/** Seconds that the talk lasted (of the story); less than c->talk where it was stopped. */
double report_seconds(const struct call *c);
/** US dollars, in micro-dollars. */
int64_t report_price(const struct call *c);

#endif
