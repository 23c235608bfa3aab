#ifndef BASE_SHEET_H
#define BASE_SHEET_H
/*
 * The first visible sheet of an .xlsx file (ECMA-376), as the same rows that base/csv yields.
 * Streaming: shared strings go to disk (base/spool), so memory does not grow with the sheet.
 *
 * Texts as they are; booleans TRUE and FALSE; errors (#N/A) as empty; dates as 2026-01-05 or
 * 2026-01-05 15:30:00; numbers in full and never in scientific notation below 10^15, so that
 * 1.5550100002E10 reads 15550100002; a number format of zeros only (ZIP codes) is honoured.
 * The line is the sheet's own row number. Rows without any text are passed over.
 */
#include "base/csv.h"

struct sheet;

/** Opens the file; ${spool_dir} as for spool_new. Closed with ${a}. */
struct sheet *sheet_open(
    struct arena *a, const char *path, const char *spool_dir, struct error *e) MUST_USE;
/** False at the end, and with ${e} filled where the file turns out to be damaged. */
bool sheet_next(struct sheet *s, struct csv_row *out, struct error *e) MUST_USE;
/** The name on its tab. */
struct str sheet_name(const struct sheet *s);
/** How much was read, from 0 to 1. */
double sheet_progress(const struct sheet *s);

#endif
