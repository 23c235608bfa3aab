#ifndef ENGINE_IMPORT_ROW_H
#define ENGINE_IMPORT_ROW_H
/* One row of a list, judged, as a line of COPY text for the staging table (query import_copy). */
#include "base/table.h"
#include "base/value.h"
#include "rules/columns.h"

struct import_row {
	struct column_map *map;
	size_t at[COLUMN__MAX]; /* the column that holds a field; map->n: none */
	size_t prompt;          /* the column that names a prompt, or map->n */
	const char *country;
	struct arena *a; /* of the batch */
	struct buf out;  /* the batch so far */
	struct buf json; /* scratch */
	int64_t now;
	int count;
};

/** ${columns}: as stored with the import; lives on ${a}. */
void import_row_init(
    struct import_row *r, struct arena *a, const struct value *columns, const char *country);
/** An empty batch on ${a}. */
void import_row_begin(struct import_row *r, struct arena *a, int64_t now);
/** Adds the row: good, or refused with a reason. */
void import_row_add(struct import_row *r, const struct table_row *row);

#endif
