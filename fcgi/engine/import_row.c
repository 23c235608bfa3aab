#include "engine/import_row.h"

#include <string.h>

#include "base/clock.h"
#include "rules/consent.h"
#include "rules/phone.h"

enum { MOST_RAW = 4000, MOST_RAW_FIELD = 300, MOST_ATTRIBUTE = 20000, MOST_EVIDENCE = 200 };

/* In the order of the staging table; longer values would not fit the forms that edit them. */
static const struct text_field {
	enum column_field field;
	size_t most;
	const char *words;
} texts[] = {
    {COLUMN_CONTACT, 200, "The name"},
    {COLUMN_COMPANY, 200, "The company"},
    {COLUMN_EMAIL, 254, "The e-mail address"},
    {COLUMN_LOCATION, 200, "The place"},
    {COLUMN_STATE, 200, "The state"},
    {COLUMN_TIME_ZONE, 200, "The time zone"},
    {COLUMN_SOURCE, 200, "The source"},
    {COLUMN_ASSIGNED_AGENT, 200, "The agent"},
    {COLUMN_NOTES, 20000, "The notes"},
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

void
import_row_init(struct import_row *r, struct arena *a, const struct value *columns,
    const char *country, const struct areas *areas)
{
	static const char *const prompt_keys[] = {"prompt_name", "prompt", "script"};
	struct column_map *map = arena_new_of(a, struct column_map);
	*r = (struct import_row){.map = map, .country = country, .areas = areas};
	map->n = columns ? columns->list.n : 0;
	map->columns = arena_new_array(a, struct column, map->n + 1);
	r->prompt = map->n;
	for (size_t i = 0; i < map->n; i++) {
		const struct value *c = columns->list.items[i];
		struct column *to = &map->columns[i];
		to->name = value_str(c, "name");
		to->key = value_strz(a, c, "key");
		if (!columns_field_by_name(value_str(c, "field"), &to->field))
			to->field = COLUMN_ATTRIBUTE;
		for (size_t k = 0; k < sizeof(prompt_keys) / sizeof(prompt_keys[0]); k++)
			if (r->prompt == map->n && to->field == COLUMN_ATTRIBUTE &&
			    strcmp(to->key, prompt_keys[k]) == 0)
				r->prompt = i;
	}
	for (size_t f = 0; f < COLUMN__MAX; f++)
		r->at[f] = columns_find(map, (enum column_field)f);
}

void
import_row_begin(struct import_row *r, struct arena *a, int64_t now)
{
	r->a = a;
	r->now = now;
	r->count = 0;
	buf_init(&r->out, a);
	buf_init(&r->json, a);
}

/* --- COPY text --- */

static void
put_text(struct import_row *r, struct str s)
{
	size_t from = 0;
	buf_putc(&r->out, '\t');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c != '\\' && (unsigned char)c >= ' ')
			continue;
		const char *with = c == '\\' ? "\\\\" : c == '\t' ? "\\t" : c == '\n' ? "\\n" : " ";
		if (c == '\r')
			with = "\\r";
		else if (c != '\\' && c != '\t' && c != '\n' && c != '\0')
			continue;
		buf_add(&r->out, s.p + from, i - from);
		buf_puts(&r->out, with);
		from = i + 1;
	}
	buf_add(&r->out, s.p + from, s.n - from);
}

static void
put_nulls(struct import_row *r, int n)
{
	while (n--)
		buf_puts(&r->out, "\t\\N");
}

static struct str
cell(const struct import_row *r, enum column_field field, const struct table_row *row)
{
	size_t i = r->at[field];
	return i < r->map->n && i < row->n ? str_trim(row->fields[i]) : STR("");
}

/* The row as it stood, for the list of refused lines. */
static void
put_raw(struct import_row *r, const struct table_row *row)
{
	r->json.n = 0;
	buf_putc(&r->json, '[');
	for (size_t i = 0; i < row->n && r->json.n < MOST_RAW; i++) {
		struct str s = row->fields[i];
		if (i)
			buf_putc(&r->json, ',');
		buf_json(&r->json,
		    str_utf8(r->a, str_sub(s, 0, s.n < MOST_RAW_FIELD ? s.n : MOST_RAW_FIELD)));
	}
	buf_putc(&r->json, ']');
	put_text(r, buf_view(&r->json));
}

/* What has no column of its own, and what is read in one that keeps less: a state's words, names
 * in two parts. */
static bool
is_attribute(enum column_field f)
{
	return f == COLUMN_ATTRIBUTE || f == COLUMN_STATE || f == COLUMN_TIME_ZONE ||
	       f == COLUMN_FIRST_NAME || f == COLUMN_LAST_NAME;
}

static void
put_attributes(struct import_row *r, const struct table_row *row)
{
	r->json.n = 0;
	buf_putc(&r->json, '{');
	for (size_t i = 0; i < r->map->n && i < row->n; i++) {
		struct str s = str_trim(row->fields[i]);
		if (!s.n || !is_attribute(r->map->columns[i].field))
			continue;
		if (r->json.n > 1)
			buf_putc(&r->json, ',');
		buf_json(&r->json, str_of(r->map->columns[i].key));
		buf_putc(&r->json, ':');
		buf_json(&r->json, s);
	}
	buf_putc(&r->json, '}');
	put_text(r, buf_view(&r->json));
}

static void
put_consent(struct import_row *r, struct str said)
{
	int64_t at;
	enum consent consent = consent_read(said, r->now, &at);
	if (consent == CONSENT_UNCLEAR) {
		put_nulls(r, 3);
		return;
	}
	put_text(r, consent == CONSENT_GIVEN ? STR("t") : STR("f"));
	if (at) {
		struct buf b;
		buf_init(&b, r->a);
		clock_print_rfc3339(&b, at);
		put_text(r, buf_view(&b));
	} else {
		put_nulls(r, 1);
	}
	put_text(r, str_sub(said, 0, said.n < MOST_EVIDENCE ? said.n : MOST_EVIDENCE));
}

/* --- judging --- */

static struct str
text_of(const struct import_row *r, size_t k, const struct table_row *row)
{
	return texts[k].field == COLUMN_CONTACT ? columns_contact(r->a, r->map, row->fields, row->n)
						: cell(r, texts[k].field, row);
}

/* NULL where nothing is too long; else the reason, and the column in *column. */
static const char *
too_long(const struct import_row *r, const struct table_row *row, struct str *column)
{
	for (size_t k = 0; k < TEXTS; k++)
		if (text_of(r, k, row).n > texts[k].most) {
			size_t at = r->at[texts[k].field];
			*column = at < r->map->n ? r->map->columns[at].name : STR("");
			return arena_printf(r->a, "%s is longer than %zu characters.",
			    texts[k].words, texts[k].most);
		}
	for (size_t i = 0; i < r->map->n && i < row->n; i++)
		if (row->fields[i].n > MOST_ATTRIBUTE) {
			*column = r->map->columns[i].name;
			return arena_printf(
			    r->a, "The field is longer than %d characters.", MOST_ATTRIBUTE);
		}
	return NULL;
}

static bool
has_surplus(const struct import_row *r, const struct table_row *row)
{
	for (size_t i = r->map->n; i < row->n; i++)
		if (str_trim(row->fields[i]).n)
			return true;
	return false;
}

/* Why the row is refused, or NULL and the number. */
static const char *
refusal(const struct import_row *r, const struct table_row *row, struct phone *phone,
    struct str *column)
{
	struct str raw = cell(r, COLUMN_PHONE, row);
	*column = STR("");
	if (row->damage)
		return row->damage;
	if (has_surplus(r, row))
		return arena_printf(r->a,
		    "The line has %zu fields, the header %zu. A field that holds the delimiter "
		    "needs quotes around it.",
		    row->n, r->map->n);
	if (r->at[COLUMN_PHONE] < r->map->n)
		*column = r->map->columns[r->at[COLUMN_PHONE]].name;
	if (!raw.n)
		return "There is no phone number.";
	if (raw.n > 100)
		return "This is too long for a phone number.";
	if (!phone_parse(raw, r->country, phone))
		return phone->reason;
	return too_long(r, row, column);
}

void
import_row_judge(const struct import_row *r, const struct table_row *row, struct import_verdict *v)
{
	*v = (struct import_verdict){0};
	v->reason = refusal(r, row, &v->phone, &v->column);
}

void
import_row_put(struct import_row *r, const struct table_row *row, const struct import_verdict *v)
{
	enum { BETWEEN_LINE_AND_REASON = 17 };
	r->count++;
	buf_int(&r->out, row->line);
	if (v->reason) {
		put_nulls(r, BETWEEN_LINE_AND_REASON);
		put_text(r, str_of(v->reason));
		put_text(r, v->column);
		put_raw(r, row);
		buf_putc(&r->out, '\n');
		return;
	}
	put_text(r, str_of(v->phone.e164));
	put_text(r, areas_find(r->areas, v->phone.e164));
	put_text(r, str_of(v->phone.extension));
	for (size_t k = 0; k < TEXTS; k++)
		put_text(r, text_of(r, k, row));
	put_text(r, r->prompt < row->n ? str_trim(row->fields[r->prompt]) : STR(""));
	put_consent(r, cell(r, COLUMN_CONSENT, row));
	put_attributes(r, row);
	put_nulls(r, 3);
	buf_putc(&r->out, '\n');
}

/* Written down with the job (imports.lane_lines), so it may not change while jobs are under way. */
int
import_row_lane(const struct table_row *row, const struct import_verdict *v, int lanes)
{
	unsigned sum = (unsigned)row->line;
	if (!v->reason)
		sum = 0;
	for (const char *c = v->reason ? "" : v->phone.e164; *c; c++)
		sum = sum * 31 + (unsigned char)*c;
	return (int)((sum ^ sum >> 7) % (unsigned)lanes);
}
