#include "pages/imports.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/csv.h"
#include "pages/campaigns.h"
#include "pages/filter.h"
#include "pages/trail.h"
#include "store/import.h"

bool
imports_list(struct request *rq, struct response *rs, struct error *e)
{
	struct filter_place place;
	int64_t cursor = 0;
	if (!filter_place_read(rq, &place, e))
		return false;
	if (place.newer || (place.cursor.n && (!str_to_int(place.cursor, &cursor) || cursor < 1)))
		return error_set(e, ERR_MALFORMED, "This cursor is none of ours. Begin at /imports.");
	struct value *rows =
	    import_page(rq->app->db, rq->arena, rq->viewer->client_id, cursor, place.limit + 1, e);
	if (!rows)
		return false;
	bool more = filter_cut(rows, &place);
	const char *last = rows->list.n ? arena_printf(rq->arena, "%lld",
					      (long long)value_num(rows->list.items[rows->list.n - 1], "id"))
					: NULL;
	value_set(rq->arena, rs->model, "imports", rows);
	filter_pages(rq, rs->model, &place, more, NULL, last);
	return true;
}

static void
set_state(struct arena *a, struct value *model, const struct value *import)
{
	struct str state = value_str(import, "state");
	int64_t size = value_num(import, "size_bytes"), done = value_num(import, "bytes_done");
	bool running = str_is(state, "queued") || str_is(state, "running");
	value_set_bool(a, model, "is_running", running);
	value_set_bool(a, model, "is_done", str_is(state, "done"));
	value_set_bool(a, model, "is_mapping", str_is(state, "mapping"));
	value_set_bool(a, model, "undoing", value_has(import, "undo_asked_at"));
	value_set_bool(a, model, "undoable", !running && !str_is(state, "mapping") && !str_is(state, "undone") &&
						 !value_has(import, "undo_refusal") && !value_has(import, "undo_asked_at"));
	value_set_bool(a, model, "startable", str_is(state, "done") && value_num(import, "rows_created") > 0);
	value_set_int(a, model, "percent", size > 0 ? done * 100 / size : 0);
	struct str consent = value_str(value_get(import, "options"), "consent");
	value_set_bool(a, model, "without_consent", str_is(consent, "none"));
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
	struct value *lines = import_lines_page(rq->app->db, a, rq->ids[0], 0, 10, STR("rejected"), e);
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
	static const struct filter_choice verdicts[] = {{NULL, "All"}, {"rejected", NULL}, {"skipped", NULL},
	    {"updated", NULL}};
	struct filter_place place;
	int64_t cursor = 0;
	struct value *import = own_import(rq, e);
	if (!import || !filter_place_read(rq, &place, e) || !filter_check(rq, "verdict", verdicts, 4, e))
		return false;
	if (place.newer || (place.cursor.n && (!str_to_int(place.cursor, &cursor) || cursor < 0)))
		return error_set(e, ERR_MALFORMED, "This cursor is none of ours. Begin at the first page.");
	struct str verdict = request_text(rq, "verdict");
	if (rq->json && !verdict.n)
		verdict = STR("rejected");
	struct value *rows =
	    import_lines_page(rq->app->db, rq->arena, rq->ids[0], cursor, place.limit + 1, verdict, e);
	if (!rows)
		return false;
	bool more = filter_cut(rows, &place);
	const char *last = rows->list.n ? arena_printf(rq->arena, "%lld",
					      (long long)value_num(rows->list.items[rows->list.n - 1], "line"))
					: NULL;
	value_set(rq->arena, rs->model, rq->json ? "errors" : "lines", rows);
	filter_pages(rq, rs->model, &place, more, NULL, last);
	if (!rq->json) {
		value_set(rq->arena, rs->model, "import", import);
		value_set(rq->arena, rs->model, "chips", filter_chips(rq, "verdict", verdicts, 4));
	}
	return true;
}

/* --- the refused lines as a file ----------------------------------------------------------------- */

static bool
put_line(void *ctx, const struct value *row, struct error *e)
{
	struct request *rq = ctx;
	struct arena *a = arena_new(4096);
	struct buf b;
	buf_init(&b, a);
	const struct value *raw = value_get(row, "raw");
	buf_printf(&b, "%lld,", (long long)value_num(row, "line"));
	csv_write_field(&b, value_str(row, "column"));
	buf_putc(&b, ',');
	csv_write_field(&b, value_str(row, "reason"));
	for (size_t i = 0; raw && raw->type == VALUE_LIST && i < raw->list.n; i++) {
		buf_putc(&b, ',');
		csv_write_field(&b, raw->list.items[i]->s);
	}
	buf_puts(&b, "\r\n");
	bool good = response_write(rq, buf_view(&b));
	arena_free(a);
	return good || error_set(e, ERR_UNAVAILABLE, "The reader is gone.");
}

static bool
pump(struct request *rq, void *ctx, struct error *e)
{
	(void)ctx;
	/* With a BOM, so that Excel reads it as UTF-8. */
	return response_write(rq, STR("\xef\xbb\xbfline,column,reason,as it stood\r\n")) &&
	       import_lines_stream(rq->app->db, rq->arena, rq->ids[0], put_line, rq, e);
}

bool
imports_errors_csv(struct request *rq, struct response *rs, struct error *e)
{
	if (!own_import(rq, e))
		return false;
	response_file(rs, rq, "text/csv; charset=utf-8",
	    arena_printf(rq->arena, "refused-lines-of-import-%lld.csv", (long long)rq->ids[0]));
	rs->pump = pump;
	return true;
}

/* --- buttons ------------------------------------------------------------------------------------- */

bool
imports_undo(struct request *rq, struct response *rs, struct error *e)
{
	enum { TRIES = 30, PAUSE_US = 100000 };
	struct arena *a = rq->arena;
	struct value *import = own_import(rq, e);
	if (!import)
		return false;
	if (!str_is(value_str(import, "state"), "undone")) {
		const char *refusal = value_strz(a, import, "undo_refusal");
		if (refusal)
			return error_code(e, ERR_CONFLICT, "not_undoable", "%s", refusal);
		if (!import_ask_undo(rq->app->db, a, rq->viewer->client_id, rq->ids[0], clock_now(), e) ||
		    !trail_add(rq, "import.undo", "import", rq->ids[0], NULL, e))
			return false;
	}
	/* The job takes it at once; most are over before anybody looks. */
	for (int i = 0; i < TRIES && !str_is(value_str(import, "state"), "undone"); i++) {
		usleep(PAUSE_US);
		import = own_import(rq, e);
		if (!import)
			return false;
		if (!value_has(import, "undo_asked_at"))
			break;
	}
	value_set(a, rs->model, "import", import);
	bool undone = str_is(value_str(import, "state"), "undone");
	return response_redirect(rs, rq, undone ? "Undone. Its leads are gone; changed ones are as before."
						: "It is being undone. This takes a moment for a large file.",
	    "/imports/%lld", (long long)rq->ids[0]);
}

bool
imports_cancel(struct request *rq, struct response *rs, struct error *e)
{
	if (!own_import(rq, e) ||
	    !import_ask_cancel(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], clock_now(), e) ||
	    !trail_add(rq, "import.cancel", "import", rq->ids[0], NULL, e))
		return false;
	struct value *import = own_import(rq, e);
	if (!import)
		return false;
	value_set(rq->arena, rs->model, "import", import);
	return response_redirect(rs, rq, "Canceled. Lines that were read already stay.", "/imports/%lld",
	    (long long)rq->ids[0]);
}

bool
imports_start(struct request *rq, struct response *rs, struct error *e)
{
	if (!own_import(rq, e) || !dialing_possible(rq, e) || !dialing_begin(rq, rq->ids[0], rs->model, e))
		return false;
	int64_t id = value_num(rs->model, "campaign_id");
	if (!id)
		return response_redirect(
		    rs, rq, "There is nobody left to call in this import.", "/imports/%lld", (long long)rq->ids[0]);
	return response_redirect(rs, rq, "Started. Calls go out as lines become free.", "/campaigns/%lld", (long long)id);
}
