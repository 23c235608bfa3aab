#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";

static struct value *
claims(struct arena *a)
{
	struct value *c = value_map(a);
	value_set_text(a, c, "sub", "7");
	value_set_int(a, c, "epoch", 3);
	return c;
}

static void
a_token_comes_back_whole(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	int64_t now = clock_now();
	char *token = crypto_jwt_sign(a, secret, claims(a), now, 60);
	struct value *back = crypto_jwt_verify(a, secret, str_of(token), now, &e);
	assert_non_null(back);
	assert_true(str_is(value_str(back, "sub"), "7"));
	assert_int_equal(value_num(back, "epoch"), 3);
	arena_free(a);
}

static void
what_we_add_is_ours(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct value *c = claims(a);
	int64_t now = clock_now();
	value_set_text(a, c, "iss", "somebody else");
	value_set_int(a, c, "exp", INT64_C(9999999999));
	char *token = crypto_jwt_sign(a, secret, c, now, 60);
	struct value *back = crypto_jwt_verify(a, secret, str_of(token), now, NULL);
	assert_non_null(back);
	assert_true(str_is(value_str(back, "iss"), "trunkline"));
	assert_int_equal(value_num(back, "exp"), now / CLOCK_SECOND + 60);
	assert_int_equal(value_num(back, "iat"), now / CLOCK_SECOND);
	assert_null(crypto_jwt_verify(a, secret, str_of(token), now + 60 * CLOCK_SECOND, NULL));
	arena_free(a);
}

static void
refused(struct arena *a, const char *token, int64_t now)
{
	struct error e = {0};
	if (crypto_jwt_verify(a, secret, str_of(token), now, &e))
		fail_msg("accepted: %s", token);
	assert_int_equal(e.kind, ERR_UNAUTHENTICATED);
}

/* Made elsewhere: {"alg":"none"}, HS512 with the right key, and junk. */
static void
bad_tokens_are_refused(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	int64_t now = clock_now();
	char *token = crypto_jwt_sign(a, secret, claims(a), now, 60);
	refused(a, token, now + 120 * CLOCK_SECOND);
	char *other = arena_strdup(a, token);
	other[strlen(other) - 5] = other[strlen(other) - 5] == 'A' ? 'B' : 'A';
	refused(a, other, now);
	refused(a, crypto_jwt_sign(a, "ffffffffffffffffffffffffffffffff", claims(a), now, 60), now);
	refused(a, "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3IiwiZXhwIjo5OTk5OTk5OTk5fQ.", now);
	/* The same claims under another algorithm. */
	const char *dot = strchr(token, '.');
	refused(a, arena_printf(a, "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9%s", dot), now);
	refused(a, "", now);
	refused(a, "..", now);
	refused(a, "a.b", now);
	refused(a, "a.b.c.d", now);
	refused(a, arena_printf(a, "%s.%05000d", token, 0), now);
	arena_free(a);
}

/* Signed with our own key, and yet not the way we sign. */
static char *
signed_elsewhere(struct arena *a, jwt_alg_t alg, const char *iss, long expires)
{
	jwt_t *jwt = NULL;
	assert_int_equal(jwt_new(&jwt), 0);
	if (alg != JWT_ALG_NONE)
		jwt_set_alg(jwt, alg, (const unsigned char *)secret, (int)strlen(secret));
	jwt_add_grant(jwt, "sub", "7");
	if (iss)
		jwt_add_grant(jwt, "iss", iss);
	if (expires)
		jwt_add_grant_int(jwt, "exp", expires);
	char *text = jwt_encode_str(jwt), *copy = arena_strdup(a, text);
	free(text);
	jwt_free(jwt);
	return copy;
}

static void
only_our_algorithm_issuer_and_expiry_count(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	int64_t now = clock_now();
	long later = (long)(now / CLOCK_SECOND + 60);
	char *good = signed_elsewhere(a, JWT_ALG_HS256, "trunkline", later);
	assert_non_null(crypto_jwt_verify(a, secret, str_of(good), now, NULL));
	refused(a, signed_elsewhere(a, JWT_ALG_HS512, "trunkline", later), now);
	refused(a, signed_elsewhere(a, JWT_ALG_HS384, "trunkline", later), now);
	refused(a, signed_elsewhere(a, JWT_ALG_NONE, "trunkline", later), now);
	refused(a, signed_elsewhere(a, JWT_ALG_HS256, "trunkline", 0), now);
	refused(a, signed_elsewhere(a, JWT_ALG_HS256, "trunkline", later - 61), now);
	refused(a, signed_elsewhere(a, JWT_ALG_HS256, "mallory", later), now);
	refused(a, signed_elsewhere(a, JWT_ALG_HS256, NULL, later), now);
	/* An empty key would be no check at all in libjwt. */
	assert_null(crypto_jwt_verify(a, "", str_of(good), now, NULL));
	assert_null(crypto_jwt_verify(a, "short", str_of(good), now, NULL));
	arena_free(a);
}

static void
sealed_text_opens_with_its_key_and_context_only(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	struct error e = {0};
	char *sealed = crypto_seal(a, secret, "client 1 key", STR("sk-very-secret"));
	assert_null(strstr(sealed, "very"));
	assert_string_equal(
	    crypto_open(a, secret, "client 1 key", str_of(sealed), &e), "sk-very-secret");
	assert_string_not_equal(
	    sealed, crypto_seal(a, secret, "client 1 key", STR("sk-very-secret")));
	assert_null(crypto_open(a, secret, "client 2 key", str_of(sealed), &e));
	assert_null(
	    crypto_open(a, "ffffffffffffffffffffffffffffffff", "client 1 key", str_of(sealed), &e));
	for (size_t i = 0; i < strlen(sealed); i += 7) {
		char *bent = arena_strdup(a, sealed);
		bent[i] = bent[i] == '0' ? '1' : '0';
		assert_null(crypto_open(a, secret, "client 1 key", str_of(bent), &e));
	}
	assert_null(crypto_open(a, secret, "client 1 key", STR("zz"), &e));
	assert_null(crypto_open(a, secret, "client 1 key", STR(""), &e));
	arena_free(a);
}

static void
passwords(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	char *hash = crypto_password_hash(a, "correct horse");
	assert_memory_equal(hash, "$y$", 3);
	assert_true(crypto_password_ok(hash, "correct horse"));
	assert_false(crypto_password_ok(hash, "correct horsf"));
	assert_false(crypto_password_ok(hash, ""));
	assert_false(crypto_password_ok(NULL, "correct horse"));
	assert_false(crypto_password_ok("", "correct horse"));
	assert_false(crypto_password_ok("*", "correct horse"));
	assert_false(crypto_password_ok("correct horse", "correct horse"));
	assert_string_not_equal(hash, crypto_password_hash(a, "correct horse"));
	arena_free(a);
}

static int64_t
fastest_check(const char *hash)
{
	int64_t best = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		int64_t began = clock_monotonic();
		assert_false(crypto_password_ok(hash, "wrong"));
		int64_t took = clock_monotonic() - began;
		best = took < best ? took : best;
	}
	return best;
}

/* Else the time of an answer would tell which addresses have an account. */
static void
no_such_user_takes_as_long(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	int64_t real = fastest_check(crypto_password_hash(a, "x")), none = fastest_check(NULL);
	assert_true(none > real / 2 && none < real * 2);
	arena_free(a);
}

static void
digests(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	assert_string_equal(crypto_sha256(a, STR("abc")),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231, test case 2. */
	assert_string_equal(crypto_hmac_sha256(a, STR("Jefe"), STR("what do ya want for nothing?")),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	struct crypto_digest *d = crypto_digest_new(a);
	crypto_digest_add(d, "a", 1);
	crypto_digest_add(d, "bc", 2);
	assert_string_equal(crypto_digest_hex(d, a), crypto_sha256(a, STR("abc")));
	assert_true(crypto_equal(STR("abc"), STR("abc")));
	assert_false(crypto_equal(STR("abc"), STR("abd")));
	assert_false(crypto_equal(STR("abc"), STR("ab")));
	arena_free(a);
}

static void
ids_differ_and_look_right(void **state)
{
	(void)state;
	struct arena *a = arena_new(65536);
	char *one = crypto_uuid(a), *two = crypto_uuid(a);
	assert_int_equal(strlen(one), 36);
	assert_int_equal(one[14], '4');
	assert_string_not_equal(one, two);
	uint32_t seen = 0;
	for (int i = 0; i < 1000; i++) {
		uint32_t n = crypto_below(5);
		assert_true(n < 5);
		seen |= 1U << n;
	}
	assert_int_equal(seen, 31);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_comes_back_whole),
	    cmocka_unit_test(what_we_add_is_ours),
	    cmocka_unit_test(bad_tokens_are_refused),
	    cmocka_unit_test(only_our_algorithm_issuer_and_expiry_count),
	    cmocka_unit_test(sealed_text_opens_with_its_key_and_context_only),
	    cmocka_unit_test(passwords),
	    cmocka_unit_test(no_such_user_takes_as_long),
	    cmocka_unit_test(digests),
	    cmocka_unit_test(ids_differ_and_look_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
