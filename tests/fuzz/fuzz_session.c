/*
 * Who comes with a token. The input is a token as sent; or, where it begins with "!", the header
 * and the claims of one, a line each, which are then signed with the right key: what libjwt makes
 * of them is looked at as well. Behind a line "===": a CSRF token, and where to go after signing
 * in.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/crypto.h"
#include "fuzz.h"
#include "http/session.h"
#include "http/transport.h"

static const char secret[] = "0123456789012345678901234567890123456789";

static struct str
base64url(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n * 4 / 3 + 8);
	int n = EVP_EncodeBlock((unsigned char *)p, (const unsigned char *)s.p, (int)s.n);
	while (n > 0 && p[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++)
		p[i] = (char)(p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i]);
	return (struct str){p, (size_t)n};
}

static struct str
signature_of(struct arena *a, struct str signed_part)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)signed_part.p,
	    signed_part.n, out, &n);
	return base64url(a, (struct str){(const char *)out, n});
}

static struct str
make_token(struct arena *a, struct str text)
{
	struct buf b;
	buf_init(&b, a);
	struct str header = str_cut(&text, '\n');
	buf_str(&b, base64url(a, header));
	buf_putc(&b, '.');
	buf_str(&b, base64url(a, text));
	struct str signature = signature_of(a, buf_view(&b));
	buf_putc(&b, '.');
	buf_str(&b, signature);
	return buf_view(&b);
}

static void
verify(struct arena *a, struct str token)
{
	struct error e = {0};
	const struct value *claims = crypto_jwt_verify(a, secret, token, clock_now(), &e);
	if (!claims) {
		MUST(e.kind == ERR_UNAUTHENTICATED);
		return;
	}
	/* only what our key signed is ever believed */
	struct str rest = token, signed_part;
	(void)str_cut(&rest, '.');
	(void)str_cut(&rest, '.');
	signed_part = str_sub(token, 0, token.n - rest.n - 1);
	MUST(str_eq(rest, signature_of(a, signed_part)));
	MUST(claims->type == VALUE_MAP);
	MUST(value_num(claims, "exp") > FUZZ_NOW_SECONDS);
	fuzz_clean(claims);
}

static void
csrf(struct arena *a, struct str token)
{
	static struct app app = {
	    .config = {.base_url = "https://calls.example", .secret_key = secret}};
	static const char *const none[] = {NULL};
	struct transport t = {.params = none};
	struct viewer viewer = {.session = "one"};
	struct error e = {0};
	struct request *rq = request_new(a, &app, &t);
	rq->host = "calls.example";
	rq->viewer = &viewer;
	value_set(a, rq->body, "csrf", value_text(a, token));
	MUST(!session_csrf_ok(rq, &e) && e.kind == ERR_FORBIDDEN);
	value_set(a, rq->body, "csrf", value_textz(a, session_csrf(rq)));
	MUST(session_csrf_ok(rq, &e));
	const char *next = session_next(rq, token);
	MUST(next[0] == '/' && next[1] != '/' && next[1] != '\\' && !strpbrk(next, "\r\n\t"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct str rest = fuzz_input(data, size), token = fuzz_section(&rest);
	if (str_starts(token, "!"))
		token = make_token(a, str_sub(token, 1, token.n));
	verify(a, token);
	csrf(a, rest);
	return 0;
}
