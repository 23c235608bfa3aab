#ifndef BASE_VALUE_H
#define BASE_VALUE_H
/*
 * The one tree of data between SQL, JSON and templates. It lives on an arena and is never freed by
 * itself. A row of a query, a parsed JSON body and a page's view model are all of this type, so a
 * page and its JSON twin cannot disagree.
 *
 * Some scalars carry presentation with them, worked out only where a template asks (value_member):
 *   VALUE_TIME   {{t}} RFC 3339 UTC   {{t.ago}} "4 min ago"   {{t.local}} in the viewer's zone
 *                {{t.day}} {{t.clock}}
 *   VALUE_TEXT   {{s.label}} "no_answer" -> "No answer"       {{s.initials}} "Jane Doe" -> "JD"
 *                {{s.short}} first 80 characters
 *   VALUE_PHONE  {{p}} E.164          {{p.pretty}} "(555) 010-0002"; of other countries E.164
 *   VALUE_MONEY  {{m}} dollars "1.25" (held in micro-dollars, rounded here)   {{m.usd}} "$1.25"
 *   VALUE_INT    {{n.grouped}} "12,345"     {{n.duration}} 75 -> "1:15" (seconds)
 * A list answers {{l.count}}; {{x.any}} is true for a non-empty list or text and a non-zero number.
 */
#include "base/str.h"

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_TIME,  /* i: microseconds since the Unix epoch */
	VALUE_PHONE, /* s: E.164 */
	VALUE_MONEY, /* i: micro-dollars */
	VALUE_LIST,
	VALUE_MAP,
};

struct member {
	struct str key;
	struct value *value;
};

struct value {
	enum value_type type;
	union {
		bool b;
		int64_t i;
		double d;
		struct str s;
		struct {
			struct value **items;
			size_t n, cap;
		} list;
		struct {
			struct member *members; /* in order of insertion */
			size_t n, cap;
		} map;
	};
};

/* Makers. Text is borrowed, not copied: it must live as long as the arena. */
struct value *value_null(struct arena *a);
struct value *value_bool(struct arena *a, bool b);
struct value *value_int(struct arena *a, int64_t i);
struct value *value_real(struct arena *a, double d);
struct value *value_text(struct arena *a, struct str s);
struct value *value_textz(struct arena *a, const char *s); /* NULL makes VALUE_NULL */
struct value *value_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct value *value_time(struct arena *a, int64_t micros);
struct value *value_phone(struct arena *a, struct str e164);
struct value *value_money(struct arena *a, int64_t micros);
struct value *value_list(struct arena *a);
struct value *value_map(struct arena *a);
/** With room for ${n} members. */
struct value *value_map_for(struct arena *a, size_t n);

/** Appends to a list. Returns ${v}, so that a map can be made in place and filled. */
struct value *value_push(struct arena *a, struct value *list, struct value *v);
/** Sets or replaces a member. ${key} is borrowed. Returns ${v}. */
struct value *value_set(struct arena *a, struct value *map, const char *key, struct value *v);
struct value *value_set_str(struct arena *a, struct value *map, struct str key, struct value *v);
/** As value_set_str for a key that is surely not there yet; its cost does not grow with the map. */
struct value *value_add(struct arena *a, struct value *map, struct str key, struct value *v);
/* Short forms, which read well in a handler. */
void value_set_bool(struct arena *a, struct value *map, const char *key, bool b);
void value_set_int(struct arena *a, struct value *map, const char *key, int64_t i);
void value_set_text(struct arena *a, struct value *map, const char *key, const char *s);

/* Reading. A missing member, or ${v} == NULL, or the wrong type gives the neutral answer. */
struct value *value_get(const struct value *v, const char *key); /* NULL where missing */
struct value *value_get_str(const struct value *v, struct str key);
bool value_has(const struct value *v, const char *key); /* present and not null */
struct str value_str(const struct value *v, const char *key);
/** NUL-terminated; NULL where missing or null. Numbers are not converted. */
const char *value_strz(struct arena *a, const struct value *v, const char *key);
int64_t value_num(const struct value *v, const char *key);
double value_dbl(const struct value *v, const char *key);
bool value_flag(const struct value *v, const char *key);
int64_t value_micros(
    const struct value *v, const char *key); /* VALUE_TIME / VALUE_MONEY; 0 if none */

/** What a template section takes for true: not null, false, "", 0 or an empty list. */
bool value_truthy(const struct value *v);
/** Looks a name up in a map, or computes a scalar's presentation (see above). NULL where unknown.
 */
struct value *value_member(struct arena *a, const struct value *v, struct str key);
/** A number with its noun, as people read it: "1 lead", "24,997 leads". */
const char *value_counted(struct arena *a, int64_t n, const char *noun);
/** How {{name}} prints a scalar (no escaping). Lists and maps print as nothing. */
void value_print(struct buf *out, const struct value *v);

#endif
