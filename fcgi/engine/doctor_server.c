/* What the doctor asks PostgreSQL. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/doctor_checks.h"
#include "store/health.h"
#include "store/setting.h"
#include "store/user.h"

static const char without[] = "cannot be looked at without the database.";

const char *
doctor_clocks(struct patient *p)
{
	struct error e = {0};
	int64_t there = 0;
	if (!p->db || !health_clock(p->db, p->a, &there, &e))
		return doctor_finding(p, "", "cannot be compared without the database.");
	int64_t apart = llabs(there - clock_now()) / CLOCK_SECOND;
	return apart < 3
		   ? NULL
		   : doctor_finding(p, "Turn time synchronisation on: timedatectl set-ntp true",
			 arena_printf(p->a, "this machine and the database are %lld s apart.",
			     (long long)apart));
}

/* What makes a crash lose what was acknowledged, or the database stop. */
static const char *
settings(struct patient *p, const struct value *server)
{
	static const struct {
		const char *name, *bad, *why;
	} items[] = {
	    {"fsync", "off", "a power cut may destroy the database."},
	    {"full_page_writes", "off", "a power cut may destroy the database."},
	    {"synchronous_commit", "off",
		"a call that was placed may be forgotten, and dialled again."},
	    {"autovacuum", "off", "it grows and in the end refuses to work."},
	};
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (str_is(value_str(server, items[i].name), items[i].bad))
			return doctor_finding(p,
			    arena_printf(p->a,
				"alter system set %s = on; then select pg_reload_conf();",
				items[i].name),
			    arena_printf(
				p->a, "%s is %s: %s", items[i].name, items[i].bad, items[i].why));
	return NULL;
}

const char *
doctor_postgresql(struct patient *p)
{
	enum { LEAST_VERSION = 150000, SPARE = 10, OLD_XID = 1000000000 };
	struct error e = {0};
	const struct value *server = p->db ? health_server(p->db, p->a, &e) : NULL;
	if (!server)
		return doctor_finding(p, "", without);
	int64_t most = value_num(server, "max_connections"),
		used = value_num(server, "connections");
	if (value_num(server, "version") < LEAST_VERSION)
		return doctor_finding(p, "Install PostgreSQL 15 and move over: pg_upgradecluster",
		    arena_printf(p->a, "version %.*s is too old.",
			STR_ARG(value_str(server, "version_text"))));
	if (!str_is(value_str(server, "encoding"), "UTF8"))
		return doctor_finding(p,
		    "Make the database anew with encoding UTF8 and restore a backup.",
		    "it cannot hold all names: its encoding is not UTF8.");
	if (used > most - SPARE)
		return doctor_finding(p,
		    "alter system set max_connections = 200; and restart it. Or have fewer workers.",
		    arena_printf(p->a, "%lld of %lld connections are used.", (long long)used,
			(long long)most));
	if (value_num(server, "xid_age") > OLD_XID)
		return doctor_finding(p,
		    "vacuumdb --all --freeze, and look why autovacuum does not.",
		    "old rows were not frozen for long; it will stop to protect itself.");
	return settings(p, server);
}

/* Minutes east of UTC by the machine's own tables. */
static int64_t
minutes_here(struct arena *a, int64_t at, const char *zone)
{
	struct buf b;
	int64_t n = 0;
	buf_init(&b, a);
	clock_print_zone(&b, at, zone, "%z"); /* +hhmm */
	if (b.n != 5 || !str_to_int((struct str){b.p + 1, 4}, &n))
		return INT64_MIN;
	n = n / 100 * 60 + n % 100;
	return b.p[0] == '-' ? -n : n;
}

const char *
doctor_zones(struct patient *p)
{
	enum { HALF_YEAR = 182 * 24 * 3600 };
	struct error e = {0};
	for (int i = 0; i < 2; i++) {
		int64_t at = clock_now() + i * HALF_YEAR * CLOCK_SECOND;
		const struct value *zones = p->db ? health_zones(p->db, p->a, at, &e) : NULL;
		if (!zones)
			return doctor_finding(p, "", without);
		if (zones->list.n < 4)
			return doctor_finding(p, "apt-get install tzdata, then trunkline migrate",
			    "PostgreSQL does not know America's time zones: nobody could be called.");
		for (size_t k = 0; k < zones->list.n; k++) {
			const struct value *z = zones->list.items[k];
			const char *name = value_strz(p->a, z, "name");
			if (minutes_here(p->a, at, name) != value_num(z, "minutes"))
				return doctor_finding(p,
				    "apt-get install --only-upgrade tzdata, then restart PostgreSQL",
				    arena_printf(p->a,
					"this machine and PostgreSQL do not agree on the time in %s.",
					name));
		}
	}
	return NULL;
}

/* A backup that was restored, or a server that was moved, without its key. */
const char *
doctor_sealed(struct patient *p)
{
	struct error e = {0};
	int64_t client = 0;
	const struct value *stored = NULL;
	if (p->db && user_default_client(p->db, p->a, &client, &e))
		stored = setting_list(p->db, p->a, client, &e);
	if (!stored)
		return doctor_finding(p, "", without);
	for (size_t i = 0; i < stored->map.n; i++) {
		const struct member *m = &stored->map.members[i];
		const char *name = str_dup(p->a, m->key);
		if (value_flag(m->value, "is_sealed") &&
		    !setting_get(p->db, p->a, p->config, client, name, &e))
			return doctor_finding(p,
			    "Put the old SECRET_KEY back, or store the keys anew under Settings.",
			    arena_printf(p->a, "%s was sealed with another SECRET_KEY.", name));
	}
	return NULL;
}

const char *
doctor_backup(struct patient *p)
{
	enum { OLD_HOURS = 26 };
	struct error e = {0};
	struct value *state = p->db ? health_status(p->db, p->a, clock_now(), &e) : NULL;
	int64_t at = value_micros(state, "backup_at");
	if (!state)
		return doctor_finding(p, "", without);
	if (at ? clock_now() - at < OLD_HOURS * INT64_C(3600) * CLOCK_SECOND : p->config->sandbox)
		return NULL;
	return doctor_finding(p, "trunkline backup; systemctl enable --now trunkline-backup.timer",
	    at ? "the last good one is more than a day old." : "there has never been one.");
}
