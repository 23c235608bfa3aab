#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	int status;
	const char *name;
} kinds[ERR__MAX] = {
    [ERR_NONE] = {200, "ok"},
    [ERR_INVALID] = {422, "invalid"},
    [ERR_MALFORMED] = {400, "malformed"},
    [ERR_UNAUTHENTICATED] = {401, "unauthenticated"},
    [ERR_FORBIDDEN] = {403, "forbidden"},
    [ERR_NOT_FOUND] = {404, "not_found"},
    [ERR_METHOD] = {405, "method_not_allowed"},
    [ERR_CONFLICT] = {409, "conflict"},
    [ERR_TOO_LARGE] = {413, "too_large"},
    [ERR_UNSUPPORTED] = {415, "unsupported"},
    [ERR_TOO_MANY] = {429, "too_many_requests"},
    [ERR_UNAVAILABLE] = {503, "unavailable"},
    [ERR_UNKNOWN] = {502, "unknown_result"},
    [ERR_INTERNAL] = {500, "internal"},
};

PRINTF_LIKE(5, 0)
static void
fill(struct error *e, enum error_kind kind, const char *code, const char *field, const char *fmt,
    va_list ap)
{
	if (!e)
		return;
	e->kind = kind;
	snprintf(e->code, sizeof(e->code), "%s", code);
	snprintf(e->field, sizeof(e->field), "%s", field);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
}

bool
error_set(struct error *e, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(e, kind, "", "", fmt, ap);
	va_end(ap);
	return false;
}

bool
error_field(struct error *e, const char *field, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(e, ERR_INVALID, "", field, fmt, ap);
	va_end(ap);
	return false;
}

bool
error_code(struct error *e, enum error_kind kind, const char *code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(e, kind, code, "", fmt, ap);
	va_end(ap);
	return false;
}

int
error_status(enum error_kind kind)
{
	return kinds[kind].status;
}

const char *
error_name(const struct error *e)
{
	return e->code[0] ? e->code : kinds[e->kind].name;
}
