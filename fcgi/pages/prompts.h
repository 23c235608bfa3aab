#ifndef PAGES_PROMPTS_H
#define PAGES_PROMPTS_H
/* /prompts: list, editor with a preview against a real lead, versions. */
#include "http/response.h"

bool prompts_list(struct request *rq, struct response *rs, struct error *e);
bool prompts_new(struct request *rq, struct response *rs, struct error *e);
bool prompts_create(struct request *rq, struct response *rs, struct error *e);
bool prompts_show(struct request *rq, struct response *rs, struct error *e);
bool prompts_save(struct request *rq, struct response *rs, struct error *e);
bool prompts_remove(struct request *rq, struct response *rs, struct error *e);
bool prompts_restore(struct request *rq, struct response *rs, struct error *e);
/** Answers a piece of HTML: the text as the chosen lead would hear it. For the script. */
bool prompts_preview(struct request *rq, struct response *rs, struct error *e);
/** The same within the whole page, with what was typed: for browsers without scripts. */
bool prompts_try(struct request *rq, struct response *rs, struct error *e);

#endif
