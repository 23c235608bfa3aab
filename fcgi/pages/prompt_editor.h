#ifndef PAGES_PROMPT_EDITOR_H
#define PAGES_PROMPT_EDITOR_H
/* What the page of one prompt shows: the text, a preview against a lead, versions and what changed.
 */
#include "http/response.h"
#include "store/prompt.h"

enum {
	PROMPT_BODY_MOST = 16000, /* bytes; leaves room for values below RENDER_MOST */
	PROMPT_LINE_MOST = 1000   /* of the first sentence, and of the voicemail message */
};

/** What a form or an API client sent; what is absent stays as in ${old} (may be NULL). The API may
 * call the body "text" or "content" too. */
struct prompt prompt_typed(struct request *rq, const struct value *old);
/** ERR_INVALID naming the field that is empty, too long or cannot be filled in. */
bool prompt_check(struct request *rq, const struct prompt *p, struct error *e) MUST_USE;
/** The page's model: "prompt", "versions", "leads", "preview" (or "preview_error"), and "diff"
 * where ${version} is not the current one. ${typed} (may be NULL) is previewed instead of what is
 * stored. */
struct value *prompt_editor(struct request *rq, struct str name, int64_t version,
    const struct prompt *typed, struct error *e) MUST_USE;
/** Adds "leads", "lead_id" and "preview" or "preview_error" to ${model}, for the lead that ?lead=
 * names, else the newest. */
bool prompt_preview(
    struct request *rq, const struct prompt *p, struct value *model, struct error *e) MUST_USE;

#endif
