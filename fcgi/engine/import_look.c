/* The first look at an uploaded file, and its way into the queue. */
#include <string.h>

#include "base/clock.h"
#include "engine/import.h"
#include "rules/phone.h"
#include "store/import.h"

enum { LOOK_ROWS = 20, SAMPLES = 3, SHOWN = 120 };

struct table_options
import_table_options(struct arena *a, const struct config *config, const struct value *options)
{
	struct str header = value_str(options, "header");
	struct str delimiter = value_str(options, "delimiter");
	struct table_options how = {.encoding = value_strz(a, options, "encoding"),
	    .spool_dir = arena_printf(a, "%s/spool", config->state_dir)};
	if (delimiter.n)
		how.delimiter = str_is(delimiter, "tab") ? '\t' : delimiter.p[0];
	how.header = str_is(header, "yes")  ? TABLE_HEADER_YES
		     : str_is(header, "no") ? TABLE_HEADER_NO
					    : TABLE_HEADER_AUTO;
	return how;
}

static const char *
delimiter_name(char c)
{
	return c == '\t' ? "tab" : c == ';' ? ";" : c == '|' ? "|" : c ? "," : "";
}

static struct value *
shown(struct arena *a, struct str s)
{
	return value_text(a, str_utf8(a, str_sub(s, 0, s.n < SHOWN ? s.n : SHOWN)));
}

static void
describe(struct arena *a, const struct column_map *map, const struct column_sample *samples,
    size_t n, struct import_sight *out)
{
	out->columns = value_list(a);
	out->names = value_list(a);
	for (size_t i = 0; i < map->n; i++) {
		struct value *c = value_push(a, out->columns, value_map(a));
		value_set(a, c, "name", value_text(a, str_utf8(a, map->columns[i].name)));
		value_set_text(a, c, "field", columns_field_name(map->columns[i].field));
		value_set_text(a, c, "key", map->columns[i].key);
		struct value *list = value_set(a, c, "samples", value_list(a));
		for (size_t k = 0; k < n && list->list.n < SAMPLES; k++)
			if (i < samples[k].n && str_trim(samples[k].fields[i]).n)
				value_push(a, list, shown(a, samples[k].fields[i]));
		value_push(a, out->names, value_get(c, "name"));
	}
	out->has_phone = columns_find(map, COLUMN_PHONE) < map->n;
	out->has_consent = columns_find(map, COLUMN_CONSENT) < map->n;
	out->sure = map->sure && out->has_phone;
	out->doubt = out->sure                   ? ""
		     : map->doubt && *map->doubt ? map->doubt
		     : out->has_phone            ? "It is not clear which column is what."
						 : "No column holds phone numbers.";
}

/* Copies up to LOOK_ROWS rows; false with ${e} filled where the file turns out to be damaged. */
static bool
read_rows(struct arena *a, struct table_reader *t, struct column_sample *samples, size_t *n,
    struct import_sight *out, struct error *e)
{
	struct table_row row;
	struct error end = {0};
	out->rows = value_list(a);
	for (*n = 0; *n < LOOK_ROWS && table_next(t, &row, &end);) {
		out->has_rows = true;
		if (row.damage)
			continue;
		struct value *list = value_push(a, out->rows, value_list(a));
		struct str *fields = arena_new_array(a, struct str, row.n + 1);
		for (size_t i = 0; i < row.n; i++) {
			fields[i] = str_copy(a, row.fields[i]);
			value_push(a, list, shown(a, fields[i]));
		}
		samples[(*n)++] = (struct column_sample){fields, row.n};
	}
	if (end.kind != ERR_NONE)
		*e = end;
	return end.kind == ERR_NONE;
}

bool
import_look(struct arena *a, const struct config *config, const char *path,
    const struct value *options, struct import_sight *out, struct error *e)
{
	struct table_options how = import_table_options(a, config, options);
	const char *country = value_strz(a, options, "default_country");
	struct column_sample samples[LOOK_ROWS];
	size_t n = 0;
	*out = (struct import_sight){.doubt = ""};
	struct table_reader *t = table_open(a, path, &how, e);
	if (!t || !read_rows(a, t, samples, &n, out, e)) {
		if (e->kind == ERR_INVALID && !e->field[0])
			error_field(e, "file", "%s", arena_strdup(a, e->message));
		return false;
	}
	const struct table_info *info = table_info(t);
	struct columns_input in = {info->columns, info->n_columns, info->has_header, samples, n,
	    country && *country ? country : config->default_country};
	describe(a, columns_match(a, &in), samples, n, out);
	out->has_header = info->has_header;
	out->format = arena_strdup(a, info->format);
	out->encoding = arena_strdup(a, info->encoding);
	out->delimiter = delimiter_name(info->delimiter);
	return true;
}

void
import_recall(struct arena *a, struct import_sight *sight, const struct value *remembered)
{
	bool phone = false, consent = false;
	if (!remembered || remembered->list.n != sight->columns->list.n)
		return;
	for (size_t i = 0; i < remembered->list.n; i++) {
		struct str field = value_str(remembered->list.items[i], "field");
		phone = phone || str_is(field, "phone");
		consent = consent || str_is(field, "consent");
		value_set(a, sight->columns->list.items[i], "field", value_text(a, field));
	}
	sight->has_phone = phone;
	sight->has_consent = consent;
	sight->sure = phone;
	sight->doubt = phone ? "" : "No column holds phone numbers.";
}

/* "column" where the file has one, unless something else was said. */
static bool
settle_consent(struct arena *a, const struct import_wish *wish, const struct import_sight *sight,
    struct import_made *made, struct error *e)
{
	struct str consent = value_str(wish->options, "consent");
	if (str_is(consent, "attested") && !value_str(wish->options, "consent_source").n)
		return error_field(e, "consent_source",
		    "Say where these people gave their consent, such as \"web form, March 2026\".");
	if (str_is(consent, "column") && !sight->has_consent && !wish->ask)
		return error_field(e, "consent", "The file has no column about consent.");
	made->consent = consent.n ? str_dup(a, consent) : sight->has_consent ? "column" : "none";
	return true;
}

static const char *
name_list(struct arena *a, const struct value *names)
{
	struct buf b;
	buf_init(&b, a);
	for (size_t i = 0; i < names->list.n && b.n < 250; i++)
		buf_printf(&b, "%s\"%.*s\"", i ? ", " : "", STR_ARG(names->list.items[i]->s));
	return b.p;
}

/* What keeps any file from being imported. */
static bool
check(struct arena *a, const struct import_sight *sight, bool ask, struct error *e)
{
	if (!sight->has_rows)
		return error_field(e, "file",
		    "The file has no rows besides its header. Add one line for each lead.");
	if (!sight->has_phone && !ask)
		return error_code(e, ERR_INVALID, "no_phone_column",
		    "No column holds phone numbers. The columns are %s. Name one of them \"phone\".",
		    name_list(a, sight->names));
	return true;
}

bool
import_add(const struct config *config, struct db *db, struct arena *a,
    const struct import_wish *wish, struct import_made *made, struct error *e)
{
	struct import_sight sight;
	const struct value *remembered = NULL;
	*made = (struct import_made){0};
	if (!import_look(a, config, wish->path, wish->options, &sight, e) ||
	    !import_remembered(db, a, wish->client_id, sight.names, &remembered, e))
		return false;
	import_recall(a, &sight, remembered);
	if (!check(a, &sight, wish->ask, e) || !settle_consent(a, wish, &sight, made, e) ||
	    !import_same(db, a, wish->client_id, wish->sha256, &made->same_as, e))
		return false;
	bool no_consent = str_is(str_of(made->consent), "column") && !sight.has_consent;
	made->asks = wish->ask && (!sight.sure || made->same_as || no_consent);
	/* Who marks a column as consent on the mapping page may still mean it. */
	if (!made->asks)
		value_set_text(a, wish->options, "consent", made->consent);
	struct import_file f = {.state = made->asks ? "mapping" : "queued",
	    .file_name = wish->file_name,
	    .sha256 = wish->sha256,
	    .spool_path = wish->path,
	    .format = sight.format,
	    .encoding = sight.encoding,
	    .delimiter = sight.delimiter,
	    .size = wish->size,
	    .same_as = made->same_as,
	    .columns = sight.columns,
	    .options = wish->options};
	return import_create(db, a, wish->client_id, &f, wish->user_id, clock_now(), &made->id, e);
}
