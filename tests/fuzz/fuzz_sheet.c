/*
 * An Excel workbook. The input is the package itself ("PK…"), or its parts' XML with lines "===" in
 * between: the sheet, shared strings, styles, the workbook. They are then packed without
 * compression. What does not begin with "<?" is put into the element in which it belongs.
 */
#include <archive.h>
#include <archive_entry.h>

#include "base/sheet.h"
#include "fuzz.h"

#define NS "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define REL "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""

enum { PACKAGE = 1 << 20, MOST_ROWS = 2000 };

static void
add(struct archive *z, const char *name, struct str text)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (int64_t)text.n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	MUST(archive_write_header(z, entry) == ARCHIVE_OK);
	MUST(archive_write_data(z, text.p, text.n) == (ssize_t)text.n);
	archive_entry_free(entry);
}

static struct str
inside(struct arena *a, const char *before, struct str text, const char *after)
{
	struct buf b;
	buf_init(&b, a);
	if (str_starts(text, "<?"))
		return text;
	buf_puts(&b, before);
	buf_str(&b, text);
	buf_puts(&b, after);
	return buf_view(&b);
}

static struct str
package(struct arena *a, struct str rest)
{
	char *out = arena_alloc(a, PACKAGE);
	size_t used = 0;
	struct str sheet = fuzz_section(&rest), strings = fuzz_section(&rest);
	struct str styles = fuzz_section(&rest);
	struct archive *z = archive_write_new();
	if (!rest.n)
		rest = STR("<sheets><sheet name=\"Leads\" r:id=\"r1\"/></sheets>");
	archive_write_set_format_zip(z);
	archive_write_set_format_option(z, "zip", "compression", "store");
	archive_write_set_bytes_per_block(z, 0);
	MUST(archive_write_open_memory(z, out, PACKAGE, &used) == ARCHIVE_OK);
	add(z, "xl/workbook.xml", inside(a, "<workbook " NS " " REL ">", rest, "</workbook>"));
	add(z, "xl/_rels/workbook.xml.rels",
	    STR("<Relationships><Relationship Id=\"r1\" Target=\"worksheets/sheet1.xml\"/></Relationships>"));
	add(z, "xl/worksheets/sheet1.xml",
	    inside(a, "<worksheet " NS "><sheetData>", sheet, "</sheetData></worksheet>"));
	if (strings.n)
		add(z, "xl/sharedStrings.xml", inside(a, "<sst " NS ">", strings, "</sst>"));
	if (styles.n)
		add(z, "xl/styles.xml", inside(a, "<styleSheet " NS ">", styles, "</styleSheet>"));
	archive_write_close(z);
	archive_write_free(z);
	return (struct str){out, used};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct error e = {0};
	struct csv_row row;
	struct str in = fuzz_input(data, size);
	if (size > PACKAGE / 4)
		return 0;
	const char *path = fuzz_file(str_starts(in, "PK") ? in : package(a, in));
	struct sheet *s = sheet_open(a, path, "/dev/shm", &e);
	int64_t line = 0;
	if (!s) {
		MUST((e.kind == ERR_INVALID || e.kind == ERR_TOO_LARGE) && e.message[0]);
		return 0;
	}
	MUST(str_is_utf8(sheet_name(s)));
	for (int n = 0; n < MOST_ROWS && sheet_next(s, &row, &e); n++) {
		MUST(row.n <= CSV_COLUMNS_MAX && row.line > line);
		line = row.line;
		for (size_t i = 0; !row.damage && i < row.n; i++)
			MUST(row.fields[i].n <= CSV_FIELD_MAX && str_is_utf8(row.fields[i]));
		MUST(sheet_progress(s) >= 0 && sheet_progress(s) <= 1);
	}
	return 0;
}
