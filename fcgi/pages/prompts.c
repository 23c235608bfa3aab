#include "pages/prompts.h"

#include "base/clock.h"
#include "pages/trail.h"
#include "rules/render.h"
#include "store/prompt.h"
#include "store/setting.h"

enum { MOST_BODY = 20000, ADVISED = 2000, MOST_LINE = 1000 };

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
		good = good && ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
				   s.p[i] == '-' || s.p[i] == '_');
	return good || error_field(e, "name",
			   "A name has small letters, digits, - and _, such as \"spring-offer\"; at most 63.");
}

/* The text as the lead would hear it, and what is missing. */
static bool
preview(struct request *rq, const struct prompt *p, const struct value *lead, struct value *model, struct error *e)
{
	struct arena *a = rq->arena;
	const char *rep =
	    setting_get(rq->app->db, a, &rq->app->config, rq->viewer->client_id, "rep", e);
	if (!rep)
		return false;
	struct value *values = render_values(a, lead ? lead : value_map(a), rep), *missing = value_list(a);
	const struct {
		const char *name;
		struct str text;
	} parts[] = {{"first_sentence", p->first_sentence}, {"body", p->body},
	    {"voicemail_message", p->voicemail_message}};
	struct value *shown = value_set(a, model, "preview", value_map(a));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct str out;
		struct error why = {0};
		if (!render_prompt(a, parts[i].text, values, p->defaults, &out, missing, &why))
			return error_field(e, parts[i].name, "%s", why.message);
		value_set(a, shown, parts[i].name, value_text(a, out));
		if (i == 1 && out.n > ADVISED)
			value_set(a, shown, "long", value_int(a, (int64_t)out.n));
	}
	value_set(a, shown, "missing", missing);
	if (lead)
		value_set(a, shown, "lead", (struct value *)lead);
	return true;
}

static struct prompt
read_form(struct request *rq, const struct value *old)
{
	struct prompt p = {.note = request_text(rq, "note")};
	p.body = request_has(rq, "body") ? request_text(rq, "body") : value_str(old, "body");
	p.first_sentence = request_has(rq, "first_sentence") ? request_text(rq, "first_sentence")
							      : value_str(old, "first_sentence");
	p.voicemail_message = request_has(rq, "voicemail_message") ? request_text(rq, "voicemail_message")
								    : value_str(old, "voicemail_message");
	const struct value *defaults = value_get(rq->body, "defaults");
	p.defaults = defaults && defaults->type == VALUE_MAP ? defaults : value_get(old, "defaults");
	return p;
}

static bool
check(struct request *rq, const struct prompt *p, struct error *e)
{
	struct value *scratch = value_map(rq->arena);
	if (!p->body.n)
		return error_field(e, "body", "The prompt needs a text.");
	if (p->body.n > MOST_BODY)
		return error_field(e, "body", "The text is too long: at most %d characters.", MOST_BODY);
	if (p->first_sentence.n > MOST_LINE)
		return error_field(e, "first_sentence", "At most %d characters.", MOST_LINE);
	if (p->voicemail_message.n > MOST_LINE)
		return error_field(e, "voicemail_message", "At most %d characters.", MOST_LINE);
	/* A text that cannot be filled in would pause the campaign later; it is better said now. */
	return preview(rq, p, NULL, scratch, e);
}

static struct value *
editor(struct request *rq, struct str name, int64_t version, struct error *e)
{
	struct db *db = rq->app->db;
	struct arena *a = rq->arena;
	int64_t client = rq->viewer->client_id, lead_id = 0;
	struct value *model = value_map(a), *prompt = prompt_find(db, a, client, name, version, e);
	if (!prompt)
		return NULL;
	value_set(a, model, "prompt", prompt);
	struct value *versions = prompt_versions(db, a, client, name, e);
	if (!versions)
		return NULL;
	value_set(a, model, "versions", versions);
	if (rq->json)
		return model;
	struct value *leads = prompt_sample_leads(db, a, client, e);
	if (!leads || !request_int(rq, "lead", 1, INT64_MAX, 0, &lead_id, e))
		return NULL;
	value_set(a, model, "leads", leads);
	value_set_bool(a, model, "old_version", version != 0);
	value_set_bool(a, model, "removable", !str_is(name, "default"));
	struct prompt p = {.body = value_str(prompt, "body"),
	    .first_sentence = value_str(prompt, "first_sentence"),
	    .voicemail_message = value_str(prompt, "voicemail_message"),
	    .defaults = value_get(prompt, "defaults")};
	struct error none = {0};
	struct value *lead = prompt_lead(db, a, client, lead_id, &none);
	if (!preview(rq, &p, lead, model, &none))
		value_set_text(a, model, "preview_error", arena_strdup(a, none.message));
	return model;
}

bool
prompts_show(struct request *rq, struct response *rs, struct error *e)
{
	int64_t version = 0;
	if (!request_int(rq, "version", 1, INT32_MAX, 0, &version, e))
		return false;
	rs->model = editor(rq, rq->names[0], version, e);
	return rs->model != NULL;
}

bool
prompts_new(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	value_set_bool(rq->arena, rs->model, "new", true);
	return true;
}

static bool
save(struct request *rq, struct response *rs, struct prompt *p, bool is_new, struct error *e)
{
	struct arena *a = rq->arena;
	int64_t version = 0, client = rq->viewer->client_id;
	if (!good_name(p->name, e) || !check(rq, p, e) ||
	    !prompt_save(rq->app->db, a, client, p, rq->viewer->user_id, clock_now(), &version, e))
		return false;
	struct value *detail = value_map(a);
	value_set(a, detail, "name", value_text(a, p->name));
	value_set_int(a, detail, "version", version);
	if (!trail_add(rq, is_new ? "prompt.create" : "prompt.save", "prompt", 0, detail, e))
		return false;
	struct value *prompt = prompt_find(rq->app->db, a, client, p->name, 0, e);
	if (!prompt)
		return false;
	rs->model = value_map(a);
	value_set(a, rs->model, "prompt", prompt);
	rs->status = is_new && rq->json ? 201 : 200;
	return response_redirect(rs, rq, arena_printf(a, "Saved as version %lld.", (long long)version),
	    "/prompts/%.*s", STR_ARG(p->name));
}

bool
prompts_create(struct request *rq, struct response *rs, struct error *e)
{
	struct value *form = value_map(rq->arena);
	struct error none = {0};
	struct prompt p = read_form(rq, NULL);
	p.name = request_text(rq, "name");
	value_set_bool(rq->arena, form, "new", true);
	response_form(rs, "prompt_new", form);
	if (prompt_find(rq->app->db, rq->arena, rq->viewer->client_id, p.name, 0, &none))
		return error_field(e, "name", "There is a prompt of this name already. Choose another, or edit that one.");
	return save(rq, rs, &p, true, e);
}

bool
prompts_save(struct request *rq, struct response *rs, struct error *e)
{
	struct error none = {0};
	const struct value *old =
	    prompt_find(rq->app->db, rq->arena, rq->viewer->client_id, rq->names[0], 0, &none);
	if (!old && none.kind != ERR_NOT_FOUND) {
		*e = none;
		return false;
	}
	struct prompt p = read_form(rq, old);
	p.name = rq->names[0];
	/* PUT makes what is not there yet; a form or PATCH changes what is. */
	if (!old && rq->method != PUT)
		return error_set(e, ERR_NOT_FOUND, "There is no prompt of this name.");
	if (old && !rq->json)
		response_form(rs, "prompt", editor(rq, p.name, 0, &none));
	return save(rq, rs, &p, !old, e);
}

bool
prompts_remove(struct request *rq, struct response *rs, struct error *e)
{
	struct value *detail = value_map(rq->arena);
	value_set(rq->arena, detail, "name", value_text(rq->arena, rq->names[0]));
	if (!prompt_archive(rq->app->db, rq->arena, rq->viewer->client_id, rq->names[0], clock_now(), e) ||
	    !trail_add(rq, "prompt.remove", "prompt", 0, detail, e))
		return false;
	return response_redirect(rs, rq, "The prompt was removed. Calls already made keep their text.", "/prompts");
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
	return save(rq, rs, &p, false, e);
}

bool
prompts_preview(struct request *rq, struct response *rs, struct error *e)
{
	int64_t lead_id = 0;
	struct error why = {0};
	struct prompt p = read_form(rq, NULL);
	if (!request_int(rq, "lead", 1, INT64_MAX, 0, &lead_id, e))
		return false;
	struct value *lead = prompt_lead(rq->app->db, rq->arena, rq->viewer->client_id, lead_id, &why);
	if (!lead && why.kind != ERR_NOT_FOUND) {
		*e = why;
		return false;
	}
	why = (struct error){0};
	if (!preview(rq, &p, lead, rs->model, &why)) {
		if (rq->json) {
			*e = why;
			return false;
		}
		value_set_text(rq->arena, rs->model, "preview_error", arena_strdup(rq->arena, why.message));
	}
	return true;
}
