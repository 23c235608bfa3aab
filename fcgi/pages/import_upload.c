/* From an uploaded file to an import that waits for its job, or for a person to say which column is what. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/import.h"
#include "pages/imports.h"
#include "pages/trail.h"
#include "rules/phone.h"
#include "store/import.h"
#include "store/prompt.h"

enum { WAIT_US = 50000, WAIT_SECONDS = 40, SHOWN_ERRORS = 100 };

static struct value *
form_model(struct request *rq, struct error *e)
{
	struct value *model = value_map(rq->arena);
	struct value *prompts = prompt_list(rq->app->db, rq->arena, rq->viewer->client_id, e);
	if (!prompts)
		return NULL;
	value_set(rq->arena, model, "prompts", prompts);
	value_set_text(rq->arena, model, "country", rq->app->config.default_country);
	return model;
}

bool
imports_new(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = form_model(rq, e);
	return rs->model != NULL;
}

/* A word out of a list; the first is what is meant where nothing was said. */
static bool
choice(struct request *rq, struct value *options, const char *name, const char *const *words, size_t n,
    const char *otherwise, struct error *e)
{
	struct str s = request_text(rq, name);
	for (size_t i = 0; i < n; i++)
		if (str_is(s, words[i])) {
			value_set_text(rq->arena, options, name, words[i]);
			return true;
		}
	if (s.n)
		return error_field(e, name, "This is none of the choices.");
	value_set_text(rq->arena, options, name, otherwise);
	return true;
}

static bool
read_options(struct request *rq, struct value *options, struct error *e)
{
	static const char *const policies[] = {"skip", "fill_empty", "overwrite"};
	static const char *const texts[] = {"prompt_name", "list", "source", "encoding", "delimiter", "header"};
	struct arena *a = rq->arena;
	int64_t campaign = 0;
	struct str country = request_text(rq, "default_country");
	if (!choice(rq, options, "update_policy", policies, 3, "skip", e) ||
	    !request_int(rq, "campaign_id", 1, INT64_MAX, 0, &campaign, e))
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str s = request_text(rq, texts[i]);
		if (s.n > 200)
			return error_field(e, texts[i], "At most 200 characters.");
		if (s.n)
			value_set(a, options, texts[i], value_text(a, s));
	}
	if (country.n && !phone_country_known(str_dup(a, country)))
		return error_field(e, "default_country", "Write a country as two letters, such as US or DE.");
	value_set(a, options, "default_country",
	    country.n ? value_text(a, country) : value_textz(a, rq->app->config.default_country));
	if (campaign)
		value_set_int(a, options, "campaign_id", campaign);
	return true;
}

/* Where consent comes from. Nothing is assumed: without a word about it leads are imported, but blocked. */
static bool
read_consent(struct request *rq, struct value *options, bool has_column, struct error *e)
{
	static const char *const words[] = {"column", "attested", "none"};
	if (!choice(rq, options, "consent", words, 3, has_column ? "column" : "none", e))
		return false;
	struct str chosen = value_str(options, "consent"), source = request_text(rq, "consent_source");
	if (!str_is(chosen, "attested"))
		return true;
	if (source.n < 3 || source.n > 500)
		return error_field(e, "consent_source",
		    "Say where these people agreed to be called, such as: form on our website, March 2026.");
	value_set(rq->arena, options, "consent_source", value_text(rq->arena, source));
	return true;
}

static struct upload *
the_file(struct request *rq, struct error *e)
{
	struct upload *up = request_upload(rq, "file");
	if (!up)
		error_field(e, "file", "Choose a file with your leads: .csv or .xlsx.");
	else if (!up->size) {
		error_field(e, "file", "The file is empty.");
		up = NULL;
	}
	return up;
}

/* The upload goes over to the job: out of reach of the request's end. */
static bool
keep_file(struct request *rq, struct upload *up, const char **path, struct error *e)
{
	*path = arena_printf(rq->arena, "%s.import", up->path);
	if (rename(up->path, *path) != 0)
		return error_set(e, ERR_UNAVAILABLE, "The file cannot be kept just now: %s.", strerror(errno));
	up->kept = true;
	return true;
}

/* What people chose for a file with the very same headers is chosen again. */
static bool
remembered(struct request *rq, struct import_sight *sight, struct error *e)
{
	const struct value *before = NULL;
	if (sight->sure)
		return true;
	if (!import_remembered(rq->app->db, rq->arena, rq->viewer->client_id, sight->names, &before, e))
		return false;
	if (!before)
		return true;
	sight->columns = (struct value *)before;
	sight->sure = sight->has_phone = true;
	return true;
}

struct made {
	int64_t id, same_as;
	struct import_sight sight;
	const struct value *options;
};

static bool
make_import(struct request *rq, struct made *m, bool ask_columns, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *options = value_map(a);
	struct upload *up = the_file(rq, e);
	const char *path, *spool = arena_printf(a, "%s/spool", rq->app->config.state_dir);
	if (!up || !read_options(rq, options, e))
		return false;
	struct error why = {0};
	if (!import_look(a, up->path, options, value_strz(a, options, "default_country"), spool, &m->sight, &why))
		return why.kind == ERR_INTERNAL || why.kind == ERR_UNAVAILABLE
			   ? error_set(e, why.kind, "%s", why.message)
			   : error_field(e, "file", "%s", why.message);
	if (!m->sight.has_rows)
		return error_field(e, "file", "The file has no lines below its headers.");
	if (!remembered(rq, &m->sight, e) || !read_consent(rq, options, m->sight.has_consent, e))
		return false;
	if (!m->sight.sure && !ask_columns && !m->sight.has_phone) {
		struct buf names;
		buf_init(&names, a);
		for (size_t i = 0; i < m->sight.names->list.n && names.n < 200; i++) {
			buf_puts(&names, i ? ", " : "");
			buf_str(&names, m->sight.names->list.items[i]->s);
		}
		return error_field(e, "file", "No column holds phone numbers. Name one \"phone\". The columns are: %s.",
		    names.p);
	}
	bool asks = !m->sight.sure && ask_columns;
	m->options = options;
	struct import_file f = {.state = asks ? "mapping" : "queued",
	    .file_name = up->file_name,
	    .sha256 = up->sha256,
	    .size = up->size,
	    .format = m->sight.format,
	    .encoding = m->sight.encoding,
	    .delimiter = m->sight.delimiter,
	    .columns = m->sight.columns,
	    .options = options};
	if (!keep_file(rq, up, &path, e))
		return false;
	f.spool_path = path;
	if (import_create(rq->app->db, a, rq->viewer->client_id, &f, rq->viewer->user_id, clock_now(), &m->id,
		&m->same_as, e) &&
	    trail_add(rq, "import.create", "import", m->id, NULL, e))
		return true;
	unlink(path);
	return false;
}

/* A browser is asked once more where the very same file was taken before. */
static bool
not_again(struct request *rq, struct value *form, struct error *e)
{
	const struct value *before = NULL;
	struct upload *up = request_upload(rq, "file");
	if (!up || request_flag(rq, "again"))
		return true;
	if (!import_same(rq->app->db, rq->arena, rq->viewer->client_id, up->sha256, &before, e))
		return false;
	if (!before)
		return true;
	value_set(rq->arena, form, "same", (struct value *)before);
	return error_field(e, "again",
	    "This very file was imported before (import %lld). To import it once more, tick the box and choose it again.",
	    (long long)value_num(before, "id"));
}

bool
imports_create(struct request *rq, struct response *rs, struct error *e)
{
	struct made m = {0};
	struct value *form = rq->json ? value_map(rq->arena) : form_model(rq, e);
	if (!form)
		return false;
	response_form(rs, "import_new", form);
	if ((!rq->json && !not_again(rq, form, e)) || !make_import(rq, &m, true, e))
		return false;
	if (rq->json) {
		struct value *import = import_find(rq->app->db, rq->arena, rq->viewer->client_id, m.id, e);
		if (!import)
			return false;
		value_set(rq->arena, rs->model, "import", import);
		rs->status = 202;
	}
	if (!m.sight.sure)
		return response_redirect(rs, rq, NULL, "/imports/%lld/mapping", (long long)m.id);
	return response_redirect(rs, rq, NULL, "/imports/%lld", (long long)m.id);
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
		struct value *import = import_find(rq->app->db, rq->arena, rq->viewer->client_id, id, e);
		if (!import || is_over(import) || clock_monotonic() > until)
			return import;
		usleep(WAIT_US);
	}
}

bool
imports_upload(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct made m = {0};
	if (!make_import(rq, &m, false, e))
		return false;
	struct value *import = wait_for_end(rq, m.id, e);
	struct value *errors =
	    import ? import_lines_page(rq->app->db, a, m.id, 0, SHOWN_ERRORS, STR("rejected"), e) : NULL;
	if (!errors)
		return false;
	if (str_is(value_str(import, "state"), "failed"))
		return error_field(e, "file", "%s", value_strz(a, import, "error"));
	struct value *out = rs->model;
	value_set_int(a, out, "import_id", m.id);
	value_set(a, out, "state", value_get(import, "state"));
	value_set_int(a, out, "inserted", value_num(import, "rows_created"));
	value_set_int(a, out, "updated", value_num(import, "rows_updated"));
	value_set_int(a, out, "duplicates", value_num(import, "rows_skipped"));
	value_set_int(a, out, "rejected", value_num(import, "rows_rejected"));
	value_set(a, out, "errors", errors);
	value_set(a, out, "same_as", m.same_as ? value_int(a, m.same_as) : value_null(a));
	struct str consent = value_str(m.options, "consent");
	value_set(a, out, "consent", value_text(a, consent));
	if (str_is(consent, "none"))
		value_set_text(a, out, "notice",
		    "No consent is recorded, so these leads are blocked until it is.");
	rs->status = is_over(import) ? 200 : 202;
	return true;
}
