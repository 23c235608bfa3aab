#include "base/sheet.h"

#include <stdio.h>
#include <string.h>

#include "base/part.h"
#include "base/sheet_number.h"
#include "base/spool.h"

#define STYLES_MAX 65536
#define FORMATS_MAX 4000
#define STRINGS_MAX (8 * 1048576)

struct number_format {
	int64_t id;
	int format;
};

struct sheet {
	struct arena *a;
	struct part *part;
	struct spool *strings;
	unsigned char *styles; /* enum sheet_format of each cell style */
	size_t n_styles;
	bool since_1904;
	struct str name;
	int64_t line;
	char *text; /* of the current row: CSV_ROW_MAX bytes and one field more */
	size_t used;
	struct str fields[CSV_COLUMNS_MAX];
	size_t n;
	size_t next_column; /* of a cell that does not say where it stands */
	struct buf number;
	char damage[64];
};

struct cell {
	size_t column;
	char type; /* n number, s shared, b boolean, e error, t any text, d date */
	int format;
	size_t from; /* its text in s->text */
};

static struct str
attribute(struct arena *a, struct part *p, const char *name)
{
	char *text = part_attribute(p, name);
	struct str s = str_copy(a, str_of(text));
	part_free_text(text);
	return s;
}

/* The first visible sheet: its name and the id of its relation. */
static bool
read_workbook(struct sheet *s, const char *path, const char **id, struct error *e)
{
	struct part *p = part_open(s->a, path, "xl/workbook.xml", e);
	if (!p) {
		if (e && e->kind == ERR_NOT_FOUND)
			error_set(e, ERR_INVALID,
			    "This is not an Excel workbook (.xlsx): save it as one, or as CSV.");
		return false;
	}
	*id = NULL;
	int r;
	while ((r = part_read(p, e)) == 1 && !*id) {
		if (part_is_element(p, "workbookPr")) {
			s->since_1904 = part_attribute_is(p, "date1904", "1") ||
					part_attribute_is(p, "date1904", "true");
		} else if (part_is_element(p, "sheet") &&
			   !part_attribute_is(p, "state", "hidden") &&
			   !part_attribute_is(p, "state", "veryHidden")) {
			s->name = attribute(s->a, p, "name");
			*id = attribute(s->a, p, "id").p;
		}
	}
	part_close(p);
	return r >= 0 && (*id || error_set(e, ERR_INVALID, "The workbook has no visible sheet."));
}

/* The part that relation ${id} of the workbook points at. */
static bool
read_relations(
    struct sheet *s, const char *path, const char *id, struct str *target, struct error *e)
{
	struct part *p = part_open(s->a, path, "xl/_rels/workbook.xml.rels", e);
	*target = STR("worksheets/sheet1.xml");
	if (!p)
		return e == NULL || e->kind == ERR_NOT_FOUND;
	int r;
	bool found = false;
	while (!found && (r = part_read(p, e)) == 1)
		if (part_is_element(p, "Relationship") && part_attribute_is(p, "Id", id)) {
			*target = attribute(s->a, p, "Target");
			found = true;
		}
	part_close(p);
	return found || r >= 0;
}

static bool
read_styles(struct sheet *s, const char *path, struct error *e)
{
	struct part *p = part_open(s->a, path, "xl/styles.xml", e);
	if (!p)
		return e == NULL || e->kind == ERR_NOT_FOUND;
	struct number_format *formats = arena_new_array(s->a, struct number_format, FORMATS_MAX);
	size_t n = 0;
	bool cells = false;
	int r;
	s->styles = arena_alloc(s->a, STYLES_MAX);
	while ((r = part_read(p, e)) == 1) {
		if (part_is_element(p, "numFmt") && n < FORMATS_MAX) {
			char *code = part_attribute(p, "formatCode");
			formats[n].id = part_attribute_int(p, "numFmtId", -1);
			formats[n++].format = sheet_format_of(str_of(code));
			part_free_text(code);
		} else if (part_is_element(p, "cellXfs")) {
			cells = true;
		} else if (part_is_element(p, "cellStyles") || part_is_element(p, "dxfs")) {
			cells = false;
		} else if (cells && part_is_element(p, "xf") && s->n_styles < STYLES_MAX) {
			int64_t id = part_attribute_int(p, "numFmtId", 0);
			int format = sheet_format_builtin(id);
			for (size_t i = 0; i < n; i++)
				if (formats[i].id == id)
					format = formats[i].format;
			s->styles[s->n_styles++] = (unsigned char)format;
		}
	}
	part_close(p);
	return r == 0;
}

/* Adds the current text node to the row's text; a field keeps at most one byte above its limit. */
static void
take_text(struct sheet *s, struct part *p, size_t from)
{
	struct str t = str_of((const char *)xmlTextReaderConstValue(part_xml(p)));
	size_t room = CSV_FIELD_MAX + 1 - (s->used - from);
	size_t n = t.n < room ? t.n : room;
	memcpy(s->text + s->used, t.p, n);
	s->used += n;
}

/* Gathers the text of all <v> and <t> up to the end of ${element}, but not phonetic hints. */
static bool
gather(struct sheet *s, struct part *p, const char *element, struct error *e)
{
	bool value = false, phonetic = false;
	size_t from = s->used;
	int r;
	while ((r = part_read(p, e)) == 1 && !part_is_end(p, element)) {
		if (part_is_text(p)) {
			if (value && !phonetic)
				take_text(s, p, from);
		} else if (part_is_element(p, "rPh")) {
			phonetic = !part_is_empty(p);
		} else if (part_is_end(p, "rPh")) {
			phonetic = false;
		} else if (part_is_element(p, "v") || part_is_element(p, "t")) {
			value = !part_is_empty(p);
		} else if (part_is_end(p, "v") || part_is_end(p, "t")) {
			value = false;
		}
	}
	if (r == 0)
		error_set(e, ERR_INVALID, "The file is damaged: a sheet ends in the middle.");
	return r == 1;
}

static bool
read_strings(struct sheet *s, const char *path, const char *dir, struct error *e)
{
	struct part *p = part_open(s->a, path, "xl/sharedStrings.xml", e);
	if (!p)
		return e == NULL || e->kind == ERR_NOT_FOUND;
	s->strings = spool_new(s->a, dir, e);
	if (!s->strings)
		return false;
	int r;
	while ((r = part_read(p, e)) == 1) {
		if (!part_is_element(p, "si"))
			continue;
		s->used = 0;
		if (!part_is_empty(p) && !gather(s, p, "si", e))
			return false;
		if (!spool_add(s->strings, (struct str){s->text, s->used}, e))
			return false;
		if (spool_count(s->strings) > STRINGS_MAX)
			return error_set(
			    e, ERR_TOO_LARGE, "The workbook has more than 8 million texts.");
	}
	part_close(p);
	s->used = 0;
	return r == 0;
}

static char *
part_path(struct arena *a, struct str target)
{
	if (str_starts(target, "/"))
		return str_dup(a, str_sub(target, 1, target.n));
	while (str_starts(target, "./"))
		target = str_sub(target, 2, target.n);
	return arena_printf(a, "xl/%.*s", STR_ARG(target));
}

struct sheet *
sheet_open(struct arena *a, const char *path, const char *spool_dir, struct error *e)
{
	struct error own = {0};
	struct sheet *s = arena_new_of(a, struct sheet);
	const char *id;
	struct str target;
	e = e ? e : &own;
	s->a = a;
	s->text = arena_alloc(a, CSV_ROW_MAX + CSV_FIELD_MAX + 64);
	buf_init(&s->number, a);
	if (!read_workbook(s, path, &id, e) || !read_relations(s, path, id, &target, e) ||
	    !read_styles(s, path, e) || !read_strings(s, path, spool_dir, e))
		return NULL;
	*e = (struct error){0};
	s->part = part_open(a, path, part_path(a, target), e);
	if (s->part)
		return s;
	if (e->kind == ERR_NOT_FOUND)
		error_set(e, ERR_INVALID, "The file is damaged: its first sheet is missing.");
	return NULL;
}

static size_t
column_of(const char *ref, size_t otherwise)
{
	size_t column = 0;
	for (; *ref >= 'A' && *ref <= 'Z' && column < 1000000; ref++)
		column = column * 26 + (size_t)(*ref - 'A') + 1;
	return column ? column - 1 : otherwise;
}

/* The attributes of <c r="B7" s="3" t="s">, in one pass: a sheet has millions of them. */
static struct cell
cell_head(struct sheet *s)
{
	struct cell c = {
	    .column = s->next_column, .type = 'n', .format = SHEET_NUMBER, .from = s->used};
	xmlTextReaderPtr xml = part_xml(s->part);
	while (xmlTextReaderMoveToNextAttribute(xml) == 1) {
		const char *name = (const char *)xmlTextReaderConstLocalName(xml);
		const char *value = (const char *)xmlTextReaderConstValue(xml);
		int64_t style;
		if (!strcmp(name, "r"))
			c.column = column_of(value, s->next_column);
		else if (!strcmp(name, "t"))
			c.type =
			    !strcmp(value, "str") || !strcmp(value, "inlineStr") ? 't' : value[0];
		else if (!strcmp(name, "s") && str_to_int(str_of(value), &style) && style >= 0 &&
			 (size_t)style < s->n_styles)
			c.format = s->styles[style];
	}
	xmlTextReaderMoveToElement(xml);
	s->next_column = c.column + 1;
	return c;
}

/* Replaces what stands in the cell by what it means. */
static bool
resolve(struct sheet *s, const struct cell *c, struct error *e)
{
	struct str raw = {s->text + c->from, s->used - c->from};
	int64_t i;
	size_t n;
	if (c->type == 'e') {
		s->used = c->from;
	} else if (c->type == 'b') {
		const char *word = str_is(str_trim(raw), "1") ? "TRUE" : "FALSE";
		memcpy(s->text + c->from, word, strlen(word));
		s->used = c->from + strlen(word);
	} else if (c->type == 's') {
		if (!s->strings || !str_to_int(str_trim(raw), &i) || i < 0)
			return error_set(e, ERR_INVALID,
			    "Row %lld refers to a text that is not there.", (long long)s->line);
		if (!spool_get(s->strings, (size_t)i, s->text + c->from, CSV_FIELD_MAX + 1, &n, e))
			return false;
		s->used = c->from + (n < CSV_FIELD_MAX + 1 ? n : CSV_FIELD_MAX + 1);
	} else if (c->type == 'n' && raw.n && raw.n < 64) {
		s->number.n = 0;
		sheet_number_print(&s->number, str_trim(raw), c->format, s->since_1904);
		memcpy(s->text + c->from, s->number.p, s->number.n);
		s->used = c->from + s->number.n;
	}
	return true;
}

static void
put_cell(struct sheet *s, const struct cell *c)
{
	struct str text = {s->text + c->from, s->used - c->from};
	if (!text.n || s->damage[0])
		return;
	if (c->column >= CSV_COLUMNS_MAX) {
		snprintf(s->damage, sizeof(s->damage), "it has more than 200 columns");
		return;
	}
	if (text.n > CSV_FIELD_MAX)
		snprintf(s->damage, sizeof(s->damage), "column %zu: holds more than 64 KB",
		    c->column + 1);
	else if (s->used > CSV_ROW_MAX)
		snprintf(s->damage, sizeof(s->damage), "it is longer than 256 KB");
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 && !strchr("\t\r\n", text.p[i]))
			s->text[c->from + i] = ' ';
	while (s->n <= c->column)
		s->fields[s->n++] = STR("");
	s->fields[c->column] = text;
}

static bool
read_cells(struct sheet *s, struct error *e)
{
	int r;
	s->n = s->used = s->next_column = 0;
	s->damage[0] = '\0';
	while ((r = part_read(s->part, e)) == 1 && !part_is_end(s->part, "row")) {
		if (!part_is_element(s->part, "c"))
			continue;
		struct cell c = cell_head(s);
		if (part_is_empty(s->part))
			continue;
		if (!gather(s, s->part, "c", e) || !resolve(s, &c, e))
			return false;
		put_cell(s, &c);
		if (s->damage[0])
			s->used = c.from; /* keep within the row's room */
	}
	if (r == 0)
		error_set(e, ERR_INVALID, "The file is damaged: its sheet ends in the middle.");
	return r == 1;
}

static void
hand_out(struct sheet *s, struct csv_row *out)
{
	*out = (struct csv_row){s->line, s->fields, s->n, NULL};
	if (!s->damage[0])
		return;
	out->damage = s->damage;
	out->n = 1;
	if (!s->n)
		s->fields[0] = STR("");
	s->fields[0] = str_sub(s->fields[0], 0, CSV_RAW_MAX);
	while (s->fields[0].n && (s->fields[0].p[s->fields[0].n] & 0xC0) == 0x80)
		s->fields[0].n--;
}

bool
sheet_next(struct sheet *s, struct csv_row *out, struct error *e)
{
	while (part_read(s->part, e) == 1) {
		if (part_is_end(s->part, "sheetData"))
			return false;
		if (!part_is_element(s->part, "row"))
			continue;
		int64_t line = part_attribute_int(s->part, "r", s->line + 1);
		s->line = line > s->line ? line : s->line + 1;
		if (part_is_empty(s->part))
			continue;
		if (!read_cells(s, e))
			return false;
		if (s->n || s->damage[0]) {
			hand_out(s, out);
			return true;
		}
	}
	return false;
}

struct str
sheet_name(const struct sheet *s)
{
	return s->name;
}

double
sheet_progress(const struct sheet *s)
{
	return part_progress(s->part);
}
