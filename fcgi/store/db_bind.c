#include "store/db_bind.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

struct db_param
db_param_text(const char *s)
{
	return s ? P_STR(str_of(s)) : P_NULL;
}

struct db_param
db_param_id(int64_t id)
{
	return id ? P_INT(id) : P_NULL;
}

struct db_param
db_param_str_or_null(struct str s)
{
	return s.n ? P_STR(s) : P_NULL;
}

static void
put_int32(struct buf *b, uint32_t n)
{
	n = htonl(n);
	buf_add(b, (const char *)&n, sizeof(n));
}

/* array_recv of PostgreSQL: dimensions, whether there are NULLs, the elements' type, the one
 * dimension's length and lower bound, the elements with their lengths. */
static struct str
array_of(struct arena *a, const struct db_param *p)
{
	enum { TEXT_OID = 25 };
	struct buf b;
	buf_init(&b, a);
	put_int32(&b, p->i > 0);
	put_int32(&b, 1);
	put_int32(&b, TEXT_OID);
	if (p->i > 0) {
		put_int32(&b, (uint32_t)p->i);
		put_int32(&b, 1);
	}
	for (int64_t i = 0; i < p->i; i++) {
		struct str s = p->list[i];
		put_int32(&b, s.p ? (uint32_t)s.n : UINT32_MAX);
		buf_add(&b, s.p, s.p ? s.n : 0);
	}
	return buf_view(&b);
}

static bool
no_nul(struct str s, struct error *e)
{
	return !s.n || !memchr(s.p, '\0', s.n) ||
	       error_set(e, ERR_INVALID, "Text must not contain NUL characters.");
}

static bool
bind_texts(struct arena *a, const struct db_param *p, struct db_bound *out, int i, struct error *e)
{
	for (int64_t k = 0; k < p->i; k++)
		if (!no_nul(p->list[k], e))
			return false;
	struct str s = array_of(a, p);
	out->values[i] = s.p;
	out->lengths[i] = (int)s.n;
	out->formats[i] = 1;
	return true;
}

bool
db_bind(
    struct arena *a, const struct db_param *params, int n, struct db_bound *out, struct error *e)
{
	for (int i = 0; i < n; i++) {
		const struct db_param *p = &params[i];
		const char **text = &out->values[i];
		struct buf b;
		out->formats[i] = 0;
		switch (p->type) {
		case PARAM_NULL:
			*text = NULL;
			break;
		case PARAM_INT:
			*text = arena_printf(a, "%" PRId64, p->i);
			break;
		case PARAM_BOOL:
			*text = p->i ? "t" : "f";
			break;
		case PARAM_REAL:
			*text = arena_printf(a, "%.17g", p->d);
			break;
		case PARAM_STR:
			if (!no_nul(p->s, e))
				return false;
			*text = str_dup(a, p->s);
			break;
		case PARAM_TIME:
			buf_init(&b, a);
			clock_print_rfc3339(&b, p->i);
			*text = p->i ? b.p : NULL;
			break;
		case PARAM_JSON:
			*text = p->v ? json_text(a, p->v) : NULL;
			break;
		case PARAM_TEXTS:
			if (!bind_texts(a, p, out, i, e))
				return false;
			break;
		}
	}
	return true;
}
