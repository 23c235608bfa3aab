/*
 * multipart/form-data: the first byte says how the bytes are cut, the first line is the content
 * type (empty: boundary "b"), the rest the body. However it is cut, the same comes out.
 */
#include "fuzz.h"
#include "http/multipart.h"

struct seen {
	struct buf b;
	size_t parts;
	bool open;
};

static bool
begin(void *ctx, const struct multipart_part *part, struct error *e)
{
	struct seen *s = ctx;
	(void)e;
	MUST(!s->open);
	MUST(part->name.n <= MULTIPART_NAME_MAX && str_is_utf8(part->name));
	/* each broken byte becomes three */
	MUST(part->file_name.n <= 3 * MULTIPART_FILE_NAME_MAX && str_is_utf8(part->file_name));
	MUST(str_chr(part->file_name, '/') == part->file_name.n);
	s->open = true;
	s->parts++;
	buf_printf(&s->b, "\n[%.*s|%.*s|%.*s|%d]", STR_ARG(part->name), STR_ARG(part->file_name),
	    STR_ARG(part->type), part->is_file);
	return true;
}

static bool
data_came(void *ctx, const char *p, size_t n, struct error *e)
{
	struct seen *s = ctx;
	(void)e;
	MUST(s->open);
	buf_add(&s->b, p, n);
	return true;
}

static bool
end(void *ctx, struct error *e)
{
	struct seen *s = ctx;
	(void)e;
	MUST(s->open);
	s->open = false;
	return true;
}

static enum error_kind
feed(struct arena *a, struct str type, struct str body, size_t slice, struct seen *s)
{
	struct error e = {0};
	*s = (struct seen){0};
	buf_init(&s->b, a);
	struct multipart_sink sink = {.ctx = s, .begin = begin, .data = data_came, .end = end};
	struct multipart *m = multipart_new(a, type, sink, &e);
	while (m && body.n) {
		size_t n = slice && slice < body.n ? slice : body.n;
		/* a copy that ends where it ends, so that reading on is noticed */
		char *piece = malloc(n);
		memcpy(piece, body.p, n);
		bool good = multipart_feed(m, piece, n, &e);
		free(piece);
		if (!good)
			return e.kind;
		body = str_sub(body, n, body.n);
	}
	return m && multipart_finish(m, &e) ? ERR_NONE : e.kind;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	if (!size)
		return 0;
	struct str body = fuzz_input(data + 1, size - 1), type = str_cut(&body, '\n');
	struct seen whole, cut;
	if (!type.n)
		type = STR("multipart/form-data; boundary=b");
	enum error_kind one = feed(a, type, body, 0, &whole);
	enum error_kind two = feed(a, type, body, 1 + data[0] % 64, &cut);
	MUST(one == two);
	MUST(one == ERR_NONE || one == ERR_MALFORMED || one == ERR_TOO_LARGE);
	MUST(whole.parts <= MULTIPART_PARTS_MAX);
	if (one == ERR_NONE)
		MUST(str_eq(buf_view(&whole.b), buf_view(&cut.b)));
	return 0;
}
