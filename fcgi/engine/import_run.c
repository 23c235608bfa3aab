/* The import job: read, judge, stage, merge, again and again. */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/import.h"
#include "engine/import_row.h"
#include "store/import.h"

enum { BATCH_ROWS = 5000, BATCH_BYTES = 2 << 20 };

struct job {
	const struct import_worker *worker;
	struct arena *a;     /* of the whole job */
	struct arena *batch; /* of the rows that are staged together */
	int64_t id;
	struct import_row row;
	const char *failure; /* NULL, "canceled", or what is wrong with the file */
	bool stopped;
};

/* Merges what is there and begins anew. */
static bool
flush(struct job *j, struct table_reader *t, struct error *e)
{
	const struct import_worker *w = j->worker;
	const struct table_info *info = table_info(t);
	bool canceled = false;
	if (j->row.count &&
	    !import_batch(w->db, j->batch, j->id, w->token, buf_view(&j->row.out), info->line,
		info->done, IMPORT_LEASE_SECONDS, clock_now(), &canceled, e))
		return false;
	arena_reset(j->batch);
	import_row_begin(&j->row, j->batch, clock_now());
	if (canceled)
		j->failure = "canceled";
	j->stopped = w->stop && w->stop(w->ctx);
	return true;
}

static bool
read_all(struct job *j, struct table_reader *t, struct error *e)
{
	struct table_row row;
	struct error end = {0};
	import_row_begin(&j->row, j->batch, clock_now());
	while (!j->failure && !j->stopped && table_next(t, &row, &end)) {
		import_row_add(&j->row, &row);
		if ((j->row.count >= BATCH_ROWS || j->row.out.n >= BATCH_BYTES) && !flush(j, t, e))
			return false;
	}
	if (j->stopped && !j->failure)
		return true;
	if (!flush(j, t, e))
		return false;
	if (!j->failure && end.kind != ERR_NONE)
		j->failure = arena_strdup(j->a, end.message);
	return true;
}

static bool
read_file(struct job *j, const struct value *job, struct error *e)
{
	const struct import_worker *w = j->worker;
	struct error bad = {0};
	const char *path = value_strz(j->a, job, "spool_path");
	const char *country = value_strz(j->a, value_get(job, "options"), "default_country");
	struct table_options how = import_table_options(j->a, w->config, value_get(job, "options"));
	how.after_line = value_num(job, "line_done");
	import_row_init(&j->row, j->a, value_get(job, "columns"),
	    country && *country ? country : w->config->default_country);
	if (!path || access(path, R_OK) != 0) {
		j->failure = "The uploaded file is gone. Upload it again.";
		path = NULL;
	}
	struct table_reader *t = path ? table_open(j->a, path, &how, &bad) : NULL;
	if (path && !t)
		j->failure = arena_strdup(j->a, bad.message);
	if (t && (!import_stage(w->db, j->a, e) || !read_all(j, t, e)))
		return false;
	if (j->stopped && !j->failure)
		return import_release(w->db, j->a, j->id, w->token, 0, true, clock_now(), e);
	if (!import_finish(w->db, j->a, j->id, w->token, j->failure, clock_now(), e))
		return false;
	if (path)
		unlink(path);
	log_info("import ended", LOG_INT("import", j->id),
	    LOG_TEXT("result", j->failure ? j->failure : "done"));
	return true;
}

static bool
run(struct job *j, struct error *e)
{
	const struct import_worker *w = j->worker;
	struct value *job = import_job(w->db, j->a, j->id, e);
	if (!job)
		return false;
	return value_has(job, "undo_asked_at")
		   ? import_undo(w->db, j->a, j->id, w->token, clock_now(), e)
		   : read_file(j, job, e);
}

bool
import_run(const struct import_worker *worker, int64_t id, struct error *e)
{
	enum { PAUSE_SECONDS = 2 };
	struct job j = {.worker = worker, .id = id};
	struct error none = {0};
	j.a = arena_new(64 << 10);
	j.batch = arena_new(4 << 20);
	bool good = run(&j, e);
	if (!good)
		log_warn(
		    "a job was interrupted", LOG_INT("import", id), LOG_TEXT("why", e->message));
	/* Another worker need not wait for the lease to end, unless the database is away. */
	if (!good && db_refresh(worker->db, &none) &&
	    !import_release(
		worker->db, j.a, id, worker->token, PAUSE_SECONDS, false, clock_now(), &none))
		log_warn("a job could not be given back", LOG_TEXT("why", none.message));
	arena_free(j.batch);
	arena_free(j.a);
	return good;
}
