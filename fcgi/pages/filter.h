#ifndef PAGES_FILTER_H
#define PAGES_FILTER_H
/* What lists have in common: filters that live in the URL, and Older / Newer. */
#include "http/response.h"

struct filter_choice {
	const char *value; /* NULL: no such filter */
	const char *label; /* NULL: the value's own label */
};

/** The list's address with ${name} set to ${value} (NULL: without it) and from its first page on.
 */
const char *filter_url(const struct request *rq, const char *name, const char *value);
/** Chips [{label, href, current, status}] for a filter. */
struct value *filter_chips(
    const struct request *rq, const char *name, const struct filter_choice *choices, size_t n);
/** ERR_INVALID naming the field unless the filter is missing or one of the choices. */
bool filter_check(const struct request *rq, const char *name, const struct filter_choice *choices,
    size_t n, struct error *e) MUST_USE;

/** Where a page of a list begins: ?cursor= (older than it) or ?newer= (newer than it). */
struct filter_place {
	struct str cursor;
	bool newer;
	int64_t limit;
};

bool filter_place_read(
    const struct request *rq, struct filter_place *place, struct error *e) MUST_USE;
/** Whether ${rows}, asked for with limit + 1, hold one too many; drops it. */
bool filter_cut(struct value *rows, const struct filter_place *place);
/** Sets next (cursor or null), next_url and newer_url. ${first} and ${last}: cursors of the rows
 * shown. */
void filter_pages(const struct request *rq, struct value *model, const struct filter_place *place,
    bool more, const char *first, const char *last);

/* Lists that go one way only, by a number such as the id: ?cursor= is the last one seen. */

/** *cursor 0: from the beginning. ERR_MALFORMED where the cursor is none of ours. */
bool filter_place_number(const struct request *rq, struct filter_place *place, int64_t *cursor,
    struct error *e) MUST_USE;
/** Sets ${model}.${member} to ${rows}, asked for with limit + 1, and the links; ${by} is the
 * number's name. */
void filter_page(const struct request *rq, struct value *model, const char *member,
    struct value *rows, const char *by, const struct filter_place *place);

#endif
