#include "engine/notice.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "net/address.h"
#include "net/client.h"
#include "net/mail.h"
#include "rules/alert.h"
#include "store/alert.h"
#include "store/setting.h"

enum { POST_MS = 10000, MAIL_MS = 20000 };

bool
notice_ways_get(const struct config *config, struct db *db, struct arena *a, int64_t client_id,
    struct notice_ways *out, struct error *e)
{
	out->webhook = setting_get(db, a, config, client_id, "alert_webhook", e);
	out->email = out->webhook ? setting_get(db, a, config, client_id, "alert_email", e) : NULL;
	return out->email != NULL;
}

static bool
is_over(const struct value *message)
{
	return str_is(value_str(message, "what"), "closed");
}

static const char *
link_of(const struct config *config, struct arena *a, const struct value *message)
{
	struct str link = value_str(message, "link");
	return arena_printf(a, "%s%.*s", config->base_url, STR_ARG(link.n ? link : STR("/alerts")));
}

/* "Trunkline: The disk is getting full", "Trunkline: 3 alerts", "Trunkline: over: …" */
static const char *
headline(struct arena *a, const struct value *messages)
{
	size_t n = messages->list.n;
	const struct value *first = messages->list.items[0];
	const char *title = alert_kind_of(value_str(first, "kind"))->title;
	if (n == 1)
		return arena_printf(a, "Trunkline: %s%s", is_over(first) ? "over: " : "", title);
	return arena_printf(a, "Trunkline: %zu alerts", n);
}

static void
print_one(const struct config *config, struct buf *b, const struct value *message)
{
	const struct alert_kind *kind = alert_kind_of(value_str(message, "kind"));
	buf_printf(b, "%s%s%s\n", is_over(message) ? "Over: " : "", kind->title,
	    kind->urgent && !is_over(message) ? " (urgent)" : "");
	buf_str(b, value_str(message, "message"));
	if (!is_over(message))
		buf_printf(b, "\nWhat to do: %s", kind->mend);
	buf_printf(b, "\n%s\n", link_of(config, b->a, message));
}

/* "text" is what Slack, Mattermost and their like show. */
static struct str
json_of(const struct config *config, struct arena *a, const struct value *messages)
{
	struct buf text, out;
	struct value *all = value_map(a), *list = value_list(a);
	buf_init(&text, a);
	buf_init(&out, a);
	buf_printf(&text, "%s\n", headline(a, messages));
	for (size_t i = 0; i < messages->list.n; i++) {
		const struct value *m = messages->list.items[i];
		const struct alert_kind *kind = alert_kind_of(value_str(m, "kind"));
		struct value *one = value_push(a, list, value_map(a));
		value_set_text(a, one, "state", is_over(m) ? "closed" : "open");
		value_set(a, one, "kind", value_text(a, value_str(m, "kind")));
		value_set(a, one, "subject", value_text(a, value_str(m, "subject")));
		value_set_text(a, one, "title", kind->title);
		value_set(a, one, "message", value_text(a, value_str(m, "message")));
		value_set_text(a, one, "mend", kind->mend);
		value_set_bool(a, one, "urgent", kind->urgent);
		value_set_text(a, one, "link", link_of(config, a, m));
		value_set(a, one, "since", value_get(m, "first_at"));
		buf_putc(&text, '\n');
		print_one(config, &text, m);
	}
	value_set(a, all, "text", value_text(a, buf_view(&text)));
	value_set_text(a, all, "site", config->base_url);
	value_set(a, all, "alerts", list);
	json_write(&out, all);
	return buf_view(&out);
}

static bool
post(
    const struct config *config, struct arena *a, const char *url, struct str body, struct error *e)
{
	static const char *const headers[] = {
	    "Content-Type: application/json", "User-Agent: Trunkline", NULL};
	if (!address_check(a, str_of(url), config->private_webhooks, e))
		return false;
	struct exchange x = {.method = "POST",
	    .url = url,
	    .headers = headers,
	    .body = body,
	    .timeout_ms = POST_MS,
	    .guarded = !config->private_webhooks,
	    .plain_ok = config->private_webhooks};
	struct client *client = client_open(config->ca_file, e);
	bool sent = client && client_once(client, a, &x, e);
	client_close(client);
	if (!sent)
		return false;
	if (x.fate != FATE_ANSWERED)
		return error_set(e, ERR_UNAVAILABLE, "The webhook did not answer: %s.", x.problem);
	return x.status / 100 == 2 ||
	       error_set(e, ERR_UNAVAILABLE, "The webhook answered with status %d.", x.status);
}

/* trunkline@ the host of BASE_URL. */
static const char *
sender(const struct config *config, struct arena *a)
{
	struct str rest = str_of(config->base_url), host;
	str_cut(&rest, '/');
	str_cut(&rest, '/');
	host = str_cut(&rest, '/');
	host = str_cut(&host, ':');
	return arena_printf(a, "trunkline@%.*s", STR_ARG(host.n ? host : STR("localhost")));
}

static bool
mail(const struct config *config, struct arena *a, const char *to, const struct value *messages,
    struct error *e)
{
	struct buf body;
	if (!mail_check(str_of(to), e))
		return false;
	buf_init(&body, a);
	for (size_t i = 0; i < messages->list.n; i++) {
		print_one(config, &body, messages->list.items[i]);
		buf_putc(&body, '\n');
	}
	buf_printf(&body, "--\nAll alerts: %s/alerts\n", config->base_url);
	return mail_send(config->sendmail, sender(config, a), to, headline(a, messages),
	    buf_view(&body), MAIL_MS, e);
}

bool
notice_send(const struct config *config, struct arena *a, const char *channel, const char *to,
    struct value *messages, struct error *e)
{
	if (strcmp(channel, "email") == 0)
		return mail(config, a, to, messages, e);
	return post(config, a, to, json_of(config, a, messages), e);
}

static bool
send_due(const struct config *config, struct db *db, struct arena *a, const char *channel,
    const char *to, struct watch_report *report, struct error *e)
{
	struct error why = {0};
	struct value *messages = alert_messages_take(db, a, channel, clock_now(), e);
	if (!messages)
		return false;
	if (!messages->list.n)
		return true;
	bool sent = notice_send(config, a, channel, to, messages, &why);
	report->sent += sent;
	report->unsent += !sent;
	if (!sent)
		log_warn("alerts could not be sent", LOG_TEXT("channel", channel),
		    LOG_INT("alerts", (int64_t)messages->list.n), LOG_TEXT("why", why.message));
	return alert_messages_done(db, a, messages, sent ? "" : why.message, clock_now(), e);
}

bool
notice_send_all(const struct config *config, struct db *db, struct arena *a,
    const struct notice_ways *ways, struct watch_report *report, struct error *e)
{
	struct str channels[2];
	size_t n = 0;
	if (*ways->webhook)
		channels[n++] = STR("webhook");
	if (*ways->email)
		channels[n++] = STR("email");
	if (!n)
		return true;
	if (!alert_messages_add(db, a, channels, n, clock_now(), e))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool hook = str_is(channels[i], "webhook");
		if (!send_due(config, db, a, channels[i].p, hook ? ways->webhook : ways->email,
			report, e))
			return false;
	}
	return true;
}
