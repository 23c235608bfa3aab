#include "engine/watch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/host.h"
#include "engine/notice.h"
#include "store/alert.h"
#include "store/user.h"

enum { AWAY_AGAIN_SECONDS = 3600 };

static void
fact(struct arena *a, struct value *facts, const char *kind, const char *subject, bool opens,
    const char *message)
{
	struct value *f = value_push(a, facts, value_map(a));
	value_set_text(a, f, "kind", kind);
	value_set_text(a, f, "subject", subject);
	value_set_text(a, f, "message", message);
	value_set_text(a, f, "link", "");
	value_set_bool(a, f, "opens", opens);
}

/* Closed again only a quarter above the mark, so that it does not come and go. */
static void
look_at_disks(const struct config *config, struct arena *a, struct value *facts)
{
	struct host_disk disks[HOST_DISKS];
	size_t n = host_disks(config, disks);
	int64_t low = config->disk_low_mb * 1000000;
	for (size_t i = 0; i < n; i++)
		if (disks[i].free < low + low / 4)
			fact(a, facts, "disk_low", disks[i].path, disks[i].free < low,
			    arena_printf(a, "Only %s of %s are free on the disk of %s.",
				host_bytes(a, disks[i].free), host_bytes(a, disks[i].total),
				disks[i].path));
}

static void
look_at_site(const struct config *config, struct arena *a, struct value *facts)
{
	struct error e = {0};
	struct peek site;
	if (!host_site(config, a, &site, &e)) {
		fact(a, facts, "site_away", "site", true,
		    arena_printf(a, "%s does not answer: %s.", config->base_url, e.message));
		return;
	}
	if (site.status >= 500)
		fact(a, facts, "site_away", "site", true,
		    arena_printf(a, "%s answers with error %d.", config->base_url, site.status));
	int64_t left = host_certificate_days(&site);
	if (left < HOST_CERTIFICATE_DAYS)
		fact(a, facts, "certificate", "site", true,
		    left < 0
			? "The certificate has run out: browsers and providers refuse the site."
			: arena_printf(a, "The certificate is good for %lld more day%s.",
			      (long long)left, left == 1 ? "" : "s"));
}

bool
watch_run(const struct config *config, struct db *db, struct arena *a, struct watch_report *report,
    struct error *e)
{
	struct error why = {0};
	struct notice_ways ways;
	struct value *facts = value_list(a);
	int64_t client = 0;
	*report = (struct watch_report){0};
	look_at_disks(config, a, facts);
	look_at_site(config, a, facts);
	struct value *done = alert_watch(db, a, facts, config->sandbox, clock_now(), e);
	if (!done)
		return false;
	report->open = value_num(done, "open");
	report->opened = value_num(done, "opened");
	report->closed = value_num(done, "closed");
	/* One installation has one such address, that of the first client; and a key that cannot be
	 * opened must not keep the rest from being looked at. */
	if (!user_default_client(db, a, &client, &why) ||
	    !notice_ways_get(config, db, a, client, &ways, &why)) {
		log_error("nobody can be told of alerts", LOG_TEXT("why", why.message));
		ways = (struct notice_ways){config->alert_webhook, config->alert_email};
	}
	return notice_send_all(config, db, a, &ways, report, e);
}

/* Not within the last hour. */
static bool
is_time_to_tell(const struct config *config, struct arena *a)
{
	struct stat st;
	const char *path = arena_printf(a, "%s/watch-told", config->run_dir);
	if (stat(path, &st) == 0 &&
	    clock_now() / CLOCK_SECOND - st.st_mtim.tv_sec < AWAY_AGAIN_SECONDS)
		return false;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0) {
		futimens(fd, NULL);
		close(fd);
	}
	return fd >= 0;
}

void
watch_database_away(const struct config *config, struct arena *a, const struct error *why)
{
	const struct {
		const char *channel, *to;
	} ways[] = {{"webhook", config->alert_webhook}, {"email", config->alert_email}};
	struct value *messages = value_list(a), *m = value_push(a, messages, value_map(a));
	log_error("the database is away", LOG_TEXT("why", why->message));
	if ((!*ways[0].to && !*ways[1].to) || !is_time_to_tell(config, a))
		return;
	value_set_text(a, m, "what", "opened");
	value_set_text(a, m, "kind", "database_away");
	value_set_text(a, m, "subject", "database");
	value_set_text(
	    a, m, "message", "The database does not answer. Nothing works until it is back.");
	value_set(a, m, "first_at", value_time(a, clock_now()));
	for (size_t i = 0; i < 2; i++) {
		struct error e = {0};
		if (*ways[i].to &&
		    !notice_send(config, a, ways[i].channel, ways[i].to, messages, &e))
			log_warn("nobody could be told", LOG_TEXT("channel", ways[i].channel),
			    LOG_TEXT("why", e.message));
	}
}
