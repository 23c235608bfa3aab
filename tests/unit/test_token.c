/* Tokens that a process remembers are as good as when they were checked, and no better. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "http/token.h"

enum { LIFE = 3600, MANY = 500 };

static const char secret[] = "0123456789012345678901234567890123456789";
static const int64_t now = INT64_C(1800000000) * CLOCK_SECOND;
static struct arena *a;
static struct token_memory *memory;
static struct error e;

static int
start(void **state)
{
	(void)state;
	a = arena_new(64 << 10);
	memory = token_memory_new(a);
	e = (struct error){0};
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static struct str
token(int64_t user, int64_t epoch, const char *session)
{
	struct value *claims = value_map(a);
	value_set_int(a, claims, "uid", user);
	value_set_int(a, claims, "epoch", epoch);
	value_set_text(a, claims, "sid", session);
	return str_of(crypto_jwt_sign(a, secret, claims, now, LIFE));
}

static void
says_the_same_each_time(void **state)
{
	(void)state;
	struct token_memory *memories[] = {NULL, memory, memory};
	struct str t = token(7, 3, "abc");
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
		struct token_claims c;
		assert_true(token_read(memories[i], a, secret, t, now, &c, &e));
		assert_int_equal(c.user_id, 7);
		assert_int_equal(c.epoch, 3);
		assert_int_equal(c.ends, now / CLOCK_SECOND + LIFE);
		assert_string_equal(c.session, "abc");
	}
}

static void
ends_when_it_ends(void **state)
{
	(void)state;
	struct token_claims c;
	struct str t = token(7, 3, "abc");
	int64_t end = now + LIFE * CLOCK_SECOND;
	assert_true(token_read(memory, a, secret, t, now, &c, &e));
	assert_true(token_read(memory, a, secret, t, end - 1, &c, &e));
	assert_false(token_read(memory, a, secret, t, end, &c, &e));
	assert_int_equal(e.kind, ERR_UNAUTHENTICATED);
	assert_false(token_read(memory, a, secret, t, end + 1, &c, &e));
}

/* Each byte of a remembered token counts, those behind its end as well. */
static void
a_changed_token_is_another(void **state)
{
	(void)state;
	struct token_claims c;
	struct str t = token(7, 3, "abc");
	assert_true(token_read(memory, a, secret, t, now, &c, &e));
	for (size_t i = 0; i < t.n; i++) {
		char *changed = str_dup(a, t);
		changed[i] = changed[i] == 'A' ? 'Q' : 'A';
		assert_false(token_read(memory, a, secret, str_of(changed), now, &c, &e));
		assert_int_equal(e.kind, ERR_UNAUTHENTICATED);
	}
	assert_false(token_read(memory, a, secret, str_sub(t, 0, t.n - 1), now, &c, &e));
	assert_false(
	    token_read(memory, a, secret, str_of(arena_printf(a, "%sA", t.p)), now, &c, &e));
	assert_false(token_read(memory, a, secret, STR(""), now, &c, &e));
	assert_true(token_read(memory, a, secret, t, now, &c, &e));
}

static void
a_refused_token_is_not_remembered(void **state)
{
	(void)state;
	struct token_claims c;
	struct str t = token(7, 3, "abc");
	for (int i = 0; i < 3; i++)
		assert_false(token_read(
		    memory, a, "another secret of forty letters, or more", t, now, &c, &e));
	assert_true(token_read(memory, a, secret, t, now, &c, &e));
}

static void
many_take_turns(void **state)
{
	(void)state;
	struct str tokens[MANY];
	for (int i = 0; i < MANY; i++)
		tokens[i] = token(i + 1, 2 * i, arena_printf(a, "session %d", i));
	for (int i = 0; i < 3 * MANY; i++) {
		struct token_claims c;
		int k = i * 7 % MANY;
		assert_true(token_read(memory, a, secret, tokens[k], now, &c, &e));
		assert_int_equal(c.user_id, k + 1);
		assert_int_equal(c.epoch, 2 * k);
		assert_string_equal(c.session, arena_printf(a, "session %d", k));
	}
}

static void
a_session_too_long_to_be_ours_is_none(void **state)
{
	(void)state;
	struct token_claims c;
	char longer[TOKEN_SESSION + 1];
	memset(longer, 'x', TOKEN_SESSION);
	longer[TOKEN_SESSION] = '\0';
	assert_true(token_read(memory, a, secret, token(7, 3, longer), now, &c, &e));
	assert_string_equal(c.session, "");
	assert_true(token_read(memory, a, secret, token(7, 3, longer + 1), now, &c, &e));
	assert_string_equal(c.session, longer + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(says_the_same_each_time, start, stop),
	    cmocka_unit_test_setup_teardown(ends_when_it_ends, start, stop),
	    cmocka_unit_test_setup_teardown(a_changed_token_is_another, start, stop),
	    cmocka_unit_test_setup_teardown(a_refused_token_is_not_remembered, start, stop),
	    cmocka_unit_test_setup_teardown(many_take_turns, start, stop),
	    cmocka_unit_test_setup_teardown(a_session_too_long_to_be_ours_is_none, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
