#include "base/table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/charset.h"
#include "base/csv.h"
#include "base/sheet.h"

#define SLICE 65536

struct table_reader {
	struct arena *a;
	struct table_options options;
	struct table_info info;
	int fd;
	struct csv *csv; /* or */
	struct sheet *sheet;
	struct charset_decoder *decoder;
	char *slice; /* input that is still to be decoded */
	struct str undecoded;
	bool drained;       /* the file was read to its end */
	int64_t read;       /* bytes read from the file */
	struct csv_row row; /* the first row, kept while it is to be handed out */
	bool pending;
};

static void
close_file(void *p)
{
	close(((struct table_reader *)p)->fd);
}

static ssize_t
read_some(struct table_reader *t, char *out, size_t n, struct error *e)
{
	for (;;) {
		ssize_t got = read(t->fd, out, n);
		if (got >= 0)
			return got;
		if (errno != EINTR) {
			error_set(e, ERR_INTERNAL, "The file cannot be read: %s.", strerror(errno));
			return -1;
		}
	}
}

/* Files that people mistake for lists, by their first bytes. */
static const struct {
	const char *magic;
	size_t n;
	const char *message;
} not_lists[] = {
    {"\xD0\xCF\x11\xE0", 4,
	"This is an old Excel file (.xls), or one with a password. Save it as .xlsx or CSV, without a password."},
    {"%PDF", 4, "This is a PDF. Export the list as CSV or .xlsx instead."},
    {"\x1F\x8B", 2, "This file is compressed (gzip). Unpack it first."},
    {"Rar!", 4, "This file is compressed (RAR). Unpack it first."},
    {"7z\xBC\xAF", 4, "This file is compressed (7z). Unpack it first."},
    {"\x89PNG", 4, "This is a picture, not a list."},
    {"\xFF\xD8\xFF", 3, "This is a picture, not a list."},
    {"{\\rtf", 5, "This is a text document (RTF). Export the list as CSV or .xlsx instead."},
    {"SQLite format 3", 15, "This is a database file. Export the list as CSV instead."},
};

static bool
is_list(struct str head, struct error *e)
{
	if (!head.n)
		return error_set(e, ERR_INVALID, "The file is empty.");
	for (size_t i = 0; i < sizeof(not_lists) / sizeof(not_lists[0]); i++)
		if (head.n >= not_lists[i].n && !memcmp(head.p, not_lists[i].magic, not_lists[i].n))
			return error_set(e, ERR_INVALID, "%s", not_lists[i].message);
	struct str text = str_trim(head);
	static const char *const web[] = {"<!doctype html", "<html", "<table", "<?xml"};
	for (size_t i = 0; i < sizeof(web) / sizeof(web[0]); i++)
		if (str_is_nocase(str_sub(text, 0, strlen(web[i])), web[i]))
			return error_set(e, ERR_INVALID,
			    "This is a web page or XML, whatever its name says. Open it in Excel and save as .xlsx.");
	return true;
}

static bool
scan(struct table_reader *t, struct charset_scan *facts, struct error *e)
{
	ssize_t got;
	while ((got = read_some(t, t->slice, SLICE, e)) > 0)
		charset_scan_add(facts, (struct str){t->slice, (size_t)got});
	if (got < 0)
		return false;
	if (lseek(t->fd, 0, SEEK_SET) != 0)
		return error_set(e, ERR_INTERNAL, "The file cannot be read: %s.", strerror(errno));
	return true;
}

/* Reads or decodes one more slice into the CSV reader. */
static bool
feed(struct table_reader *t, struct error *e)
{
	size_t room, n = 0;
	char *out = csv_room(t->csv, &room);
	room = room < SLICE ? room : SLICE;
	while (n == 0 && !t->drained) {
		if (!t->undecoded.n) {
			ssize_t got = read_some(t, t->slice, SLICE, e);
			if (got < 0)
				return false;
			t->undecoded = (struct str){t->slice, (size_t)got};
			t->read += got;
			t->drained = got == 0;
		}
		n = t->drained ? charset_decode_end(t->decoder, out, room)
			       : charset_decode(t->decoder, &t->undecoded, out, room);
	}
	csv_fed(t->csv, n);
	t->info.done = t->read;
	return true;
}

static bool
open_text(struct table_reader *t, struct error *e)
{
	struct charset_scan facts = {0};
	const char *wanted = t->options.encoding;
	t->slice = arena_alloc(t->a, SLICE);
	if (!scan(t, &facts, e))
		return false;
	const struct charset *cs = charset_scan_result(&facts);
	if (wanted && *wanted && !(cs = charset_by_name(str_of(wanted))))
		return error_field(e, "encoding", "There is no encoding %.40s here.", wanted);
	if (!(wanted && *wanted) && charset_scan_is_binary(&facts))
		return error_set(
		    e, ERR_INVALID, "This is not a text file. Save the list as CSV or .xlsx.");
	t->decoder = charset_decoder_new(t->a, cs, &facts, e);
	if (!t->decoder)
		return false;
	t->csv = csv_new(t->a, ',');
	t->info.format = "csv";
	t->info.encoding = charset_name(cs);
	if (!feed(t, e))
		return false;
	t->info.delimiter = t->options.delimiter;
	if (t->info.delimiter)
		csv_delimiter(t->csv, t->info.delimiter);
	else
		t->info.delimiter = csv_sniff(t->csv);
	return true;
}

static bool
open_sheet(struct table_reader *t, const char *path, struct error *e)
{
	t->info.format = "xlsx";
	t->info.encoding = "";
	t->sheet = sheet_open(t->a, path, t->options.spool_dir, e);
	t->info.sheet = t->sheet ? sheet_name(t->sheet) : STR("");
	return t->sheet != NULL;
}

static bool
has_text(const struct csv_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (str_trim(row->fields[i]).n)
			return true;
	return row->damage != NULL;
}

/* The next row that holds anything. */
static bool
next_row(struct table_reader *t, struct error *e)
{
	for (;;) {
		if (t->sheet) {
			if (!sheet_next(t->sheet, &t->row, e))
				return false;
			t->info.done = (int64_t)((double)t->info.size * sheet_progress(t->sheet));
			if (has_text(&t->row))
				return true;
			continue;
		}
		enum csv_next next = csv_next(t->csv, &t->row);
		if (next == CSV_END || (next == CSV_HUNGRY && !feed(t, e)))
			return false;
		if (next == CSV_ROW && has_text(&t->row))
			return true;
	}
}

static bool
is_header_field(struct str s, bool *letter)
{
	size_t digits = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		digits += c >= '0' && c <= '9';
		*letter = *letter || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
		if (c == '@')
			return false;
	}
	return digits < 4 && s.n < 200;
}

static bool
looks_like_header(const struct csv_row *row)
{
	bool letter = false;
	size_t last = row->n, empty = 0;
	while (last && !str_trim(row->fields[last - 1]).n)
		last--;
	for (size_t i = 0; i < last; i++) {
		struct str s = str_trim(row->fields[i]);
		empty += s.n == 0;
		if (!is_header_field(s, &letter))
			return false;
	}
	return letter && empty * 2 <= last;
}

static bool
take_header(struct table_reader *t, struct error *e)
{
	struct error own = {0};
	e = e ? e : &own;
	*e = own;
	if (!next_row(t, e))
		return e->kind ? false : error_set(e, ERR_INVALID, "The file is empty.");
	if (t->row.damage)
		return error_set(e, ERR_INVALID, "Line %lld cannot be read: %s.",
		    (long long)t->row.line, t->row.damage);
	t->info.has_header = t->options.header == TABLE_HEADER_YES ||
			     (t->options.header == TABLE_HEADER_AUTO && looks_like_header(&t->row));
	struct str *names = arena_new_array(t->a, struct str, t->row.n);
	for (size_t i = 0; i < t->row.n; i++) {
		struct str name = t->info.has_header ? str_trim(t->row.fields[i]) : STR("");
		char *text = name.n ? str_dup(t->a, name) : arena_printf(t->a, "column_%zu", i + 1);
		names[i] = str_of(text);
	}
	t->info.columns = names;
	t->info.n_columns = t->row.n;
	t->pending = !t->info.has_header;
	if (t->csv)
		csv_expect(t->csv, t->row.n);
	return true;
}

struct table_reader *
table_open(struct arena *a, const char *path, const struct table_options *options, struct error *e)
{
	static const struct table_options none = {0};
	struct table_reader *t = arena_new_of(a, struct table_reader);
	struct stat st;
	char head[512];
	t->a = a;
	t->options = options ? *options : none;
	t->info.sheet = STR("");
	t->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		error_set(e, ERR_INTERNAL, "The file cannot be opened: %s.", strerror(errno));
		if (t->fd >= 0)
			close(t->fd);
		return NULL;
	}
	arena_defer(a, close_file, t);
	t->info.size = st.st_size;
	ssize_t n = pread(t->fd, head, sizeof(head), 0);
	if (!is_list((struct str){head, n > 0 ? (size_t)n : 0}, e))
		return NULL;
	bool zip = n >= 4 && !memcmp(head, "PK\3\4", 4);
	if (!(zip ? open_sheet(t, path, e) : open_text(t, e)) || !take_header(t, e))
		return NULL;
	return t;
}

bool
table_next(struct table_reader *t, struct table_row *out, struct error *e)
{
	do {
		if (!t->pending && !next_row(t, e))
			return false;
		t->pending = false;
	} while (t->row.line <= t->options.after_line);
	*out = (struct table_row){t->row.line, t->row.fields, t->row.n, t->row.damage};
	t->info.line = t->row.line;
	return true;
}

const struct table_info *
table_info(struct table_reader *t)
{
	return &t->info;
}
