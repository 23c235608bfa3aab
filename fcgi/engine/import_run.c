/* The import job: read, judge, stage, merge, again and again. */
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/import.h"
#include "engine/import_row.h"
#include "store/import.h"

/* A merge of many lines costs less for each; what piles up is memory, and is done again after an
 * accident. */
enum { BATCH_ROWS = 10000, BATCH_BYTES = 2 << 20, WORTH_SENDING = 1000 };
/* Two processors merge a large file in little more than half the time. A small one stays in its
 * order. */
enum { LANES = 2, LARGE_FILE = 1 << 20 };

struct lane {
	struct db *db;
	struct arena *a; /* of the rows that are staged together */
	struct import_row row;
	int64_t after; /* its lines up to here were dealt with before this worker came */
	bool busy;     /* a batch is being merged */
};

struct job {
	const struct import_worker *worker;
	struct arena *a; /* of the whole job */
	struct areas areas;
	int64_t id;
	struct lane lanes[LANES];
	int n;
	const char *failure; /* NULL, "canceled", or what is wrong with the file */
	bool stopped, whole; /* asked to stop; the file was read to its end */
};

/* Waits for the batch that the lane merges. */
static bool
settle(struct job *j, struct lane *lane, struct error *e)
{
	bool canceled = false;
	if (!lane->busy)
		return true;
	lane->busy = false;
	if (!import_batch_end(lane->db, lane->a, &canceled, e))
		return false;
	if (canceled)
		j->failure = "canceled";
	return true;
}

/* Hands over what is there and begins anew; the lane may not be at work. */
static bool
send_batch(struct job *j, struct lane *lane, const struct table_info *info, struct error *e)
{
	const struct import_worker *w = j->worker;
	struct import_batch batch = {.id = j->id,
	    .token = w->token,
	    .lane = (int)(lane - j->lanes),
	    .lanes = j->n,
	    .line = info->line,
	    .bytes = info->done,
	    .lease = IMPORT_LEASE_SECONDS,
	    .now = clock_now()};
	if (!import_batch_send(lane->db, lane->a, &batch, buf_view(&lane->row.out), e))
		return false;
	lane->busy = true;
	arena_reset(lane->a);
	import_row_begin(&lane->row, lane->a, clock_now());
	if (w->aside)
		w->aside(w->ctx);
	j->stopped = !j->whole && w->stop && w->stop(w->ctx);
	return true;
}

/* Each lane that is not at work gets what has piled up for it, if it is ${least} lines or more. */
static bool
pump(struct job *j, int least, const struct table_info *info, struct error *e)
{
	for (int i = 0; i < j->n; i++) {
		struct lane *lane = &j->lanes[i];
		if (lane->busy && !db_answered(lane->db))
			continue;
		if (!settle(j, lane, e))
			return false;
		if (lane->row.count >= least && !j->failure && !j->stopped &&
		    !send_batch(j, lane, info, e))
			return false;
	}
	return true;
}

/* Until a lane at work has news. */
static void
await(const struct job *j)
{
	enum { LOOK_AGAIN_MS = 1000 };
	struct pollfd fds[LANES];
	for (int i = 0; i < j->n; i++)
		fds[i] = (struct pollfd){
		    .fd = j->lanes[i].busy ? db_socket(j->lanes[i].db) : -1, .events = POLLIN};
	poll(fds, (nfds_t)j->n, LOOK_AGAIN_MS);
}

static bool
is_full(const struct lane *lane)
{
	return lane->row.count >= BATCH_ROWS || lane->row.out.n >= BATCH_BYTES;
}

/* While a lane is at work, the lines of both pile up, so that neither waits for the other. */
static bool
add(struct job *j, struct table_reader *t, const struct table_row *row, struct error *e)
{
	struct import_verdict verdict;
	import_row_judge(&j->lanes[0].row, row, &verdict);
	struct lane *lane = &j->lanes[import_row_lane(row, &verdict, j->n)];
	if (row->line <= lane->after)
		return true;
	import_row_put(&lane->row, row, &verdict);
	if (lane->row.count % WORTH_SENDING && !is_full(lane))
		return true;
	while (pump(j, WORTH_SENDING, table_info(t), e)) {
		if (!is_full(lane) || j->failure || j->stopped)
			return true;
		await(j);
	}
	return false;
}

/* Sends the rest and waits for all of it. */
static bool
finish_lanes(struct job *j, const struct table_info *info, struct error *e)
{
	bool busy = true;
	while (busy) {
		busy = false;
		if (!pump(j, 1, info, e))
			return false;
		for (int i = 0; i < j->n; i++)
			busy = busy || j->lanes[i].busy;
		if (busy)
			await(j);
	}
	return true;
}

static bool
read_all(struct job *j, struct table_reader *t, struct error *e)
{
	struct table_row row;
	struct error end = {0};
	bool good = true;
	for (int i = 0; i < j->n; i++)
		import_row_begin(&j->lanes[i].row, j->lanes[i].a, clock_now());
	while (good && !j->failure && !j->stopped && table_next(t, &row, &end))
		good = add(j, t, &row, e);
	j->whole = good && !j->failure && !j->stopped;
	if (j->whole)
		good = finish_lanes(j, table_info(t), e);
	/* What went wrong in one lane must not be left under way in the other. */
	for (int i = 0; i < j->n; i++) {
		struct error late = {0};
		good = settle(j, &j->lanes[i], good ? e : &late) && good;
	}
	if (j->whole && !j->failure && end.kind != ERR_NONE)
		j->failure = arena_strdup(j->a, end.message);
	return good;
}

/* One for a small file, on the worker's own connection. */
static bool
open_lanes(struct job *j, const struct value *job, const char *country, struct error *e)
{
	const struct value *lines = value_get(job, "lane_lines");
	struct str prefixes;
	if (!import_areas(j->worker->db, j->a, &prefixes, e))
		return false;
	areas_read(&j->areas, j->a, prefixes);
	j->n = value_num(job, "size_bytes") > LARGE_FILE ? LANES : 1;
	for (int i = 0; i < j->n; i++) {
		struct lane *lane = &j->lanes[i];
		lane->db = i ? db_open(j->worker->config->database_url, "trunkline-jobs", 0, e)
			     : j->worker->db;
		lane->a = arena_new(4 << 20);
		if (j->n > 1 && lines && (size_t)i < lines->list.n)
			lane->after = lines->list.items[i]->i;
		import_row_init(&lane->row, j->a, value_get(job, "columns"), country, &j->areas);
		if (!lane->db || !import_stage(lane->db, j->a, e))
			return false;
	}
	return true;
}

static void
close_lanes(struct job *j)
{
	for (int i = 0; i < LANES; i++) {
		if (i)
			db_close(j->lanes[i].db);
		arena_free(j->lanes[i].a);
	}
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
	if (!path || access(path, R_OK) != 0) {
		j->failure = "The uploaded file is gone. Upload it again.";
		path = NULL;
	}
	struct table_reader *t = path ? table_open(j->a, path, &how, &bad) : NULL;
	if (path && !t)
		j->failure = arena_strdup(j->a, bad.message);
	if (t &&
	    (!open_lanes(j, job, country && *country ? country : w->config->default_country, e) ||
		!read_all(j, t, e)))
		return false;
	if (j->stopped && !j->failure)
		return import_release(w->db, j->a, j->id, w->token, 0, true, clock_now(), e);
	if ((j->n > 1 && !import_tidy(w->db, j->a, e)) ||
	    !import_finish(w->db, j->a, j->id, w->token, j->failure, clock_now(), e))
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
	bool good = run(&j, e);
	close_lanes(&j);
	if (!good)
		log_warn(
		    "a job was interrupted", LOG_INT("import", id), LOG_TEXT("why", e->message));
	/* Another worker need not wait for the lease to end, unless the database is away. */
	if (!good && db_refresh(worker->db, &none) &&
	    !import_release(
		worker->db, j.a, id, worker->token, PAUSE_SECONDS, false, clock_now(), &none))
		log_warn("a job could not be given back", LOG_TEXT("why", none.message));
	arena_free(j.a);
	return good;
}
