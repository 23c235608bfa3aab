#include "pages/calls.h"

#include "base/clock.h"
#include "pages/filter.h"
#include "pages/trail.h"
#include "rules/reason.h"
#include "store/call.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct filter_choice states[] = {
    {NULL, "All"}, {"live", "Under way"}, {"ended", "Ended"}, {"ambiguous", "Ambiguous"}};
/* ?status= as programs know it; an older word for the same. */
static const struct filter_choice statuses[] = {
    {"all", NULL}, {"pending", NULL}, {"dialing", NULL}, {"done", NULL}, {"error", NULL}};
static const struct filter_choice outcomes[] = {{NULL, "Any outcome"}, {"interested", NULL},
    {"follow_up", NULL}, {"callback", NULL}, {"not_interested", NULL}, {"voicemail", NULL},
    {"no_answer", NULL}, {"busy", NULL}, {"hangup", "Hung up"}, {"invalid_number", NULL},
    {"do_not_contact", NULL}, {"canceled", NULL}, {"failed", NULL}, {"unknown", NULL}};
enum { API_LIMIT = 100 };

/* Where the list goes on: among the calls, or among the leads that have none yet. */
struct place {
	struct call_cursor call;
	bool leads;
	int64_t lead;
};

static bool
read_place(struct arena *a, const struct filter_place *from, struct place *to, struct error *e)
{
	struct str rest = from->cursor;
	*to = (struct place){.call.newer = from->newer, .call.id = ""};
	if (!rest.n)
		return true;
	struct str head = str_cut(&rest, '.');
	bool good;
	if (str_is(head, "lead")) {
		to->leads = true;
		good = str_to_int(rest, &to->lead) && to->lead > 0;
	} else {
		good = str_to_int(head, &to->call.at) && to->call.at > 0 && rest.n == 36;
		to->call.id = str_dup(a, rest);
	}
	return good || error_set(e, ERR_MALFORMED, "This cursor is none of ours. Begin at /calls.");
}

static const char *
cursor_of(struct arena *a, const struct value *rows, size_t i)
{
	if (i >= rows->list.n)
		return NULL;
	const struct value *row = rows->list.items[i];
	if (!value_has(row, "id"))
		return arena_printf(a, "lead.%lld", (long long)value_num(row, "lead_id"));
	return arena_printf(
	    a, "%lld.%s", (long long)value_micros(row, "created_at"), value_strz(a, row, "id"));
}

static bool
read_day(const struct request *rq, const char *name, struct value *filter, struct error *e)
{
	int64_t at;
	struct str s = request_text(rq, name);
	if (!s.n)
		return true;
	if (s.n != 10 || !clock_parse(s, &at))
		return error_field(e, name, "Write the day like 2026-05-12.");
	value_set(rq->arena, filter, name, value_text(rq->arena, s));
	return true;
}

static const char *
state_of_status(struct str status)
{
	if (str_is(status, "pending") || str_is(status, "dialing"))
		return "live";
	return str_is(status, "done") ? "ended" : str_is(status, "error") ? "failed" : NULL;
}

/* As sql/functions/call_page.sql takes it. */
static struct value *
read_filter(const struct request *rq, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *filter = value_map(a);
	int64_t campaign, lead;
	if (!filter_check(rq, "state", states, COUNT(states), e) ||
	    !filter_check(rq, "status", statuses, COUNT(statuses), e) ||
	    !filter_check(rq, "outcome", outcomes, COUNT(outcomes), e) ||
	    !request_int(rq, "campaign", 1, INT64_MAX, 0, &campaign, e) ||
	    !request_int(rq, "lead_id", 1, INT64_MAX, 0, &lead, e) ||
	    !read_day(rq, "from", filter, e) || !read_day(rq, "to", filter, e))
		return NULL;
	const char *zone = rq->viewer->time_zone;
	value_set_text(a, filter, "zone", zone && *zone ? zone : rq->app->config.time_zone);
	struct str outcome = request_text(rq, "outcome"), state = request_text(rq, "state");
	if (outcome.n)
		value_set(a, filter, "outcome", value_text(a, outcome));
	if (campaign)
		value_set_int(a, filter, "campaign", campaign);
	if (lead)
		value_set_int(a, filter, "lead", lead);
	const char *wanted = state_of_status(request_text(rq, "status"));
	if (state.n || wanted)
		value_set_text(a, filter, "state", state.n ? str_dup(a, state) : wanted);
	return filter;
}

/* Whether leads without a call belong to the list: only for programs, and only where nothing else
 * is asked for that such a lead cannot have. */
static bool
with_leads(const struct request *rq)
{
	struct str status = request_text(rq, "status");
	return rq->json && (!status.n || str_is(status, "all") || str_is(status, "pending")) &&
	       !request_has(rq, "state") && !request_has(rq, "outcome") &&
	       !request_has(rq, "campaign") && !request_has(rq, "lead_id") &&
	       !request_has(rq, "from") && !request_has(rq, "to");
}

static struct value *
fetch(const struct request *rq, const struct value *filter, const struct place *place,
    int64_t limit, struct error *e)
{
	struct arena *a = rq->arena;
	int64_t client = rq->viewer->client_id;
	struct value *rows = place->leads ? value_list(a)
					  : call_list(rq->app->db, a, client, filter, &place->call,
						limit, rq->json, e);
	if (!rows || !with_leads(rq) || (int64_t)rows->list.n >= limit)
		return rows;
	struct value *rest =
	    call_none_yet(rq->app->db, a, client, place->lead, limit - (int64_t)rows->list.n, e);
	for (size_t i = 0; rest && i < rest->list.n; i++)
		value_push(a, rows, rest->list.items[i]);
	return rest ? rows : NULL;
}

static bool
choices(const struct request *rq, struct value *model, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *campaigns = call_campaigns(rq->app->db, a, rq->viewer->client_id, e);
	if (!campaigns)
		return false;
	struct filter_choice *names =
	    arena_new_array(a, struct filter_choice, campaigns->list.n + 1);
	names[0].label = "Any campaign";
	for (size_t i = 0; i < campaigns->list.n; i++) {
		const struct value *c = campaigns->list.items[i];
		names[i + 1].value = arena_printf(a, "%lld", (long long)value_num(c, "id"));
		names[i + 1].label = value_strz(a, c, "name");
	}
	value_set(a, model, "states", filter_chips(rq, "state", states, COUNT(states)));
	value_set(a, model, "outcomes", filter_chips(rq, "outcome", outcomes, COUNT(outcomes)));
	value_set(
	    a, model, "campaigns", filter_chips(rq, "campaign", names, campaigns->list.n + 1));
	value_set(a, model, "from", value_text(a, request_text(rq, "from")));
	value_set(a, model, "to", value_text(a, request_text(rq, "to")));
	value_set_bool(a, model, "more_open",
	    request_has(rq, "outcome") || request_has(rq, "campaign") || request_has(rq, "from") ||
		request_has(rq, "to"));
	return true;
}

bool
calls_list(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct filter_place from;
	struct place place;
	struct value *filter = read_filter(rq, e), *model = value_map(a);
	if (!filter || !filter_place_read(rq, &from, e) || !read_place(a, &from, &place, e))
		return false;
	if (rq->json && !request_has(rq, "limit"))
		from.limit = API_LIMIT;
	struct value *rows = fetch(rq, filter, &place, from.limit + 1, e);
	if (!rows)
		return false;
	bool more = filter_cut(rows, &from);
	value_set(a, model, "calls", rows);
	filter_pages(
	    rq, model, &from, more, cursor_of(a, rows, 0), cursor_of(a, rows, rows->list.n - 1));
	rs->model = model;
	if (rq->json)
		return true;
	bool filtered = rq->query && rq->query->map.n > 0;
	value_set_bool(a, model, "nobody", !rows->list.n && !filtered);
	value_set_bool(a, model, "no_match", !rows->list.n && filtered);
	return choices(rq, model, e);
}

/* --- one call --- */

void
calls_turns(struct arena *a, struct value *call)
{
	struct value *turns = value_get(call, "turns");
	for (size_t i = 0; turns && turns->type == VALUE_LIST && i < turns->list.n; i++) {
		struct value *turn = turns->list.items[i];
		struct str who = value_str(turn, "speaker");
		if (turn->type == VALUE_MAP)
			value_set_bool(
			    a, turn, "is_agent", str_is(who, "agent") || str_is(who, "assistant"));
	}
}

bool
calls_show(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	bool raw = rq->viewer->role >= ROLE_ADMIN;
	struct value *call = call_find(rq->app->db, a, rq->viewer->client_id, rq->names[0], raw, e);
	if (!call)
		return false;
	rs->model = call;
	if (rq->json)
		return true;
	struct str state = value_str(call, "state");
	struct str reason = value_str(call, "reason");
	calls_turns(a, call);
	/* A provider's word; nothing but the web may be behind it. */
	value_set_bool(
	    a, call, "recorded", str_starts(value_str(call, "recording_url"), "https://"));
	value_set_bool(a, call, "in_doubt", str_is(state, "ambiguous"));
	value_set_bool(a, call, "live", !str_is(state, "ended"));
	if (reason.n)
		value_set_text(a, call, "sentence", reason_sentence(reason));
	return true;
}

bool
calls_ask(struct request *rq, struct response *rs, struct error *e)
{
	if (!call_ask_again(
		rq->app->db, rq->arena, rq->viewer->client_id, rq->names[0], clock_now(), e))
		return false;
	rs->model = value_map(rq->arena);
	value_set_bool(rq->arena, rs->model, "asked", true);
	return response_redirect(rs, rq,
	    "The provider is being asked. The answer shows here in a moment.", "/calls/%.*s",
	    STR_ARG(rq->names[0]));
}

bool
calls_resolve(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	bool placed = request_flag(rq, "placed");
	if (!request_has(rq, "placed"))
		return error_field(e, "placed", "Say whether the call was placed: true or false.");
	if (!call_resolve(rq->app->db, a, rq->viewer->client_id, rq->names[0], placed,
		rq->viewer->user_id, clock_now(), e) ||
	    !trail_add(rq, placed ? "call.placed" : "call.never_placed",
		arena_printf(a, "call %.*s", STR_ARG(rq->names[0])), 0, NULL, e))
		return false;
	rs->model = value_map(a);
	value_set_bool(a, rs->model, "placed", placed);
	return response_redirect(rs, rq,
	    placed ? "Noted as placed. Its outcome is unknown."
		   : "Noted as never placed. The lead is tried again.",
	    "/calls/%.*s", STR_ARG(rq->names[0]));
}
