#ifndef ENGINE_IMPORT_ROW_H
#define ENGINE_IMPORT_ROW_H
/* One row of a list, judged, as a line of COPY text for the staging table (query import_copy). */
#include "base/table.h"
#include "base/value.h"
#include "rules/area.h"
#include "rules/columns.h"
#include "rules/phone.h"

struct import_row {
	struct column_map *map;
	size_t at[COLUMN__MAX]; /* the column that holds a field; map->n: none */
	size_t prompt;          /* the column that names a prompt, or map->n */
	const char *country;
	const struct areas *areas;
	struct arena *a; /* of the batch */
	struct buf out;  /* the batch so far */
	struct buf json; /* scratch */
	int64_t now;
	int count;
};

/** ${columns}: as stored with the import; lives on ${a}, borrows ${country} and ${areas}. */
void import_row_init(struct import_row *r, struct arena *a, const struct value *columns,
    const char *country, const struct areas *areas);
/** An empty batch on ${a}. */
void import_row_begin(struct import_row *r, struct arena *a, int64_t now);

/** What becomes of a row. */
struct import_verdict {
	const char *reason; /* why it is refused; NULL: it is good */
	struct str column;  /* … for what stands in this one; may be empty */
	struct phone phone; /* where it is good */
};
/** Judges the row; the reason is on ${r->a}. */
void import_row_judge(
    const struct import_row *r, const struct table_row *row, struct import_verdict *v);
/** Adds the row to the batch. */
void import_row_put(
    struct import_row *r, const struct table_row *row, const struct import_verdict *v);
/** Which of ${lanes} (1 or 2) the row belongs to, from 0 on: the same number, the same lane. */
int import_row_lane(const struct table_row *row, const struct import_verdict *v, int lanes);

#endif
