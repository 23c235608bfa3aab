#include "http/multipart.h"

#include <string.h>

enum state { PREAMBLE, BOUNDARY_END, HEADERS, CONTENT, EPILOGUE };
enum { BOUNDARY_MAX = 70, PREAMBLE_MAX = 1 << 10, PADDING_MAX = 64 };

struct multipart {
	struct arena *a;
	struct multipart_sink sink;
	char delimiter[4 + BOUNDARY_MAX]; /* CR LF - - boundary */
	size_t delimiter_n;
	size_t matched; /* of the delimiter; these bytes are held back */
	enum state state;
	struct buf line;   /* of the headers, or what follows a boundary */
	size_t header_n;   /* bytes of this part's headers so far */
	size_t preamble_n; /* bytes before the first boundary */
	size_t parts;
	struct multipart_part part;
	bool named;
};

static bool
malformed(struct error *e, const char *what)
{
	return error_set(e, ERR_MALFORMED, "The upload is damaged: %s.", what);
}

/* The bytes of a quoted string from ${i} on, without escapes. Only \" is one: a lone
 * backslash is part of a Windows path. */
static struct str
unquote(struct arena *a, struct str s, size_t i)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '"')
			i++;
		p[n++] = s.p[i];
	}
	return (struct str){p, n};
}

static size_t
skip_quoted(struct str s, size_t i)
{
	for (; i < s.n && s.p[i] != '"'; i++)
		if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '"')
			i++;
	return i;
}

/* The value of parameter ${name} of a header value, quoted or not; its p is NULL where missing. */
static struct str
parameter(struct arena *a, struct str header, const char *name)
{
	size_t i = str_chr(header, ';');
	while (i < header.n) {
		size_t from = ++i;
		while (i < header.n && header.p[i] != '=' && header.p[i] != ';')
			i++;
		bool wanted = str_is_nocase(str_trim(str_sub(header, from, i)), name);
		if (i == header.n || header.p[i] == ';')
			continue;
		from = ++i;
		bool quoted = i < header.n && header.p[i] == '"';
		if (quoted && wanted)
			return unquote(a, header, i + 1);
		if (quoted)
			i = skip_quoted(header, i + 1);
		while (i < header.n && header.p[i] != ';')
			i++;
		if (wanted)
			return str_trim(str_sub(header, from, i));
	}
	return (struct str){NULL, 0};
}

static bool
is_boundary(struct str b)
{
	static const char others[] = "'()+_,-./:=? ";
	for (size_t i = 0; i < b.n; i++) {
		char c = b.p[i];
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!plain && !(c && strchr(others, c)))
			return false;
	}
	return b.n > 0 && b.n <= BOUNDARY_MAX && b.p[b.n - 1] != ' ';
}

struct multipart *
multipart_new(struct arena *a, struct str type, struct multipart_sink sink, struct error *e)
{
	struct str boundary = parameter(a, type, "boundary");
	if (!boundary.p || !is_boundary(boundary)) {
		malformed(e, "its Content-Type has no usable boundary");
		return NULL;
	}
	struct multipart *m = arena_new_of(a, struct multipart);
	*m = (struct multipart){.a = a, .sink = sink, .state = PREAMBLE, .matched = 2};
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.n);
	m->delimiter_n = 4 + boundary.n;
	buf_init(&m->line, a);
	return m;
}

static bool
give(struct multipart *m, const char *p, size_t n, struct error *e)
{
	if (n == 0)
		return true;
	if (m->state == CONTENT)
		return m->sink.data(m->sink.ctx, p, n, e);
	m->preamble_n += n;
	return m->preamble_n <= PREAMBLE_MAX || malformed(e, "it does not begin with its boundary");
}

static bool
boundary_found(struct multipart *m, struct error *e)
{
	if (m->state == CONTENT && !m->sink.end(m->sink.ctx, e))
		return false;
	m->matched = 0;
	m->line.n = 0;
	m->state = BOUNDARY_END;
	return true;
}

/*
 * Content up to the delimiter. CR stands only at its beginning, so a mismatch never has to look
 * back further than to the byte at hand. Returns how many bytes were taken, 0 on error.
 */
static size_t
take_content(struct multipart *m, const char *p, size_t n, struct error *e)
{
	size_t i = 0, from = 0;
	while (i < n) {
		if (m->matched == 0) {
			const char *cr = memchr(p + i, '\r', n - i);
			i = cr ? (size_t)(cr - p) : n;
			if (!give(m, p + from, i - from, e))
				return 0;
			if (i == n)
				return n;
			from = ++i;
			m->matched = 1;
		} else if (p[i] == m->delimiter[m->matched]) {
			from = ++i;
			if (++m->matched == m->delimiter_n)
				return boundary_found(m, e) ? i : 0;
		} else {
			/* The first boundary may do without CR LF: those two were never there. */
			bool pretended = m->state == PREAMBLE && m->preamble_n == 0;
			size_t held = m->matched - (pretended ? 2 : 0);
			m->matched = 0;
			m->preamble_n += pretended;
			if (!give(m, m->delimiter + (pretended ? 2 : 0), held, e))
				return 0;
			from = i;
		}
	}
	return n;
}

/* One more byte of a line; true in *whole when CR LF ended it (which is cut off). */
static bool
take_line(struct multipart *m, char c, size_t most, bool *whole, struct error *e)
{
	buf_putc(&m->line, c);
	if (m->line.n > most)
		return error_set(e, ERR_TOO_LARGE, "A part of the upload has too long headers.");
	*whole = m->line.n >= 2 && c == '\n' && m->line.p[m->line.n - 2] == '\r';
	if (c == '\n' && !*whole)
		return malformed(e, "a line does not end with CR LF");
	if (*whole)
		m->line.n -= 2;
	return true;
}

static bool
boundary_end(struct multipart *m, char c, struct error *e)
{
	bool whole = false;
	if (!take_line(m, c, PADDING_MAX, &whole, e))
		return false;
	if (m->line.n == 2 && memcmp(m->line.p, "--", 2) == 0) {
		m->state = EPILOGUE;
		return true;
	}
	if (!whole)
		return true;
	if (str_trim(buf_view(&m->line)).n)
		return malformed(e, "something follows a boundary on its line");
	if (++m->parts > MULTIPART_PARTS_MAX)
		return error_set(e, ERR_TOO_LARGE, "The upload has too many parts.");
	m->state = HEADERS;
	m->line.n = m->header_n = 0;
	m->part = (struct multipart_part){.name = STR(""), .file_name = STR(""), .type = STR("")};
	m->named = false;
	return true;
}

/* Only for showing: without folders, well-formed, no control characters. */
static struct str
shown_name(struct arena *a, struct str raw)
{
	struct str s = str_utf8(a, raw);
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' || s.p[i] == '\\')
			from = i + 1;
	char *p = str_dup(a, str_sub(s, from, s.n));
	for (char *c = p; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return str_trim(str_of(p));
}

static bool
disposition(struct multipart *m, struct str value, struct error *e)
{
	struct str name = parameter(m->a, value, "name");
	struct str file = parameter(m->a, value, "filename");
	if (m->named)
		return malformed(e, "a part has two dispositions");
	if (!str_is_nocase(str_trim(str_sub(value, 0, str_chr(value, ';'))), "form-data") ||
	    !name.p)
		return malformed(e, "a part has no name");
	if (name.n > MULTIPART_NAME_MAX || file.n > MULTIPART_FILE_NAME_MAX)
		return malformed(e, "a name is too long");
	if (!str_is_utf8(name))
		return malformed(e, "a name is not valid UTF-8 text");
	m->named = true;
	m->part.name = name;
	m->part.is_file = file.p != NULL;
	m->part.file_name = file.p ? shown_name(m->a, file) : STR("");
	return true;
}

static bool
header_line(struct multipart *m, struct error *e)
{
	struct str value = str_copy(m->a, buf_view(&m->line));
	if (memchr(value.p, '\0', value.n))
		return malformed(e, "a header contains NUL");
	if (str_chr(value, ':') == value.n)
		return malformed(e, "a header has no colon");
	struct str name = str_cut(&value, ':');
	value = str_trim(value);
	if (str_is_nocase(name, "content-disposition"))
		return disposition(m, value, e);
	if (str_is_nocase(name, "content-type"))
		m->part.type = value;
	else if (str_is_nocase(name, "content-transfer-encoding") &&
		 !str_is_nocase(value, "binary") && !str_is_nocase(value, "8bit") &&
		 !str_is_nocase(value, "7bit"))
		return malformed(e, "a part is encoded in a way that browsers do not use");
	return true;
}

static bool
headers(struct multipart *m, char c, struct error *e)
{
	bool whole = false;
	if (++m->header_n > MULTIPART_HEADER_MAX)
		return error_set(e, ERR_TOO_LARGE, "A part of the upload has too long headers.");
	if (!take_line(m, c, MULTIPART_HEADER_MAX, &whole, e))
		return false;
	if (!whole)
		return true;
	if (m->line.n == 0) {
		if (!m->named)
			return malformed(e, "a part has no name");
		m->state = CONTENT;
		m->matched = 0;
		return m->sink.begin(m->sink.ctx, &m->part, e);
	}
	bool good = header_line(m, e);
	m->line.n = 0;
	return good;
}

bool
multipart_feed(struct multipart *m, const char *p, size_t n, struct error *e)
{
	for (size_t i = 0; i < n;) {
		switch (m->state) {
		case PREAMBLE:
		case CONTENT: {
			size_t taken = take_content(m, p + i, n - i, e);
			if (taken == 0)
				return false;
			i += taken;
			break;
		}
		case BOUNDARY_END:
			if (!boundary_end(m, p[i++], e))
				return false;
			break;
		case HEADERS:
			if (!headers(m, p[i++], e))
				return false;
			break;
		case EPILOGUE:
			return true;
		}
	}
	return true;
}

bool
multipart_finish(struct multipart *m, struct error *e)
{
	return m->state == EPILOGUE || malformed(e, "it ended before its last boundary");
}
