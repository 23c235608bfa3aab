#ifndef BASE_TABLE_H
#define BASE_TABLE_H
/*
 * A list that somebody uploaded, whatever it was saved as: CSV in any encoding (base/charset,
 * base/csv) or an Excel workbook (base/sheet), row by row in constant memory (under 2 MB).
 *
 * The first row is the header if it looks like one: no field is empty in the middle, none holds an
 * @ or four digits, at least one holds a letter. Otherwise the columns are column_1, column_2, ...
 * Rows without any text (";;;;" at the end of Excel's files) are passed over, as blank lines are:
 * they are neither rows nor damaged. To resume after an interruption, open the file again with
 * after_line = the last line that was dealt with: a million rows are passed over in half a second.
 */
#include "base/str.h"

enum table_header { TABLE_HEADER_AUTO, TABLE_HEADER_YES, TABLE_HEADER_NO };

struct table_options {
	const char *encoding; /* a name of charset_list; NULL or "": find out */
	char delimiter;       /* 0: find out */
	enum table_header header;
	int64_t after_line;    /* rows that begin at or before this line are passed over */
	const char *spool_dir; /* for a workbook's texts; NULL: $TMPDIR or /tmp */
};

struct table_row {
	int64_t line;             /* where it begins in the file; a workbook's row number */
	const struct str *fields; /* valid until the next call */
	size_t n;                 /* may be less or more than the table's columns */
	const char *damage; /* NULL, or why the row is unusable; fields[0] is then its raw text */
};

struct table_info {
	const char *format;   /* "csv" or "xlsx" */
	const char *encoding; /* "UTF-8 with BOM", ...; "" for a workbook */
	char delimiter;       /* 0 for a workbook */
	struct str sheet;     /* the workbook's sheet, or "" */
	bool has_header;
	const struct str
	    *columns; /* header texts without blanks around; column_N where there is none */
	size_t n_columns;
	int64_t size; /* of the file, in bytes */
	int64_t done; /* of them, about how many were dealt with */
	int64_t line; /* of the last row that was handed out */
};

struct table_reader;

/**
 * Opens ${path}, a regular file; NULL where it is no list: empty, a picture, a password. The
 * message is for the person who uploaded it. Everything is released with ${a}.
 */
struct table_reader *table_open(struct arena *a, const char *path,
    const struct table_options *options, struct error *e) MUST_USE;
/** The next row. False at the end (e->kind stays ERR_NONE) or on failure (it does not). */
bool table_next(struct table_reader *t, struct table_row *out, struct error *e) MUST_USE;
/** The facts so far; lives as long as the reader. */
const struct table_info *table_info(struct table_reader *t);

#endif
