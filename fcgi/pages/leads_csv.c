#include "pages/leads.h"

#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "store/lead.h"

enum { EXPORT_MOST = 5000000, PIECE = 32768 };

static const char *const columns[] = {"phone", "contact", "company", "email", "location", "region",
    "time_zone", "list", "source", "assigned_agent", "status", "outcome", "consent", "last_call_at",
    "created_at", "notes", "attributes"};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* The rows on their way out; the arena is reset with each piece. */
struct export
{
	struct request *rq;
	const struct value *filter;
	struct arena *arena;
	struct buf piece;
};

static struct str
cell(struct arena *a, const struct value *v)
{
	struct buf b;
	buf_init(&b, a);
	if (v && v->type == VALUE_MAP)
		return v->map.n ? str_of(json_text(a, v)) : STR("");
	if (v && v->type == VALUE_BOOL)
		return v->b ? STR("yes") : STR("no");
	value_print(&b, v);
	return buf_view(&b);
}

static bool
flush(struct export *x, struct error *e)
{
	bool there = response_write(x->rq, buf_view(&x->piece));
	arena_reset(x->arena);
	buf_init(&x->piece, x->arena);
	return there || error_set(e, ERR_UNKNOWN, "the browser went away");
}

static bool
write_row(void *ctx, const struct value *row, struct error *e)
{
	struct export *x = ctx;
	struct str cells[COLUMNS];
	for (size_t i = 0; i < COLUMNS; i++)
		cells[i] = cell(x->arena, value_get(row, columns[i]));
	csv_write_row(&x->piece, cells, COLUMNS);
	return x->piece.n < PIECE || flush(x, e);
}

static bool
export_rows(struct request *rq, void *ctx, struct error *e)
{
	struct export *x = ctx;
	struct str cells[COLUMNS];
	for (size_t i = 0; i < COLUMNS; i++)
		cells[i] = str_of(columns[i]);
	/* A byte order mark: without it Excel takes the file for Windows-1252. */
	buf_puts(&x->piece, "\xEF\xBB\xBF");
	csv_write_row(&x->piece, cells, COLUMNS);
	bool good = lead_export(
	    rq->app->db, rq->arena, rq->viewer->client_id, x->filter, EXPORT_MOST, write_row, x, e);
	return good && flush(x, e);
}

static void
free_arena(void *a)
{
	arena_free(a);
}

bool
leads_csv(struct request *rq, struct response *rs, struct error *e)
{
	struct value *filter = leads_filter(rq, e);
	if (!filter)
		return false;
	struct export *x = arena_new_of(rq->arena, struct export);
	*x = (struct export){.rq = rq, .filter = filter, .arena = arena_new(4 * PIECE)};
	arena_defer(rq->arena, free_arena, x->arena);
	buf_init(&x->piece, x->arena);
	struct buf name;
	buf_init(&name, rq->arena);
	buf_puts(&name, "leads-");
	clock_print_local(&name, clock_now(), "%Y-%m-%d");
	buf_puts(&name, ".csv");
	response_file(rs, rq, "text/csv; charset=utf-8", name.p);
	rs->pump = export_rows;
	rs->pump_ctx = x;
	return true;
}
