/* The import job: read, judge, stage, merge, again and again. Memory does not grow with the file. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/import.h"
#include "rules/consent.h"
#include "rules/phone.h"
#include "store/import.h"

enum { BATCH_ROWS = 2000, BATCH_BYTES = 2 << 20, LEASE_SECONDS = 60, MOST_FIELD = 8000, MOST_RAW = 4000 };

struct job {
	const struct config *config;
	struct db *db;
	struct arena *a;     /* of the whole job */
	struct arena *batch; /* of the rows that are staged together */
	int64_t id;
	const char *token, *country;
	struct column_map *map;
	struct buf rows; /* COPY text */
	int count;
	bool consent_column;
};

/* --- COPY text -------------------------------------------------------------------------------- */

static void
put_field(struct job *j, struct str s)
{
	if (s.n > MOST_FIELD) {
		s.n = MOST_FIELD;
		while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *with = s.p[i] == '\\' ? "\\\\" : s.p[i] == '\t' ? "\\t" : s.p[i] == '\n' ? "\\n"
		    : s.p[i] == '\r'						      ? "\\r"
		    : s.p[i] == '\0'						      ? " "
										      : NULL;
		if (!with)
			continue;
		buf_add(&j->rows, s.p + from, i - from);
		buf_puts(&j->rows, with);
		from = i + 1;
	}
	buf_add(&j->rows, s.p + from, s.n - from);
}

static void
put_column(struct job *j, struct str s)
{
	buf_putc(&j->rows, '\t');
	put_field(j, s);
}

static void
put_null(struct job *j)
{
	buf_puts(&j->rows, "\t\\N");
}

/* The row as it stood, for the list of refused lines. */
static void
put_raw(struct job *j, const struct table_row *row)
{
	struct buf b;
	buf_init(&b, j->batch);
	buf_putc(&b, '[');
	for (size_t i = 0; i < row->n && b.n < MOST_RAW; i++) {
		struct str s = row->fields[i];
		if (i)
			buf_putc(&b, ',');
		if (s.n > 300)
			s.n = 300;
		/* NUL has no place in the database's text. */
		struct str clean = str_utf8(j->batch, s);
		buf_json(&b, clean);
	}
	buf_putc(&b, ']');
	put_column(j, buf_view(&b));
}

/* --- judging a row ---------------------------------------------------------------------------- */

static struct str
value_of(const struct job *j, enum column_field field, const struct table_row *row)
{
	return columns_value(j->map, field, row->fields, row->n);
}

static void
put_rejected(struct job *j, const struct table_row *row, const char *column, const char *reason)
{
	enum { COLUMNS_BETWEEN = 14 };
	buf_printf(&j->rows, "%lld", (long long)row->line);
	for (int i = 0; i < COLUMNS_BETWEEN; i++)
		put_null(j);
	put_column(j, str_of(reason));
	put_column(j, str_of(column));
	put_raw(j, row);
	buf_putc(&j->rows, '\n');
}

static void
put_attributes(struct job *j, const struct table_row *row)
{
	struct buf b;
	bool any = false;
	buf_init(&b, j->batch);
	buf_putc(&b, '{');
	for (size_t i = 0; i < j->map->n && i < row->n; i++) {
		struct str s = str_trim(row->fields[i]);
		if (j->map->columns[i].field != COLUMN_ATTRIBUTE || !s.n)
			continue;
		if (any)
			buf_putc(&b, ',');
		buf_json(&b, str_of(j->map->columns[i].key));
		buf_putc(&b, ':');
		buf_json(&b, str_utf8(j->batch, str_sub(s, 0, s.n < MOST_FIELD ? s.n : MOST_FIELD)));
		any = true;
	}
	buf_putc(&b, '}');
	put_column(j, buf_view(&b));
}

static struct str
attribute(const struct job *j, const struct table_row *row, const char *key)
{
	for (size_t i = 0; i < j->map->n && i < row->n; i++)
		if (j->map->columns[i].field == COLUMN_ATTRIBUTE && strcmp(j->map->columns[i].key, key) == 0)
			return str_trim(row->fields[i]);
	return (struct str){0};
}

static void
put_consent(struct job *j, const struct table_row *row)
{
	enum consent said = consent_read(value_of(j, COLUMN_CONSENT, row));
	if (said == CONSENT_UNCLEAR)
		put_null(j);
	else
		put_column(j, said == CONSENT_GIVEN ? STR("t") : STR("f"));
}

static void
put_good(struct job *j, const struct table_row *row, const struct phone *phone)
{
	static const enum column_field fields[] = {COLUMN_COMPANY, COLUMN_EMAIL, COLUMN_LOCATION, COLUMN_STATE,
	    COLUMN_TIME_ZONE, COLUMN_SOURCE, COLUMN_ASSIGNED_AGENT, COLUMN_NOTES};
	buf_printf(&j->rows, "%lld\t%s\t%s", (long long)row->line, phone->e164, phone->extension);
	put_column(j, columns_contact(j->batch, j->map, row->fields, row->n));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		put_column(j, value_of(j, fields[i], row));
	put_column(j, attribute(j, row, "prompt_name"));
	put_consent(j, row);
	put_attributes(j, row);
	put_null(j);
	put_null(j);
	put_null(j);
	buf_putc(&j->rows, '\n');
}

static void
take_row(struct job *j, const struct table_row *row)
{
	struct phone phone;
	struct str raw = value_of(j, COLUMN_PHONE, row);
	const char *column = "";
	size_t at = columns_find(j->map, COLUMN_PHONE);
	if (at < j->map->n)
		column = str_dup(j->batch, j->map->columns[at].name);
	if (row->damage)
		put_rejected(j, row, "", row->damage);
	else if (!raw.n)
		put_rejected(j, row, column, "There is no phone number.");
	else if (raw.n > 100)
		put_rejected(j, row, column, "This is too long for a phone number.");
	else if (!phone_parse(raw, j->country, &phone))
		put_rejected(j, row, column, phone.reason);
	else
		put_good(j, row, &phone);
	j->count++;
}

/* --- the job ---------------------------------------------------------------------------------- */

static void
begin_batch(struct job *j)
{
	arena_reset(j->batch);
	buf_init(&j->rows, j->batch);
	j->count = 0;
}

static bool
flush(struct job *j, struct table_reader *t, struct error *e)
{
	const struct table_info *info = table_info(t);
	if (!j->count)
		return true;
	return import_batch(j->db, j->batch, j->id, j->token, buf_view(&j->rows), info->line, info->done,
	    LEASE_SECONDS, clock_now(), e);
}

/* Reads to the end. False with ERR_UNAVAILABLE, ERR_CONFLICT: stop, somebody goes on later. */
static bool
read_all(struct job *j, struct table_reader *t, const char **failure, struct error *e)
{
	struct table_row row;
	struct error end = {0};
	bool canceled = false;
	begin_batch(j);
	while (!canceled && table_next(t, &row, &end)) {
		take_row(j, &row);
		if (j->count < BATCH_ROWS && j->rows.n < BATCH_BYTES)
			continue;
		if (!flush(j, t, e) || !import_canceled(j->db, j->batch, j->id, &canceled, e))
			return false;
		begin_batch(j);
	}
	if (!flush(j, t, e))
		return false;
	if (canceled)
		*failure = "canceled";
	else if (end.kind != ERR_NONE)
		*failure = arena_strdup(j->a, end.message);
	return true;
}

static struct column_map *
stored_map(struct arena *a, const struct value *columns)
{
	struct column_map *map = arena_new_of(a, struct column_map);
	map->n = columns->list.n;
	map->columns = arena_new_array(a, struct column, map->n + 1);
	for (size_t i = 0; i < map->n; i++) {
		const struct value *c = columns->list.items[i];
		map->columns[i].name = value_str(c, "name");
		map->columns[i].key = value_strz(a, c, "key");
		if (!columns_field_by_name(value_str(c, "field"), &map->columns[i].field))
			map->columns[i].field = COLUMN_ATTRIBUTE;
	}
	return map;
}

static struct table_reader *
open_file(struct job *j, const struct value *job, struct error *e)
{
	const struct value *options = value_get(job, "options");
	struct str delimiter = value_str(options, "delimiter"), header = value_str(options, "header");
	struct table_options how = {.encoding = value_strz(j->a, options, "encoding"),
	    .after_line = value_num(job, "line_done"),
	    .spool_dir = arena_printf(j->a, "%s/spool", j->config->state_dir)};
	if (delimiter.n)
		how.delimiter = str_is(delimiter, "tab") ? '\t' : delimiter.p[0];
	how.header = str_is(header, "yes") ? TABLE_HEADER_YES : str_is(header, "no") ? TABLE_HEADER_NO : TABLE_HEADER_AUTO;
	return table_open(j->a, value_strz(j->a, job, "spool_path"), &how, e);
}

static bool
run(struct job *j, const struct value *job, struct error *e)
{
	struct error bad = {0};
	const char *failure = NULL, *path = value_strz(j->a, job, "spool_path");
	struct table_reader *t = path ? open_file(j, job, &bad) : NULL;
	if (!t)
		failure = path ? arena_strdup(j->a, bad.message) : "The uploaded file is gone. Upload it again.";
	else if (!read_all(j, t, &failure, e))
		return false;
	if (!import_finish(j->db, j->a, j->id, j->token, failure, clock_now(), e))
		return false;
	if (path)
		unlink(path);
	log_info("import ended", LOG_INT("import", j->id), LOG_TEXT("result", failure ? failure : "done"));
	return true;
}

bool
import_run(const struct config *config, struct db *db, int64_t id, const char *token, struct error *e)
{
	struct job j = {.config = config, .db = db, .id = id, .token = token};
	j.a = arena_new(64 << 10);
	j.batch = arena_new(4 << 20);
	struct value *job = import_job(db, j.a, id, e);
	bool good = false;
	if (job && value_has(job, "undo_asked_at")) {
		good = import_undo(db, j.a, id, token, clock_now(), e);
	} else if (job) {
		const char *country = value_strz(j.a, job, "country");
		j.country = country && *country ? country : config->default_country;
		j.map = stored_map(j.a, value_get(job, "columns"));
		good = import_stage(db, j.a, e) && run(&j, job, e);
	}
	arena_free(j.batch);
	arena_free(j.a);
	return good;
}
