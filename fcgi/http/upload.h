#ifndef HTTP_UPLOAD_H
#define HTTP_UPLOAD_H
/* Parts of a multipart body on their way into a request: fields into rq->body, files to disk. */
#include "http/multipart.h"
#include "http/request.h"

enum { UPLOAD_FILES_MAX = 4 };

/** Files are refused (ERR_MALFORMED) unless ${files}. Those that come are written to
 * config.state_dir/spool, flushed, and removed when the request's arena is reset unless kept. */
struct multipart_sink upload_sink(struct request *rq, bool files);

#endif
