#include "rules/alert.h"

static const struct alert_kind kinds[] = {
    {"bad_signature", "Unsigned webhooks",
	"If you changed the signing secret at the provider, store the new one in Settings. Else somebody "
	"is trying; nothing of it was believed.",
	false},
    {"provider_refused", "The provider refuses all calls",
	"Store a good key in Settings, or top up the account there, then press Try again.", true},
    {"campaign_paused", "A campaign was paused",
	"Read what the provider said on the campaign's page, mend it, and press Resume.", false},
    {"ambiguous_call", "A call nobody knows of",
	"Look at the provider whether the call was made, and say so on the call's page.", false},
    {"ambiguous_calls", "Calls nobody knows of",
	"They are asked about by themselves. If it lasts, look at the provider, and say on each call's "
	"page whether it was made.",
	false},
    {"stuck_calls", "Calls that do not end",
	"See whether the dialer runs: trunkline status. Then: systemctl restart trunkline-dialer.",
	true},
    {"queue_stuck", "The queue does not move",
	"Look at a waiting lead's page, which says why it waits, and run: trunkline doctor.", true},
    {"dialer_silent", "The dialer is silent",
	"Run: systemctl status trunkline-dialer.timer trunkline-dialer, then systemctl restart "
	"trunkline-dialer.",
	true},
    {"jobs_silent", "Large jobs do not run",
	"Run: systemctl status trunkline-jobs, then systemctl restart trunkline-jobs.", false},
    {"backup_failed", "The backup failed", "Run: trunkline backup, and read what it says.", true},
    {"backup_old", "There is no fresh backup",
	"Run: systemctl status trunkline-backup.timer, then trunkline backup.", true},
    {"upkeep_failed", "A nightly job failed", "Read why: journalctl -u 'trunkline-*' -p err.",
	false},
    {"disk_low", "The disk is getting full",
	"Make room, or take a larger disk: old logs, old backups, then trunkline retention.", true},
    {"certificate", "The certificate runs out",
	"Run: certbot renew, then systemctl reload nginx. See that certbot.timer is on.", true},
    {"database_away", "The database is away",
	"Run: systemctl status postgresql, and see whether its disk is full.", true},
    {"site_away", "The site does not answer",
	"Run: nginx -t, then systemctl status nginx and systemctl status 'trunkline-web@*'.", true},
};

const struct alert_kind *
alert_kind_of(struct str kind)
{
	static const struct alert_kind other = {"", "Something needs a look", "", false};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_is(kind, kinds[i].kind))
			return &kinds[i];
	return &other;
}

void
alert_explain(struct arena *a, struct value *rows)
{
	for (size_t i = 0; rows && i < rows->list.n; i++) {
		struct value *row = rows->list.items[i];
		const struct alert_kind *k = alert_kind_of(value_str(row, "kind"));
		value_set_text(a, row, "title", k->title);
		value_set_text(a, row, "mend", k->mend);
		value_set_bool(a, row, "urgent", k->urgent);
	}
}
