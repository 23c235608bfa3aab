/* The buttons of an import: cancel, undo, start. Each may be pressed twice. */
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "pages/campaigns.h"
#include "pages/imports.h"
#include "pages/trail.h"
#include "store/import.h"
#include "store/job.h"

static struct value *
own_import(struct request *rq, struct error *e)
{
	return import_find(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], e);
}

static bool
answer(struct request *rq, struct response *rs, const char *notice, struct error *e)
{
	struct value *import = own_import(rq, e);
	if (!import)
		return false;
	value_set(rq->arena, rs->model, "import", import);
	return response_redirect(rs, rq, notice, "/imports/%lld", (long long)rq->ids[0]);
}

/* The job takes it at once; most are over before anybody looks. */
static struct value *
wait_for_undo(struct request *rq, struct error *e)
{
	enum { TRIES = 50, PAUSE_MS = 100 };
	struct value *import = own_import(rq, e);
	for (int i = 0; i < TRIES && import && value_has(import, "undo_asked_at"); i++) {
		poll(NULL, 0, PAUSE_MS);
		import = own_import(rq, e);
	}
	return import;
}

bool
imports_undo(struct request *rq, struct response *rs, struct error *e)
{
	struct value *import = own_import(rq, e);
	if (!import)
		return false;
	if (str_is(value_str(import, "state"), "undone"))
		return answer(rq, rs, "It was undone already.", e);
	if (!import_ask_undo(
		rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], clock_now(), e) ||
	    !trail_add(rq, "import.undo", "import", rq->ids[0], NULL, e))
		return false;
	import = wait_for_undo(rq, e);
	if (!import)
		return false;
	if (str_is(value_str(import, "state"), "undone"))
		return answer(rq, rs, "Undone. Its leads are gone; changed ones are as before.", e);
	if (value_has(import, "undo_asked_at"))
		return answer(
		    rq, rs, "It is being undone. This takes a while for a large file.", e);
	const char *why = value_strz(rq->arena, import, "error");
	return error_code(
	    e, ERR_CONFLICT, "cannot_undo", "%s", why ? why : "It could not be undone.");
}

bool
imports_cancel(struct request *rq, struct response *rs, struct error *e)
{
	const char *unused = NULL;
	struct value *import = own_import(rq, e);
	if (!import)
		return false;
	if (str_is(value_str(import, "state"), "canceled"))
		return answer(rq, rs, "It was canceled already.", e);
	if (!import_ask_cancel(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0],
		clock_now(), &unused, e) ||
	    !trail_add(rq, "import.cancel", "import", rq->ids[0], NULL, e))
		return false;
	if (unused)
		unlink(unused);
	return answer(rq, rs,
	    unused
		? "Canceled. Nothing was imported."
		: "It stops in a moment. Leads that were imported already stay; undo removes them.",
	    e);
}

bool
imports_consent(struct request *rq, struct response *rs, struct error *e)
{
	struct str source;
	int64_t n = 0, left = 0;
	if (!own_import(rq, e))
		return false;
	if (!request_required(rq, "consent_source", 500, &source, e) ||
	    !import_attest(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], source,
		rq->viewer->user_id, clock_now(), &n, e) ||
	    !job_left(rq->app->db, rq->arena, 0, rq->ids[0], &left, e))
		return false;
	struct value *detail = value_map(rq->arena);
	value_set(rq->arena, detail, "source", value_text(rq->arena, source));
	value_set_int(rq->arena, detail, "leads", n + left);
	if (!trail_add(rq, "import.consent", "import", rq->ids[0], detail, e))
		return false;
	value_set_int(rq->arena, rs->model, "recorded", n);
	value_set_int(rq->arena, rs->model, "left", left);
	if (left)
		return answer(rq, rs, "Consent is being recorded.", e);
	return answer(rq, rs,
	    arena_printf(
		rq->arena, "Consent was recorded for %s.", value_counted(rq->arena, n, "lead")),
	    e);
}

bool
imports_start(struct request *rq, struct response *rs, struct error *e)
{
	if (!own_import(rq, e) || !dialing_possible(rq, e) ||
	    !dialing_begin(rq, rq->ids[0], rs->model, e))
		return false;
	int64_t id = value_num(rs->model, "campaign_id");
	if (!id)
		return response_redirect(rs, rq, "Nobody is left to call in this import.",
		    "/imports/%lld", (long long)rq->ids[0]);
	return response_redirect(rs, rq, "Started. Calls go out as lines become free.",
	    "/campaigns/%lld", (long long)id);
}
