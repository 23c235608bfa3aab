/* Uploads: what comes out does not depend on how the bytes were cut, and damage is an error, not a
 * part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/form.h"
#include "http/multipart.h"
#include "wire.h"

static struct arena *a;

static int
start(void **state)
{
	(void)state;
	a = arena_new(64 << 10);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

/* The sink writes everything down: "name|file|content;" */
static bool
begin(void *ctx, const struct multipart_part *part, struct error *e)
{
	struct buf *out = ctx;
	(void)e;
	buf_printf(out, "%.*s|%s%.*s|", STR_ARG(part->name), part->is_file ? "file " : "",
	    STR_ARG(part->file_name));
	return true;
}

static bool
data(void *ctx, const char *p, size_t n, struct error *e)
{
	(void)e;
	buf_add(ctx, p, n);
	return true;
}

static bool
end(void *ctx, struct error *e)
{
	(void)e;
	buf_puts(ctx, ";");
	return true;
}

static enum error_kind
parse(const char *type, struct str text, size_t cut, size_t slice, struct buf *out)
{
	struct error e = {0};
	struct multipart_sink sink = {.ctx = out, .begin = begin, .data = data, .end = end};
	buf_init(out, a);
	struct multipart *m = multipart_new(a, str_of(type), sink, &e);
	if (!m)
		return e.kind;
	size_t first = cut < text.n ? cut : text.n;
	if (!multipart_feed(m, text.p, first, &e))
		return e.kind;
	for (size_t i = first; i < text.n; i += slice)
		if (!multipart_feed(m, text.p + i, text.n - i < slice ? text.n - i : slice, &e))
			return e.kind;
	return multipart_finish(m, &e) ? ERR_NONE : e.kind;
}

static const char type[] = "multipart/form-data; boundary=XbX";
#define PART "Content-Disposition: form-data; name="

static const struct {
	const char *text, *parts;
	enum error_kind kind;
} cases[] = {
    {"--XbX\r\n" PART "\"a\"\r\n\r\n1\r\n--XbX--\r\n", "a||1;", ERR_NONE},
    {"--XbX\r\n" PART "\"a\"\r\n\r\n\r\n--XbX--", "a||;", ERR_NONE},
    {"--XbX\r\n" PART "a\r\n\r\nx\r\n--XbX \t\r\n" PART
     "\"b\"\r\n\r\ny\r\n--XbX--\r\nepilogue\r\n--XbX\r\n",
	"a||x;b||y;", ERR_NONE},
    {"\r\n--XbX\r\n" PART "\"a\"\r\n\r\n1\r\n--XbX--\r\n", "a||1;", ERR_NONE},
    {"hello\r\n--XbX\r\n" PART "\"a\"\r\n\r\n1\r\n--XbX--\r\n", "a||1;", ERR_NONE},
    /* content that nearly is a boundary */
    {"--XbX\r\n" PART "\"a\"\r\n\r\n\r\r\n\r\n-\r\n--\r\n--Xb\r\n--XbY\n--XbX\r\n--XbX--\r\n",
	"a||\r\r\n\r\n-\r\n--\r\n--Xb\r\n--XbY\n--XbX;", ERR_NONE},
    {"--XbX\r\n" PART
     "\"f\"; filename=\"C:\\dir\\l\\\"1.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n"
     "\r\n--XbX--\r\n",
	"f|file l\"1.csv|a,b\r\n1,2\r\n;", ERR_NONE},
    {"--XbX\r\n" PART "\"f\"; filename=\"../../etc/passwd\"\r\n\r\n\r\n--XbX--\r\n",
	"f|file passwd|;", ERR_NONE},
    {"--XbX\r\n" PART "\"f\"; filename=\"\"\r\n\r\n\r\n--XbX--\r\n", "f|file |;", ERR_NONE},
    {"--XbX\r\n" PART "\"f\"; filename=\"a;b=\\\"c.csv\"; x=y\r\n\r\nz\r\n--XbX--\r\n",
	"f|file a;b=\"c.csv|z;", ERR_NONE},
    {"--XbX--\r\n", "", ERR_NONE},
    /* damage */
    {"", "", ERR_MALFORMED},
    {"--XbX", "", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\r\n\r\n1", "a||1", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\r\n\r\n1\r\n--XbX", "a||1;", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\r\n\r\n1\r\n--XbX-", "a||1;", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\r\n\r\n1\r\n--XbXoops\r\n", "a||1;", ERR_MALFORMED},
    {"--XbX\r\n\r\n1\r\n--XbX--\r\n", "", ERR_MALFORMED},
    {"--XbX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XbX--\r\n", "", ERR_MALFORMED},
    {"--XbX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--XbX--\r\n", "",
	ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\r\n" PART "\"b\"\r\n\r\n1\r\n--XbX--\r\n", "", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\nx: y\r\n\r\n1\r\n--XbX--\r\n", "", ERR_MALFORMED},
    {"--XbX\r\nno colon\r\n\r\n1\r\n--XbX--\r\n", "", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"\xff\"\r\n\r\n1\r\n--XbX--\r\n", "", ERR_MALFORMED},
    {"--XbX\r\n" PART "\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--XbX--\r\n", "",
	ERR_MALFORMED},
};

static void
every_way_of_cutting_gives_the_same(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct str text = str_of(cases[c].text);
		for (size_t cut = 0; cut <= text.n; cut++)
			for (size_t slice = 1; slice < 5; slice++) {
				struct buf out;
				enum error_kind kind = parse(type, text, cut, slice, &out);
				if (kind != cases[c].kind || strcmp(out.p, cases[c].parts) != 0)
					fail_msg("case %zu cut %zu slice %zu: %d <%s>", c, cut,
					    slice, kind, out.p);
			}
		arena_reset(a);
	}
}

static void
random_bytes_survive_random_cuts(void **state)
{
	static const char alphabet[] = "\r\n-Xb\0a";
	unsigned seed = 7;
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct buf text, out;
		char content[64];
		size_t n = (size_t)rand_r(&seed) % sizeof(content);
		for (size_t i = 0; i < n; i++)
			content[i] = alphabet[rand_r(&seed) % (int)(sizeof(alphabet) - 1)];
		if (str_find((struct str){content, n}, "\r\n--XbX") < n)
			continue;
		buf_init(&text, a);
		buf_puts(&text, "--XbX\r\n" PART "\"a\"\r\n\r\n");
		buf_add(&text, content, n);
		buf_puts(&text, "\r\n--XbX--\r\n");
		assert_int_equal(parse(type, buf_view(&text), (size_t)rand_r(&seed) % text.n,
				     1 + (size_t)rand_r(&seed) % 9, &out),
		    ERR_NONE);
		assert_int_equal(out.n, n + 4);
		assert_memory_equal(out.p + 3, content, n);
		arena_reset(a);
	}
}

static void
boundaries(void **state)
{
	static const char *const bad[] = {"multipart/form-data",
	    "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
	    "multipart/form-data; boundary=\"a b \"", "multipart/form-data; boundary=\"a\r\nb\"",
	    "multipart/form-data; boundary=ü",
	    "multipart/form-data; boundary="
	    "12345678901234567890123456789012345678901234567890123456789012345678901"};
	struct buf out;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], STR("--\r\n"), 0, 1, &out), ERR_MALFORMED);
	assert_int_equal(parse("multipart/form-data; x=y; boundary=\"X b'X\"; z",
			     STR("--X b'X\r\n" PART "\"a\"\r\n\r\n1\r\n--X b'X--\r\n"), 0, 1, &out),
	    ERR_NONE);
	assert_string_equal(out.p, "a||1;");
}

static void
limits(void **state)
{
	struct buf text, out;
	(void)state;
	buf_init(&text, a);
	for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
		buf_puts(&text, "--XbX\r\n" PART "\"a\"\r\n\r\n\r\n");
	buf_puts(&text, "--XbX--\r\n");
	assert_int_equal(parse(type, buf_view(&text), 0, 1000, &out), ERR_TOO_LARGE);
	text.n = 0;
	buf_puts(&text, "--XbX\r\n" PART "\"a\"\r\nX-Long: ");
	for (int i = 0; i < MULTIPART_HEADER_MAX; i++)
		buf_putc(&text, 'x');
	assert_int_equal(parse(type, buf_view(&text), 0, 1000, &out), ERR_TOO_LARGE);
	text.n = 0;
	buf_puts(&text, "--XbX\r\n" PART "\"");
	for (int i = 0; i <= MULTIPART_NAME_MAX; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\"\r\n\r\n\r\n--XbX--");
	assert_int_equal(parse(type, buf_view(&text), 0, 1000, &out), ERR_MALFORMED);
	text.n = 0;
	for (int i = 0; i < 5000; i++)
		buf_puts(&text, "preamble");
	assert_int_equal(parse(type, buf_view(&text), 0, 7, &out), ERR_MALFORMED);
}

/* Through the whole body reader: files on disk, fields in the tree, nothing left behind. */
static void
files_are_spooled_and_removed(void **state)
{
	static const char text[] = "--XbX\r\n" PART "\"prompt_name\"\r\n\r\n fö \r\n--XbX\r\n" PART
				   "\"file\"; filename=\"l.csv\"\r\n\r\nabc\r\n--XbX\r\n" PART
				   "\"none\"; filename=\"\"\r\n\r\n\r\n--XbX--\r\n";
	static const struct route upload = {
	    POST, "/x", NULL, NULL, ROLE_NONE, ROUTE_UPLOAD, 1 << 20};
	static const struct route plain = {POST, "/x", NULL, NULL, ROLE_NONE, 0, 0};
	char dir[] = "/tmp/trunkline-multipart-XXXXXX";
	struct error e = {0};
	(void)state;
	assert_non_null(mkdtemp(dir));
	char *spool = arena_printf(a, "%s/spool", dir);
	assert_int_equal(mkdir(spool, 0700), 0);
	struct app app = {.config = {.state_dir = dir}};
	struct arena *request = arena_new(1024);
	struct wire *w = wire_new(request, "POST", "/x");
	wire_body(w, request, type, STR(text));
	w->slice = 5;
	struct request *rq = request_new(request, &app, &w->transport);
	rq->method = POST;
	assert_true(form_read(rq, &upload, &e));
	assert_true(str_is(request_text(rq, "prompt_name"), "fö"));
	assert_int_equal(rq->upload_count, 1);
	struct upload *u = request_upload(rq, "file");
	assert_non_null(u);
	assert_int_equal(u->size, 3);
	assert_string_equal(u->file_name, "l.csv");
	assert_string_equal(
	    u->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	char *path = arena_strdup(a, u->path);
	assert_int_equal(access(path, R_OK), 0);
	arena_free(request);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(spool), 0); /* so nothing is left in it */
	w = wire_new(a, "POST", "/x");
	wire_body(w, a, type, STR(text));
	rq = request_new(a, &app, &w->transport);
	rq->method = POST;
	assert_false(form_read(rq, &plain, &e));
	assert_int_equal(e.kind, ERR_MALFORMED);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_way_of_cutting_gives_the_same, start, stop),
	    cmocka_unit_test_setup_teardown(random_bytes_survive_random_cuts, start, stop),
	    cmocka_unit_test_setup_teardown(boundaries, start, stop),
	    cmocka_unit_test_setup_teardown(limits, start, stop),
	    cmocka_unit_test_setup_teardown(files_are_spooled_and_removed, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
