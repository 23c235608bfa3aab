#include "rules/area.h"

#include <stdlib.h>

void
areas_read(struct areas *areas, struct arena *a, struct str list)
{
	size_t n = 0;
	for (size_t i = 0; i < list.n; i++)
		n += list.p[i] == ' ';
	*areas = (struct areas){.prefixes = arena_new_array(a, struct str, n + 1)};
	while (list.n) {
		struct str prefix = str_cut(&list, ' ');
		areas->prefixes[areas->n++] = prefix;
		if (prefix.n > areas->longest)
			areas->longest = prefix.n;
	}
}

static int
by_bytes(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

struct str
areas_find(const struct areas *areas, const char *e164)
{
	struct str digits = str_of(*e164 ? e164 + 1 : e164);
	struct str wanted =
	    str_sub(digits, 0, digits.n < areas->longest ? digits.n : areas->longest);
	for (; wanted.n; wanted.n--) {
		const struct str *found =
		    bsearch(&wanted, areas->prefixes, areas->n, sizeof(*found), by_bytes);
		if (found)
			return *found;
	}
	return STR("");
}
