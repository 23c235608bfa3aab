/* The first look at an uploaded file. */
#include <string.h>

#include "engine/import.h"

enum { LOOK_ROWS = 20, SHOWN_ROWS = 20, SAMPLES = 3, MOST_COLUMNS = 200 };

static void
read_options(struct arena *a, const struct value *options, const char *spool_dir, struct table_options *out)
{
	struct str header = value_str(options, "header"), delimiter = value_str(options, "delimiter");
	*out = (struct table_options){.encoding = value_strz(a, options, "encoding"), .spool_dir = spool_dir};
	if (delimiter.n)
		out->delimiter = str_is(delimiter, "tab") ? '\t' : delimiter.p[0];
	if (str_is(header, "yes"))
		out->header = TABLE_HEADER_YES;
	else if (str_is(header, "no"))
		out->header = TABLE_HEADER_NO;
}

static const char *
delimiter_name(char c)
{
	static const char *const names[] = {"", "tab", ",", ";", "|"};
	const char *at = c ? strchr("\t,;|", c) : NULL;
	return at ? names[1 + (at - "\t,;|")] : "";
}

static struct value *
row_value(struct arena *a, const struct str *fields, size_t n)
{
	struct value *list = value_list(a);
	for (size_t i = 0; i < n; i++)
		value_push(a, list, value_text(a, str_utf8(a, str_sub(fields[i], 0, fields[i].n < 200 ? fields[i].n : 200))));
	return list;
}

static void
describe(struct arena *a, const struct column_map *map, const struct column_sample *samples, size_t n,
    struct import_sight *out)
{
	out->columns = value_list(a);
	out->names = value_list(a);
	for (size_t i = 0; i < map->n; i++) {
		struct value *c = value_push(a, out->columns, value_map(a));
		value_set(a, c, "name", value_text(a, str_utf8(a, str_copy(a, map->columns[i].name))));
		value_set_text(a, c, "field", columns_field_name(map->columns[i].field));
		value_set_text(a, c, "key", map->columns[i].key);
		struct value *shown = value_set(a, c, "samples", value_list(a));
		for (size_t k = 0; k < n && shown->list.n < SAMPLES; k++)
			if (i < samples[k].n && str_trim(samples[k].fields[i]).n)
				value_push(a, shown, value_text(a, samples[k].fields[i]));
		value_push(a, out->names, value_get(c, "name"));
	}
	out->has_phone = columns_find(map, COLUMN_PHONE) < map->n;
	out->has_consent = columns_find(map, COLUMN_CONSENT) < map->n;
	out->sure = map->sure && out->has_phone;
	out->doubt = map->doubt && *map->doubt ? map->doubt : out->has_phone ? "" : "No column holds phone numbers.";
}

bool
import_look(struct arena *a, const char *path, const struct value *options, const char *country,
    const char *spool_dir, struct import_sight *out, struct error *e)
{
	struct table_options how;
	struct table_row row;
	struct column_sample samples[LOOK_ROWS];
	size_t n = 0;
	read_options(a, options, spool_dir, &how);
	*out = (struct import_sight){.rows = value_list(a)};
	struct table_reader *t = table_open(a, path, &how, e);
	if (!t)
		return false;
	struct error end = {0};
	while (n < LOOK_ROWS && table_next(t, &row, &end)) {
		out->has_rows = true;
		if (row.damage)
			continue;
		struct value *shown = row_value(a, row.fields, row.n);
		struct str *fields = arena_new_array(a, struct str, row.n + 1);
		for (size_t i = 0; i < row.n; i++)
			fields[i] = shown->list.items[i]->s;
		samples[n++] = (struct column_sample){fields, row.n};
		if (out->rows->list.n < SHOWN_ROWS)
			value_push(a, out->rows, shown);
	}
	if (end.kind != ERR_NONE) {
		*e = end;
		return false;
	}
	const struct table_info *info = table_info(t);
	if (info->n_columns > MOST_COLUMNS)
		return error_field(e, "file", "The file has %zu columns; at most %d are read.", info->n_columns, MOST_COLUMNS);
	struct columns_input in = {info->columns, info->n_columns, info->has_header, samples, n, country};
	describe(a, columns_match(a, &in), samples, n, out);
	out->format = info->format;
	out->encoding = arena_strdup(a, info->encoding);
	out->delimiter = delimiter_name(info->delimiter);
	return true;
}
