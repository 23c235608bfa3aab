#ifndef HTTP_VIEW_H
#define HTTP_VIEW_H
/* From a model to the bytes of an answer: a template for browsers, the very same model as JSON. */
#include "http/response.h"

/** Renders template ${page} with ${model} and what every page needs: csrf, notice, assets and,
 * where
 * ${framed}, what app.frame adds. */
bool view_page(struct request *rq, struct response *rs, const char *page, struct value *model,
    bool framed, struct error *e) MUST_USE;
void view_json(struct request *rq, struct response *rs, const struct value *model);
/** The answer to a failure, in the form that the client understands. What is our own mistake or the
 * database's message stays in the log. */
void view_error(struct request *rq, struct response *rs, const struct error *e);
/** A form again, with what was typed and what is wrong with it; see response_form. */
bool view_form(struct request *rq, struct response *rs, bool framed, const struct error *why,
    struct error *e) MUST_USE;

/** {"app_css": "/static/app.<hash>.css", …} from ${dir}/manifest, or from the files themselves. */
struct value *view_assets(struct arena *a, const char *dir);

#endif
