#include "http/token.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"

enum { PLACES = 64, DIGEST = 64 };

struct place {
	char digest[DIGEST]; /* hex, of the whole token; zeros: free */
	struct token_claims claims;
};

/* All of one process, and so under one secret. */
struct token_memory {
	struct place places[PLACES];
};

struct token_memory *
token_memory_new(struct arena *a)
{
	return arena_new_of(a, struct token_memory);
}

static struct place *
place_of(struct token_memory *memory, const char *digest)
{
	unsigned n = 0;
	for (int i = 0; i < 4; i++)
		n = n * 31 + (unsigned char)digest[i];
	return &memory->places[n % PLACES];
}

static bool
check(struct arena *a, const char *secret, struct str token, int64_t now, struct token_claims *out,
    struct error *e)
{
	const struct value *claims = crypto_jwt_verify(a, secret, token, now, e);
	if (!claims)
		return false;
	struct str session = value_str(claims, "sid");
	*out = (struct token_claims){.user_id = value_num(claims, "uid"),
	    .epoch = value_num(claims, "epoch"),
	    .ends = value_num(claims, "exp")};
	if (session.n < TOKEN_SESSION)
		memcpy(out->session, session.p, session.n);
	return true;
}

bool
token_read(struct token_memory *memory, struct arena *a, const char *secret, struct str token,
    int64_t now, struct token_claims *out, struct error *e)
{
	if (!memory)
		return check(a, secret, token, now, out, e);
	const char *digest = crypto_sha256(a, token);
	struct place *p = place_of(memory, digest);
	if (memcmp(p->digest, digest, DIGEST) == 0 && now / CLOCK_SECOND < p->claims.ends) {
		*out = p->claims;
		return true;
	}
	if (!check(a, secret, token, now, out, e))
		return false;
	memcpy(p->digest, digest, DIGEST);
	p->claims = *out;
	return true;
}
