#include "engine/doctor.h"

#include <string.h>

#include "base/clock.h"
#include "base/mustache.h"
#include "engine/doctor_checks.h"
#include "store/health.h"
#include "store/setting.h"
#include "store/user.h"

const char *
doctor_finding(struct patient *p, const char *mend, const char *finding)
{
	p->mend = mend;
	return finding;
}

static const char *
database(struct patient *p)
{
	return p->db
		   ? NULL
		   : doctor_finding(p, "systemctl status postgresql",
			 arena_printf(p->a, "%s. Is PostgreSQL running, and is DATABASE_URL right?",
			     p->away->message));
}

static const char *
schema(struct patient *p)
{
	struct error e = {0};
	if (!p->db)
		return doctor_finding(p, "", "cannot be looked at without the database.");
	return health_schema(p->db, p->a, p->config->sql_dir, &e)
		   ? NULL
		   : doctor_finding(p, "trunkline migrate", arena_strdup(p->a, e.message));
}

static const char *
dialer(struct patient *p)
{
	struct error e = {0};
	struct value *state = p->db ? health_state(p->db, p->a, &e) : NULL;
	int64_t seen = value_micros(state, "dialer_last_run");
	if (seen && clock_now() - seen < 120 * CLOCK_SECOND)
		return NULL;
	return seen ? doctor_finding(p, "systemctl status trunkline-dialer.timer trunkline-dialer",
			  "was last seen more than two minutes ago.")
		    : doctor_finding(
			  p, "systemctl enable --now trunkline-dialer.timer", "has never run.");
}

static const char *
address(struct patient *p)
{
	static const char mend[] = "trunkline setup --domain YOUR.DOMAIN, or set it yourself.";
	struct str url = str_of(p->config->base_url);
	if (!str_starts(url, "https://"))
		return doctor_finding(
		    p, mend, "BASE_URL must begin with https://: cookies and webhooks need it.");
	if (!p->config->sandbox && str_find(url, "//localhost") < url.n &&
	    !*p->config->callback_url)
		return doctor_finding(p, mend,
		    "BASE_URL is localhost: providers cannot send their events here. Set the public address.");
	return str_ends(url, "/") ? doctor_finding(p, mend, "BASE_URL must not end with a slash.")
				  : NULL;
}

/* Stored under Settings, or in the configuration. One that cannot be opened is another check's. */
static bool
is_set(struct patient *p, const char *name)
{
	struct error e = {0};
	int64_t client_id = 0;
	if (!p->db || !user_default_client(p->db, p->a, &client_id, &e))
		return false;
	const char *value = setting_get(p->db, p->a, p->config, client_id, name, &e);
	return value && *value;
}

static const char *
secrets(struct patient *p)
{
	const struct config *c = p->config;
	if (*c->admin_token && strlen(c->admin_token) < 16)
		return doctor_finding(p, "Make one: openssl rand -hex 32",
		    "ADMIN_TOKEN has fewer than 16 characters and is ignored.");
	if (c->sandbox)
		return NULL;
	if (!is_set(p, "bland_api_key"))
		return doctor_finding(
		    p, "Store it under Settings.", "there is no key of Bland. Nobody is called.");
	if (!c->bland_webhook_allow_unsigned && !is_set(p, "bland_webhook_secret"))
		return doctor_finding(p, "Store it under Settings.",
		    "there is no webhook secret of Bland: what it reports of calls is refused.");
	return NULL;
}

static const char *
templates(struct patient *p)
{
	struct error e = {0};
	struct mustache_set *set = mustache_set_new(p->a, MUSTACHE_HTML);
	return mustache_add_dir(set, p->config->template_dir, &e)
		   ? NULL
		   : doctor_finding(p,
			 "Install the package again; TEMPLATE_DIR says where they are.",
			 arena_strdup(p->a, e.message));
}

static const struct {
	const char *name;
	check *run;
} checks[] = {{"database", database}, {"schema", schema}, {"postgresql", doctor_postgresql},
    {"clocks", doctor_clocks}, {"clock is set", doctor_clock_set}, {"time zones", doctor_zones},
    {"disk", doctor_disk}, {"permissions", doctor_permissions}, {"spool", doctor_spool},
    {"templates", templates}, {"sealed keys", doctor_sealed}, {"secrets", secrets},
    {"public address", address}, {"sockets", doctor_sockets}, {"nginx", doctor_nginx},
    {"certificate", doctor_certificate}, {"dialer", dialer}, {"backup", doctor_backup},
    {"e-mail", doctor_mail}};

struct value *
doctor_examine(const struct config *config, struct db *db, const struct error *why, struct arena *a)
{
	struct patient p = {.config = config, .db = db, .away = why, .a = a, .mend = ""};
	struct value *all = value_list(a);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		p.mend = "";
		const char *wrong = checks[i].run(&p);
		struct value *one = value_push(a, all, value_map(a));
		value_set_text(a, one, "name", checks[i].name);
		value_set_bool(a, one, "ok", !wrong);
		value_set_text(a, one, "finding", wrong ? wrong : "");
		value_set_text(a, one, "mend", wrong ? p.mend : "");
	}
	return all;
}

int
doctor_print(const struct value *findings, struct buf *out)
{
	int bad = 0;
	for (size_t i = 0; i < findings->list.n; i++) {
		const struct value *one = findings->list.items[i];
		struct str mend = value_str(one, "mend");
		bool ok = value_flag(one, "ok");
		buf_printf(out, "%-5s %-15.*s %.*s\n", ok ? "ok" : "MEND",
		    STR_ARG(value_str(one, "name")), STR_ARG(value_str(one, "finding")));
		if (mend.n)
			buf_printf(out, "%22s→ %.*s\n", "", STR_ARG(mend));
		bad += !ok;
	}
	return bad;
}

int
doctor_run(const struct config *config, struct db *db, const struct error *why, struct arena *a,
    struct buf *out)
{
	return doctor_print(doctor_examine(config, db, why, a), out);
}
