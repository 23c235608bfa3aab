#ifndef PAGES_CALLS_H
#define PAGES_CALLS_H
/* Calls: the list (and GET /api/calls as scripts know it), one call, and what a person does about a
 * call that may or may not have been placed. */
#include "http/response.h"

handler calls_list, calls_show, calls_ask, calls_resolve;

/** Marks each of the call's turns for the page: is_agent, or not. */
void calls_turns(struct arena *a, struct value *call);

#endif
