/*
 * CSV. The first byte says how the input is cut; whatever it says, the same rows come out, and each
 * lies further down than the one before.
 */
#include "base/csv.h"
#include "fuzz.h"

enum { SNIFF = 4096 };

static void
note(struct buf *b, const struct csv_row *row)
{
	buf_printf(b, "%lld%s", (long long)row->line, row->damage ? row->damage : "");
	MUST(row->n <= CSV_COLUMNS_MAX);
	for (size_t i = 0; i < row->n; i++) {
		MUST(row->fields[i].n <= CSV_FIELD_MAX);
		buf_putc(b, '|');
		buf_str(b, row->fields[i]);
	}
	buf_putc(b, '\n');
}

/* The rows as text. ${delimiter} '\0': found out, and told. */
static struct str
rows(struct arena *a, struct str in, size_t slice, char *delimiter)
{
	struct csv *c = csv_new(a, ',');
	struct csv_row row;
	struct buf out;
	int64_t line = 0;
	bool begun = false;
	size_t room = 0;
	buf_init(&out, a);
	for (enum csv_next next = CSV_HUNGRY; next != CSV_END; next = csv_next(c, &row)) {
		if (next == CSV_ROW) {
			MUST(row.line > line);
			line = row.line;
			note(&out, &row);
			continue;
		}
		char *to = csv_room(c, &room);
		MUST(room >= 4096);
		size_t n = begun ? slice : SNIFF;
		n = n < room ? n : room;
		n = n < in.n ? n : in.n;
		if (n)
			memcpy(to, in.p, n);
		in = str_sub(in, n, in.n);
		csv_fed(c, n);
		if (!begun && !*delimiter)
			*delimiter = csv_sniff(c);
		else if (!begun)
			csv_delimiter(c, *delimiter);
		begun = true;
	}
	return buf_view(&out);
}

static void
written_is_read(struct arena *a, struct str s)
{
	struct buf b;
	struct csv_row row;
	size_t room;
	buf_init(&b, a);
	struct str text = str_utf8(a, str_sub(s, 0, s.n < 200 ? s.n : 200));
	csv_write_field(&b, text);
	buf_puts(&b, ",end\r\n");
	struct csv *c = csv_new(a, ',');
	char *to = csv_room(c, &room);
	memcpy(to, b.p, b.n);
	csv_fed(c, b.n);
	csv_room(c, &room);
	csv_fed(c, 0);
	MUST(csv_next(c, &row) == CSV_ROW && !row.damage && row.n == 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	if (!size)
		return 0;
	struct str in = fuzz_input(data + 1, size - 1);
	char delimiter = '\0';
	struct str whole = rows(a, in, SNIFF, &delimiter);
	MUST(delimiter);
	struct str cut = rows(a, in, 1 + data[0] % 64, &delimiter);
	MUST(str_eq(whole, cut));
	written_is_read(a, in);
	return 0;
}
