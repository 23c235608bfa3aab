#ifndef SANDBOX_ACCEPT_PHONE_H
#define SANDBOX_ACCEPT_PHONE_H
/* The original's idea of a telephone number. */
#include "sandbox/accept.h"

/** NULL and ${r} where it is refused: >15 or <7 digits, bad characters, no country code. */
const char *accept_phone(struct arena *a, struct str number, struct refusal *r);

#endif
