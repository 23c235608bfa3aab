#include "pages/dashboard.h"

#include <string.h>

#include "base/clock.h"
#include "rules/alert.h"
#include "store/overview.h"

/* In the order of the bar: best first, what still waits last. */
static const struct {
	const char *member, *status, *label;
} parts[] = {
    {"interested", "interested", "Interested"},
    {"follow_up", "follow_up", "Follow up"},
    {"callback", "callback", "Callback"},
    {"not_interested", "not_interested", "Not interested"},
    {"voicemail", "voicemail", "Voicemail"},
    {"no_answer", "no_answer", "No answer"},
    {"busy", "busy", "Busy"},
    {"hangup", "hangup", "Hung up"},
    {"do_not_contact", "do_not_contact", "Do not contact"},
    {"canceled", "canceled", "Canceled"},
    {"unknown", "unknown", "Unknown"},
    {"error", "error", "Error"},
    {"under_way", "under_way", "Under way"},
    {"retry", "retry", "To be tried again"},
    {"later", "later", "Later, by calling hours"},
    {"due", "waiting", "Waiting"},
    {"blocked", "blocked", "Blocked"},
    {"ambiguous", "ambiguous", "Ambiguous"},
};
enum { PARTS = sizeof(parts) / sizeof(parts[0]), BAR_WIDTH = 1000, CHART_ROW = 30 };

static int64_t
part_count(const struct value *tally, const char *member)
{
	const struct value *outcomes = value_get(tally, "outcomes");
	if (strcmp(member, "due") == 0)
		return value_num(tally, "waiting") - value_num(tally, "retry") -
		       value_num(tally, "later");
	return value_num(outcomes, member) + value_num(tally, member);
}

/* Sums of the campaigns that are shown together in one bar. */
static struct value *
together(struct arena *a, const struct value *campaigns)
{
	static const char *const sums[] = {"total", "finished", "waiting", "later", "retry",
	    "under_way", "ambiguous", "blocked", "left", "placed_5m", "ended_5m", "canceled",
	    "done", "error"};
	struct value *sum = value_map(a), *counts = value_list(a);
	const struct value *tally;
	for (size_t i = 0; i < campaigns->list.n; i++)
		value_push(a, counts, value_get(campaigns->list.items[i], "tally"));
	for (size_t k = 0; k < sizeof(sums) / sizeof(sums[0]); k++) {
		int64_t n = 0;
		for (size_t i = 0; i < counts->list.n; i++)
			n += value_num(counts->list.items[i], sums[k]);
		value_set_int(a, sum, sums[k], n);
	}
	struct value *outcomes = value_set(a, sum, "outcomes", value_map(a));
	for (size_t k = 0; k < PARTS; k++) {
		int64_t n = 0;
		for (size_t i = 0; i < counts->list.n; i++) {
			tally = value_get(counts->list.items[i], "outcomes");
			n += value_num(tally, parts[k].member);
		}
		if (n)
			value_set_int(a, outcomes, parts[k].member, n);
	}
	return sum;
}

struct value *
dashboard_segments(struct arena *a, const struct value *sum)
{
	struct value *list = value_list(a);
	int64_t total = 0, x = 0;
	for (size_t k = 0; k < PARTS; k++)
		total += part_count(sum, parts[k].member);
	for (size_t k = 0; k < PARTS && total; k++) {
		int64_t n = part_count(sum, parts[k].member);
		if (n <= 0)
			continue;
		struct value *s = value_push(a, list, value_map(a));
		int64_t width = n * BAR_WIDTH / total;
		value_set_text(a, s, "status", parts[k].status);
		value_set_text(a, s, "label", parts[k].label);
		value_set_int(a, s, "count", n);
		value_set_int(a, s, "x", x);
		value_set_int(a, s, "width", width > 4 ? width - 2 : 3);
		x += width > 3 ? width : 4;
	}
	return list;
}

/* Bars of the outcomes of a day, the most frequent as wide as there is room. */
static struct value *
chart(struct arena *a, const struct value *outcomes)
{
	struct value *rows = value_list(a);
	int64_t most = 1, y = 0;
	for (size_t i = 0; outcomes && i < outcomes->map.n; i++)
		if (outcomes->map.members[i].value->i > most)
			most = outcomes->map.members[i].value->i;
	for (size_t k = 0; k < PARTS; k++) {
		int64_t n = value_num(outcomes, parts[k].member);
		if (!n)
			continue;
		struct value *row = value_push(a, rows, value_map(a));
		value_set_text(a, row, "outcome", parts[k].status);
		value_set_text(a, row, "label", parts[k].label);
		value_set_int(a, row, "count", n);
		value_set_int(a, row, "y", y + 9);
		value_set_int(a, row, "base", y + 20);
		value_set(
		    a, row, "percent", value_printf(a, "%.1f", 52.0 * (double)n / (double)most));
		y += CHART_ROW;
	}
	return rows;
}

static const char *
minutes_text(struct arena *a, int64_t minutes)
{
	if (minutes < 2)
		return "about a minute left";
	if (minutes < 120)
		return arena_printf(a, "about %lld min left", (long long)minutes);
	if (minutes < 48 * 60)
		return arena_printf(a, "about %lld h left", (long long)((minutes + 30) / 60));
	return arena_printf(a, "about %lld days left", (long long)((minutes + 720) / 1440));
}

/* How long at the pace of the last five minutes; NULL where nobody could say. */
static const char *
estimate(struct arena *a, const struct value *sum)
{
	int64_t ended = value_num(sum, "ended_5m");
	int64_t left =
	    value_num(sum, "waiting") - value_num(sum, "later") + value_num(sum, "under_way");
	return ended >= 3 && left > 0 ? minutes_text(a, (left * 5 + ended - 1) / ended) : NULL;
}

static int64_t
next_due(const struct value *campaigns)
{
	int64_t next = 0;
	for (size_t i = 0; i < campaigns->list.n; i++) {
		int64_t at = value_micros(campaigns->list.items[i], "next_at");
		if (at && (!next || at < next))
			next = at;
	}
	return next;
}

static bool
any_in(const struct value *campaigns, const char *state)
{
	for (size_t i = 0; i < campaigns->list.n; i++)
		if (str_is(value_str(campaigns->list.items[i], "state"), state))
			return true;
	return false;
}

static struct value *
grouped(struct arena *a, int64_t n)
{
	return value_member(a, value_int(a, n), STR("grouped"));
}

/* "312 of 1,000 called" */
static const char *
progress_text(struct arena *a, const struct value *sum)
{
	struct str done = grouped(a, value_num(sum, "finished"))->s;
	struct str total = grouped(a, value_num(sum, "total"))->s;
	return arena_printf(a, "%.*s of %.*s finished", STR_ARG(done), STR_ARG(total));
}

static void
running_text(
    struct arena *a, struct value *model, const struct value *campaigns, const struct value *sum)
{
	int64_t now = clock_now(), next = next_due(campaigns);
	int64_t seen = value_micros(value_get(model, "dialer"), "seen_at");
	const char *eta = estimate(a, sum), *sentence = progress_text(a, sum);
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, sentence);
	if (!seen || now - seen > 180 * CLOCK_SECOND) {
		buf_puts(&b,
		    " · the dialer has not reported for minutes; nothing is placed until it is back");
		value_set_bool(a, model, "dialer_away", true);
	} else if (value_num(sum, "under_way") == 0 && next > now + 60 * CLOCK_SECOND) {
		buf_puts(&b, " · next call ");
		clock_print_ago(&b, next);
	} else if (eta)
		buf_printf(&b, " · %s", eta);
	else if (!value_num(sum, "waiting") && value_num(sum, "under_way"))
		buf_puts(&b, " · the last calls are under way");
	value_set(a, model, "sentence", value_text(a, buf_view(&b)));
}

/* The state of everything in one chip and one sentence. */
static void
headline(
    struct arena *a, struct value *model, const struct value *campaigns, const struct value *sum)
{
	int64_t pending = value_num(value_get(model, "leads"), "pending");
	if (any_in(campaigns, "running")) {
		value_set_text(a, model, "state", "running");
		running_text(a, model, campaigns, sum);
	} else if (any_in(campaigns, "paused")) {
		value_set_text(a, model, "state", "paused");
		value_set(a, model, "sentence",
		    value_printf(a, "%s · %s waiting until somebody resumes", progress_text(a, sum),
			value_counted(a, value_num(sum, "waiting"), "lead")));
	} else if (pending > 0) {
		value_set_text(a, model, "state", "waiting");
		value_set(a, model, "sentence",
		    value_printf(a, "Nothing is running · %s can be started",
			value_counted(a, pending, "lead")));
	} else if (campaigns->list.n) {
		value_set_text(a, model, "state", "done");
		value_set(a, model, "sentence", value_printf(a, "%s", progress_text(a, sum)));
	} else
		value_set_text(a, model, "sentence", "No leads yet. Import a list to begin.");
}

static void
counters(struct arena *a, struct value *model)
{
	struct value *today = value_get(model, "today");
	struct value *outcomes = value_get(today, "outcomes");
	int64_t ended = value_num(today, "ended"), answered = value_num(today, "answered");
	value_set(a, today, "cost_usd", value_money(a, value_num(today, "cost")));
	value_set_int(a, today, "interested", value_num(outcomes, "interested"));
	value_set_int(a, today, "answered_percent", ended ? answered * 100 / ended : 0);
	struct value *rows = value_set(a, model, "chart", chart(a, outcomes));
	value_set_int(a, model, "chart_height", (int64_t)rows->list.n * CHART_ROW);
	value_set_int(a, model, "live_count", (int64_t)value_get(model, "live")->list.n);
}

/* Four weeks as columns, the last of them today so far. */
static void
weeks(struct arena *a, struct value *model)
{
	enum { WIDTH = 20, HEIGHT = 80, GAP = 4 };
	struct value *days = value_get(model, "days"), *today = value_get(model, "today");
	int64_t most = 1;
	if (!days->list.n)
		return;
	struct value *last = value_push(a, days, value_map(a));
	value_set_text(a, last, "label", "Today");
	value_set_int(a, last, "calls", value_num(today, "calls"));
	value_set_int(a, last, "answered", value_num(today, "answered"));
	value_set_int(a, last, "interested", value_num(today, "interested"));
	for (size_t i = 0; i < days->list.n; i++)
		if (value_num(days->list.items[i], "calls") > most)
			most = value_num(days->list.items[i], "calls");
	for (size_t i = 0; i < days->list.n; i++) {
		struct value *day = days->list.items[i];
		static const char *const bars_of[] = {"calls", "answered", "interested"};
		static const char *const classes[] = {"track", "answered", "interested"};
		struct value *bars = value_set(a, day, "bars", value_list(a));
		for (size_t k = 0; k < sizeof(bars_of) / sizeof(bars_of[0]); k++) {
			int64_t height = value_num(day, bars_of[k]) * HEIGHT / most;
			struct value *bar = value_push(a, bars, value_map(a));
			value_set_text(a, bar, "part", classes[k]);
			value_set_int(a, bar, "height", height);
			value_set_int(a, bar, "y", HEIGHT - height);
		}
		value_set_int(a, day, "x", (int64_t)i * WIDTH);
		value_set_int(a, day, "width", WIDTH - GAP);
	}
	value_set_int(a, model, "weeks_width", (int64_t)days->list.n * WIDTH - GAP);
	value_set_int(a, model, "most_a_day", most);
}

bool
dashboard_show(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	const char *zone = rq->viewer->time_zone;
	struct value *model = overview_all(rq->app->db, a, rq->viewer->client_id,
	    zone && *zone ? zone : rq->app->config.time_zone, clock_now(), e);
	if (!model)
		return false;
	alert_explain(a, value_get(model, "alerts"));
	const struct value *campaigns = value_get(model, "campaigns");
	struct value *shown = value_list(a);
	bool under_way = any_in(campaigns, "running") || any_in(campaigns, "paused");
	for (size_t i = 0; i < campaigns->list.n; i++)
		if (!under_way || !str_is(value_str(campaigns->list.items[i], "state"), "done"))
			value_push(a, shown, campaigns->list.items[i]);
	struct value *sum = value_set(a, model, "progress", together(a, shown));
	value_set(a, model, "segments", dashboard_segments(a, sum));
	headline(a, model, shown, sum);
	counters(a, model);
	weeks(a, model);
	value_set_int(a, model, "concurrency", rq->app->config.concurrency);
	bool startable =
	    value_num(value_get(model, "leads"), "pending") > 0 && !any_in(campaigns, "running");
	value_set_bool(a, model, "startable", startable);
	if (!value_num(value_get(model, "leads"), "total"))
		value_set_bool(a, model, "first_time", true);
	rs->model = model;
	return true;
}
