#include "http/form.h"

#include <string.h>

#include "base/json.h"
#include "http/multipart.h"
#include "http/transport.h"
#include "http/upload.h"

enum { BODY_MAX = 1 << 20, SLICE = 64 << 10 };

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
form_percent(struct arena *a, struct str raw, bool plus, struct str *out, struct error *e)
{
	char *p = arena_alloc(a, raw.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		if (c == '+' && plus)
			c = ' ';
		if (raw.p[i] == '%') {
			bool whole = i + 2 < raw.n;
			int high = whole ? hex_digit(raw.p[i + 1]) : -1;
			int low = whole ? hex_digit(raw.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return error_set(e, ERR_MALFORMED,
				    "A percent sign in the address or form is not followed by two hex digits.");
			c = (char)(high << 4 | low);
			i += 2;
		}
		p[n++] = c;
	}
	*out = (struct str){p, n};
	if (!str_is_utf8(*out))
		return error_set(e, ERR_MALFORMED, "The address or form is not valid UTF-8 text.");
	return true;
}

bool
form_add(struct arena *a, struct value *map, struct str name, struct str value, struct error *e)
{
	if (name.n > FORM_NAME_MAX)
		return error_set(e, ERR_MALFORMED, "The name of a field is too long.");
	if (value.n > FORM_VALUE_MAX)
		return error_set(e, ERR_TOO_LARGE, "The field %.*s is too long.", STR_ARG(name));
	if (map->map.n >= FORM_FIELDS_MAX)
		return error_set(e, ERR_MALFORMED, "The request has too many fields.");
	value_set_str(a, map, name, value_text(a, value));
	return true;
}

bool
form_decode(struct arena *a, struct str text, struct value *map, struct error *e)
{
	while (text.n) {
		struct str value = str_cut(&text, '&');
		struct str name = str_cut(&value, '=');
		if (name.n == 0 && value.n == 0)
			continue;
		if (!form_percent(a, name, true, &name, e) ||
		    !form_percent(a, value, true, &value, e) || !form_add(a, map, name, value, e))
			return false;
	}
	return true;
}

static bool
body_length(struct request *rq, size_t most, size_t *length, struct error *e)
{
	struct str text = request_param(rq, "CONTENT_LENGTH");
	int64_t n = 0;
	*length = 0;
	if (text.n == 0)
		return true;
	if (!str_to_int(text, &n) || n < 0 || text.p[0] == '+')
		return error_set(e, ERR_MALFORMED, "Content-Length is not a number.");
	if ((uint64_t)n > most)
		return error_set(e, ERR_TOO_LARGE,
		    "What was sent is too large: %lld bytes, at most %zu are possible here.",
		    (long long)n, most);
	*length = (size_t)n;
	return true;
}

static bool
cut_short(struct error *e)
{
	return error_set(e, ERR_MALFORMED, "What was sent ended too early. Send it again.");
}

static bool
read_whole(struct request *rq, size_t length, struct error *e)
{
	char *p = arena_alloc(rq->arena, length + 1);
	for (size_t n = 0; n < length;) {
		ptrdiff_t got = rq->transport->read(rq->transport->ctx, p + n, length - n);
		if (got <= 0)
			return cut_short(e);
		n += (size_t)got;
	}
	rq->raw = (struct str){p, length};
	return true;
}

static bool
read_multipart(
    struct request *rq, const struct route *route, size_t length, struct str type, struct error *e)
{
	struct multipart *m =
	    multipart_new(rq->arena, type, upload_sink(rq, route->flags & ROUTE_UPLOAD), e);
	char *slice = m ? arena_alloc(rq->arena, SLICE) : NULL;
	if (!m)
		return false;
	for (size_t left = length; left;) {
		ptrdiff_t got =
		    rq->transport->read(rq->transport->ctx, slice, left < SLICE ? left : SLICE);
		if (got <= 0)
			return cut_short(e);
		if (!multipart_feed(m, slice, (size_t)got, e))
			return false;
		left -= (size_t)got;
	}
	return multipart_finish(m, e);
}

static bool
read_json(struct request *rq, struct error *e)
{
	if (!str_is_utf8(rq->raw))
		return error_set(e, ERR_MALFORMED, "The JSON is not valid UTF-8 text.");
	struct value *body = json_parse(rq->arena, rq->raw, e);
	if (!body) {
		if (e)
			e->kind = ERR_MALFORMED;
		return false;
	}
	if (body->type != VALUE_MAP)
		return error_set(
		    e, ERR_MALFORMED, "The JSON must be an object: {\"name\": value, …}.");
	if (body->map.n > FORM_FIELDS_MAX)
		return error_set(e, ERR_MALFORMED, "The request has too many fields.");
	rq->body = body;
	return true;
}

/* "; charset=latin-1" would make mojibake of names. */
static bool
is_utf8_type(struct str parameters)
{
	size_t at = str_find_nocase(parameters, "charset=");
	if (at == parameters.n)
		return true;
	struct str name = str_sub(parameters, at + 8, parameters.n);
	if (name.n && name.p[0] == '"')
		name = str_sub(name, 1, name.n);
	return (name.n >= 5 && str_is_nocase(str_sub(name, 0, 5), "utf-8")) ||
	       (name.n >= 4 && str_is_nocase(str_sub(name, 0, 4), "utf8"));
}

static bool
read_typed(struct request *rq, const struct route *route, size_t length, struct error *e)
{
	struct str type = request_header(rq, "Content-Type");
	struct str rest = type;
	struct str base = str_trim(str_cut(&rest, ';'));
	if (str_is_nocase(base, "multipart/form-data"))
		return read_multipart(rq, route, length, type, e);
	bool form = str_is_nocase(base, "application/x-www-form-urlencoded");
	bool json = str_is_nocase(base, "application/json");
	if ((!form && !json) || !is_utf8_type(rest))
		return error_set(e, ERR_UNSUPPORTED,
		    "Send a form or JSON in UTF-8 (Content-Type: application/json), not \"%.*s\".",
		    (int)(type.n < 80 ? type.n : 80), type.p);
	if (length > BODY_MAX && route->flags & ROUTE_UPLOAD)
		return error_set(e, ERR_TOO_LARGE, "What was sent is too large.");
	if (!read_whole(rq, length, e))
		return false;
	return json ? read_json(rq, e) : form_decode(rq->arena, rq->raw, rq->body, e);
}

bool
form_read(struct request *rq, const struct route *route, struct error *e)
{
	size_t length = 0;
	if (rq->method == GET || rq->method == HEAD)
		return true;
	if (!body_length(rq, route->most ? route->most : BODY_MAX, &length, e))
		return false;
	if (length == 0)
		return true;
	return route->flags & ROUTE_RAW ? read_whole(rq, length, e)
					: read_typed(rq, route, length, e);
}
