#include "http/route.h"

#include <string.h>

enum { NO_MATCH = -1 };

struct parts {
	int64_t ids[4];
	struct str names[4];
	int id_count, name_count;
};

static bool
take_part(struct parts *to, struct str word, struct str part)
{
	int64_t id;
	if (!str_is(word, "{id}")) {
		if (part.n == 0 || to->name_count == 4)
			return false;
		to->names[to->name_count++] = part;
		return true;
	}
	if (to->id_count == 4 || part.n == 0 || part.p[0] < '1' || part.p[0] > '9' ||
	    !str_to_int(part, &id))
		return false;
	to->ids[to->id_count++] = id;
	return true;
}

/* How many parts of ${path} stand for a {word} of ${pattern}; NO_MATCH where it does not fit. */
static int
match(struct str pattern, struct str path, struct parts *to)
{
	int taken = 0;
	*to = (struct parts){0};
	while (pattern.n || path.n) {
		if (!pattern.n || !path.n)
			return NO_MATCH;
		struct str word = str_cut(&pattern, '/'), part = str_cut(&path, '/');
		if (word.n && word.p[0] == '{') {
			if (!take_part(to, word, part))
				return NO_MATCH;
			taken++;
		} else if (!str_eq(word, part)) {
			return NO_MATCH;
		}
	}
	return taken;
}

static const struct route *
find(const struct route *table, size_t n, struct request *rq, struct str path)
{
	unsigned method = rq->method == HEAD ? GET : rq->method;
	const struct route *best = NULL;
	int fewest = 100;
	struct parts parts;
	for (size_t i = 0; i < n; i++) {
		const char *pattern = table[i].pattern;
		/* Most differ in the first letter already. */
		if (path.n > 1 && pattern[0] == '/' && pattern[1] != '{' && pattern[1] != path.p[1])
			continue;
		int taken = match(str_of(pattern), path, &parts);
		if (taken == NO_MATCH)
			continue;
		rq->allow |= table[i].methods;
		if (!(table[i].methods & method) || taken >= fewest)
			continue;
		best = &table[i];
		fewest = taken;
		memcpy(rq->ids, parts.ids, sizeof(rq->ids));
		memcpy(rq->names, parts.names, sizeof(rq->names));
	}
	return best;
}

const struct route *
route_find(const struct route *table, size_t n, struct request *rq, struct error *e)
{
	rq->allow = 0;
	const struct route *route = find(table, n, rq, rq->path);
	if (!route && str_starts(rq->path, "/api/"))
		route = find(table, n, rq, str_sub(rq->path, 4, rq->path.n));
	if (route && route->flags & ROUTE_API_ONLY)
		rq->json = true;
	if (!route && rq->allow)
		error_set(e, ERR_METHOD, "This address does not take the method %s.",
		    method_name(rq->method));
	else if (!route)
		error_set(e, ERR_NOT_FOUND, "There is no such page.");
	return route;
}
