#include "http/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "http/form.h"

enum { MASK = 16 };

/* Over plain http (never on a server) browsers refuse the prefix and Secure. */
static bool
is_tls(const struct request *rq)
{
	return str_starts(str_of(rq->app->config.base_url), "https://");
}

static const char *
cookie_name(const struct request *rq)
{
	return is_tls(rq) ? "__Host-trunkline" : "trunkline";
}

char *
session_token(struct request *rq, int64_t user_id, int64_t epoch, struct error *e)
{
	struct value *claims = value_map(rq->arena);
	value_set_int(rq->arena, claims, "uid", user_id);
	value_set_int(rq->arena, claims, "epoch", epoch);
	value_set_text(rq->arena, claims, "sid", crypto_token(rq->arena, 18));
	char *token = crypto_jwt_sign(
	    rq->arena, rq->app->config.secret_key, claims, clock_now(), SESSION_SECONDS);
	if (!token)
		error_set(e, ERR_INTERNAL, "no token");
	return token;
}

static void
set_cookie(
    struct response *rs, struct request *rq, const char *name, const char *value, int seconds)
{
	response_header(rs, rq, "Set-Cookie",
	    arena_printf(rq->arena, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s", name,
		value, seconds, is_tls(rq) ? "; Secure" : ""));
}

void
session_cookie_set(struct response *rs, struct request *rq, const char *token)
{
	set_cookie(rs, rq, cookie_name(rq), token, SESSION_SECONDS);
}

void
session_cookie_clear(struct response *rs, struct request *rq)
{
	set_cookie(rs, rq, cookie_name(rq), "", 0);
}

static const char *
notice_name(const struct request *rq)
{
	return is_tls(rq) ? "__Host-notice" : "notice";
}

void
session_notice_set(struct response *rs, struct request *rq, const char *notice)
{
	struct buf b;
	buf_init(&b, rq->arena);
	buf_url(&b, str_of(notice));
	if (b.n <= 3000)
		set_cookie(rs, rq, notice_name(rq), b.p, 60);
}

void
session_notice_take(struct response *rs, struct request *rq)
{
	struct str text = request_cookie(rq, notice_name(rq));
	if (text.n == 0)
		return;
	if (form_percent(rq->arena, text, false, &text, NULL))
		rq->notice = str_dup(rq->arena, text);
	set_cookie(rs, rq, notice_name(rq), "", 0);
}

struct str
session_presented(const struct request *rq, bool *by_cookie)
{
	struct str header = request_header(rq, "Authorization");
	*by_cookie = false;
	if (header.n > 7 && str_is_nocase(str_sub(header, 0, 7), "Bearer "))
		return str_trim(str_sub(header, 7, header.n));
	struct str cookie = request_cookie(rq, cookie_name(rq));
	*by_cookie = cookie.n > 0;
	return cookie;
}

static void
hex_to_bytes(const char *hex, unsigned char *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned v = 0;
		for (size_t k = 2 * i; k < 2 * i + 2; k++)
			v = v << 4 |
			    (unsigned)(hex[k] <= '9' ? hex[k] - '0' : (hex[k] | 0x20) - 'a' + 10);
		out[i] = (unsigned char)v;
	}
}

/* The session's own secret: what masks hide and checks look for. */
static void
csrf_secret(const struct request *rq, unsigned char out[MASK])
{
	const char *session = rq->viewer ? rq->viewer->session : "";
	const char *hex = crypto_hmac_sha256(rq->arena, str_of(rq->app->config.secret_key),
	    str_of(arena_printf(rq->arena, "csrf %s", session)));
	hex_to_bytes(hex, out, MASK);
}

char *
session_csrf(const struct request *rq)
{
	unsigned char both[2 * MASK];
	csrf_secret(rq, both + MASK);
	crypto_random(both, MASK);
	for (size_t i = 0; i < MASK; i++)
		both[MASK + i] ^= both[i];
	return crypto_hex(rq->arena, both, sizeof(both));
}

static bool
token_fits(const struct request *rq, struct str token)
{
	unsigned char both[2 * MASK], secret[MASK];
	if (token.n != sizeof(both) * 2 ||
	    strspn(str_dup(rq->arena, token), "0123456789abcdef") != token.n)
		return false;
	hex_to_bytes(token.p, both, sizeof(both));
	for (size_t i = 0; i < MASK; i++)
		both[MASK + i] ^= both[i];
	csrf_secret(rq, secret);
	return crypto_equal((struct str){(const char *)both + MASK, MASK},
	    (struct str){(const char *)secret, MASK});
}

bool
session_origin_ok(const struct request *rq, struct error *e)
{
	struct str origin = request_header(rq, "Origin");
	struct str site = request_header(rq, "Sec-Fetch-Site");
	bool ours = origin.n == 0 || str_is_nocase(origin, rq->app->config.base_url);
	if (!ours && (str_starts(origin, "https://") || str_starts(origin, "http://"))) {
		struct str rest = str_sub(origin, str_find(origin, "//") + 2, origin.n);
		ours = *rq->host && str_is_nocase(rest, rq->host);
	}
	if (!ours || str_is(site, "cross-site"))
		return error_code(e, ERR_FORBIDDEN, "foreign_origin",
		    "This form was sent from another site. Nothing was changed.");
	return true;
}

bool
session_csrf_ok(const struct request *rq, struct error *e)
{
	struct str token = request_header(rq, "X-CSRF-Token");
	if (!session_origin_ok(rq, e))
		return false;
	if (token.n == 0)
		token = value_str(rq->body, "csrf");
	return token_fits(rq, token) ||
	       error_code(e, ERR_FORBIDDEN, "stale_form",
		   "This page was open for too long. Go back, reload it and try again.");
}

const char *
session_next(struct request *rq, struct str path)
{
	bool local = path.n > 0 && path.n <= 2000 && path.p[0] == '/';
	if (path.n > 1 && path.p[1] == '/')
		local = false;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] <= 0x20 || path.p[i] == '\\' || path.p[i] == 0x7f)
			local = false;
	return local ? str_dup(rq->arena, path) : "/";
}
