#include "base/crypto.h"

#include <crypt.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

static const char issuer[] = "trunkline";

void
crypto_random(void *out, size_t n)
{
	if (RAND_bytes(out, (int)n) != 1) {
		fputs("no randomness\n", stderr);
		abort();
	}
}

char *
crypto_hex(struct arena *a, const unsigned char *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	char *out = arena_alloc(a, 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
	return out;
}

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static unsigned char *
unhex(struct arena *a, struct str s, size_t *n)
{
	if (s.n % 2)
		return NULL;
	unsigned char *out = arena_alloc(a, s.n / 2 + 1);
	for (size_t i = 0; i < s.n; i += 2) {
		int hi = nibble(s.p[i]), lo = nibble(s.p[i + 1]);
		if (hi < 0 || lo < 0)
			return NULL;
		out[i / 2] = (unsigned char)(hi << 4 | lo);
	}
	*n = s.n / 2;
	return out;
}

char *
crypto_uuid(struct arena *a)
{
	unsigned char b[16];
	crypto_random(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
	const char *h = crypto_hex(a, b, sizeof(b));
	return arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

char *
crypto_token(struct arena *a, size_t bytes)
{
	unsigned char *p = arena_alloc(a, bytes);
	crypto_random(p, bytes);
	return crypto_hex(a, p, bytes);
}

uint32_t
crypto_below(uint32_t limit)
{
	uint32_t bound = UINT32_MAX - UINT32_MAX % limit, x;
	do
		crypto_random(&x, sizeof(x));
	while (x >= bound);
	return x % limit;
}

/* Found once: else OpenSSL looks for it among its providers each time, which takes longer than a
 * short text does. */
static const EVP_MD *
sha256(void)
{
	static EVP_MD *md;
	if (!md && !(md = EVP_MD_fetch(NULL, "SHA256", NULL)))
		abort();
	return md;
}

char *
crypto_sha256(struct arena *a, struct str data)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_Digest(data.p, data.n, out, &n, sha256(), NULL);
	return crypto_hex(a, out, n);
}

char *
crypto_hmac_sha256(struct arena *a, struct str key, struct str data)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)data.p, data.n, out, &n);
	return crypto_hex(a, out, n);
}

bool
crypto_equal(struct str a, struct str b)
{
	return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}

struct crypto_digest {
	EVP_MD_CTX *ctx;
};

static void
free_digest(void *p)
{
	EVP_MD_CTX_free(p);
}

struct crypto_digest *
crypto_digest_new(struct arena *a)
{
	struct crypto_digest *d = arena_new_of(a, struct crypto_digest);
	d->ctx = EVP_MD_CTX_new();
	arena_defer(a, free_digest, d->ctx);
	EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL);
	return d;
}

void
crypto_digest_add(struct crypto_digest *d, const void *p, size_t n)
{
	EVP_DigestUpdate(d->ctx, p, n);
}

char *
crypto_digest_hex(struct crypto_digest *d, struct arena *a)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_DigestFinal_ex(d->ctx, out, &n);
	return crypto_hex(a, out, n);
}

/* A key for one purpose: HMAC of a fixed label under the installation's secret. */
static void
derive(const char *secret, unsigned char key[32])
{
	unsigned n = 0;
	static const char label[] = "trunkline stored keys v1";
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)label,
	    sizeof(label) - 1, key, &n);
}

enum { NONCE = 12, TAG = 16 };

char *
crypto_seal(struct arena *a, const char *secret, const char *context, struct str plain)
{
	unsigned char key[32], *out = arena_alloc(a, NONCE + plain.n + TAG);
	int n = 0;
	derive(secret, key);
	crypto_random(out, NONCE);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, out);
	EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)context, (int)strlen(context));
	EVP_EncryptUpdate(ctx, out + NONCE, &n, (const unsigned char *)plain.p, (int)plain.n);
	EVP_EncryptFinal_ex(ctx, out + NONCE + n, &n);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + plain.n);
	EVP_CIPHER_CTX_free(ctx);
	OPENSSL_cleanse(key, sizeof(key));
	return crypto_hex(a, out, NONCE + plain.n + TAG);
}

const char *
crypto_open(
    struct arena *a, const char *secret, const char *context, struct str sealed, struct error *e)
{
	size_t n = 0;
	unsigned char *in = unhex(a, sealed, &n);
	if (!in || n < NONCE + TAG) {
		error_set(e, ERR_INTERNAL, "A stored key is damaged. Enter it again.");
		return NULL;
	}
	unsigned char key[32];
	char *out = arena_alloc(a, n);
	int k = 0, size = (int)(n - NONCE - TAG);
	derive(secret, key);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, in);
	EVP_DecryptUpdate(ctx, NULL, &k, (const unsigned char *)context, (int)strlen(context));
	EVP_DecryptUpdate(ctx, (unsigned char *)out, &k, in + NONCE, size);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, in + n - TAG);
	bool good = EVP_DecryptFinal_ex(ctx, (unsigned char *)out + k, &k) == 1;
	EVP_CIPHER_CTX_free(ctx);
	OPENSSL_cleanse(key, sizeof(key));
	if (!good) {
		error_set(e, ERR_INTERNAL,
		    "A stored key cannot be read: SECRET_KEY has changed. Enter the key again.");
		return NULL;
	}
	return out;
}

/* Cost 5 of yescrypt: about 15 ms on a small server, so that a login never stalls a worker. */
char *
crypto_password_hash(struct arena *a, const char *password)
{
	char *setting = crypt_gensalt_ra("$y$", 5, NULL, 0);
	void *data = NULL;
	int size = 0;
	char *hash = crypt_ra(password, setting, &data, &size);
	char *out = arena_strdup(a, hash ? hash : "*");
	free(setting);
	free(data);
	return out;
}

bool
crypto_password_ok(const char *hash, const char *password)
{
	/* A well-formed salt, or crypt would answer at once; no password gives this hash. */
	static const char nobody[] =
	    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$0000000000000000000000000000000000000000000";
	void *data = NULL;
	int size = 0;
	const char *against = hash ? hash : nobody;
	const char *got = crypt_ra(password, against, &data, &size);
	bool good = got && got[0] != '*' && crypto_equal(str_of(got), str_of(against));
	free(data);
	return good && hash != NULL;
}

char *
crypto_jwt_sign(struct arena *a, const char *secret, const struct value *claims, int64_t now_micros,
    int64_t lifetime_seconds)
{
	static const char *const ours[] = {"iss", "iat", "exp"};
	jwt_t *jwt = NULL;
	if (jwt_new(&jwt))
		abort();
	jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret, (int)strlen(secret));
	jwt_add_grants_json(jwt, json_text(a, claims));
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		jwt_del_grants(jwt, ours[i]);
	jwt_add_grant(jwt, "iss", issuer);
	jwt_add_grant_int(jwt, "iat", (long)(now_micros / CLOCK_SECOND));
	jwt_add_grant_int(jwt, "exp", (long)(now_micros / CLOCK_SECOND + lifetime_seconds));
	char *text = jwt_encode_str(jwt);
	char *out = arena_strdup(a, text);
	free(text);
	jwt_free(jwt);
	return out;
}

static bool
looks_like_token(struct str t)
{
	size_t dots = 0;
	for (size_t i = 0; i < t.n; i++)
		dots += t.p[i] == '.';
	return t.n > 16 && t.n <= 4096 && dots == 2 && memchr(t.p, '\0', t.n) == NULL;
}

/* libjwt checks neither exp nor which algorithm the token names, and takes anything under a key of
 * length 0: all three are checked here. */
struct value *
crypto_jwt_verify(
    struct arena *a, const char *secret, struct str token, int64_t now_micros, struct error *e)
{
	jwt_t *jwt = NULL;
	struct value *claims = NULL;
	int64_t now = now_micros / CLOCK_SECOND;
	if (strlen(secret) >= 32 && looks_like_token(token) &&
	    jwt_decode(
		&jwt, str_dup(a, token), (const unsigned char *)secret, (int)strlen(secret)) == 0 &&
	    jwt_get_alg(jwt) == JWT_ALG_HS256) {
		char *grants = jwt_get_grants_json(jwt, NULL);
		claims = grants ? json_parse(a, str_copy(a, str_of(grants)), NULL) : NULL;
		free(grants);
	}
	if (jwt)
		jwt_free(jwt);
	if (!claims || !str_is(value_str(claims, "iss"), issuer) ||
	    value_num(claims, "exp") <= now) {
		error_set(e, ERR_UNAUTHENTICATED, "Your session has ended. Sign in again.");
		return NULL;
	}
	return claims;
}
