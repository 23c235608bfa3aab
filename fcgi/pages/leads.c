#include "pages/leads.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "pages/filter.h"
#include "pages/trail.h"
#include "rules/reason.h"
#include "store/consent.h"
#include "store/lead.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct filter_choice statuses[] = {{NULL, "All"}, {"pending", NULL}, {"dialing", NULL},
    {"done", NULL}, {"error", NULL}, {"archived", NULL}};
static const struct filter_choice outcomes[] = {{NULL, "Any outcome"}, {"interested", NULL},
    {"follow_up", NULL}, {"callback", NULL}, {"not_interested", NULL}, {"voicemail", NULL},
    {"no_answer", NULL}, {"busy", NULL}, {"hangup", "Hung up"}, {"invalid_number", NULL},
    {"do_not_contact", NULL}, {"canceled", NULL}, {"failed", NULL}, {"unknown", NULL}};
static const struct filter_choice consents[] = {
    {NULL, "Any consent"}, {"granted", "May be called"}, {"missing", "No consent"}};
enum { MOST_WORDS = 5, MATCHES = 1001, BULK_MOST = 1000 };

/* What somebody types of a number has blanks and brackets; ours have digits only. */
static bool
is_number(struct str q)
{
	int digits = 0;
	for (size_t i = 0; i < q.n; i++) {
		digits += isdigit((unsigned char)q.p[i]) != 0;
		if (!isdigit((unsigned char)q.p[i]) && !strchr(" ()+-./", q.p[i]))
			return false;
	}
	return digits >= 3;
}

static struct value *
words(struct arena *a, struct str q)
{
	struct value *list = value_list(a);
	if (is_number(q)) {
		struct buf digits;
		buf_init(&digits, a);
		for (size_t i = 0; i < q.n; i++)
			if (isdigit((unsigned char)q.p[i]))
				buf_putc(&digits, q.p[i]);
		value_push(a, list, value_text(a, buf_view(&digits)));
		return list;
	}
	while (q.n && list->list.n < MOST_WORDS) {
		struct str word = str_cut(&q, ' ');
		if (word.n)
			value_push(a, list, value_text(a, word));
	}
	return list;
}

static bool
take_id(const struct request *rq, const char *name, struct value *filter, struct error *e)
{
	int64_t id;
	if (!request_int(rq, name, 1, INT64_MAX, 0, &id, e))
		return false;
	if (id)
		value_set_int(rq->arena, filter, name, id);
	return true;
}

struct value *
leads_filter(const struct request *rq, struct error *e)
{
	static const char *const texts[] = {"outcome", "list", "consent"};
	struct arena *a = rq->arena;
	struct value *filter = value_map(a);
	if (!filter_check(rq, "status", statuses, COUNT(statuses), e) ||
	    !filter_check(rq, "outcome", outcomes, COUNT(outcomes), e) ||
	    !filter_check(rq, "consent", consents, COUNT(consents), e) ||
	    !take_id(rq, "import", filter, e) || !take_id(rq, "campaign", filter, e))
		return NULL;
	struct str q = request_text(rq, "q"), status = request_text(rq, "status");
	if (q.n > 200) {
		error_field(e, "q", "Search for at most 200 characters.");
		return NULL;
	}
	if (q.n)
		value_set(a, filter, "words", words(a, q));
	if (str_is(status, "archived"))
		value_set_bool(a, filter, "archived", true);
	else if (status.n)
		value_set(a, filter, "status", value_text(a, status));
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct str s = request_text(rq, texts[i]);
		if (s.n)
			value_set(a, filter, texts[i], value_text(a, s));
	}
	return filter;
}

/* "312 leads match", "More than 1,000 leads match", "1,000,000 leads". */
static void
state_sentence(struct arena *a, struct value *model, bool all, int64_t n)
{
	value_set_int(a, model, "matches", n);
	struct str count = value_member(a, value_int(a, n), STR("grouped"))->s;
	const char *one = all ? "1 lead" : "1 lead matches", *more = all ? "" : " match";
	struct value *sentence = !all && n >= MATCHES
				     ? value_text(a, STR("More than 1,000 leads match"))
				 : n == 1 ? value_text(a, str_of(one))
					  : value_printf(a, "%.*s leads%s", STR_ARG(count), more);
	value_set(a, model, "sentence", sentence);
}

/* The other filters, so that a search does not drop them. */
static void
keep(const struct request *rq, struct value *model)
{
	static const char *const names[] = {
	    "status", "outcome", "consent", "list", "import", "campaign"};
	struct arena *a = rq->arena;
	struct value *kept = value_set(a, model, "kept", value_list(a));
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!request_has(rq, names[i]))
			continue;
		struct value *field = value_push(a, kept, value_map(a));
		value_set_text(a, field, "name", names[i]);
		value_set_text(a, field, "value", request_textz(rq, names[i]));
	}
}

static void
choices(const struct request *rq, struct value *model, const struct value *all)
{
	struct arena *a = rq->arena;
	const struct value *lists = value_get(all, "lists");
	value_set(a, model, "campaigns", value_get(all, "campaigns"));
	value_set(a, model, "few", value_get(all, "few"));
	value_set(a, model, "statuses", filter_chips(rq, "status", statuses, COUNT(statuses)));
	value_set(a, model, "outcomes", filter_chips(rq, "outcome", outcomes, COUNT(outcomes)));
	value_set(a, model, "consents", filter_chips(rq, "consent", consents, COUNT(consents)));
	struct filter_choice *names = arena_new_array(a, struct filter_choice, lists->list.n + 1);
	names[0].label = "Any list";
	for (size_t i = 0; i < lists->list.n; i++)
		names[i + 1].value = names[i + 1].label = str_dup(a, lists->list.items[i]->s);
	value_set(a, model, "lists", filter_chips(rq, "list", names, lists->list.n + 1));
	bool more = request_has(rq, "outcome") || request_has(rq, "list") ||
		    request_has(rq, "consent") || request_has(rq, "import") ||
		    request_has(rq, "campaign");
	value_set_bool(a, model, "more_open", more);
	value_set(a, model, "q", value_text(a, request_text(rq, "q")));
	value_set_text(a, model, "here", filter_url(rq, "", NULL));
	value_set_text(a, model, "csv_url",
	    arena_printf(a, "/leads.csv%s", filter_url(rq, "", NULL) + rq->path.n));
	if (request_has(rq, "import") || request_has(rq, "campaign"))
		value_set_text(a, model, "clear_url", "/leads");
	keep(rq, model);
}

/* Each row's own words on why nothing happens, or when it will. All of them are always there, if
 * only as nothing: what a row has not is looked for in all that surrounds it. */
static void
explain_row(struct arena *a, struct value *row, int64_t now)
{
	struct str reason = value_str(row, "reason");
	struct str state = value_str(row, "enrollment_state");
	bool stuck = str_is(state, "blocked") || str_is(state, "ambiguous");
	bool why = reason.n && !str_is(reason, "new") &&
		   (str_is(state, "waiting") || str_is(state, "blocked"));
	int64_t next = value_micros(row, "next_at");
	value_add(a, row, STR("stuck"), stuck ? value_text(a, state) : value_null(a));
	value_add(a, row, STR("why"), value_textz(a, why ? reason_short(reason) : NULL));
	value_add(a, row, STR("no_consent"), value_bool(a, !value_flag(row, "consent")));
	value_add(a, row, STR("due"), value_bool(a, next && next <= now));
	value_add(a, row, STR("later"), value_bool(a, next > now));
}

static void
explain(struct arena *a, struct value *rows)
{
	int64_t now = clock_now();
	for (size_t i = 0; i < rows->list.n; i++)
		explain_row(a, rows->list.items[i], now);
}

static const char *
id_text(struct arena *a, const struct value *rows, size_t i)
{
	return rows->list.n
		   ? arena_printf(a, "%lld", (long long)value_num(rows->list.items[i], "id"))
		   : NULL;
}

/* Where the list begins, and one row more than is shown. */
static bool
place_of(const struct request *rq, const struct value *filter, struct filter_place *shown,
    struct lead_place *place, struct error *e)
{
	int64_t cursor = 0;
	if (!filter || !filter_place_read(rq, shown, e))
		return false;
	if (shown->cursor.n && !str_to_int(shown->cursor, &cursor))
		return error_set(e, ERR_MALFORMED, "This cursor is none of ours. Begin at /leads.");
	*place = (struct lead_place){
	    .filter = filter, .cursor = cursor, .newer = shown->newer, .limit = shown->limit + 1};
	return true;
}

static struct value *
model_of(const struct request *rq, const struct filter_place *place, struct value *rows)
{
	struct arena *a = rq->arena;
	struct value *model = value_map(a);
	bool more = filter_cut(rows, place);
	value_set(a, model, "leads", rows);
	filter_pages(
	    rq, model, place, more, id_text(a, rows, 0), id_text(a, rows, rows->list.n - 1));
	return model;
}

bool
leads_list(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct db *db = rq->app->db;
	int64_t client = rq->viewer->client_id;
	struct filter_place shown;
	struct lead_place place;
	struct lead_screen screen;
	struct value *filter = leads_filter(rq, e);
	if (!place_of(rq, filter, &shown, &place, e))
		return false;
	if (rq->json) {
		struct value *rows = lead_page(db, a, client, &place, e);
		if (rows)
			rs->model = model_of(rq, &shown, rows);
		return rows != NULL;
	}
	if (!lead_screen(db, a, client, &place, MATCHES, clock_now(), &screen, e))
		return false;
	struct value *model = rs->model = model_of(rq, &shown, screen.rows);
	bool nobody = !screen.rows->list.n, all = !filter->map.n;
	explain(a, screen.rows);
	value_set_bool(a, model, "nobody", nobody && all && !shown.cursor.n);
	value_set_bool(a, model, "no_match", nobody && (!all || shown.cursor.n));
	choices(rq, model, screen.choices);
	state_sentence(a, model, all, screen.matches);
	return true;
}

/* --- what is done to many at once --- */

static struct value *
selected(const struct request *rq, struct error *e)
{
	struct value *ids = value_list(rq->arena), *given = value_get(rq->body, "ids");
	int64_t id;
	for (size_t i = 0; rq->body && i < rq->body->map.n; i++) {
		struct str name = rq->body->map.members[i].key;
		if (str_starts(name, "id_") && str_to_int(str_sub(name, 3, name.n), &id))
			value_push(rq->arena, ids, value_int(rq->arena, id));
	}
	for (size_t i = 0; given && given->type == VALUE_LIST && i < given->list.n; i++)
		if (given->list.items[i]->type == VALUE_INT)
			value_push(rq->arena, ids, given->list.items[i]);
	if (!ids->list.n)
		error_field(e, "ids", "Select at least one lead first.");
	else if (ids->list.n > BULK_MOST)
		error_field(e, "ids", "At most %d leads at once.", BULK_MOST);
	else
		return ids;
	return NULL;
}

struct act {
	const struct value *ids;
	int64_t changed;
	const char *what; /* for the notice: "archived" */
};

static bool
act_consent(struct request *rq, struct act *act, struct error *e)
{
	struct str source;
	if (!request_required(rq, "source", 500, &source, e))
		return false;
	struct consent c = {.channel = "call",
	    .granted = true,
	    .source = str_dup(rq->arena, source),
	    .evidence = request_textz(rq, "evidence"),
	    .at = clock_now(),
	    .user_id = rq->viewer->user_id};
	act->what = "may be called now";
	return consent_add(rq->app->db, rq->arena, rq->viewer->client_id, act->ids, &c, clock_now(),
	    &act->changed, e);
}

static bool
act_enrol(struct request *rq, struct act *act, struct error *e)
{
	int64_t campaign;
	if (!request_int(rq, "campaign_id", 1, INT64_MAX, 0, &campaign, e))
		return false;
	if (!campaign)
		return error_field(e, "campaign_id", "Choose the campaign to add them to.");
	struct value *done = lead_enrol(
	    rq->app->db, rq->arena, rq->viewer->client_id, campaign, act->ids, clock_now(), e);
	if (!done)
		return false;
	act->changed = value_num(done, "enrolled");
	act->what = arena_printf(rq->arena, "added to %s", value_strz(rq->arena, done, "name"));
	return true;
}

static bool
perform(struct request *rq, struct str action, struct act *act, struct error *e)
{
	struct db *db = rq->app->db;
	int64_t client = rq->viewer->client_id;
	if (str_is(action, "archive") || str_is(action, "restore")) {
		bool archive = str_is(action, "archive");
		act->what = archive ? "archived" : "restored";
		return lead_archive(db, rq->arena, client, act->ids, archive, clock_now(),
			   &act->changed, e) &&
		       (archive || lead_recheck(db, rq->arena, client, act->ids, clock_now(), e));
	}
	if (str_is(action, "suppress")) {
		act->what = "put on the do-not-contact list";
		return suppression_add_leads(db, rq->arena, client, act->ids, "Set by hand",
		    rq->viewer->user_id, clock_now(), &act->changed, e);
	}
	if (str_is(action, "consent"))
		return act_consent(rq, act, e);
	if (str_is(action, "enrol"))
		return act_enrol(rq, act, e);
	return error_field(e, "action", "Choose archive, restore, suppress, consent or enrol.");
}

bool
leads_bulk(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct str action = request_text(rq, "action"), back = request_text(rq, "back");
	struct act act = {.ids = selected(rq, e)};
	if (!act.ids || !perform(rq, action, &act, e))
		return false;
	struct value *detail = value_map(a);
	value_set(a, detail, "ids", (struct value *)act.ids);
	if (!trail_add(rq, arena_printf(a, "leads.%.*s", STR_ARG(action)), "leads", 0, detail, e))
		return false;
	rs->model = value_map(a);
	value_set_int(a, rs->model, "changed", act.changed);
	bool home = str_starts(back, "/leads") && (back.n == 6 || back.p[6] == '?');
	return response_redirect(rs, rq,
	    arena_printf(a, "%s: %s.", value_counted(a, act.changed, "lead"), act.what), "%s",
	    home ? str_dup(a, back) : "/leads");
}
