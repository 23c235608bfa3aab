#include "base/config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum type { TEXT, NUMBER, FLAG };
enum { SECRET = 1, REQUIRED = 2 };

static const struct item {
	const char *name;
	enum type type;
	size_t offset;
	const char *fallback;
	int flags;
} items[] = {
#define AT(field) offsetof(struct config, field)
    {"DATABASE_URL", TEXT, AT(database_url), "host=/run/postgresql dbname=trunkline", 0},
    {"BASE_URL", TEXT, AT(base_url), "https://localhost:8443", 0},
    {"CALLBACK_URL", TEXT, AT(callback_url), "", 0},
    {"SECRET_KEY", TEXT, AT(secret_key), "", SECRET | REQUIRED},
    {"ADMIN_TOKEN", TEXT, AT(admin_token), "", SECRET},
    {"METRICS_TOKEN", TEXT, AT(metrics_token), "", SECRET},
    {"ALERT_WEBHOOK", TEXT, AT(alert_webhook), "", SECRET},
    {"ALERT_EMAIL", TEXT, AT(alert_email), "", 0},
    {"SENDMAIL", TEXT, AT(sendmail), "/usr/sbin/sendmail", 0},
    {"PRIVATE_WEBHOOKS", FLAG, AT(private_webhooks), "0", 0},
    {"DISK_LOW_MB", NUMBER, AT(disk_low_mb), "2048", 0},
    {"RUN_DIR", TEXT, AT(run_dir), "/run/trunkline", 0},
    {"CONCURRENCY", NUMBER, AT(concurrency), "3", 0},
    {"DEFAULT_PROMPT", TEXT, AT(default_prompt), "default", 0},
    {"BLAND_API_KEY", TEXT, AT(bland_api_key), "", SECRET},
    {"BLAND_BASE_URL", TEXT, AT(bland_base_url), "https://api.bland.ai", 0},
    {"BLAND_WEBHOOK_SECRET", TEXT, AT(bland_webhook_secret), "", SECRET},
    {"BLAND_WEBHOOK_ALLOW_UNSIGNED", FLAG, AT(bland_webhook_allow_unsigned), "0", 0},
    {"VOICE_ID", TEXT, AT(voice_id), "maya", 0},
    {"CA_FILE", TEXT, AT(ca_file), "", 0},
    {"SANDBOX", FLAG, AT(sandbox), "0", 0},
    {"STATE", TEXT, AT(state_dir), "/var/lib/trunkline", 0},
    {"TEMPLATE_DIR", TEXT, AT(template_dir), "/usr/share/trunkline/templates", 0},
    {"STATIC_DIR", TEXT, AT(static_dir), "/usr/share/trunkline/static", 0},
    {"PROMPT_DIR", TEXT, AT(prompt_dir), "/usr/share/trunkline/templates/prompts", 0},
    {"SQL_DIR", TEXT, AT(sql_dir), "/usr/share/trunkline/sql", 0},
    {"DEFAULT_COUNTRY", TEXT, AT(default_country), "US", 0},
    {"TIME_ZONE", TEXT, AT(time_zone), "UTC", 0},
    {"DIALER_BUDGET", NUMBER, AT(dialer_budget), "290", 0},
    {"HTTP_TIMEOUT", NUMBER, AT(http_timeout), "60", 0},
    {"LOOKUP_FIRST", NUMBER, AT(lookup_first), "5", 0},
    {"CALL_DEADLINE", NUMBER, AT(call_deadline), "180", 0},
    {"MAX_REQUESTS", NUMBER, AT(max_requests), "20000", 0},
    {"LOG_LEVEL", TEXT, AT(log_level), "info", 0},
    {"BACKUP_DIR", TEXT, AT(backup_dir), "/var/backups/trunkline", 0},
    {"BACKUP_DAILY", NUMBER, AT(backup_daily), "7", 0},
    {"BACKUP_WEEKLY", NUMBER, AT(backup_weekly), "4", 0},
    {"BACKUP_MONTHLY", NUMBER, AT(backup_monthly), "6", 0},
#undef AT
};

#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

static const char *
read_credential(struct arena *a, const char *name)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (!dir)
		return NULL;
	int fd = open(arena_printf(a, "%s/%s", dir, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	struct buf b;
	buf_init(&b, a);
	char chunk[1024];
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	return str_dup(a, str_trim(buf_view(&b)));
}

/* SANDBOX=ture must not quietly mean that real people are called. */
static bool
read_flag(struct str text, bool *out)
{
	static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_is_nocase(text, words[i])) {
			*out = i % 2;
			return true;
		}
	return false;
}

static bool
store(struct config *c, struct arena *a, const struct item *it, const char *text, struct error *e)
{
	void *at = (char *)c + it->offset;
	int64_t number;
	switch (it->type) {
	case TEXT:
		*(const char **)at = arena_strdup(a, text);
		return true;
	case NUMBER:
		if (!str_to_int(str_of(text), &number) || number < 0)
			return error_field(e, it->name, "%s must be a whole number, not \"%s\".",
			    it->name, it->flags & SECRET ? "…" : text);
		*(int64_t *)at = number;
		return true;
	case FLAG:
		if (!read_flag(str_of(text), at))
			return error_field(
			    e, it->name, "%s must be 1 or 0, not \"%s\".", it->name, text);
		return true;
	}
	return false;
}

bool
config_load(struct config *c, struct arena *a, struct error *e)
{
	for (size_t i = 0; i < ITEM_COUNT; i++) {
		const struct item *it = &items[i];
		const char *text = read_credential(a, it->name);
		/* systemd hands over an empty one where there is no file. */
		if (!text || !*text)
			text = getenv(it->name);
		if (!text || !*text)
			text = it->fallback;
		if (!*text && it->flags & REQUIRED)
			return error_field(e, it->name,
			    "%s is not set. Put it into /etc/trunkline/trunkline.env, .env or the environment.",
			    it->name);
		if (!store(c, a, it, text, e))
			return false;
	}
	if (strlen(c->secret_key) < 32)
		return error_field(e, "SECRET_KEY", "SECRET_KEY must have at least 32 characters.");
	return true;
}

/* Of a database's address: "password=..." or "//user:password@host". */
static bool
holds_password(struct str text)
{
	size_t scheme = str_find(text, "://"), at = str_chr(text, '@');
	struct str user = str_sub(text, scheme + 3, at);
	return str_find_nocase(text, "password") < text.n ||
	       (scheme < at && at < text.n && str_chr(user, ':') < user.n);
}

static void
print_text(struct buf *out, const char *text, bool secret)
{
	bool masked = *text && (secret || holds_password(str_of(text)));
	buf_puts(out, masked ? "(set)" : text);
}

void
config_print(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < ITEM_COUNT; i++) {
		const void *at = (const char *)c + items[i].offset;
		buf_printf(out, "%s=", items[i].name);
		if (items[i].type == NUMBER)
			buf_printf(out, "%" PRId64, *(const int64_t *)at);
		else if (items[i].type == FLAG)
			buf_puts(out, *(const bool *)at ? "1" : "0");
		else
			print_text(out, *(const char *const *)at, items[i].flags & SECRET);
		buf_putc(out, '\n');
	}
}
