#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H
/* Our own routes, under /sandbox/: for tests and operators, from this machine only. */
#include "sandbox/exchange.h"

void control_ledger(struct exchange *x, struct str id);
void control_reset(struct exchange *x, struct str id);
void control_faults(struct exchange *x, struct str id);
void control_health(struct exchange *x, struct str id);

#endif
