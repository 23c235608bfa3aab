#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static void
memory_is_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	struct arena *a = arena_new(256);
	unsigned char *last = NULL;
	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *p = arena_alloc(a, size);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_true(p != last);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		if (size)
			memset(p, 0xEE, size);
		last = p;
	}
	arena_free(a);
}

static void
after_a_reset_memory_is_zeroed_again(void **state)
{
	(void)state;
	struct arena *a = arena_new(4096);
	char *p = arena_alloc(a, 100);
	memset(p, 'x', 100);
	arena_reset(a);
	char *again = arena_alloc(a, 100);
	assert_ptr_equal(p, again);
	for (int i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
	arena_free(a);
}

static void
reset_keeps_the_first_block_only(void **state)
{
	(void)state;
	struct arena *a = arena_new(8192);
	size_t first = arena_footprint(a);
	assert_true(first >= 8192 && first < 9000);
	for (int i = 0; i < 100; i++)
		memset(arena_alloc(a, 10000), 1, 10000);
	assert_true(arena_footprint(a) >= 1000000);
	arena_reset(a);
	assert_int_equal(arena_footprint(a), first);
	arena_free(a);
	arena_free(NULL);
}

/* Bytes kept, the new part zeroed; whether or not there is room behind the old ones. */
static void
growing_keeps_what_was_there(void **state)
{
	static const size_t sizes[][2] = {{0, 1}, {1, 2}, {5, 5}, {16, 17}, {30, 25}, {30, 32},
	    {100, 10}, {100, 5000}, {200, 100000}};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int between = 0; between < 2; between++) {
			size_t old_size = sizes[i][0], new_size = sizes[i][1];
			struct arena *a = arena_new(4096);
			char *old = arena_alloc(a, old_size);
			memset(old, 'o', old_size);
			if (between)
				arena_strdup(a, "something in the way");
			char *grown = arena_grow(a, old, old_size, new_size);
			for (size_t k = 0; k < new_size; k++)
				assert_int_equal(grown[k], k < old_size ? 'o' : 0);
			memset(grown, 'n', new_size);
			arena_free(a);
		}
	struct arena *a = arena_new(256);
	assert_non_null(arena_grow(a, NULL, 0, 10));
	arena_free(a);
}

static void
copies_end_with_a_nul(void **state)
{
	(void)state;
	struct arena *a = arena_new(256);
	assert_string_equal(arena_strdup(a, ""), "");
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(a, NULL, 0), "");
	assert_string_equal(arena_printf(a, "%s %d", "x", 7), "x 7");
	char *line = arena_printf(a, "%05000d", 1);
	assert_int_equal(strlen(line), 5000);
	arena_free(a);
}

static char order[8];

static void
note(void *p)
{
	order[strlen(order)] = *(const char *)p;
}

static void
deferred_functions_run_once_newest_first(void **state)
{
	(void)state;
	struct arena *a = arena_new(256);
	memset(order, 0, sizeof(order));
	arena_defer(a, note, arena_strdup(a, "1"));
	arena_defer(a, note, arena_strdup(a, "2"));
	arena_reset(a);
	assert_string_equal(order, "21");
	arena_defer(a, note, arena_strdup(a, "3"));
	arena_free(a);
	assert_string_equal(order, "213");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
	    cmocka_unit_test(after_a_reset_memory_is_zeroed_again),
	    cmocka_unit_test(reset_keeps_the_first_block_only),
	    cmocka_unit_test(growing_keeps_what_was_there),
	    cmocka_unit_test(copies_end_with_a_nul),
	    cmocka_unit_test(deferred_functions_run_once_newest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
