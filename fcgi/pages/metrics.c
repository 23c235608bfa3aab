#include "pages/metrics.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "http/meter.h"
#include "store/metrics.h"

/* Who comes through a proxy on this machine comes from elsewhere. */
static bool
is_local(const struct request *rq)
{
	struct str address = str_of(rq->address);
	return (str_starts(address, "127.") || str_is(address, "::1")) &&
	       !request_param(rq, "HTTP_X_FORWARDED_FOR").n &&
	       !request_param(rq, "HTTP_FORWARDED").n && !request_param(rq, "HTTP_VIA").n;
}

static bool
has_token(const struct request *rq)
{
	struct str token = str_of(rq->app->config.metrics_token);
	struct str sent = request_header(rq, "Authorization");
	if (!token.n || !str_starts(sent, "Bearer "))
		return false;
	return crypto_equal(str_trim(str_sub(sent, 7, sent.n)), token);
}

static void
print_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Label values: backslash, quote and line end are escaped. */
static void
print_label(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_puts(b, "\\n");
		else if (text.p[i] == '"' || text.p[i] == '\\')
			buf_printf(b, "\\%c", text.p[i]);
		else
			buf_putc(b, text.p[i]);
	}
}

/* {pool="web",route="/leads",method="GET",status="2xx" without the closing brace. */
static const char *
labels_of(struct arena *a, const struct meter_row *row, size_t class)
{
	struct buf b;
	buf_init(&b, a);
	buf_printf(&b, "{pool=\"%s\",route=\"", row->pool);
	print_label(&b, str_of(row->route));
	buf_printf(&b, "\",method=\"%s\",status=\"%zuxx\"", row->method, class + 2);
	return b.p;
}

static uint64_t
total_of(const struct meter_row *row, size_t class)
{
	uint64_t n = 0;
	for (size_t i = 0; i <= METER_BOUNDS; i++)
		n += row->classes[class].counts[i];
	return n;
}

static void
print_histogram(struct buf *b, const struct meter_row *row, size_t class)
{
	const char *name = "trunkline_http_request_duration_seconds";
	const char *labels = labels_of(b->a, row, class);
	uint64_t n = 0, us = row->classes[class].sum_us;
	for (size_t i = 0; i <= METER_BOUNDS; i++) {
		n += row->classes[class].counts[i];
		buf_printf(b, "%s_bucket%s,le=\"%s\"} %" PRIu64 "\n", name, labels,
		    i < METER_BOUNDS ? meter_bounds[i] : "+Inf", n);
	}
	buf_printf(
	    b, "%s_sum%s} %" PRIu64 ".%06" PRIu64 "\n", name, labels, us / 1000000, us % 1000000);
	buf_printf(b, "%s_count%s} %" PRIu64 "\n", name, labels, n);
}

static void
print_requests(struct buf *b, const char *dir)
{
	struct meter_row *rows = NULL;
	size_t n = meter_read(b->a, dir, &rows);
	print_head(b, "trunkline_http_requests_total", "counter", "Requests answered.");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < METER_CLASSES; k++)
			if (total_of(&rows[i], k))
				buf_printf(b, "trunkline_http_requests_total%s} %" PRIu64 "\n",
				    labels_of(b->a, &rows[i], k), total_of(&rows[i], k));
	print_head(b, "trunkline_http_request_duration_seconds", "histogram",
	    "From the first header to the last byte of the answer.");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < METER_CLASSES; k++)
			if (total_of(&rows[i], k))
				print_histogram(b, &rows[i], k);
}

/* One member of the store's row each: a number, a time, or a list of {label values…, value}. */
static const struct gauge {
	const char *member, *name, *help;
	const char *labels[3]; /* of a list */
} gauges[] = {
    {"queue_depth", "trunkline_queue_depth",
	"Leads that wait to be called in running campaigns (counted up to 10000 for each).", {0}},
    {"queue_due", "trunkline_queue_due", "Those of them that are due (up to 10000 each).", {0}},
    {"oldest_due_seconds", "trunkline_queue_oldest_due_seconds",
	"How long the oldest due lead has been due.", {0}},
    {"live_calls", "trunkline_calls_live", "Calls that have not ended.", {"state"}},
    {"outcomes", "trunkline_calls_last_day", "Calls of the last 24 hours by outcome.", {"outcome"}},
    {"provider_errors", "trunkline_provider_errors_last_day",
	"Calls of the last 24 hours that the provider refused or lost, by reason.",
	{"provider", "reason"}},
    {"provider_stopped", "trunkline_provider_stopped",
	"1 where nothing is placed until a person acts, such as for a refused key.", {"provider"}},
    {"provider_holds", "trunkline_provider_held_seconds",
	"For how long nothing is placed because the provider asked to slow down.", {"provider"}},
    {"webhook_lag_avg", "trunkline_webhook_lag_seconds_avg",
	"From the end of a call to its report applied; mean of the last hour.", {0}},
    {"webhook_lag_max", "trunkline_webhook_lag_seconds_max", "The longest one of the last hour.",
	{0}},
    {"webhooks", "trunkline_webhooks_last_hour",
	"Events of providers in the last hour, by what became of them (up to 10000).", {"verdict"}},
    {"dialer_runs", "trunkline_dialer_runs_last_hour", "Runs of the dialer begun in the last hour.",
	{0}},
    {"dialer_placed", "trunkline_dialer_placed_last_hour", "Calls that these runs placed.", {0}},
    {"dialer_seen", "trunkline_dialer_seen_timestamp_seconds",
	"When a dialer last said that it is there.", {0}},
    {"imports", "trunkline_imports", "Imports that are not finished.", {"state"}},
    {"maintenance", "trunkline_maintenance_ok_timestamp_seconds",
	"When this job last ended well, such as the backup.", {"name"}},
    {"alerts", "trunkline_alerts_open", "Alerts that are open.", {"kind"}},
};

static void
print_number(struct buf *b, const struct value *v)
{
	if (v->type == VALUE_INT || v->type == VALUE_MONEY)
		buf_printf(b, " %" PRId64 "\n", v->i);
	else if (v->type == VALUE_TIME)
		buf_printf(
		    b, " %" PRId64 ".%03d\n", v->i / CLOCK_SECOND, (int)(v->i / 1000 % 1000));
	else
		buf_printf(b, " %.3f\n", v->type == VALUE_REAL ? v->d : 0.0);
}

static void
print_gauge(struct buf *b, const struct gauge *g, const struct value *v)
{
	if (!v || v->type == VALUE_NULL)
		return;
	print_head(b, g->name, "gauge", g->help);
	if (v->type != VALUE_LIST) {
		buf_puts(b, g->name);
		print_number(b, v);
		return;
	}
	for (size_t i = 0; i < v->list.n; i++) {
		const struct value *row = v->list.items[i];
		buf_puts(b, g->name);
		for (size_t k = 0; k < 3 && g->labels[k]; k++) {
			buf_printf(b, "%s%s=\"", k ? "," : "{", g->labels[k]);
			print_label(b, value_str(row, g->labels[k]));
			buf_putc(b, '"');
		}
		buf_putc(b, '}');
		print_number(b, value_get(row, "value"));
	}
}

/* What the database said last, asked again only after some seconds, whoever asks us. */
struct answer {
	struct value *(*ask)(struct db *, struct arena *, int64_t, struct error *);
	int seconds;
	struct arena *a;
	struct value *row;
	int64_t asked_at;
};

static const struct value *
answer_of(struct request *rq, struct answer *kept)
{
	struct error e = {0};
	int64_t now = clock_monotonic();
	if (kept->row && now - kept->asked_at < kept->seconds * CLOCK_SECOND)
		return kept->row;
	if (!kept->a)
		kept->a = arena_new(4 << 10);
	arena_reset(kept->a);
	kept->row =
	    rq->app->refresh(rq->app, &e) ? kept->ask(rq->app->db, kept->a, clock_now(), &e) : NULL;
	kept->asked_at = now;
	if (!kept->row)
		log_warn("no metrics of the database", LOG_TEXT("why", e.message));
	return kept->row;
}

static void
print_state(struct request *rq, struct buf *b)
{
	static struct answer state = {.ask = metrics_state, .seconds = 5};
	static struct answer day = {.ask = metrics_day, .seconds = 60};
	const struct value *now = answer_of(rq, &state), *lately = now ? answer_of(rq, &day) : NULL;
	print_head(b, "trunkline_database_up", "gauge", "1 while the database answers.");
	buf_printf(b, "trunkline_database_up %d\n", now != NULL);
	for (size_t i = 0; now && i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		const struct value *found = value_get(now, gauges[i].member);
		print_gauge(b, &gauges[i], found ? found : value_get(lately, gauges[i].member));
	}
}

bool
metrics_show(struct request *rq, struct response *rs, struct error *e)
{
	if (!is_local(rq) && !has_token(rq))
		return error_set(e, ERR_UNAUTHENTICATED,
		    "Ask from this machine, or with METRICS_TOKEN as a bearer token.");
	rs->content_type = "text/plain; version=0.0.4; charset=utf-8";
	print_requests(&rs->body, rq->app->config.run_dir);
	print_state(rq, &rs->body);
	return true;
}
