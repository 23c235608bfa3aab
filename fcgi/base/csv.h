#ifndef BASE_CSV_H
#define BASE_CSV_H
/*
 * A streaming reader and a writer of RFC 4180 and what passes for it.
 *
 * Why not libcsv: after one stray or unclosed quote it puts the rest of the file into one field and
 * reports no error, it trims blanks, knows neither line numbers nor byte order marks. Here a broken
 * quote costs the line it stands on, with a reason, and nothing after it.
 *
 * Accepted: CR, LF, CRLF, mixed; quoted fields with delimiters and line ends; "" for a quote; a
 * quote in the middle of an unquoted field (5" pipe), taken as it stands; blanks around the quotes.
 * A quote that is never closed shows itself by text right behind what seems its closing partner, by
 * the field limit, by the end of the file, or by whole rows inside the field; then the line with
 * the opening quote is reported as damaged and reading goes on with the next line.
 * Input is UTF-8. NUL damages a row; other control characters become blanks. Blank lines are
 * passed over. The outcome does not depend on how the input was sliced.
 */
#include "base/str.h"

#define CSV_FIELD_MAX 65536
#define CSV_COLUMNS_MAX 200
#define CSV_ROW_MAX 262144
#define CSV_RAW_MAX 4096 /* how much of a damaged line is handed out */

struct csv_row {
	int64_t line;             /* the first line of the row, from 1 */
	const struct str *fields; /* valid until the next call on the reader */
	size_t n;
	const char
	    *damage; /* NULL, or why the row cannot be used; fields[0] is then the raw text */
};

enum csv_next { CSV_ROW, CSV_HUNGRY, CSV_END };

struct csv;

/** A reader on ${a}; uses about 400 KB, whatever the size of the file. */
struct csv *csv_new(struct arena *a, char delimiter);
/** Where the next input goes; at least 4096 bytes after CSV_HUNGRY. Ends the life of the last row.
 */
char *csv_room(struct csv *c, size_t *room);
/** ${n} bytes were put there; 0 says that the input has ended. */
void csv_fed(struct csv *c, size_t n);
enum csv_next csv_next(struct csv *c, struct csv_row *out);
/** How many columns a row should have; makes unclosed quotes easier to tell. 0: unknown. */
void csv_expect(struct csv *c, size_t columns);
/**
 * Finds the delimiter among , ; tab | in what was fed so far (some 10 KB will do) and uses it;
 * a first line "sep=;" (Excel) decides, and is passed over. Call before the first csv_next.
 */
char csv_sniff(struct csv *c);
/** As csv_sniff, for a delimiter that somebody chose: only passes over a line "sep=". */
void csv_delimiter(struct csv *c, char delimiter);

/**
 * Writes a field with quotes where needed. What a spreadsheet would run as a formula (= + - @, tab
 * or CR in front, also in full width) gets a leading apostrophe; a plain signed number does not:
 * neither -5.20 nor +15550100002 can do harm, and telephone columns stay readable and importable.
 */
void csv_write_field(struct buf *out, struct str field);
/** Fields, commas, CRLF. */
void csv_write_row(struct buf *out, const struct str *fields, size_t n);

#endif
