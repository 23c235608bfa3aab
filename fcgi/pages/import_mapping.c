/* Where it is not clear which column is what, a person says so; what was said is remembered for the
 * next file with these headers. */
#include "base/clock.h"
#include "engine/import.h"
#include "pages/import_fields.h"
#include "pages/imports.h"
#include "store/import.h"

static const struct {
	enum column_field field;
	const char *label;
} choices[] = {{COLUMN_PHONE, "Phone"}, {COLUMN_CONTACT, "Name"}, {COLUMN_FIRST_NAME, "First name"},
    {COLUMN_LAST_NAME, "Last name"}, {COLUMN_COMPANY, "Company"}, {COLUMN_EMAIL, "E-mail"},
    {COLUMN_LOCATION, "Place"}, {COLUMN_STATE, "State or province"},
    {COLUMN_TIME_ZONE, "Time zone"}, {COLUMN_SOURCE, "Source"},
    {COLUMN_CONSENT, "Consent to be called"}, {COLUMN_ASSIGNED_AGENT, "Assigned agent"},
    {COLUMN_NOTES, "Notes"}, {COLUMN_ATTRIBUTE, "Keep it, for prompts"},
    {COLUMN_IGNORE, "Leave it out"}};
enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

struct mapping {
	struct value *import, *options;
	struct import_sight sight;
};

/* The file as it is to be read now: encoding, delimiter and header may be changed on this page. */
static bool
look(struct request *rq, struct mapping *m, struct error *e)
{
	struct arena *a = rq->arena;
	const struct value *remembered = NULL;
	m->import = import_pending(rq->app->db, a, rq->viewer->client_id, rq->ids[0], e);
	m->options = value_get(m->import, "options");
	if (!m->import || !import_fields_reading(rq, m->options, e))
		return false;
	if (!import_look(a, &rq->app->config, value_strz(a, m->import, "spool_path"), m->options,
		&m->sight, e)) {
		if (e->kind == ERR_INVALID)
			error_field(e, "encoding", "%s Choose other settings.",
			    arena_strdup(a, e->message));
		return false;
	}
	if (!import_remembered(
		rq->app->db, a, rq->viewer->client_id, m->sight.names, &remembered, e))
		return false;
	import_recall(a, &m->sight, remembered);
	return true;
}

static void
add_choices(struct arena *a, const struct value *columns, struct value *out)
{
	for (size_t i = 0; i < columns->list.n; i++) {
		const struct value *c = columns->list.items[i];
		struct value *row = value_push(a, out, value_map(a));
		struct value *list = value_list(a);
		value_set(a, row, "name", value_get(c, "name"));
		value_set(a, row, "samples", value_get(c, "samples"));
		value_set(a, row, "choices", list);
		value_set_int(a, row, "index", (int64_t)i);
		for (size_t k = 0; k < CHOICES; k++) {
			struct value *choice = value_push(a, list, value_map(a));
			const char *name = columns_field_name(choices[k].field);
			value_set_text(a, choice, "field", name);
			value_set_text(a, choice, "label", choices[k].label);
			value_set_bool(a, choice, "chosen", str_is(value_str(c, "field"), name));
		}
	}
}

/* The rows with as many cells as there are columns. */
static struct value *
even_rows(struct arena *a, const struct import_sight *sight)
{
	struct value *rows = value_list(a);
	for (size_t r = 0; r < sight->rows->list.n; r++) {
		const struct value *from = sight->rows->list.items[r];
		struct value *row = value_push(a, rows, value_map(a));
		struct value *cells = value_set(a, row, "cells", value_list(a));
		for (size_t i = 0; i < sight->columns->list.n; i++) {
			struct value *cell = value_push(a, cells, value_map(a));
			value_set(a, cell, "text",
			    i < from->list.n ? from->list.items[i] : value_textz(a, ""));
			value_set(
			    a, cell, "column", value_get(sight->columns->list.items[i], "name"));
		}
	}
	return rows;
}

static struct value *
page_model(struct request *rq, const struct mapping *m)
{
	struct arena *a = rq->arena;
	const struct import_sight *sight = &m->sight;
	struct value *model = value_map(a);
	struct str header = value_str(m->options, "header");
	struct str consent = value_str(m->options, "consent");
	bool wants_column = !consent.n || str_is(consent, "column");
	value_set_int(a, model, "id", rq->ids[0]);
	value_set(a, model, "file_name", value_get(m->import, "file_name"));
	value_set(a, model, "same_as", value_get(m->import, "same_as"));
	value_set(a, model, "names", sight->names);
	value_set(a, model, "rows", even_rows(a, sight));
	value_set_text(a, model, "doubt", sight->doubt);
	value_set_bool(a, model, "no_consent", wants_column && !sight->has_consent);
	value_set_text(a, model, "format", sight->format);
	value_set_text(a, model, "encoding", sight->encoding);
	value_set_text(a, model, "delimiter", sight->delimiter);
	value_set_bool(a, model, "is_csv", str_is(str_of(sight->format), "csv"));
	value_set_bool(a, model, "has_header", sight->has_header);
	value_set_bool(a, model, "header_yes", str_is(header, "yes"));
	value_set_bool(a, model, "header_no", str_is(header, "no"));
	value_set(a, model, "options", m->options);
	value_set(
	    a, model, "encodings", import_fields_encodings(a, value_str(m->options, "encoding")));
	value_set(a, model, "delimiters",
	    import_fields_delimiters(a, value_str(m->options, "delimiter")));
	return model;
}

bool
imports_mapping(struct request *rq, struct response *rs, struct error *e)
{
	struct mapping m;
	struct arena *a = rq->arena;
	if (!look(rq, &m, e)) {
		/* Somebody has answered already. */
		return e->kind == ERR_CONFLICT && !rq->json &&
		       response_redirect(rs, rq, NULL, "/imports/%lld", (long long)rq->ids[0]);
	}
	rs->model = page_model(rq, &m);
	add_choices(a, m.sight.columns, value_set(a, rs->model, "columns", value_list(a)));
	return true;
}

/* column_0=phone&column_1=… into the sight's columns; a field that two claim stays with the first.
 */
static bool
choose(struct request *rq, struct mapping *m, struct error *e)
{
	struct arena *a = rq->arena;
	bool taken[COLUMN__MAX] = {false};
	const struct value *columns = m->sight.columns;
	m->sight.has_consent = false;
	for (size_t i = 0; i < columns->list.n; i++) {
		struct value *c = columns->list.items[i];
		struct str said = request_text(rq, arena_printf(a, "column_%zu", i));
		enum column_field field;
		if (!columns_field_by_name(said.n ? said : value_str(c, "field"), &field))
			return error_field(e, "columns", "This is none of the choices.");
		bool single = field != COLUMN_ATTRIBUTE && field != COLUMN_IGNORE;
		value_set_text(a, c, "field", columns_field_name(field));
		if (single && taken[field])
			return error_field(e, "columns",
			    "Two columns are marked as \"%s\". Mark only one; keep the other for prompts.",
			    columns_field_name(field));
		taken[field] = true;
	}
	m->sight.has_consent = taken[COLUMN_CONSENT];
	return taken[COLUMN_PHONE] ||
	       error_field(e, "columns", "Choose the column that holds the phone numbers.");
}

bool
imports_map(struct request *rq, struct response *rs, struct error *e)
{
	struct mapping m;
	struct arena *a = rq->arena;
	if (!look(rq, &m, e))
		return false;
	bool good = choose(rq, &m, e);
	struct value *form = page_model(rq, &m);
	add_choices(a, m.sight.columns, value_set(a, form, "columns", value_list(a)));
	response_form(rs, "import_mapping", form);
	if (!good)
		return false;
	if (!m.sight.has_rows)
		return error_field(
		    e, "columns", "Read like this, the file has no lines besides its header.");
	struct str consent = value_str(m.options, "consent");
	if (!consent.n || (str_is(consent, "column") && !m.sight.has_consent))
		value_set_text(a, m.options, "consent", m.sight.has_consent ? "column" : "none");
	struct import_file f = {.columns = m.sight.columns,
	    .options = m.options,
	    .format = m.sight.format,
	    .encoding = m.sight.encoding,
	    .delimiter = m.sight.delimiter};
	if (!import_mapped(rq->app->db, a, rq->viewer->client_id, rq->ids[0], &f, e))
		return false;
	return response_redirect(rs, rq, NULL, "/imports/%lld", (long long)rq->ids[0]);
}
