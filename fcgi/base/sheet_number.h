#ifndef BASE_SHEET_NUMBER_H
#define BASE_SHEET_NUMBER_H
/* How a number in a spreadsheet reads, by its number format (ECMA-376 part 1, 18.8.30 and .31). */
#include "base/str.h"

enum sheet_format {
	SHEET_NUMBER,
	SHEET_DATE,
	SHEET_ZEROS /* + n: padded with zeros to n digits */
};

/** Of one of the built-in formats. */
int sheet_format_builtin(int64_t id);
/** Of a format code such as "yyyy\-mm\-dd" or "00000". */
int sheet_format_of(struct str code);
/** Adds the number ${raw} as people read it; text that is no number is added as it is. */
void sheet_number_print(struct buf *out, struct str raw, int format, bool since_1904);

#endif
