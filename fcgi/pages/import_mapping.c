/* Where it is not clear which column is what, a person says so; what was said is remembered for the next file. */
#include "base/clock.h"
#include "engine/import.h"
#include "pages/imports.h"
#include "store/import.h"

static const struct {
	enum column_field field;
	const char *label;
} choices[] = {{COLUMN_PHONE, "Phone"}, {COLUMN_CONTACT, "Name"}, {COLUMN_FIRST_NAME, "First name"},
    {COLUMN_LAST_NAME, "Last name"}, {COLUMN_COMPANY, "Company"}, {COLUMN_EMAIL, "E-mail"},
    {COLUMN_LOCATION, "Location"}, {COLUMN_STATE, "State or province"}, {COLUMN_TIME_ZONE, "Time zone"},
    {COLUMN_SOURCE, "Source"}, {COLUMN_CONSENT, "Consent"}, {COLUMN_ASSIGNED_AGENT, "Assigned agent"},
    {COLUMN_NOTES, "Notes"}, {COLUMN_ATTRIBUTE, "Keep it, for prompts"}, {COLUMN_IGNORE, "Leave it out"}};
enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

/* The file as the options at hand read it: encoding, delimiter and header may be changed on this page. */
static bool
look(struct request *rq, const struct value *import, struct value *options, struct import_sight *sight,
    struct error *e)
{
	static const char *const names[] = {"encoding", "delimiter", "header"};
	struct arena *a = rq->arena;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (request_has(rq, names[i]))
			value_set(a, options, names[i], value_text(a, request_text(rq, names[i])));
	struct error why = {0};
	if (import_look(a, value_strz(a, import, "spool_path"), options, value_strz(a, options, "default_country"),
		arena_printf(a, "%s/spool", rq->app->config.state_dir), sight, &why))
		return true;
	return error_field(e, "encoding", "%s", why.message);
}

static void
add_choices(struct arena *a, struct value *columns)
{
	for (size_t i = 0; i < columns->list.n; i++) {
		struct value *c = columns->list.items[i];
		struct value *list = value_set(a, c, "choices", value_list(a));
		value_set_int(a, c, "index", (int64_t)i);
		for (size_t k = 0; k < CHOICES; k++) {
			struct value *choice = value_push(a, list, value_map(a));
			const char *name = columns_field_name(choices[k].field);
			value_set_text(a, choice, "field", name);
			value_set_text(a, choice, "label", choices[k].label);
			value_set_bool(a, choice, "chosen", str_is(value_str(c, "field"), name));
		}
	}
}

static struct value *
page_model(struct request *rq, const struct import_sight *sight, const struct value *options)
{
	struct arena *a = rq->arena;
	struct value *model = value_map(a);
	add_choices(a, sight->columns);
	value_set_int(a, model, "id", rq->ids[0]);
	value_set(a, model, "columns", sight->columns);
	value_set(a, model, "rows", sight->rows);
	value_set_text(a, model, "doubt", sight->doubt);
	value_set_text(a, model, "encoding", sight->encoding);
	value_set_text(a, model, "delimiter", sight->delimiter);
	value_set(a, model, "options", (struct value *)options);
	return model;
}

bool
imports_mapping(struct request *rq, struct response *rs, struct error *e)
{
	struct import_sight sight;
	struct value *import = import_spool(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], e);
	if (!import) {
		/* Somebody has answered already. */
		return e->kind == ERR_NOT_FOUND && !rq->json &&
		       import_find(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], e) &&
		       response_redirect(rs, rq, NULL, "/imports/%lld", (long long)rq->ids[0]);
	}
	struct value *options = value_get(import, "options");
	if (!look(rq, import, options, &sight, e))
		return false;
	rs->model = page_model(rq, &sight, options);
	return true;
}

bool
imports_map(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct import_sight sight;
	struct value *import = import_spool(rq->app->db, a, rq->viewer->client_id, rq->ids[0], e);
	if (!import)
		return false;
	struct value *options = value_get(import, "options");
	if (!look(rq, import, options, &sight, e))
		return false;
	int phones = 0;
	for (size_t i = 0; i < sight.columns->list.n; i++) {
		struct value *c = sight.columns->list.items[i];
		struct str chosen = request_text(rq, arena_printf(a, "column_%zu", i));
		enum column_field field;
		if (!chosen.n)
			continue;
		if (!columns_field_by_name(chosen, &field))
			return error_field(e, "columns", "This is none of the choices.");
		phones += field == COLUMN_PHONE;
		value_set(a, c, "field", value_text(a, chosen));
		/* Of a field that two columns claim the later one would win in silence. */
		for (size_t k = 0; k < i; k++)
			if (field != COLUMN_ATTRIBUTE && field != COLUMN_IGNORE &&
			    str_eq(value_str(sight.columns->list.items[k], "field"), chosen))
				value_set_text(a, sight.columns->list.items[k], "field", "attribute");
	}
	struct value *stored = sight.columns;
	response_form(rs, "import_mapping", page_model(rq, &sight, options));
	if (phones != 1)
		return error_field(e, "columns", "Choose exactly one column as Phone.");
	for (size_t i = 0; i < stored->list.n; i++)
		value_set(a, stored->list.items[i], "choices", value_null(a));
	if (!import_mapped(rq->app->db, a, rq->viewer->client_id, rq->ids[0], stored, options, e))
		return false;
	return response_redirect(rs, rq, NULL, "/imports/%lld", (long long)rq->ids[0]);
}
