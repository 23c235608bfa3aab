#ifndef PAGES_SUPPRESSIONS_H
#define PAGES_SUPPRESSIONS_H
/* The do-not-contact list. */
#include "http/response.h"

handler suppressions_list, suppressions_add, suppressions_remove;

#endif
