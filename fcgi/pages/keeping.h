#ifndef PAGES_KEEPING_H
#define PAGES_KEEPING_H
/* How long data is kept (a part of Settings), and the erasure of a person. */
#include "http/response.h"

handler keeping_save, keeping_erase_person;
/** Adds {keeping: [{name, label, help, days}]} to the model of Settings. */
bool keeping_model(struct request *rq, struct value *model, struct error *e) MUST_USE;

#endif
