#ifndef BASE_CSV_STATE_H
#define BASE_CSV_STATE_H
/* The inside of the CSV reader, shared by csv.c (buffer, rows) and csv_row.c (one row); for nobody
 * else. */
#include "base/csv.h"

#define CAPACITY (CSV_ROW_MAX + 131072)

enum csv_kind { PLAIN, STOP, CONTROL };

struct csv_span {
	size_t from, to;
	bool doubled; /* holds "" */
	bool lines;   /* holds line ends */
	bool controls;
};

struct csv {
	char delimiter;
	unsigned char kinds[256];
	char *p;
	size_t start, end; /* the unread input; a row always begins at start */
	bool ended;
	bool skipping; /* the rest of an overlong line */
	int64_t line;
	size_t expected;
	size_t n;
	struct csv_span spans[CSV_COLUMNS_MAX];
	struct str fields[CSV_COLUMNS_MAX];
	char damage[128];
};

enum csv_step { FIELD, LAST_FIELD, ROW, HUNGRY, BAD };

/* One attempt to read the row at c->start; nothing is consumed by it. */
struct csv_attempt {
	size_t at;      /* next byte to look at */
	size_t offence; /* BAD: where the trouble began; reading resumes on the line after it */
};

/** Tries to read the row at c->start and changes no byte: it may be tried again with more input or
 * another delimiter. What it found is in c->spans or, when BAD, in c->damage. */
enum csv_step csv_read_row(struct csv *c, struct csv_attempt *t);
/** Where the line that holds ${from} ends, at most ${to}. */
size_t csv_line_end(const struct csv *c, size_t from, size_t to);

#endif
