#include "pages/routes.h"

#include "pages/alerts.h"
#include "pages/calls.h"
#include "pages/campaigns.h"
#include "pages/dashboard.h"
#include "pages/event_log.h"
#include "pages/events.h"
#include "pages/health.h"
#include "pages/imports.h"
#include "pages/keeping.h"
#include "pages/lead.h"
#include "pages/leads.h"
#include "pages/login.h"
#include "pages/metrics.h"
#include "pages/prompts.h"
#include "pages/settings.h"
#include "pages/suppressions.h"
#include "pages/users.h"

/*
 * {methods, pattern, handler, template, least role, flags, most bytes of body}
 * {id} takes a positive number (rq->ids), any other {word} one part of the path (rq->names). Where
 * two rows match, the one with fewer braces wins. Paths under /api need no row: /api/x answers as
 * JSON what /x does. Keep a resource's rows together.
 */
static const struct route health[] = {
    {GET, "/health", health_alive, NULL, ROLE_NONE, ROUTE_API_ONLY | ROUTE_NO_DB, 0},
    {GET, "/healthz", health_ready, NULL, ROLE_NONE, ROUTE_API_ONLY | ROUTE_NO_DB, 0},
};

enum { FILE_MOST = 256 << 20 };

static const struct route web[] = {
    {GET, "/metrics", metrics_show, NULL, ROLE_NONE, ROUTE_API_ONLY | ROUTE_NO_DB, 0},
    {GET, "/login", login_form, "login", ROLE_NONE, ROUTE_OWN_PAGE, 0},
    {POST, "/login", login_submit, "login", ROLE_NONE, ROUTE_OWN_PAGE | ROUTE_NO_CSRF, 0},
    {POST, "/logout", login_out, NULL, ROLE_VIEWER, 0, 0},
    {GET, "/account", account_show, "account", ROLE_VIEWER, 0, 0},
    {POST | PATCH, "/account", account_save, "account", ROLE_VIEWER, 0, 0},
    {POST, "/account/password", account_password, "account", ROLE_VIEWER, 0, 0},
    {POST, "/account/sign-out-everywhere", account_sign_out_everywhere, NULL, ROLE_VIEWER, 0, 0},

    {GET, "/users", users_list, "users", ROLE_ADMIN, 0, 0},
    {POST, "/users", users_add, "users", ROLE_ADMIN, 0, 0},
    {GET, "/users/{id}", users_show, "user", ROLE_ADMIN, 0, 0},
    {POST | PATCH, "/users/{id}", users_save, "user", ROLE_ADMIN, 0, 0},
    {POST, "/users/{id}/password", users_password, "user", ROLE_ADMIN, 0, 0},

    {GET, "/", dashboard_show, "dashboard", ROLE_VIEWER, 0, 0},
    {GET, "/dashboard", dashboard_show, "dashboard", ROLE_VIEWER, 0, 0},

    {GET, "/leads", leads_list, "leads", ROLE_VIEWER, 0, 0},
    {POST, "/leads", lead_create, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/leads.csv", leads_csv, NULL, ROLE_VIEWER, 0, 0},
    {POST, "/leads/bulk", leads_bulk, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/leads/new", lead_new, "lead_new", ROLE_MEMBER, 0, 0},
    {GET, "/leads/{id}", lead_show, "lead", ROLE_VIEWER, 0, 0},
    {POST | PATCH | PUT, "/leads/{id}", lead_save, NULL, ROLE_MEMBER, 0, 0},
    {DELETE, "/leads/{id}", lead_remove, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/leads/{id}/archive", lead_archive_toggle, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/leads/{id}/notes", lead_note_add, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/leads/{id}/suppress", lead_suppress, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/leads/{id}/erase", keeping_erase_person, NULL, ROLE_ADMIN, 0, 0},
    {GET, "/leads/{id}/contactability", lead_contact, NULL, ROLE_VIEWER, ROUTE_API_ONLY, 0},
    {GET, "/leads/{id}/consents", lead_consents, NULL, ROLE_VIEWER, ROUTE_API_ONLY, 0},
    {POST, "/leads/{id}/consents", lead_consent_add, NULL, ROLE_MEMBER, 0, 0},

    {GET, "/calls", calls_list, "calls", ROLE_VIEWER, 0, 0},
    {GET, "/calls/{name}", calls_show, "call", ROLE_VIEWER, 0, 0},
    {POST, "/calls/{name}/ask", calls_ask, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/calls/{name}/resolve", calls_resolve, NULL, ROLE_ADMIN, 0, 0},

    {GET, "/imports", imports_list, "imports", ROLE_VIEWER, 0, 0},
    {POST, "/imports", imports_create, NULL, ROLE_MEMBER, ROUTE_UPLOAD, FILE_MOST},
    {POST, "/upload-leads", imports_upload, NULL, ROLE_MEMBER, ROUTE_UPLOAD | ROUTE_API_ONLY,
	FILE_MOST},
    {GET, "/imports/new", imports_new, "import_new", ROLE_MEMBER, 0, 0},
    {GET, "/imports/{id}", imports_show, "import", ROLE_VIEWER, 0, 0},
    {GET, "/imports/{id}/mapping", imports_mapping, "import_mapping", ROLE_MEMBER, 0, 0},
    {POST, "/imports/{id}/mapping", imports_map, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/imports/{id}/errors", imports_errors, "import_errors", ROLE_VIEWER, 0, 0},
    {GET, "/imports/{id}/errors.csv", imports_errors_csv, NULL, ROLE_VIEWER, 0, 0},
    {POST, "/imports/{id}/undo", imports_undo, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/imports/{id}/cancel", imports_cancel, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/imports/{id}/consent", imports_consent, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/imports/{id}/start", imports_start, NULL, ROLE_MEMBER, 0, 0},

    {GET, "/settings", settings_show, "settings", ROLE_ADMIN, 0, 0},
    {POST | PATCH, "/settings", settings_save, NULL, ROLE_ADMIN, 0, 0},
    {POST, "/settings/keys", settings_key, NULL, ROLE_ADMIN, 0, 0},
    {POST, "/settings/test", settings_test, NULL, ROLE_ADMIN, 0, 0},
    {POST | PATCH, "/settings/keeping", keeping_save, NULL, ROLE_ADMIN, 0, 0},
    {POST, "/settings/resume", settings_resume, NULL, ROLE_ADMIN, 0, 0},
    {GET, "/alerts", alerts_list, "alerts", ROLE_VIEWER, 0, 0},
    {POST, "/settings/alerts", alerts_tell, NULL, ROLE_ADMIN, 0, 0},
    {POST, "/alerts/{id}/acknowledge", alerts_acknowledge, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/alerts/{id}/resolve", alerts_resolve, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/event-log", event_log_list, "event_log", ROLE_ADMIN, 0, 0},
    {GET, "/event-log/{id}", event_log_show, "event", ROLE_ADMIN, 0, 0},
    {POST, "/event-log/{id}/replay", event_log_replay, NULL, ROLE_ADMIN, 0, 0},
    {GET, "/audit", audit_list, "audit", ROLE_ADMIN, 0, 0},

    {GET, "/campaigns", campaigns_list, "campaigns", ROLE_VIEWER, 0, 0},
    {POST, "/campaigns", campaigns_create, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/campaigns/new", campaigns_new, "campaign_new", ROLE_MEMBER, 0, 0},
    {GET, "/campaigns/{id}", campaigns_show, "campaign", ROLE_VIEWER, 0, 0},
    {POST | PATCH | PUT, "/campaigns/{id}", campaigns_save, NULL, ROLE_MEMBER, 0, 0},
    {DELETE, "/campaigns/{id}", campaigns_archive, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/campaigns/{id}/edit", campaigns_edit, "campaign_edit", ROLE_MEMBER, 0, 0},
    {GET, "/campaigns/{id}/review", campaigns_review, "campaign_review", ROLE_VIEWER, 0, 0},
    {GET, "/campaigns/{id}/leads", campaigns_leads, "campaign_leads", ROLE_VIEWER, 0, 0},
    {POST, "/campaigns/{id}/start", campaigns_start, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/campaigns/{id}/resume", campaigns_start, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/campaigns/{id}/pause", campaigns_pause, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/campaigns/{id}/stop", campaigns_stop, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/campaigns/{id}/archive", campaigns_archive, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/start", dialing_start, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/stop", dialing_stop, NULL, ROLE_MEMBER, 0, 0},

    {GET, "/prompts", prompts_list, "prompts", ROLE_VIEWER, 0, 0},
    {POST, "/prompts", prompts_create, NULL, ROLE_MEMBER, 0, 0},
    {GET, "/prompts/new", prompts_new, "prompt_new", ROLE_MEMBER, 0, 0},
    {POST, "/prompts/new", prompts_try, "prompt_new", ROLE_MEMBER, 0, 0},
    {POST, "/prompts/preview", prompts_preview, "prompt_preview", ROLE_VIEWER, ROUTE_OWN_PAGE, 0},
    {POST, "/prompts/{name}/preview", prompts_try, "prompt", ROLE_VIEWER, 0, 0},
    {GET, "/prompts/{name}", prompts_show, "prompt", ROLE_VIEWER, 0, 0},
    {POST | PUT | PATCH, "/prompts/{name}", prompts_save, NULL, ROLE_MEMBER, 0, 0},
    {DELETE, "/prompts/{name}", prompts_remove, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/prompts/{name}/remove", prompts_remove, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/prompts/{name}/restore", prompts_restore, NULL, ROLE_MEMBER, 0, 0},

    {GET, "/suppressions", suppressions_list, "suppressions", ROLE_VIEWER, 0, 0},
    {POST, "/suppressions", suppressions_add, NULL, ROLE_MEMBER, 0, 0},
    {DELETE, "/suppressions/{id}", suppressions_remove, NULL, ROLE_MEMBER, 0, 0},
    {POST, "/suppressions/{id}/remove", suppressions_remove, NULL, ROLE_MEMBER, 0, 0},
};

static const struct route stream[] = {
    {GET, "/events", events_open, NULL, ROLE_VIEWER, ROUTE_API_ONLY, 0},
};

const struct route *
routes_health(size_t *n)
{
	*n = sizeof(health) / sizeof(health[0]);
	return health;
}

const struct route *
routes_web(size_t *n)
{
	*n = sizeof(web) / sizeof(web[0]);
	return web;
}

const struct route *
routes_stream(size_t *n)
{
	*n = sizeof(stream) / sizeof(stream[0]);
	return stream;
}
