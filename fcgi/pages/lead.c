#include "pages/lead.h"

#include <stdlib.h>

#include "base/clock.h"
#include "pages/calls.h"
#include "pages/lead_fields.h"
#include "pages/trail.h"
#include "rules/reason.h"
#include "store/consent.h"
#include "store/lead.h"

/* --- reading --- */

/* May this person be called now, why not, when: in one sentence's worth of members. */
static bool
contactability(const struct request *rq, struct value *lead, struct error *e)
{
	struct arena *a = rq->arena;
	struct db *db = rq->app->db;
	int64_t id = value_num(lead, "id"), now = clock_now();
	struct value *may =
	    lead_contactability(db, a, id, "call", value_num(lead, "campaign_id"), now, e);
	struct value *clock = may ? lead_clock(db, a, id, now, e) : NULL;
	if (!clock)
		return false;
	if (!value_flag(may, "allowed"))
		value_set_text(a, may, "sentence", reason_sentence(value_str(may, "reason")));
	value_set(a, lead, "contact_now", may);
	value_set(a, lead, "clock", clock);
	return true;
}

static void
add_to(struct arena *a, struct value *timeline, const struct value *rows, const char *kind,
    const char *at)
{
	for (size_t i = 0; i < rows->list.n; i++) {
		struct value *entry = value_map(a);
		entry->map = rows->list.items[i]->map;
		entry->map.cap = entry->map.n; /* the row itself stays as it is */
		value_set_bool(a, entry, kind, true);
		value_set(a, entry, "when", value_get(rows->list.items[i], at));
		value_push(a, timeline, entry);
	}
}

static int
newest_first(const void *x, const void *y)
{
	int64_t a = value_micros(*(struct value *const *)x, "when");
	int64_t b = value_micros(*(struct value *const *)y, "when");
	return (a < b) - (a > b);
}

/* Calls, decisions and consents in one column. */
static struct value *
timeline(struct arena *a, const struct value *history)
{
	struct value *all = value_list(a);
	add_to(a, all, value_get(history, "calls"), "is_call", "created_at");
	add_to(a, all, value_get(history, "decisions"), "is_decision", "at");
	add_to(a, all, value_get(history, "consents"), "is_consent", "at");
	for (size_t i = 0; i < all->list.n; i++) {
		struct value *entry = all->list.items[i];
		struct str reason = value_str(entry, "reason");
		if (reason.n)
			value_set(
			    a, entry, "why", value_member(a, value_text(a, reason), STR("label")));
		if (value_flag(entry, "is_call"))
			calls_turns(a, entry);
		if (value_flag(entry, "is_consent"))
			value_set_text(a, entry, "status",
			    value_flag(entry, "granted") ? "granted" : "withdrawn");
	}
	if (all->list.n)
		qsort(all->list.items, all->list.n, sizeof(*all->list.items), newest_first);
	return all;
}

static bool
prompt_choices(const struct request *rq, struct value *model, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *prompts = lead_prompts(rq->app->db, a, rq->viewer->client_id, e);
	if (!prompts)
		return false;
	struct str chosen = request_has(rq, "prompt_name") ? request_text(rq, "prompt_name")
							   : value_str(model, "prompt_name");
	for (size_t i = 0; i < prompts->list.n; i++) {
		struct value *p = prompts->list.items[i];
		value_set_bool(a, p, "chosen", str_eq(value_str(p, "name"), chosen));
	}
	value_set(a, model, "prompts", prompts);
	return true;
}

static struct value *
attribute_rows(struct arena *a, const struct value *attributes)
{
	struct value *rows = value_list(a);
	for (size_t i = 0; attributes && attributes->type == VALUE_MAP && i < attributes->map.n;
	     i++) {
		struct value *row = value_push(a, rows, value_map(a));
		value_set(a, row, "key", value_text(a, attributes->map.members[i].key));
		value_set(a, row, "text", attributes->map.members[i].value);
	}
	return rows;
}

static bool
show(struct request *rq, struct value *lead, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *history =
	    lead_history(rq->app->db, a, rq->viewer->client_id, value_num(lead, "id"), e);
	if (!history)
		return false;
	for (size_t i = 0; i < history->map.n; i++)
		value_set_str(a, lead, history->map.members[i].key, history->map.members[i].value);
	if (rq->json)
		return true;
	struct value *journeys = value_get(history, "enrollments");
	for (size_t i = 0; i < journeys->list.n; i++) {
		struct str reason = value_str(journeys->list.items[i], "reason");
		if (reason.n)
			value_set_text(
			    a, journeys->list.items[i], "sentence", reason_sentence(reason));
	}
	value_set(a, lead, "timeline", timeline(a, history));
	value_set(a, lead, "columns", attribute_rows(a, value_get(lead, "attributes")));
	return contactability(rq, lead, e) && prompt_choices(rq, lead, e);
}

static struct value *
find(struct request *rq, struct error *e)
{
	return lead_find(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], e);
}

struct value *
lead_model(struct request *rq, struct error *e)
{
	struct value *lead = find(rq, e);
	return lead && show(rq, lead, e) ? lead : NULL;
}

bool
lead_show(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = lead_model(rq, e);
	return rs->model != NULL;
}

/* GET /api/leads/{id}/contactability */
bool
lead_contact(struct request *rq, struct response *rs, struct error *e)
{
	static const char *const others[] = {"sms", "whatsapp", "email"};
	struct arena *a = rq->arena;
	struct value *lead = find(rq, e), *may;
	if (!lead || !(may = lead_contactability(rq->app->db, a, rq->ids[0], "call",
			   value_num(lead, "campaign_id"), clock_now(), e)))
		return false;
	rs->model = value_map(a);
	struct value *channels = value_set(a, rs->model, "channels", value_map(a));
	struct value *call = value_set(a, channels, "call", value_map(a));
	struct value *reasons = value_list(a);
	value_set(a, call, "allowed", value_get(may, "allowed"));
	if (!value_flag(may, "allowed"))
		value_push(a, reasons, value_get(may, "reason"));
	value_set(a, call, "reasons", reasons);
	value_set(a, call, "next_at", value_get(may, "next_at"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct value *channel = value_set(a, channels, others[i], value_map(a));
		value_set_bool(a, channel, "allowed", false);
		value_push(a, value_set(a, channel, "reasons", value_list(a)),
		    value_textz(a, "not_available"));
		value_set(a, channel, "next_at", value_null(a));
	}
	return true;
}

/* --- changing --- */

/* One number, one lead: on a form that is a mistake in the field. */
static bool
duplicate_is_a_field(const struct request *rq, struct error *e)
{
	if (e->kind == ERR_CONFLICT && str_is(str_of(e->code), "duplicate_phone") && !rq->json)
		error_field(e, "phone", "%s", arena_strdup(rq->arena, e->message));
	return false;
}

bool
lead_new(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = value_map(rq->arena);
	return prompt_choices(rq, rs->model, e);
}

bool
lead_create(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *form = value_map(a);
	if (!prompt_choices(rq, form, e))
		return false;
	response_form(rs, "lead_new", form);
	struct value *fields = lead_fields_read(rq, true, e);
	int64_t id = 0;
	if (!fields)
		return false;
	if (!lead_insert(rq->app->db, a, rq->viewer->client_id, fields, &id, e))
		return duplicate_is_a_field(rq, e);
	if (!trail_add(rq, "lead.create", "lead", id, NULL, e))
		return false;
	struct str source = request_text(rq, "consent_source");
	if (source.n && !lead_consent_record(rq, id, true, source, e))
		return false;
	rs->model = lead_find(rq->app->db, a, rq->viewer->client_id, id, e);
	rs->status = 201;
	return rs->model && response_redirect(rs, rq, "Lead added.", "/leads/%lld", (long long)id);
}

bool
lead_save(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *lead = find(rq, e);
	if (!lead || (!rq->json && !show(rq, lead, e)))
		return false;
	value_set_bool(a, lead, "editing", true);
	response_form(rs, "lead", lead);
	struct value *fields = lead_fields_read(rq, false, e);
	if (!fields)
		return false;
	if (!lead_update(rq->app->db, a, rq->viewer->client_id, rq->ids[0], fields, clock_now(), e))
		return duplicate_is_a_field(rq, e);
	if (!trail_add(rq, "lead.change", "lead", rq->ids[0], NULL, e))
		return false;
	rs->model = find(rq, e);
	return rs->model &&
	       response_redirect(rs, rq, "Saved.", "/leads/%lld", (long long)rq->ids[0]);
}

static struct value *
only(struct arena *a, int64_t id)
{
	struct value *ids = value_list(a);
	value_push(a, ids, value_int(a, id));
	return ids;
}

static bool
set_archived(struct request *rq, struct response *rs, bool archive, struct error *e)
{
	struct arena *a = rq->arena;
	int64_t changed = 0, client = rq->viewer->client_id;
	struct value *ids = only(a, rq->ids[0]);
	if (!find(rq, e) ||
	    !lead_archive(rq->app->db, a, client, ids, archive, clock_now(), &changed, e) ||
	    (!archive && !lead_recheck(rq->app->db, a, client, ids, clock_now(), e)) ||
	    !trail_add(rq, archive ? "lead.archive" : "lead.restore", "lead", rq->ids[0], NULL, e))
		return false;
	rs->model = value_map(a);
	value_set_int(a, rs->model, "id", rq->ids[0]);
	value_set_bool(a, rs->model, "archived", archive);
	return response_redirect(rs, rq,
	    archive ? "Archived. It is not called any more." : "Restored.", "/leads/%lld",
	    (long long)rq->ids[0]);
}

bool
lead_archive_toggle(struct request *rq, struct response *rs, struct error *e)
{
	return set_archived(rq, rs, !request_flag(rq, "restore"), e);
}

bool
lead_remove(struct request *rq, struct response *rs, struct error *e)
{
	return set_archived(rq, rs, true, e);
}

bool
lead_note_add(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct str note;
	if (!request_required(rq, "note", 2000, &note, e))
		return false;
	struct buf line;
	buf_init(&line, a);
	clock_print_local(&line, clock_now(), "%e %b %Y, %H:%M");
	buf_printf(&line, " %s: ", rq->viewer->email);
	buf_str(&line, note);
	if (!lead_note(rq->app->db, a, rq->viewer->client_id, rq->ids[0], line.p, clock_now(), e))
		return false;
	rs->model = find(rq, e);
	return rs->model &&
	       response_redirect(rs, rq, "Note added.", "/leads/%lld", (long long)rq->ids[0]);
}

bool
lead_suppress(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *lead = find(rq, e);
	struct str reason = request_text(rq, "reason");
	int64_t added = 0;
	if (!lead ||
	    !suppression_add_leads(rq->app->db, a, rq->viewer->client_id, only(a, rq->ids[0]),
		reason.n ? str_dup(a, str_sub(reason, 0, reason.n < 500 ? reason.n : 500))
			 : "Set by hand",
		rq->viewer->user_id, clock_now(), &added, e) ||
	    !trail_add(rq, "lead.suppress", "lead", rq->ids[0], NULL, e))
		return false;
	rs->model = value_map(a);
	value_set_bool(a, rs->model, "suppressed", true);
	return response_redirect(rs, rq,
	    "On the do-not-contact list now. Nobody calls this number any more.", "/leads/%lld",
	    (long long)rq->ids[0]);
}
