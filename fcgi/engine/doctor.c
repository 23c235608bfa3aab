#include "engine/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mustache.h"
#include "store/health.h"
#include "store/setting.h"
#include "store/user.h"

struct patient {
	const struct config *config;
	struct db *db;
	const struct error *away; /* why there is no database */
	struct arena *a;
};

/* Each check answers NULL where all is well, else what is wrong and how to mend it. */
typedef const char *check(struct patient *p);

static const char *
database(struct patient *p)
{
	return p->db ? NULL
		     : arena_printf(p->a, "%s. Is PostgreSQL running, and is DATABASE_URL right?",
			   p->away->message);
}

static const char *
schema(struct patient *p)
{
	struct error e = {0};
	if (!p->db)
		return "cannot be looked at without the database.";
	return health_schema(p->db, p->a, p->config->sql_dir, &e) ? NULL
								  : arena_strdup(p->a, e.message);
}

static const char *
clocks(struct patient *p)
{
	struct error e = {0};
	int64_t there = 0;
	if (!p->db || !health_clock(p->db, p->a, &there, &e))
		return "cannot be compared without the database.";
	int64_t apart = llabs(there - clock_now()) / CLOCK_SECOND;
	return apart < 3
		   ? NULL
		   : arena_printf(p->a,
			 "this machine and the database are %lld s apart. Turn time synchronisation on.",
			 (long long)apart);
}

static const char *
dialer(struct patient *p)
{
	struct error e = {0};
	struct value *state = p->db ? health_state(p->db, p->a, &e) : NULL;
	int64_t seen = value_micros(state, "dialer_last_run");
	if (seen && clock_now() - seen < 120 * CLOCK_SECOND)
		return NULL;
	return seen
		   ? "was last seen more than two minutes ago. systemctl status trunkline-dialer.timer"
		   : "has never run. systemctl enable --now trunkline-dialer.timer";
}

static const char *
address(struct patient *p)
{
	struct str url = str_of(p->config->base_url);
	if (!str_starts(url, "https://"))
		return "BASE_URL must begin with https://: cookies and webhooks need it.";
	if (!p->config->sandbox && str_find(url, "//localhost") < url.n &&
	    !*p->config->callback_url)
		return "BASE_URL is localhost: providers cannot send their events here. Set the public address.";
	return str_ends(url, "/") ? "BASE_URL must not end with a slash." : NULL;
}

/* Stored under Settings, or in the configuration. */
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
		return "ADMIN_TOKEN has fewer than 16 characters and is ignored. Make one: openssl rand -hex 32";
	if (!is_set(p, "bland_api_key"))
		return "there is no key of Bland. Store it under Settings.";
	if (!c->bland_webhook_allow_unsigned && !is_set(p, "bland_webhook_secret"))
		return "there is no webhook secret of Bland: what it reports of calls is refused. Store it under "
		       "Settings.";
	return NULL;
}

static const char *
spool(struct patient *p)
{
	const char *path = arena_printf(p->a, "%s/spool/.doctor", p->config->state_dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return arena_printf(p->a,
		    "%s/spool cannot be written: %s. It belongs to the service's user.",
		    p->config->state_dir, strerror(errno));
	close(fd);
	unlink(path);
	struct statvfs fs;
	if (statvfs(p->config->state_dir, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < (UINT64_C(1) << 30))
		return "less than 1 GB is free: large uploads will be refused.";
	return NULL;
}

static const char *
templates(struct patient *p)
{
	struct error e = {0};
	struct mustache_set *set = mustache_set_new(p->a, MUSTACHE_HTML);
	return mustache_add_dir(set, p->config->template_dir, &e) ? NULL
								  : arena_strdup(p->a, e.message);
}

static const struct {
	const char *name;
	check *run;
} checks[] = {{"database", database}, {"schema", schema}, {"clocks", clocks}, {"dialer", dialer},
    {"public address", address}, {"secrets", secrets}, {"spool", spool}, {"templates", templates}};

int
doctor_run(const struct config *config, struct db *db, const struct error *why, struct arena *a,
    struct buf *out)
{
	struct patient p = {config, db, why, a};
	int bad = 0;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *wrong = checks[i].run(&p);
		buf_printf(out, "%-5s %-15s %s\n", wrong ? "MEND" : "ok", checks[i].name,
		    wrong ? wrong : "");
		bad += wrong != NULL;
	}
	return bad;
}
