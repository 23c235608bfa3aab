#include "pages/prompt_editor.h"

#include "rules/diff.h"
#include "rules/render.h"
#include "store/setting.h"

/* Browsers send line ends as CR LF; kept so, a text would differ from itself. */
static struct str
without_cr(struct arena *a, struct str s)
{
	struct buf b;
	if (str_chr(s, '\r') == s.n)
		return s;
	buf_init(&b, a);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			buf_putc(&b, (char)(s.p[i] == '\r' ? '\n' : s.p[i]));
	return buf_view(&b);
}

static struct str
field(struct request *rq, const char *name, const struct value *old)
{
	return request_has(rq, name) ? without_cr(rq->arena, request_text(rq, name))
				     : value_str(old, name);
}

struct prompt
prompt_typed(struct request *rq, const struct value *old)
{
	struct prompt p = {.body = field(rq, "body", old),
	    .first_sentence = field(rq, "first_sentence", old),
	    .voicemail_message = field(rq, "voicemail_message", old),
	    .note = request_text(rq, "note")};
	if (!request_has(rq, "body") && request_has(rq, "text"))
		p.body = field(rq, "text", NULL);
	else if (!request_has(rq, "body") && request_has(rq, "content"))
		p.body = field(rq, "content", NULL);
	const struct value *defaults = value_get(rq->body, "defaults");
	p.defaults =
	    defaults && defaults->type == VALUE_MAP ? defaults : value_get(old, "defaults");
	return p;
}

/* The three texts as one lead would hear them, in order. */
struct part {
	const char *name;
	struct str text;
};

static bool
render_parts(struct arena *a, const struct prompt *p, const struct value *values,
    struct value *shown, struct value *missing, struct error *e)
{
	const struct part parts[] = {{"first_sentence", p->first_sentence}, {"body", p->body},
	    {"voicemail_message", p->voicemail_message}};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct str out;
		struct error why = {0};
		if (!render_prompt(a, parts[i].text, values, p->defaults, &out, missing, &why))
			return error_field(e, parts[i].name, "%s", why.message);
		value_set(a, shown, parts[i].name, value_text(a, out));
		if (i == 1 && out.n > RENDER_ADVISED)
			value_set_int(a, shown, "long", (int64_t)out.n);
	}
	return true;
}

bool
prompt_check(struct request *rq, const struct prompt *p, struct error *e)
{
	struct arena *a = rq->arena;
	if (!p->body.n)
		return error_field(e, "body", "The prompt needs a text.");
	if (p->body.n > PROMPT_BODY_MOST)
		return error_field(e, "body", "The text is too long: %zu bytes; %d are possible.",
		    p->body.n, PROMPT_BODY_MOST);
	if (p->first_sentence.n > PROMPT_LINE_MOST)
		return error_field(e, "first_sentence",
		    "The first sentence is too long: at most %d bytes.", PROMPT_LINE_MOST);
	if (p->voicemail_message.n > PROMPT_LINE_MOST)
		return error_field(e, "voicemail_message",
		    "The message is too long: at most %d bytes.", PROMPT_LINE_MOST);
	if (p->note.n > PROMPT_LINE_MOST)
		return error_field(
		    e, "note", "The note is too long: at most %d bytes.", PROMPT_LINE_MOST);
	/* A text that cannot be filled in would pause the campaign later; it is better said now. */
	return render_parts(a, p, value_map(a), value_map(a), NULL, e);
}

/* The lead that was asked for, else the newest; NULL where there is none. */
static bool
find_lead(struct request *rq, struct value **lead, struct error *e)
{
	struct error none = {0};
	int64_t id = 0;
	if (!request_int(rq, "lead", 1, INT64_MAX, 0, &id, e))
		return false;
	*lead = prompt_lead(rq->app->db, rq->arena, rq->viewer->client_id, id, &none);
	if (!*lead && none.kind != ERR_NOT_FOUND)
		return error_set(e, none.kind, "%s", none.message);
	return true;
}

/* The leads to choose from; one from further back is added, so that the choice is kept. */
static struct value *
choices(struct request *rq, struct value *lead, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *leads = prompt_sample_leads(rq->app->db, a, rq->viewer->client_id, e);
	bool there = !lead;
	for (size_t i = 0; leads && i < leads->list.n; i++) {
		struct value *row = leads->list.items[i];
		bool chosen = lead && value_num(row, "id") == value_num(lead, "id");
		value_set_bool(a, row, "chosen", chosen);
		there = there || chosen;
	}
	if (leads && !there) {
		value_set_bool(a, lead, "chosen", true);
		value_push(a, leads, lead);
	}
	return leads;
}

bool
prompt_preview(struct request *rq, const struct prompt *p, struct value *model, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *lead = NULL, *leads, *missing = value_list(a), *shown = value_map(a);
	struct error why = {0};
	const char *rep =
	    setting_get(rq->app->db, a, &rq->app->config, rq->viewer->client_id, "rep", e);
	if (!rep || !find_lead(rq, &lead, e) || !(leads = choices(rq, lead, e)))
		return false;
	value_set(a, model, "leads", leads);
	const struct value *values = render_values(a, lead ? lead : value_map(a), rep);
	if (!render_parts(a, p, values, shown, missing, &why)) {
		value_set_text(a, model, "preview_error", arena_strdup(a, why.message));
		return true;
	}
	value_set(a, shown, "missing", missing);
	if (lead)
		value_set(a, shown, "lead", lead);
	value_set(a, model, "preview", shown);
	return true;
}

static struct prompt
stored(const struct value *prompt)
{
	return (struct prompt){.name = value_str(prompt, "name"),
	    .body = value_str(prompt, "body"),
	    .first_sentence = value_str(prompt, "first_sentence"),
	    .voicemail_message = value_str(prompt, "voicemail_message"),
	    .defaults = value_get(prompt, "defaults")};
}

/* Both versions as one text each, so that their differences are one list. */
static struct str
whole(struct arena *a, const struct value *prompt)
{
	struct buf b;
	buf_init(&b, a);
	buf_printf(&b, "First sentence: %.*s\nVoicemail: %.*s\n\n%.*s",
	    STR_ARG(value_str(prompt, "first_sentence")),
	    STR_ARG(value_str(prompt, "voicemail_message")), STR_ARG(value_str(prompt, "body")));
	return buf_view(&b);
}

static bool
add_diff(struct request *rq, struct value *model, const struct value *old, struct error *e)
{
	struct arena *a = rq->arena;
	const struct value *current =
	    prompt_find(rq->app->db, a, rq->viewer->client_id, value_str(old, "name"), 0, e);
	if (!current)
		return false;
	value_set(a, model, "diff", diff_lines(a, whole(a, old), whole(a, current)));
	value_set_bool(a, model, "old_version", true);
	return true;
}

struct value *
prompt_editor(struct request *rq, struct str name, int64_t version, const struct prompt *typed,
    struct error *e)
{
	struct db *db = rq->app->db;
	struct arena *a = rq->arena;
	int64_t client = rq->viewer->client_id;
	struct value *model = value_map(a), *prompt = prompt_find(db, a, client, name, version, e),
		     *versions;
	if (!prompt || !(versions = prompt_versions(db, a, client, name, e)))
		return NULL;
	value_set(a, model, "prompt", prompt);
	value_set(a, model, "versions", versions);
	value_set_bool(a, model, "removable", !str_is(name, "default"));
	struct prompt p = typed ? *typed : stored(prompt);
	if (!prompt_preview(rq, &p, model, e))
		return NULL;
	bool old = value_num(prompt, "version") != value_num(prompt, "current_version");
	return !old || add_diff(rq, model, prompt, e) ? model : NULL;
}
