/*
 * A file of leads, whatever it is, on its way into the database: charset, CSV, columns, rows as
 * COPY text. A first line "#" + encoding (a letter; "-": find out) + delimiter ("-") + header (y,
 * n, -) states options.
 */
#include "base/charset.h"
#include "base/table.h"
#include "engine/import_row.h"
#include "fuzz.h"

enum { SAMPLES = 20, MOST_ROWS = 300 };

struct result {
	struct buf rows; /* of all, or of those behind the middle */
	size_t n;
	int64_t lines[MOST_ROWS];
	size_t at[MOST_ROWS]; /* where each begins in rows */
};

static struct str
options_of(struct str in, struct table_options *o)
{
	*o = (struct table_options){.spool_dir = "/dev/shm"};
	if (in.n < 5 || in.p[0] != '#' || in.p[4] != '\n')
		return in;
	for (char c = 'a'; c < in.p[1]; c++)
		if (!charset_list((size_t)(c - 'a')))
			return in;
	if (in.p[1] >= 'a')
		o->encoding = charset_list((size_t)(in.p[1] - 'a'));
	if (in.p[2] != '-' && strchr(",;\t|", in.p[2]))
		o->delimiter = in.p[2];
	o->header = in.p[3] == 'y'   ? TABLE_HEADER_YES
		    : in.p[3] == 'n' ? TABLE_HEADER_NO
				     : TABLE_HEADER_AUTO;
	return str_sub(in, 5, in.n);
}

static void
note(struct result *r, const struct table_row *row)
{
	r->lines[r->n] = row->line;
	r->at[r->n++] = r->rows.n;
	buf_printf(&r->rows, "%lld%s", (long long)row->line, row->damage ? row->damage : "");
	for (size_t i = 0; i < row->n; i++) {
		buf_putc(&r->rows, '|');
		buf_str(&r->rows, row->fields[i]);
	}
	buf_putc(&r->rows, '\n');
}

/* The names and samples make a guess; the guess is stored as JSON and read again by the job. */
static struct value *
columns(
    struct arena *a, const struct table_info *info, const struct column_sample *samples, size_t n)
{
	struct columns_input in = {
	    info->columns, info->n_columns, info->has_header, samples, n, "US"};
	const struct column_map *map = columns_match(a, &in);
	struct value *list = value_list(a);
	bool taken[COLUMN__MAX] = {false};
	MUST(map->n == info->n_columns && map->doubt);
	for (size_t i = 0; i < map->n; i++) {
		const struct column *c = &map->columns[i];
		struct value *v = value_push(a, list, value_map(a));
		MUST(c->field < COLUMN__MAX);
		MUST(c->field == COLUMN_ATTRIBUTE || c->field == COLUMN_IGNORE || !taken[c->field]);
		taken[c->field] = true;
		value_set(a, v, "name", value_text(a, str_utf8(a, c->name)));
		value_set_text(a, v, "field", columns_field_name(c->field));
		value_set_text(a, v, "key", c->key);
		for (size_t k = 0; k < i; k++)
			MUST(strcmp(c->key, map->columns[k].key) != 0);
	}
	fuzz_clean(list);
	return list;
}

static size_t
count(struct str s, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

/* Each line of COPY text has as many columns as the others, whatever stands in the file. */
static void
copy_text(const struct import_row *row)
{
	struct str rest = buf_view(&row->out);
	size_t lines = 0, tabs = 0;
	MUST(str_is_utf8(rest));
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		MUST(lines == 0 || count(line, '\t') == tabs);
		tabs = count(line, '\t');
		lines++;
	}
	MUST(lines == (size_t)row->count);
}

static bool
read_all(
    struct arena *a, const char *path, const struct table_options *o, struct result *r, bool judge)
{
	struct error e = {0};
	struct table_row row;
	struct column_sample samples[SAMPLES];
	struct str first[SAMPLES][8];
	size_t n = 0;
	struct import_row import;
	struct areas areas;
	r->n = 0;
	buf_init(&r->rows, a);
	struct table_reader *t = table_open(a, path, o, &e);
	if (!t) {
		MUST(e.kind == ERR_INVALID && e.message[0]);
		return false;
	}
	const struct table_info *info = table_info(t);
	MUST(info->n_columns > 0 && info->format && info->encoding);
	while (r->n < MOST_ROWS && table_next(t, &row, &e)) {
		MUST(r->n == 0 || row.line > r->lines[r->n - 1]);
		note(r, &row);
		for (size_t i = 0; !row.damage && i < row.n; i++)
			MUST(str_is_utf8(row.fields[i]));
		if (row.damage || n == SAMPLES || !judge)
			continue;
		size_t k = row.n < 8 ? row.n : 8;
		for (size_t i = 0; i < k; i++)
			first[n][i] = str_copy(a, row.fields[i]);
		samples[n] = (struct column_sample){first[n], k};
		n++;
	}
	if (!judge || e.kind != ERR_NONE)
		return e.kind == ERR_NONE;
	areas_read(&areas, a, STR("1 1212 44 49"));
	import_row_init(&import, a, columns(a, info, samples, n), "US", &areas);
	import_row_begin(&import, a, clock_now());
	struct table_reader *again = table_open(a, path, o, &e);
	MUST(again);
	for (size_t i = 0; i < r->n && table_next(again, &row, &e); i++) {
		struct import_verdict verdict;
		import_row_judge(&import, &row, &verdict);
		import_row_put(&import, &row, &verdict);
		MUST(import_row_lane(&row, &verdict, 1) == 0);
	}
	copy_text(&import);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result all, rest;
	struct arena *a = fuzz_arena();
	struct table_options o;
	const char *path = fuzz_file(options_of(fuzz_input(data, size), &o));
	if (!read_all(a, path, &o, &all, true) || all.n < 2 || all.n == MOST_ROWS)
		return 0;
	/* a job that goes on behind a line sees the rows behind it, and no others */
	size_t middle = all.n / 2;
	o.after_line = all.lines[middle - 1];
	MUST(read_all(a, path, &o, &rest, false));
	struct str wanted = str_sub(buf_view(&all.rows), all.at[middle], all.rows.n);
	MUST(str_eq(wanted, buf_view(&rest.rows)));
	return 0;
}
