#include "pages/frame.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/db.h"
#include "store/overview.h"

struct place {
	const char *href, *label, *icon;
	bool more; /* behind "More" on a phone */
	enum role role;
};

static const struct place places[] = {
    {"/", "Dashboard", "home", false, ROLE_VIEWER},
    {"/leads", "Leads", "leads", false, ROLE_VIEWER},
    {"/campaigns", "Campaigns", "campaigns", false, ROLE_VIEWER},
    {"/calls", "Calls", "calls", false, ROLE_VIEWER},
    {"/imports", "Imports", "imports", false, ROLE_VIEWER},
    {"/prompts", "Prompts", "prompts", true, ROLE_VIEWER},
    {"/suppressions", "Do not contact", "suppressions", true, ROLE_VIEWER},
    {"/alerts", "Alerts", "alert", true, ROLE_VIEWER},
    {"/settings", "Settings", "settings", true, ROLE_ADMIN},
    {"/users", "Users", "users", true, ROLE_ADMIN},
};

static bool
is_current(struct str path, const char *href)
{
	struct str place = str_of(href);
	if (place.n == 1)
		return path.n <= 1;
	return str_starts(path, href) && (path.n == place.n || path.p[place.n] == '/');
}

static struct value *
navigation(const struct request *rq, int64_t alerts, int64_t ambiguous)
{
	struct arena *a = rq->arena;
	struct value *nav = value_list(a);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *p = &places[i];
		if (rq->viewer->role < p->role)
			continue;
		struct value *item = value_push(a, nav, value_map(a));
		value_set_text(a, item, "href", p->href);
		value_set_text(a, item, "label", p->label);
		value_set_text(a, item, "icon", p->icon);
		value_set_bool(a, item, "more", p->more);
		value_set_bool(a, item, "current", is_current(rq->path, p->href));
		value_set_int(a, item, "badge",
		    str_is(str_of(p->icon), "calls")   ? ambiguous
		    : str_is(str_of(p->icon), "alert") ? alerts
						       : 0);
	}
	return nav;
}

static struct value *
describe(struct arena *a, const struct viewer *viewer)
{
	static const char *const roles[] = {"none", "viewer", "member", "admin"};
	struct value *v = value_map(a);
	value_set_text(
	    a, v, "email", viewer->email && *viewer->email ? viewer->email : "Admin token");
	value_set_text(a, v, "name", viewer->name);
	value_set_text(a, v, "role", roles[viewer->role]);
	value_set_bool(a, v, "is_admin", viewer->role >= ROLE_ADMIN);
	value_set_bool(a, v, "is_member", viewer->role >= ROLE_MEMBER);
	return v;
}

void
frame_fill(struct request *rq, struct value *model)
{
	struct arena *a = rq->arena;
	struct error e = {0};
	value_set_bool(a, model, "sandbox", rq->app->config.sandbox);
	value_set(a, model, "path", value_text(a, rq->path));
	value_set(a, model, "now", value_time(a, clock_now()));
	if (!rq->viewer)
		return;
	struct value *counts =
	    rq->app->db ? overview_frame(rq->app->db, a, rq->viewer->client_id, clock_now(), &e)
			: NULL;
	if (!counts && rq->app->db)
		log_warn("no counts for the frame", LOG_TEXT("error", e.message));
	value_set(a, model, "nav",
	    navigation(rq, value_num(counts, "alerts"), value_num(counts, "ambiguous")));
	value_set_int(a, model, "bell", value_num(counts, "alerts"));
	value_set(a, model, "viewer", describe(a, rq->viewer));
	struct value *running = value_get(counts, "running");
	value_set(a, model, "running", running ? running : value_list(a));
}
