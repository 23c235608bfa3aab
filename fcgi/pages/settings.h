#ifndef PAGES_SETTINGS_H
#define PAGES_SETTINGS_H
/* /settings: keys (sealed, shown masked), voice, limits; /audit. */
#include "http/response.h"

bool settings_show(struct request *rq, struct response *rs, struct error *e);
bool settings_save(struct request *rq, struct response *rs, struct error *e);
bool settings_key(struct request *rq, struct response *rs, struct error *e);
/** Asks the provider about the account behind the key. */
bool settings_test(struct request *rq, struct response *rs, struct error *e);
/** Lifts a stop of the provider, after its cause was mended. */
bool settings_resume(struct request *rq, struct response *rs, struct error *e);
/** What the page shows; for forms on it that are handled elsewhere. */
struct value *settings_model(struct request *rq, struct error *e) MUST_USE;
bool audit_list(struct request *rq, struct response *rs, struct error *e);

#endif
