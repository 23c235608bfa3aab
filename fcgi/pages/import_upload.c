/* From an uploaded file to an import that waits for its job, or for a person to say which column is
 * what. */
#include <poll.h>

#include "base/clock.h"
#include "engine/import.h"
#include "pages/import_fields.h"
#include "pages/imports.h"
#include "pages/trail.h"
#include "store/import.h"
#include "store/prompt.h"

enum { WAIT_MS = 100, WAIT_SECONDS = 25, SHOWN_ERRORS = 100 };

static struct value *
form_model(struct request *rq, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *model = value_map(a);
	struct value *prompts = prompt_list(rq->app->db, a, rq->viewer->client_id, e);
	if (!prompts)
		return NULL;
	struct str chosen = request_text(rq, "prompt_name");
	for (size_t i = 0; i < prompts->list.n; i++) {
		struct str name = value_str(prompts->list.items[i], "name");
		value_set_bool(a, prompts->list.items[i], "chosen",
		    chosen.n ? str_eq(name, chosen) : str_is(name, rq->app->config.default_prompt));
	}
	struct str consent = request_text(rq, "consent"),
		   policy = request_text(rq, "update_policy");
	value_set(a, model, "prompts", prompts);
	value_set_text(a, model, "country", rq->app->config.default_country);
	value_set_bool(a, model, "attested", str_is(consent, "attested"));
	value_set_bool(a, model, "none", str_is(consent, "none"));
	value_set_bool(a, model, "fill_empty", str_is(policy, "fill_empty"));
	value_set_bool(a, model, "overwrite", str_is(policy, "overwrite"));
	return model;
}

bool
imports_new(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = form_model(rq, e);
	return rs->model != NULL;
}

static bool
make_import(struct request *rq, bool ask, struct import_made *made, struct error *e)
{
	struct upload *up = request_upload(rq, "file");
	struct value *options = import_fields(rq, e);
	if (!options)
		return false;
	if (!up)
		return error_field(e, "file", "Choose a file with your leads: .csv or .xlsx.");
	if (!up->size)
		return error_field(e, "file", "The file is empty.");
	struct import_wish wish = {.client_id = rq->viewer->client_id,
	    .user_id = rq->viewer->user_id,
	    .path = up->path,
	    .file_name = *up->file_name ? up->file_name : "leads",
	    .sha256 = up->sha256,
	    .size = up->size,
	    .options = options,
	    .ask = ask};
	/* Kept before it is written down: a job may take it at once, and who finds no file fails.
	 */
	up->kept = true;
	if (!import_add(&rq->app->config, rq->app->db, rq->arena, &wish, made, e)) {
		up->kept = false;
		return false;
	}
	struct value *detail = value_map(rq->arena);
	value_set_text(rq->arena, detail, "file", wish.file_name);
	value_set(rq->arena, detail, "options", options);
	return trail_add(rq, "import.create", "import", made->id, detail, e);
}

bool
imports_create(struct request *rq, struct response *rs, struct error *e)
{
	struct import_made made = {0};
	struct value *form = rq->json ? value_map(rq->arena) : form_model(rq, e);
	if (!form)
		return false;
	response_form(rs, "import_new", form);
	if (!make_import(rq, true, &made, e))
		return false;
	if (rq->json) {
		struct value *import =
		    import_find(rq->app->db, rq->arena, rq->viewer->client_id, made.id, e);
		if (!import)
			return false;
		value_set(rq->arena, rs->model, "import", import);
		rs->status = 202;
	}
	return response_redirect(rs, rq, NULL,
	    made.asks ? "/imports/%lld/mapping" : "/imports/%lld", (long long)made.id);
}

static bool
is_over(const struct value *import)
{
	struct str state = value_str(import, "state");
	return !str_is(state, "queued") && !str_is(state, "running");
}

static struct value *
wait_for_end(struct request *rq, int64_t id, struct error *e)
{
	int64_t until = clock_monotonic() + WAIT_SECONDS * CLOCK_SECOND;
	for (;;) {
		struct value *import =
		    import_find(rq->app->db, rq->arena, rq->viewer->client_id, id, e);
		if (!import || is_over(import) || clock_monotonic() > until)
			return import;
		poll(NULL, 0, WAIT_MS);
	}
}

/* What the caller should know besides the counts. */
static bool
add_notices(struct request *rq, const struct import_made *made, struct value *out, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *notices = value_set(a, out, "notices", value_list(a));
	struct str prompt = request_text(rq, "prompt_name");
	struct error none = {0};
	if (str_is(str_of(made->consent), "none"))
		value_push(a, notices,
		    value_textz(a,
			"No consent is recorded, so these leads are blocked until it is. Send "
			"consent=attested with consent_source, or a column consent."));
	if (made->same_as)
		value_push(a, notices,
		    value_printf(a, "The very same file was imported before, as import %lld.",
			(long long)made->same_as));
	if (!prompt.n || prompt_find(rq->app->db, a, rq->viewer->client_id, prompt, 0, &none))
		return true;
	if (none.kind == ERR_NOT_FOUND)
		value_push(a, notices,
		    value_printf(a,
			"There is no prompt \"%.*s\" now; unless it is made, these leads are called with "
			"\"default\".",
			STR_ARG(prompt)));
	else
		*e = none;
	return none.kind == ERR_NOT_FOUND;
}

static bool
describe(struct request *rq, const struct import_made *made, const struct value *import,
    struct value *out, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *lines = import_lines_page(
	    rq->app->db, a, rq->viewer->client_id, made->id, 0, SHOWN_ERRORS, STR("rejected"), e);
	if (!lines)
		return false;
	struct value *errors = value_list(a);
	for (size_t i = 0; i < lines->list.n; i++) {
		static const char *const names[] = {"line", "column", "reason"};
		struct value *to = value_push(a, errors, value_map(a));
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			value_set(a, to, names[k], value_get(lines->list.items[i], names[k]));
	}
	value_set_int(a, out, "import_id", made->id);
	value_set(a, out, "state", value_get(import, "state"));
	value_set_int(a, out, "rows", value_num(import, "rows_total"));
	value_set_int(a, out, "inserted", value_num(import, "rows_created"));
	value_set_int(a, out, "updated", value_num(import, "rows_updated"));
	value_set_int(a, out, "duplicates", value_num(import, "rows_skipped"));
	value_set_int(a, out, "rejected", value_num(import, "rows_rejected"));
	value_set(a, out, "errors", errors);
	value_set(a, out, "same_as", made->same_as ? value_int(a, made->same_as) : value_null(a));
	value_set_text(a, out, "consent", made->consent);
	return add_notices(rq, made, out, e);
}

bool
imports_upload(struct request *rq, struct response *rs, struct error *e)
{
	struct import_made made = {0};
	if (!make_import(rq, false, &made, e))
		return false;
	const struct value *import = wait_for_end(rq, made.id, e);
	if (!import || !describe(rq, &made, import, rs->model, e))
		return false;
	if (str_is(value_str(import, "state"), "failed"))
		return error_field(e, "file", "%s", value_strz(rq->arena, import, "error"));
	rs->status = is_over(import) ? 200 : 202;
	return true;
}
