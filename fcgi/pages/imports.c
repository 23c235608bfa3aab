#include "pages/imports.h"

#include "base/csv.h"
#include "pages/filter.h"
#include "pages/jobs.h"
#include "store/import.h"

bool
imports_list(struct request *rq, struct response *rs, struct error *e)
{
	struct filter_place place;
	int64_t cursor;
	if (!filter_place_number(rq, &place, &cursor, e))
		return false;
	struct value *rows =
	    import_page(rq->app->db, rq->arena, rq->viewer->client_id, cursor, place.limit + 1, e);
	if (!rows)
		return false;
	filter_page(rq, rs->model, "imports", rows, "id", &place);
	return true;
}

/* What the page offers in this state. */
static void
set_state(struct arena *a, struct value *model, const struct value *import)
{
	struct str state = value_str(import, "state");
	int64_t size = value_num(import, "size_bytes"), done = value_num(import, "bytes_done");
	bool running = str_is(state, "queued") || str_is(state, "running");
	bool mapping = str_is(state, "mapping"), undone = str_is(state, "undone");
	bool undoing = value_has(import, "undo_asked_at"),
	     over = !running && !mapping && !undone && !undoing;
	struct str consent = value_str(value_get(import, "options"), "consent");
	struct str policy = value_str(value_get(import, "options"), "update_policy");
	value_set_int(
	    a, model, "live", running || undoing || value_get(import, "jobs")->list.n ? 1 : 15);
	value_set_bool(a, model, "is_running", running);
	value_set_bool(a, model, "is_queued", str_is(state, "queued"));
	value_set_bool(a, model, "is_mapping", mapping);
	value_set_bool(a, model, "is_over", !running && !mapping);
	value_set_bool(a, model, "canceled", str_is(state, "canceled"));
	value_set_bool(a, model, "undone", undone);
	value_set_bool(a, model, "stopping", running && value_has(import, "cancel_asked_at"));
	value_set_bool(a, model, "undoing", undoing);
	value_set_bool(a, model, "undoable", over && !value_has(import, "undo_refusal"));
	value_set_bool(a, model, "not_undoable", over && value_has(import, "undo_refusal"));
	value_set_bool(a, model, "startable", over && value_num(import, "rows_created") > 0);
	value_set_int(a, model, "percent",
	    size > 0 && done < size ? done * 100 / size
	    : running               ? 99
				    : 100);
	value_set_bool(a, model, "without_consent",
	    over && str_is(consent, "none") && value_num(import, "rows_created") > 0);
	value_set_bool(a, model, "attested", str_is(consent, "attested"));
	value_set_bool(a, model, "by_column", str_is(consent, "column"));
	value_set_bool(a, model, "fills", str_is(policy, "fill_empty"));
	value_set_bool(a, model, "overwrites", str_is(policy, "overwrite"));
	value_set_int(a, model, "not_created",
	    value_num(import, "rows_total") - value_num(import, "rows_created"));
}

bool
imports_show(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *import = import_find(rq->app->db, a, rq->viewer->client_id, rq->ids[0], e);
	if (!import)
		return false;
	value_set(a, rs->model, "import", import);
	if (rq->json)
		return true;
	set_state(a, rs->model, import);
	jobs_words(a, value_get(import, "jobs"));
	struct value *lines = import_lines_page(
	    rq->app->db, a, rq->viewer->client_id, rq->ids[0], 0, 10, STR("rejected"), e);
	if (!lines)
		return false;
	value_set(a, rs->model, "lines", lines);
	return true;
}

/* An import of this client, or ERR_NOT_FOUND. */
static struct value *
own_import(struct request *rq, struct error *e)
{
	return import_find(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], e);
}

bool
imports_errors(struct request *rq, struct response *rs, struct error *e)
{
	static const struct filter_choice verdicts[] = {
	    {NULL, "All"}, {"rejected", NULL}, {"skipped", NULL}, {"updated", NULL}};
	struct filter_place place;
	int64_t cursor;
	struct value *import = own_import(rq, e);
	if (!import || !filter_place_number(rq, &place, &cursor, e) ||
	    !filter_check(rq, "verdict", verdicts, 4, e))
		return false;
	struct str verdict = request_text(rq, "verdict");
	if (rq->json && !verdict.n)
		verdict = STR("rejected");
	struct value *rows = import_lines_page(rq->app->db, rq->arena, rq->viewer->client_id,
	    rq->ids[0], cursor, place.limit + 1, verdict, e);
	if (!rows)
		return false;
	filter_page(rq, rs->model, rq->json ? "errors" : "lines", rows, "line", &place);
	if (!rq->json) {
		value_set(rq->arena, rs->model, "import", import);
		value_set(rq->arena, rs->model, "chips", filter_chips(rq, "verdict", verdicts, 4));
	}
	return true;
}

/* --- the refused lines as a file --- */

enum { PIECE = 32768 };

/* The rows on their way out; the arena is reset with each piece. */
struct export
{
	struct request *rq;
	const struct value *columns;
	bool all;
	struct arena *arena;
	struct buf piece;
};

static bool
flush(struct export *x, struct error *e)
{
	bool there = response_write(x->rq, buf_view(&x->piece));
	arena_reset(x->arena);
	buf_init(&x->piece, x->arena);
	return there || error_set(e, ERR_UNKNOWN, "the browser went away");
}

static bool
write_line(void *ctx, const struct value *row, struct error *e)
{
	struct export *x = ctx;
	const struct value *raw = value_get(row, "raw");
	buf_printf(&x->piece, "%lld,", (long long)value_num(row, "line"));
	csv_write_field(&x->piece, value_str(row, "column"));
	buf_putc(&x->piece, ',');
	csv_write_field(&x->piece, value_str(row, "reason"));
	for (size_t i = 0; raw && raw->type == VALUE_LIST && i < raw->list.n; i++) {
		buf_putc(&x->piece, ',');
		csv_write_field(&x->piece, raw->list.items[i]->s);
	}
	buf_puts(&x->piece, "\r\n");
	return x->piece.n < PIECE || flush(x, e);
}

/* The columns are those of the file, so that the lines can be mended and imported again. */
static bool
export_lines(struct request *rq, void *ctx, struct error *e)
{
	struct export *x = ctx;
	/* A byte order mark: without it Excel takes the file for Windows-1252. */
	buf_puts(&x->piece, "\xEF\xBB\xBFline,column,reason");
	for (size_t i = 0; x->columns && i < x->columns->list.n; i++) {
		buf_putc(&x->piece, ',');
		csv_write_field(&x->piece, value_str(x->columns->list.items[i], "name"));
	}
	buf_puts(&x->piece, "\r\n");
	return import_lines_stream(rq->app->db, rq->arena, rq->ids[0], x->all, write_line, x, e) &&
	       flush(x, e);
}

static void
free_arena(void *a)
{
	arena_free(a);
}

bool
imports_errors_csv(struct request *rq, struct response *rs, struct error *e)
{
	struct value *import = own_import(rq, e);
	if (!import)
		return false;
	struct export *x = arena_new_of(rq->arena, struct export);
	*x = (struct export){.rq = rq,
	    .columns = value_get(import, "columns"),
	    .all = request_flag(rq, "all"),
	    .arena = arena_new(4 * PIECE)};
	arena_defer(rq->arena, free_arena, x->arena);
	buf_init(&x->piece, x->arena);
	response_file(rs, rq, "text/csv; charset=utf-8",
	    arena_printf(rq->arena, "lines-of-import-%lld.csv", (long long)rq->ids[0]));
	rs->pump = export_lines;
	rs->pump_ctx = x;
	return true;
}
