#include "http/request.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "http/form.h"
#include "http/transport.h"

static const struct {
	const char *name;
	enum method method;
} methods[] = {{"GET", GET}, {"POST", POST}, {"PUT", PUT}, {"PATCH", PATCH}, {"DELETE", DELETE},
    {"HEAD", HEAD}};

const char *
method_name(enum method method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].method == method)
			return methods[i].name;
	return "?";
}

struct request *
request_new(struct arena *a, struct app *app, struct transport *t)
{
	struct request *rq = arena_new_of(a, struct request);
	*rq = (struct request){.arena = a, .app = app, .transport = t, .method = GET};
	rq->path = STR("/");
	rq->id = rq->address = rq->agent = rq->host = "";
	rq->query = value_map(a);
	rq->body = value_map(a);
	rq->started = clock_monotonic();
	return rq;
}

/* The value of the ${nth} parameter of that name; its p is NULL where there is none. */
static struct str
param_at(const struct request *rq, const char *name, int nth)
{
	size_t n = strlen(name);
	for (const char *const *p = rq->transport->params; p && *p; p++)
		if (strncmp(*p, name, n) == 0 && (*p)[n] == '=' && nth-- == 0)
			return str_of(*p + n + 1);
	return (struct str){NULL, 0};
}

struct str
request_param(const struct request *rq, const char *name)
{
	struct str s = param_at(rq, name, 0);
	return s.p ? s : STR("");
}

/* "X-Webhook-Signature" -> "HTTP_X_WEBHOOK_SIGNATURE" */
static const char *
param_name(struct arena *a, const char *header)
{
	char *name = arena_printf(a, "HTTP_%s", header);
	for (char *c = name; *c; c++)
		*c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
	return name;
}

struct str
request_header(const struct request *rq, const char *name)
{
	const char *param = param_name(rq->arena, name);
	if (param_at(rq, param, 1).p) {
		log_warn("repeated header", LOG_TEXT("header", name));
		return STR("");
	}
	struct str s = str_trim(request_param(rq, param));
	return s.n || !str_is_nocase(str_of(name), "content-type")
		   ? s
		   : str_trim(request_param(rq, "CONTENT_TYPE"));
}

/* A cookie may stand in several Cookie headers (HTTP/2 splits them); one that is there twice is
 * none. */
struct str
request_cookie(const struct request *rq, const char *name)
{
	struct str found = STR("");
	bool twice = false;
	for (int i = 0; i < 20; i++) {
		struct str rest = param_at(rq, "HTTP_COOKIE", i);
		if (!rest.p)
			break;
		while (rest.n) {
			struct str value = str_trim(str_cut(&rest, ';'));
			struct str key = str_cut(&value, '=');
			if (!str_is(key, name))
				continue;
			twice = twice || found.n;
			found = value;
		}
	}
	return twice ? STR("") : found;
}

static bool
read_method(struct request *rq, struct error *e)
{
	struct str name = request_param(rq, "REQUEST_METHOD");
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_is(name, methods[i].name)) {
			rq->method = methods[i].method;
			return true;
		}
	return error_set(e, ERR_METHOD, "This method is not used here.");
}

/* Two values of one of these would leave it to chance which one holds. */
static bool
headers_once(struct request *rq, struct error *e)
{
	static const char *const once[] = {"HTTP_AUTHORIZATION", "HTTP_CONTENT_TYPE",
	    "HTTP_CONTENT_LENGTH", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_CSRF_TOKEN"};
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (param_at(rq, once[i], 1).p)
			return error_set(
			    e, ERR_MALFORMED, "The request repeats a header: %s.", once[i] + 5);
	return true;
}

static bool
read_path(struct request *rq, struct error *e)
{
	struct str target = request_param(rq, "REQUEST_URI");
	struct str raw = str_sub(target, 0, str_chr(target, '?'));
	if (raw.n == 0 || raw.p[0] != '/')
		return error_set(e, ERR_MALFORMED, "The address must begin with a slash.");
	struct str path;
	if (!form_percent(rq->arena, raw, false, &path, e))
		return false;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f)
			return error_set(
			    e, ERR_MALFORMED, "The address contains a control character.");
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	rq->path = path;
	return true;
}

static bool
wants_json(const struct request *rq)
{
	if (str_is(rq->path, "/api") || str_starts(rq->path, "/api/"))
		return true;
	struct str accept = request_header(rq, "Accept");
	return str_find_nocase(accept, "application/json") < accept.n &&
	       str_find_nocase(accept, "text/html") == accept.n;
}

static const char *
plain_copy(struct request *rq, struct str s, size_t most)
{
	return str_dup(rq->arena, str_utf8(rq->arena, str_sub(s, 0, s.n < most ? s.n : most)));
}

bool
request_head(struct request *rq, struct error *e)
{
	rq->id = plain_copy(rq, request_param(rq, "REQUEST_ID"), 64);
	if (!*rq->id)
		rq->id = crypto_token(rq->arena, 12);
	rq->address = plain_copy(rq, request_param(rq, "REMOTE_ADDR"), 64);
	rq->agent = plain_copy(rq, request_header(rq, "User-Agent"), 300);
	rq->host = plain_copy(rq, request_header(rq, "Host"), 300);
	bool good = read_path(rq, e);
	rq->json = wants_json(rq);
	return good && read_method(rq, e) && headers_once(rq, e) &&
	       form_decode(rq->arena, request_param(rq, "QUERY_STRING"), rq->query, e);
}

static const struct value *
input(const struct request *rq, const char *name)
{
	const struct value *v = value_get(rq->body, name);
	return v ? v : value_get(rq->query, name);
}

struct str
request_text(const struct request *rq, const char *name)
{
	const struct value *v = input(rq, name);
	if (!v || v->type == VALUE_LIST || v->type == VALUE_MAP)
		return STR("");
	if (v->type == VALUE_TEXT)
		return str_trim(v->s);
	struct buf b;
	buf_init(&b, rq->arena);
	value_print(&b, v);
	return buf_view(&b);
}

const char *
request_textz(const struct request *rq, const char *name)
{
	return str_dup(rq->arena, request_text(rq, name));
}

bool
request_has(const struct request *rq, const char *name)
{
	const struct value *v = input(rq, name);
	return v && v->type != VALUE_NULL;
}

bool
request_flag(const struct request *rq, const char *name)
{
	static const char *const yes[] = {"1", "on", "true", "yes"};
	const struct value *v = input(rq, name);
	if (!v || v->type != VALUE_TEXT)
		return v && value_truthy(v);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (str_is_nocase(str_trim(v->s), yes[i]))
			return true;
	return false;
}

static bool
to_int(const struct request *rq, const struct value *v, const char *name, int64_t *out)
{
	if (v->type == VALUE_INT) {
		*out = v->i;
		return true;
	}
	if (v->type == VALUE_REAL) {
		*out = fabs(v->d) < 9e15 ? (int64_t)v->d : 0;
		return fabs(v->d) < 9e15 && (double)*out == v->d;
	}
	return v->type == VALUE_TEXT && str_to_int(request_text(rq, name), out);
}

bool
request_int(const struct request *rq, const char *name, int64_t least, int64_t most,
    int64_t fallback, int64_t *out, struct error *e)
{
	const struct value *v = input(rq, name);
	if (!v || v->type == VALUE_NULL || (v->type == VALUE_TEXT && str_trim(v->s).n == 0)) {
		*out = fallback;
		return true;
	}
	if (!to_int(rq, v, name, out) || *out < least || *out > most)
		return error_field(e, name, "%s must be a whole number from %lld to %lld.", name,
		    (long long)least, (long long)most);
	return true;
}

bool
request_required(
    const struct request *rq, const char *name, size_t most, struct str *out, struct error *e)
{
	*out = request_text(rq, name);
	if (out->n == 0)
		return error_field(e, name, "%s is missing.", name);
	if (out->n > most)
		return error_field(
		    e, name, "%s is too long: at most %zu bytes are possible.", name, most);
	return true;
}

bool
request_limit(const struct request *rq, int64_t *limit, struct error *e)
{
	return request_int(rq, "limit", 1, 200, 50, limit, e);
}

struct upload *
request_upload(const struct request *rq, const char *field)
{
	for (size_t i = 0; i < rq->upload_count; i++)
		if (strcmp(rq->uploads[i].field, field) == 0)
			return &rq->uploads[i];
	return NULL;
}
