#include "pages/keeping.h"

#include "base/clock.h"
#include "engine/retention.h"
#include "pages/lead.h"
#include "pages/settings.h"
#include "pages/trail.h"
#include "store/retention.h"
#include "store/setting.h"

static const struct {
	const char *name, *label, *help;
} kinds[] = {
    {"keep_transcripts", "Transcripts",
	"What was said, summaries and links to recordings. Outcome, length and cost of a call stay."},
    {"keep_events", "What providers sent", "The raw reports in the event log."},
    {"keep_decisions", "Decisions", "Why a lead waited, was tried again or given up."},
    {"keep_import_lines", "Lines of files",
	"Lines that were refused or changed a lead. Without them a change cannot be taken back."},
    {"keep_login_failures", "Failed sign-ins", "Addresses that tried to sign in."},
    {"keep_files", "Uploaded files", "Those whose import was never finished."},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

bool
keeping_model(struct request *rq, struct value *model, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *list = value_set(a, model, "keeping", value_list(a));
	for (size_t i = 0; i < KINDS; i++) {
		const char *days = setting_get(
		    rq->app->db, a, &rq->app->config, rq->viewer->client_id, kinds[i].name, e);
		if (!days)
			return false;
		struct value *kind = value_push(a, list, value_map(a));
		value_set_text(a, kind, "name", kinds[i].name);
		value_set_text(a, kind, "label", kinds[i].label);
		value_set_text(a, kind, "help", kinds[i].help);
		/* What was typed stays, also where it was wrong. */
		value_set(a, kind, "days",
		    request_has(rq, kinds[i].name) ? value_text(a, request_text(rq, kinds[i].name))
						   : value_textz(a, days));
	}
	return true;
}

bool
keeping_save(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *form = settings_model(rq, e), *detail = value_map(a);
	if (!form)
		return false;
	response_form(rs, "settings", form);
	for (size_t i = 0; i < KINDS; i++) {
		int64_t days = 0;
		if (request_text(rq, kinds[i].name).n &&
		    !request_int(rq, kinds[i].name, 1, RETENTION_MOST_DAYS, 0, &days, e))
			return false;
	}
	for (size_t i = 0; i < KINDS; i++) {
		struct str days = request_text(rq, kinds[i].name);
		if (!request_has(rq, kinds[i].name))
			continue;
		if (!setting_put(rq->app->db, a, rq->viewer->client_id, kinds[i].name, days,
			rq->viewer->user_id, clock_now(), e))
			return false;
		value_set(a, detail, kinds[i].name, value_text(a, days));
	}
	if (!trail_add(rq, "setting.change", "settings", 0, detail, e))
		return false;
	rs->model = settings_model(rq, e);
	return rs->model &&
	       response_redirect(rs, rq, "Saved. It is applied tonight.", "/settings#keeping");
}

/* The last digits of the number must be typed: this cannot be taken back. */
static bool
is_meant(struct request *rq, struct str phone, struct error *e)
{
	enum { TYPED = 4 };
	struct str digits = request_text(rq, "digits");
	return (phone.n > TYPED && str_eq(digits, str_sub(phone, phone.n - TYPED, phone.n))) ||
	       error_field(e, "digits",
		   "Type the last four digits of the number, so that nobody is erased by mistake.");
}

/* POST /leads/{id}/erase */
bool
keeping_erase_person(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	const struct viewer *viewer = rq->viewer;
	struct value *lead = lead_model(rq, e);
	if (!lead)
		return false;
	response_form(rs, "lead", lead);
	if (!is_meant(rq, value_str(lead, "phone"), e))
		return false;
	const char *phone = value_strz(a, lead, "phone");
	const struct erasure who = {.client_id = viewer->client_id,
	    .phone = phone,
	    .hash = retention_hash(a, &rq->app->config, phone),
	    .who = viewer->email && *viewer->email ? viewer->email : "ADMIN_TOKEN",
	    .address = rq->address,
	    .user_id = viewer->user_id};
	struct value *removed = person_erase(rq->app->db, a, &who, clock_now(), e);
	if (!removed)
		return false;
	rs->model = value_map(a);
	value_set(a, rs->model, "removed", removed);
	return response_redirect(rs, rq,
	    "Erased. Only the order not to contact this number is left. Backups hold the rest until they "
	    "are rotated out.",
	    "/leads");
}
