#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H
/*
 * The settings of a process, read once at start and constant afterwards. Where they come from,
 * first hit that is not empty wins: a file of that name in $CREDENTIALS_DIRECTORY (systemd), the
 * environment, the
 * table's default. Provider keys may also be stored in the database (store/setting), which the
 * caller asks first. Nobody else reads getenv.
 */
#include "base/str.h"

struct config {
	/* CONFIG_ITEMS in config.c says for each: name, default, help, whether it is secret. */
	const char *database_url;
	const char *base_url;      /* public address without a trailing slash */
	const char *callback_url;  /* overrides BASE_URL + /webhooks/bland; may be "" */
	const char *secret_key;    /* >= 32 characters; signs sessions, encrypts stored keys */
	const char *admin_token;   /* "" where unset */
	const char *metrics_token; /* lets a scraper from elsewhere read /metrics; "" where unset */
	const char *alert_webhook; /* where alerts go, unless set under Settings; "" for nowhere */
	const char *alert_email;
	const char *sendmail;  /* the command that takes a message on its standard input */
	bool private_webhooks; /* a webhook's address may be in a private network, or plain http */
	int64_t disk_low_mb;   /* less than this free is an alert */
	const char *run_dir;   /* sockets and counters; need not outlive a restart */
	int64_t concurrency;   /* most calls at once, over all campaigns */
	const char *default_prompt;
	const char *bland_api_key;
	const char *bland_base_url;
	const char *bland_webhook_secret;
	bool bland_webhook_allow_unsigned;
	const char *voice_id;
	const char *ca_file;         /* extra CA for providers' base URLs; "" for the system's */
	bool sandbox;                /* every provider is the stand-in; a banner says so */
	const char *state_dir;       /* spool and private files */
	const char *template_dir;    /* compiled at start */
	const char *static_dir;      /* asset names with their content hashes */
	const char *prompt_dir;      /* the seeded prompts */
	const char *sql_dir;         /* migrations and functions, for `trunkline migrate` */
	const char *default_country; /* ISO 3166 code for numbers without a country code */
	const char *time_zone;       /* of viewers who chose none */
	int64_t dialer_budget;       /* seconds that one run of the dialer may take */
	int64_t http_timeout;        /* seconds a provider may take to answer a POST */
	int64_t lookup_first;  /* seconds until an ambiguous call is looked up for the first time */
	int64_t call_deadline; /* seconds beyond max_duration before a silent call is asked about */
	int64_t max_requests;  /* a worker ends itself after so many, 0 = never */
	const char *log_level;
	const char *backup_dir;                              /* dumps with their manifests */
	int64_t backup_daily, backup_weekly, backup_monthly; /* how many of each are kept */
};

/** Fills ${c}; strings live on ${a}. Fails naming the setting that is missing or unreadable. */
bool config_load(struct config *c, struct arena *a, struct error *e) MUST_USE;
/** The settings as lines "NAME=value" with secrets masked; for `trunkline config`. */
void config_print(const struct config *c, struct buf *out);

#endif
