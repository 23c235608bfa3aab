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

/* Takes a character that was cut in two off the end of the ${n} bytes of ${s}. */
static void
end_whole(char *s, size_t n)
{
	size_t lead = n - 1;
	while (lead > 0 && n - lead < 4 && ((unsigned char)s[lead] & 0xC0) == 0x80)
		lead--;
	unsigned char c = (unsigned char)s[lead];
	size_t whole = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
	if (lead + whole > n)
		s[lead] = '\0';
}

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
	int n = vsnprintf(e->message, sizeof(e->message), fmt, ap);
	if (n >= (int)sizeof(e->message))
		end_whole(e->message, sizeof(e->message) - 1);
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
