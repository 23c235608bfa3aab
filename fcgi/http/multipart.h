#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H
/*
 * multipart/form-data (RFC 7578) as a push parser: bytes go in as they come, parts go out to a
 * sink. What the sink gets does not depend on how the bytes were cut. Constant memory.
 */
#include "base/str.h"

enum {
	MULTIPART_PARTS_MAX = 1000,
	MULTIPART_HEADER_MAX = 8 << 10, /* bytes of one part's headers */
	MULTIPART_NAME_MAX = 200,
	MULTIPART_FILE_NAME_MAX = 1000
};

struct multipart_part {
	struct str name;
	bool is_file;
	struct str
	    file_name;   /* without folders; well-formed UTF-8; "" where a browser sent no file */
	struct str type; /* as sent, may be "" */
};

struct multipart_sink {
	void *ctx;
	bool (*begin)(void *ctx, const struct multipart_part *part, struct error *e);
	bool (*data)(void *ctx, const char *p, size_t n, struct error *e);
	bool (*end)(void *ctx, struct error *e);
};

struct multipart;

/** ${type} is the Content-Type with its boundary. NULL and ERR_MALFORMED where that is unusable. */
struct multipart *multipart_new(
    struct arena *a, struct str type, struct multipart_sink sink, struct error *e) MUST_USE;
/** ERR_MALFORMED where it is no multipart, ERR_TOO_LARGE beyond a limit, or what the sink said. */
bool multipart_feed(struct multipart *m, const char *p, size_t n, struct error *e) MUST_USE;
/** To be called at the end: ERR_MALFORMED where the last boundary did not come. */
bool multipart_finish(struct multipart *m, struct error *e) MUST_USE;

#endif
