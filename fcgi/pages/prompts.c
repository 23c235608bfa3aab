#include "pages/prompts.h"

#include "base/clock.h"
#include "pages/prompt_editor.h"
#include "pages/trail.h"

bool
prompts_list(struct request *rq, struct response *rs, struct error *e)
{
	struct value *prompts = prompt_list(rq->app->db, rq->arena, rq->viewer->client_id, e);
	if (!prompts)
		return false;
	value_set(rq->arena, rs->model, "prompts", prompts);
	value_set(rq->arena, rs->model, "next", value_null(rq->arena));
	return true;
}

static bool
good_name(struct str s, struct error *e)
{
	bool good = s.n > 0 && s.n <= 63 && s.p[0] != '-' && s.p[0] != '_';
	for (size_t i = 0; i < s.n; i++)
		good =
		    good && ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
				s.p[i] == '-' || s.p[i] == '_');
	/* These are addresses of pages. */
	if (str_is(s, "new") || str_is(s, "preview"))
		return error_field(
		    e, "name", "\"%.*s\" cannot be used as a name. Choose another.", STR_ARG(s));
	return good ||
	       error_field(e, "name",
		   "A name has small letters, digits, - and _, such as \"spring-offer\"; at most 63.");
}

/* The prompt as API clients get it: its members, and its versions where they are known. */
static struct value *
answer(struct arena *a, struct value *prompt, struct value *versions)
{
	if (versions)
		value_set(a, prompt, "versions", versions);
	return prompt;
}

bool
prompts_show(struct request *rq, struct response *rs, struct error *e)
{
	int64_t version = 0;
	if (!request_int(rq, "version", 1, INT32_MAX, 0, &version, e))
		return false;
	struct value *model = prompt_editor(rq, rq->names[0], version, NULL, e);
	if (!model)
		return false;
	rs->model =
	    rq->json ? answer(rq->arena, value_get(model, "prompt"), value_get(model, "versions"))
		     : model;
	return true;
}

bool
prompts_new(struct request *rq, struct response *rs, struct error *e)
{
	const struct prompt empty = {0};
	return prompt_preview(rq, &empty, rs->model, e);
}

static bool
save(struct request *rq, struct response *rs, struct prompt *p, const struct value *old,
    struct error *e)
{
	struct arena *a = rq->arena;
	int64_t version = 0, client = rq->viewer->client_id;
	if (!good_name(p->name, e) || !prompt_check(rq, p, e) ||
	    !prompt_save(rq->app->db, a, client, p, rq->viewer->user_id, clock_now(), &version, e))
		return false;
	bool changed = !old || version != value_num(old, "current_version");
	struct value *detail = value_map(a);
	value_set(a, detail, "name", value_text(a, p->name));
	value_set_int(a, detail, "version", version);
	if (changed &&
	    !trail_add(rq, old ? "prompt.save" : "prompt.create", "prompt", 0, detail, e))
		return false;
	rs->model = prompt_find(rq->app->db, a, client, p->name, 0, e);
	if (!rs->model)
		return false;
	rs->status = !old && rq->json ? 201 : 0;
	const char *notice = changed ? arena_printf(a, "Saved as version %lld.", (long long)version)
				     : "Nothing had changed, so there is no new version.";
	return response_redirect(rs, rq, notice, "/prompts/%.*s", STR_ARG(p->name));
}

bool
prompts_create(struct request *rq, struct response *rs, struct error *e)
{
	struct error none = {0};
	struct prompt p = prompt_typed(rq, NULL);
	p.name = request_text(rq, "name");
	if (!rq->json) {
		struct value *form = value_map(rq->arena);
		if (!prompt_preview(rq, &p, form, e))
			return false;
		response_form(rs, "prompt_new", form);
	}
	if (prompt_find(rq->app->db, rq->arena, rq->viewer->client_id, p.name, 0, &none))
		return error_code(e, ERR_CONFLICT, "name_taken",
		    "There is a prompt of this name already. Choose another name, or edit that one.");
	return save(rq, rs, &p, NULL, e);
}

/* The form says which version it was filled from: what somebody saved meanwhile is not overwritten
 * unseen. */
static bool
is_fresh(struct request *rq, const struct value *old, struct error *e)
{
	int64_t from = 0, current = value_num(old, "current_version");
	if (!request_int(rq, "from_version", 1, INT32_MAX, 0, &from, e))
		return false;
	return !from || from == current ||
	       error_code(e, ERR_CONFLICT, "changed_meanwhile",
		   "Somebody saved version %lld while you were writing. Look at it below; saving again makes yours "
		   "the current one.",
		   (long long)current);
}

bool
prompts_save(struct request *rq, struct response *rs, struct error *e)
{
	struct str name = rq->names[0];
	struct error none = {0};
	const struct value *old =
	    prompt_find(rq->app->db, rq->arena, rq->viewer->client_id, name, 0, &none);
	/* PUT makes what is not there yet; a form or PATCH changes what is. */
	if (!old && (none.kind != ERR_NOT_FOUND || rq->method != PUT)) {
		*e = none;
		return false;
	}
	struct prompt p = prompt_typed(rq, old);
	p.name = name;
	if (old && !rq->json) {
		struct value *form = prompt_editor(rq, name, 0, &p, e);
		if (!form)
			return false;
		response_form(rs, "prompt", form);
	}
	return (!old || is_fresh(rq, old, e)) && save(rq, rs, &p, old, e);
}

bool
prompts_remove(struct request *rq, struct response *rs, struct error *e)
{
	struct value *detail = value_map(rq->arena);
	value_set(rq->arena, detail, "name", value_text(rq->arena, rq->names[0]));
	if (!prompt_archive(
		rq->app->db, rq->arena, rq->viewer->client_id, rq->names[0], clock_now(), e) ||
	    !trail_add(rq, "prompt.remove", "prompt", 0, detail, e))
		return false;
	value_set_bool(rq->arena, rs->model, "removed", true);
	return response_redirect(
	    rs, rq, "The prompt was removed. Calls already made keep their text.", "/prompts");
}

bool
prompts_restore(struct request *rq, struct response *rs, struct error *e)
{
	int64_t version = 0;
	if (!request_int(rq, "version", 1, INT32_MAX, 0, &version, e))
		return false;
	if (!version)
		return error_field(e, "version", "Say which version to restore.");
	const struct value *old =
	    prompt_find(rq->app->db, rq->arena, rq->viewer->client_id, rq->names[0], version, e);
	if (!old)
		return false;
	const char *note = arena_printf(rq->arena, "Version %lld again", (long long)version);
	struct prompt p = {.name = rq->names[0],
	    .body = value_str(old, "body"),
	    .first_sentence = value_str(old, "first_sentence"),
	    .voicemail_message = value_str(old, "voicemail_message"),
	    .defaults = value_get(old, "defaults"),
	    .note = str_of(note)};
	return save(rq, rs, &p, old, e);
}

bool
prompts_preview(struct request *rq, struct response *rs, struct error *e)
{
	struct prompt p = prompt_typed(rq, NULL);
	return prompt_preview(rq, &p, rs->model, e);
}

bool
prompts_try(struct request *rq, struct response *rs, struct error *e)
{
	struct prompt p = prompt_typed(rq, NULL);
	if (rq->names[0].n)
		rs->model = prompt_editor(rq, rq->names[0], 0, &p, e);
	else if (!prompt_preview(rq, &p, rs->model, e))
		return false;
	if (rs->model)
		value_set(rq->arena, rs->model, "typed", rq->body);
	return rs->model;
}
