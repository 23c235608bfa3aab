#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H
/* Randomness, digests, encryption, passwords and tokens. The only file that knows OpenSSL, crypt(3)
 * and libjwt. */
#include "base/value.h"

/** ${n} bytes from the kernel's generator; ends the process if there are none. */
void crypto_random(void *out, size_t n);
/** A version 4 UUID in lower case; 37 bytes with the NUL, on ${a}. */
char *crypto_uuid(struct arena *a);
/** ${bytes} random bytes as lower-case hex. */
char *crypto_token(struct arena *a, size_t bytes);
/** ${n} bytes as lower-case hex. */
char *crypto_hex(struct arena *a, const unsigned char *p, size_t n);
/** Uniform in [0, limit). */
uint32_t crypto_below(uint32_t limit);

/** Lower-case hex digests. */
char *crypto_sha256(struct arena *a, struct str data);
char *crypto_hmac_sha256(struct arena *a, struct str key, struct str data);
/** Equal length and bytes, in time that does not depend on where they differ. */
bool crypto_equal(struct str a, struct str b);

/** SHA-256 fed in pieces. */
struct crypto_digest *crypto_digest_new(struct arena *a);
void crypto_digest_add(struct crypto_digest *d, const void *p, size_t n);
char *crypto_digest_hex(struct crypto_digest *d, struct arena *a);

/**
 * AES-256-GCM with a key derived from ${secret} and ${context} (authenticated, not secret: say
 * whose value this is, such as "client 1 BLAND_API_KEY"). The result is hex text.
 */
char *crypto_seal(struct arena *a, const char *secret, const char *context, struct str plain);
/** NULL and ${e} where the text was changed, or the key or the context is another. */
const char *crypto_open(struct arena *a, const char *secret, const char *context, struct str sealed,
    struct error *e) MUST_USE;

/** A yescrypt hash of ${password} for storing. */
char *crypto_password_hash(struct arena *a, const char *password);
/** ${hash} NULL (no such user) takes as long as a real check and answers false. */
bool crypto_password_ok(const char *hash, const char *password);

/** A JWT, HS256, over ${claims} (text and integer members; iss, iat and exp are added). */
char *crypto_jwt_sign(struct arena *a, const char *secret, const struct value *claims,
    int64_t now_micros, int64_t lifetime_seconds);
/** The claims of a good token: HS256 only, our iss, not expired. NULL and ERR_UNAUTHENTICATED else.
 */
struct value *crypto_jwt_verify(struct arena *a, const char *secret, struct str token,
    int64_t now_micros, struct error *e) MUST_USE;

#endif
