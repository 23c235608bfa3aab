#include "pages/filter.h"

#include <string.h>

static bool
keeps(struct str name, const char *without)
{
	return !str_is(name, without) && !str_is(name, "cursor") && !str_is(name, "newer") &&
	       !str_is(name, "limit");
}

const char *
filter_url(const struct request *rq, const char *name, const char *value)
{
	struct buf b;
	char mark = '?';
	buf_init(&b, rq->arena);
	buf_str(&b, rq->path);
	for (size_t i = 0; rq->query && i < rq->query->map.n; i++) {
		const struct member *m = &rq->query->map.members[i];
		if (!keeps(m->key, name) || m->value->type != VALUE_TEXT || !m->value->s.n)
			continue;
		buf_putc(&b, mark);
		mark = '&';
		buf_url(&b, m->key);
		buf_putc(&b, '=');
		buf_url(&b, m->value->s);
	}
	if (value && *value) {
		buf_putc(&b, mark);
		buf_url(&b, str_of(name));
		buf_putc(&b, '=');
		buf_url(&b, str_of(value));
	}
	return b.p;
}

struct value *
filter_chips(
    const struct request *rq, const char *name, const struct filter_choice *choices, size_t n)
{
	struct arena *a = rq->arena;
	struct str now = request_text(rq, name);
	struct value *chips = value_list(a);
	for (size_t i = 0; i < n; i++) {
		struct value *chip = value_push(a, chips, value_map(a));
		struct str value = str_of(choices[i].value);
		value_set_text(a, chip, "status", choices[i].value);
		if (choices[i].label)
			value_set_text(a, chip, "label", choices[i].label);
		else
			value_set(
			    a, chip, "label", value_member(a, value_text(a, value), STR("label")));
		value_set_text(a, chip, "href", filter_url(rq, name, choices[i].value));
		value_set_bool(a, chip, "current", str_eq(now, value));
	}
	return chips;
}

bool
filter_check(const struct request *rq, const char *name, const struct filter_choice *choices,
    size_t n, struct error *e)
{
	struct str now = request_text(rq, name);
	if (!now.n)
		return true;
	for (size_t i = 0; i < n; i++)
		if (choices[i].value && str_is(now, choices[i].value))
			return true;
	return error_field(
	    e, name, "There is no %s “%.*s”.", name, (int)(now.n < 60 ? now.n : 60), now.p);
}

bool
filter_place_read(const struct request *rq, struct filter_place *place, struct error *e)
{
	place->cursor = request_text(rq, "cursor");
	struct str newer = request_text(rq, "newer");
	place->newer = newer.n > 0;
	if (place->newer)
		place->cursor = newer;
	return request_limit(rq, &place->limit, e);
}

bool
filter_cut(struct value *rows, const struct filter_place *place)
{
	if (rows->list.n <= (size_t)place->limit)
		return false;
	/* Newest first either way: the surplus is the farthest from the cursor. */
	if (place->newer)
		memmove(rows->list.items, rows->list.items + 1,
		    (rows->list.n - 1) * sizeof(*rows->list.items));
	rows->list.n--;
	return true;
}

void
filter_pages(const struct request *rq, struct value *model, const struct filter_place *place,
    bool more, const char *first, const char *last)
{
	struct arena *a = rq->arena;
	bool older = last && (more || place->newer);
	bool newer = first && (place->newer ? more : place->cursor.n > 0);
	value_set_text(a, model, "next", older ? last : NULL);
	if (rq->json)
		return;
	if (older)
		value_set_text(a, model, "next_url", filter_url(rq, "cursor", last));
	if (newer)
		value_set_text(a, model, "newer_url", filter_url(rq, "newer", first));
	else if (place->newer || place->cursor.n)
		value_set_text(a, model, "newer_url", filter_url(rq, "cursor", NULL));
}

bool
filter_place_number(
    const struct request *rq, struct filter_place *place, int64_t *cursor, struct error *e)
{
	*cursor = 0;
	if (!filter_place_read(rq, place, e))
		return false;
	if (place->newer ||
	    (place->cursor.n && (!str_to_int(place->cursor, cursor) || *cursor < 0)))
		return error_set(
		    e, ERR_MALFORMED, "This cursor is none of ours. Begin at the first page.");
	return true;
}

void
filter_page(const struct request *rq, struct value *model, const char *member, struct value *rows,
    const char *by, const struct filter_place *place)
{
	bool more = filter_cut(rows, place);
	const struct value *last = rows->list.n ? rows->list.items[rows->list.n - 1] : NULL;
	value_set(rq->arena, model, member, rows);
	filter_pages(rq, model, place, more, NULL,
	    last ? arena_printf(rq->arena, "%lld", (long long)value_num(last, by)) : NULL);
}
