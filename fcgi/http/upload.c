#include "http/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "http/form.h"

struct sink {
	struct request *rq;
	bool files;
	struct str name;
	struct buf text;       /* of the field under way */
	struct upload *upload; /* the file under way, or NULL */
	struct crypto_digest *digest;
	int fd;
};

static void
forget(void *p)
{
	struct upload *u = p;
	if (!u->kept)
		unlink(u->path);
}

static void
close_sink(void *p)
{
	struct sink *s = p;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static bool
disk_failed(struct error *e)
{
	log_error("spool", LOG_TEXT("why", strerror(errno)));
	return error_code(e, ERR_UNAVAILABLE, "no_room",
	    "The file could not be stored on the server. Nothing was imported; try again later.");
}

static bool
open_file(struct sink *s, const struct multipart_part *part, struct error *e)
{
	struct request *rq = s->rq;
	if (!s->files)
		return error_set(e, ERR_MALFORMED, "No file is expected here.");
	if (rq->upload_count == UPLOAD_FILES_MAX)
		return error_set(e, ERR_MALFORMED, "Too many files at once.");
	if (!rq->uploads)
		rq->uploads = arena_new_array(rq->arena, struct upload, UPLOAD_FILES_MAX);
	struct upload *u = &rq->uploads[rq->upload_count];
	*u = (struct upload){.field = str_dup(rq->arena, part->name),
	    .file_name = str_dup(rq->arena, part->file_name),
	    .path = arena_printf(
		rq->arena, "%s/spool/%s.upload", rq->app->config.state_dir, crypto_uuid(rq->arena)),
	    .sha256 = ""};
	s->fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return disk_failed(e);
	arena_defer(rq->arena, forget, u);
	s->digest = crypto_digest_new(rq->arena);
	s->upload = u;
	rq->upload_count++;
	return true;
}

static bool
begin(void *ctx, const struct multipart_part *part, struct error *e)
{
	struct sink *s = ctx;
	s->name = part->name;
	s->upload = NULL;
	s->text.n = 0;
	return !part->is_file || open_file(s, part, e);
}

static bool
data(void *ctx, const char *p, size_t n, struct error *e)
{
	struct sink *s = ctx;
	if (!s->upload) {
		buf_add(&s->text, p, n);
		return s->text.n <= FORM_VALUE_MAX ||
		       error_set(e, ERR_TOO_LARGE, "The field %.*s is too long.", STR_ARG(s->name));
	}
	crypto_digest_add(s->digest, p, n);
	s->upload->size += (int64_t)n;
	while (n) {
		ssize_t done = write(s->fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return disk_failed(e);
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
end_file(struct sink *s, struct error *e)
{
	struct upload *u = s->upload;
	u->sha256 = crypto_digest_hex(s->digest, s->rq->arena);
	/* A form whose file field was left empty still sends a part. */
	if (u->size == 0 && !*u->file_name) {
		unlink(u->path);
		s->rq->upload_count--;
	}
	bool flushed = fsync(s->fd) == 0;
	close_sink(s);
	return flushed || disk_failed(e);
}

static bool
end(void *ctx, struct error *e)
{
	struct sink *s = ctx;
	if (s->upload)
		return end_file(s, e);
	struct str text = str_copy(s->rq->arena, buf_view(&s->text));
	if (!str_is_utf8(text))
		return error_set(
		    e, ERR_MALFORMED, "The field %.*s is not valid UTF-8 text.", STR_ARG(s->name));
	return form_add(s->rq->arena, s->rq->body, s->name, text, e);
}

struct multipart_sink
upload_sink(struct request *rq, bool files)
{
	struct sink *s = arena_new_of(rq->arena, struct sink);
	*s = (struct sink){.rq = rq, .files = files, .fd = -1};
	buf_init(&s->text, rq->arena);
	arena_defer(rq->arena, close_sink, s);
	return (struct multipart_sink){.ctx = s, .begin = begin, .data = data, .end = end};
}
