#include "engine/status.h"

#include "base/clock.h"
#include "engine/host.h"
#include "rules/alert.h"
#include "store/alert.h"
#include "store/health.h"

enum { SILENT_SECONDS = 120 };

static void
program(struct arena *a, struct value *list, const char *name, bool good, const char *detail)
{
	struct value *p = value_push(a, list, value_map(a));
	value_set_text(a, p, "name", name);
	value_set_bool(a, p, "ok", good);
	value_set_text(a, p, "detail", detail);
}

static const char *
ago(struct arena *a, int64_t at)
{
	struct buf b;
	buf_init(&b, a);
	clock_print_ago(&b, at);
	return b.p;
}

static const char *
date(struct arena *a, int64_t at)
{
	struct buf b;
	buf_init(&b, a);
	clock_print_local(&b, at, "%Y-%m-%d");
	return b.p;
}

static void
site(const struct config *config, struct arena *a, struct value *list)
{
	struct error e = {0};
	struct peek seen;
	if (!host_site(config, a, &seen, &e))
		program(a, list, "nginx", false,
		    arena_printf(a, "%s does not answer: %s", config->base_url, e.message));
	else
		program(a, list, "nginx", seen.status < 500,
		    arena_printf(a, "%s answers %d, certificate until %s", config->base_url,
			seen.status, seen.expires_at ? date(a, seen.expires_at) : "?"));
}

static void
pools(const struct config *config, struct arena *a, struct value *list)
{
	struct buf missing;
	int n = 0, there = 0;
	buf_init(&missing, a);
	for (; host_sockets[n]; n++) {
		if (host_listens(config, a, host_sockets[n]))
			there++;
		else
			buf_printf(&missing, " %s", host_sockets[n]);
	}
	program(a, list, "pools", there == n,
	    there == n ? arena_printf(a, "%d of %d sockets listen", there, n)
		       : arena_printf(a, "nobody listens at%s", missing.p));
}

static void
with_database(const struct config *config, struct db *db, struct arena *a, struct value *all,
    struct value *programs)
{
	struct error e = {0};
	struct value *state = health_status(db, a, clock_now(), &e);
	struct value *campaigns = state ? health_campaigns(db, a, &e) : NULL;
	struct value *alerts = campaigns ? alert_open_all(db, a, &e) : NULL;
	if (!alerts) {
		program(a, programs, "database", false, arena_strdup(a, e.message));
		return;
	}
	int64_t seen = value_micros(state, "dialer_seen_at"),
		backup = value_micros(state, "backup_at");
	program(a, programs, "database", true,
	    arena_printf(a, "PostgreSQL %.*s", STR_ARG(value_str(state, "postgresql"))));
	program(a, programs, "dialer", seen && clock_now() - seen < SILENT_SECONDS * CLOCK_SECOND,
	    seen ? arena_printf(a, "seen %s", ago(a, seen)) : "has never run");
	value_set_text(a, all, "mode", config->sandbox ? "sandbox" : "live");
	value_set(a, all, "queue", state);
	value_set(a, all, "campaigns", campaigns);
	value_set(a, all, "backup_at", backup ? value_time(a, backup) : value_null(a));
	alert_explain(a, alerts);
	value_set(a, all, "alerts", alerts);
}

struct value *
status_look(const struct config *config, struct db *db, const struct error *why, struct arena *a)
{
	struct value *all = value_map(a), *programs = value_list(a);
	value_set_bool(a, all, "well", false);
	value_set(a, all, "programs", programs);
	if (db)
		with_database(config, db, a, all, programs);
	else
		program(a, programs, "database", false, arena_strdup(a, why->message));
	site(config, a, programs);
	pools(config, a, programs);
	bool well = value_get(all, "alerts") && !value_get(all, "alerts")->list.n;
	for (size_t i = 0; i < programs->list.n; i++)
		well = well && value_flag(programs->list.items[i], "ok");
	value_set_bool(a, all, "well", well);
	return all;
}

static void
print_campaigns(struct buf *out, const struct value *campaigns)
{
	for (size_t i = 0; campaigns && i < campaigns->list.n; i++) {
		const struct value *c = campaigns->list.items[i];
		struct str why = value_str(c, "state_reason");
		buf_printf(out, "campaign   %lld %.*s: %.*s%s%.*s\n", (long long)value_num(c, "id"),
		    STR_ARG(value_str(c, "name")), STR_ARG(value_str(c, "state")),
		    why.n ? ": " : "", STR_ARG(why));
	}
}

static void
print_alerts(struct buf *out, const struct value *alerts)
{
	if (!alerts)
		return;
	buf_printf(out, "alerts     %zu open\n", alerts->list.n);
	for (size_t i = 0; i < alerts->list.n; i++) {
		const struct value *row = alerts->list.items[i];
		buf_printf(out, "  %s %.*s: %.*s\n     → %.*s\n",
		    value_has(row, "acknowledged_at") ? "(known)" : "!",
		    STR_ARG(value_str(row, "title")), STR_ARG(value_str(row, "message")),
		    STR_ARG(value_str(row, "mend")));
	}
}

void
status_print(struct buf *out, const struct value *status)
{
	const struct value *programs = value_get(status, "programs"),
			   *queue = value_get(status, "queue");
	int64_t backup = value_micros(status, "backup_at");
	for (size_t i = 0; i < programs->list.n; i++) {
		const struct value *p = programs->list.items[i];
		buf_printf(out, "%-5s %-10.*s %.*s\n", value_flag(p, "ok") ? "ok" : "MEND",
		    STR_ARG(value_str(p, "name")), STR_ARG(value_str(p, "detail")));
	}
	if (queue) {
		int64_t waiting = value_num(queue, "waiting");
		buf_printf(out,
		    "\nqueue      %lld%s waiting, %lld live (%lld ambiguous), %lld calls in 24 hours\n"
		    "imports    %lld under way\nbackup     %s\n",
		    (long long)waiting, waiting >= 10000 ? " or more" : "",
		    (long long)value_num(queue, "live"), (long long)value_num(queue, "ambiguous"),
		    (long long)value_num(queue, "calls_last_day"),
		    (long long)value_num(queue, "imports_open"),
		    backup ? ago(out->a, backup) : "none yet");
		if (str_is(value_str(status, "mode"), "sandbox"))
			buf_puts(out, "mode       sandbox: nobody is called\n");
	}
	print_campaigns(out, value_get(status, "campaigns"));
	print_alerts(out, value_get(status, "alerts"));
}
