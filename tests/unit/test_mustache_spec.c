#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mustache.h"

/* The official specification's tests; lambdas are not part of ours. */
static const struct {
	const char *file;
	size_t least; /* so that an empty or cut file is noticed */
} specs[] = {{"comments", 12}, {"delimiters", 14}, {"interpolation", 42}, {"inverted", 22},
    {"partials", 12}, {"sections", 34}, {"~dynamic-names", 21}, {"~inheritance", 27}};

static struct str
read_file(struct arena *a, const char *path)
{
	struct buf b;
	char chunk[4096];
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg(
		    "%s is missing; set TRUNKLINE_SHARED to the folder that holds mustache-spec",
		    path);
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	return buf_view(&b);
}

static void
run_case(struct arena *a, const char *file, const struct value *test)
{
	struct error e = {0};
	struct buf out;
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	const struct value *partials = value_get(test, "partials");
	for (size_t i = 0; partials && partials->type == VALUE_MAP && i < partials->map.n; i++) {
		const struct member *m = &partials->map.members[i];
		if (!mustache_add(set, str_dup(a, m->key), m->value->s, &e))
			fail_msg("%s", e.message);
	}
	if (!mustache_add(set, "\x01test", value_str(test, "template"), &e))
		fail_msg("%s", e.message);
	buf_init(&out, a);
	if (!mustache_render(set, a, "\x01test", value_get(test, "data"), &out, &e))
		fail_msg("%s", e.message);
	if (!str_eq(buf_view(&out), value_str(test, "expected")))
		fail_msg("%s: %.*s: %.*s\n expected %s\n got      %s", file,
		    STR_ARG(value_str(test, "name")), STR_ARG(value_str(test, "desc")),
		    json_text(a, value_get(test, "expected")),
		    json_text(a, value_text(a, buf_view(&out))));
}

static void
run_spec(const char *file, size_t least)
{
	struct arena *a = arena_new(65536);
	struct error e = {0};
	const char *dir = getenv("TRUNKLINE_SHARED");
	struct str text = read_file(
	    a, arena_printf(a, "%s/mustache-spec/%s.json", dir && *dir ? dir : "../shared", file));
	const struct value *spec = json_parse(a, text, &e);
	if (!spec)
		fail_msg("%s: %s", file, e.message);
	const struct value *tests = value_get(spec, "tests");
	assert_true(tests && tests->list.n >= least);
	for (size_t i = 0; i < tests->list.n; i++)
		run_case(a, file, tests->list.items[i]);
	arena_free(a);
}

static void
spec_comments(void **state)
{
	(void)state;
	run_spec(specs[0].file, specs[0].least);
}

static void
spec_delimiters(void **state)
{
	(void)state;
	run_spec(specs[1].file, specs[1].least);
}

static void
spec_interpolation(void **state)
{
	(void)state;
	run_spec(specs[2].file, specs[2].least);
}

static void
spec_inverted(void **state)
{
	(void)state;
	run_spec(specs[3].file, specs[3].least);
}

static void
spec_partials(void **state)
{
	(void)state;
	run_spec(specs[4].file, specs[4].least);
}

static void
spec_sections(void **state)
{
	(void)state;
	run_spec(specs[5].file, specs[5].least);
}

static void
spec_dynamic_names(void **state)
{
	(void)state;
	run_spec(specs[6].file, specs[6].least);
}

static void
spec_inheritance(void **state)
{
	(void)state;
	run_spec(specs[7].file, specs[7].least);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spec_comments),
	    cmocka_unit_test(spec_delimiters),
	    cmocka_unit_test(spec_interpolation),
	    cmocka_unit_test(spec_inverted),
	    cmocka_unit_test(spec_partials),
	    cmocka_unit_test(spec_sections),
	    cmocka_unit_test(spec_dynamic_names),
	    cmocka_unit_test(spec_inheritance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
