/* What a prompt can say of a lead. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "rules/columns.h"
#include "rules/render.h"
#include "rules/render_clean.h"

enum { MOST_VALUE = 500 };

/* The length of an invisible character at the front (zero width, direction marks), or 0. */
static size_t
invisible(struct str s)
{
	static const char *const ranges[][2] = {{"\xE2\x80\x8B", "\xE2\x80\x8F"},
	    {"\xE2\x80\xA8", "\xE2\x80\xAE"}, {"\xE2\x81\xA0", "\xE2\x81\xAF"},
	    {"\xEF\xBB\xBF", "\xEF\xBB\xBF"}};
	if (s.n >= 2 && (unsigned char)s.p[0] == 0xC2 && (unsigned char)s.p[1] < 0xA0)
		return 2; /* C1 controls */
	for (size_t i = 0; s.n >= 3 && i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (memcmp(s.p, ranges[i][0], 3) >= 0 && memcmp(s.p, ranges[i][1], 3) <= 0)
			return 3;
	return 0;
}

struct str
render_clean(struct arena *a, struct str s)
{
	struct buf b;
	buf_init(&b, a);
	if (s.n > MOST_VALUE) {
		s.n = MOST_VALUE;
		while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	for (size_t i = 0, skip; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((skip = invisible(str_sub(s, i, s.n)))) {
			i += skip - 1;
			continue;
		}
		c = c == '{' ? '(' : c == '}' ? ')' : c < 0x20 || c == 0x7F ? ' ' : c;
		if (c != ' ' || (b.n && b.p[b.n - 1] != ' '))
			buf_putc(&b, (char)c);
	}
	return str_trim(buf_view(&b));
}

/* "Ada Lovelace", "Lovelace, Ada" -> "Ada" */
static struct str
first_name(struct str contact)
{
	struct str after = contact, before = str_cut(&after, ',');
	struct str s = str_trim(str_trim(after).n ? after : before);
	return str_sub(s, 0, str_chr(s, ' '));
}

/* Days begin, and clocks are changed, at full quarters of an hour; until the next one the date of a
 * zone is as it was. Finding it out reads a file. */
static struct value *
today(struct arena *a, const struct value *lead)
{
	enum { KEPT = 64, QUARTER = 900 };
	static struct {
		char zone[64], text[64];
		int64_t quarter;
	} kept[KEPT];
	int64_t now = clock_now(), quarter = now / CLOCK_SECOND / QUARTER;
	const char *zone = value_strz(a, lead, "time_zone");
	unsigned hash = 5381;
	for (const char *p = zone ? zone : ""; *p; p++)
		hash = hash * 33 + (unsigned char)*p;
	hash %= KEPT;
	if (kept[hash].quarter != quarter || strcmp(kept[hash].zone, zone ? zone : "") != 0) {
		struct buf b;
		buf_init(&b, a);
		clock_print_zone(&b, now, zone, "%A, %e %B %Y");
		snprintf(kept[hash].zone, sizeof(kept[hash].zone), "%s", zone ? zone : "");
		snprintf(kept[hash].text, sizeof(kept[hash].text), "%.*s",
		    STR_ARG(render_clean(a, buf_view(&b))));
		kept[hash].quarter = quarter;
	}
	return value_textz(a, arena_strdup(a, kept[hash].text));
}

static void
add_attributes(struct arena *a, struct value *values, const struct value *more)
{
	for (size_t i = 0; more && more->type == VALUE_MAP && i < more->map.n; i++) {
		struct str key = str_of(columns_key(a, more->map.members[i].key));
		const struct value *own = value_get_str(values, key);
		if (key.n && (!own || !value_truthy(own)))
			value_set_str(a, values, key, more->map.members[i].value);
	}
}

struct value *
render_values(struct arena *a, const struct value *lead, const char *rep)
{
	static const char *const own[] = {"phone", "contact", "company", "email", "location",
	    "region", "source", "assigned_agent", "notes", "list"};
	struct value *values = value_map(a);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct value *v = value_get(lead, own[i]);
		if (v && v->type != VALUE_NULL)
			value_set(a, values, own[i], v);
	}
	struct str contact = value_str(lead, "contact"), agent = value_str(lead, "assigned_agent");
	value_set(a, values, "name", value_text(a, contact));
	value_set(a, values, "agent", value_text(a, agent));
	value_set(a, values, "rep", value_text(a, rep && *rep ? str_of(rep) : agent));
	value_set(a, values, "today", today(a, lead));
	add_attributes(a, values, value_get(lead, "attributes"));
	if (!value_truthy(value_get(values, "first_name")))
		value_set(a, values, "first_name", value_text(a, first_name(contact)));
	return values;
}
