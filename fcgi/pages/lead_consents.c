#include "pages/lead.h"

#include "base/clock.h"
#include "pages/trail.h"
#include "store/consent.h"
#include "store/lead.h"

bool
lead_consents(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	if (!lead_find(rq->app->db, a, rq->viewer->client_id, rq->ids[0], e))
		return false;
	struct value *rows =
	    consent_list(rq->app->db, a, rq->viewer->client_id, rq->ids[0], 200, e);
	if (!rows)
		return false;
	rs->model = value_map(a);
	value_set(a, rs->model, "consents", rows);
	value_set_text(a, rs->model, "next", NULL);
	return true;
}

static bool
check_channel(struct str channel, struct error *e)
{
	static const char *const channels[] = {"call", "sms", "whatsapp", "email"};
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		if (str_is(channel, channels[i]))
			return true;
	return error_field(e, "channel", "Choose call, sms, whatsapp or email.");
}

/* When it was given: a day or an instant, not in the future. */
static bool
read_at(const struct request *rq, int64_t *at, struct error *e)
{
	struct str s = request_text(rq, "at");
	*at = clock_now();
	if (!s.n)
		return true;
	if (!clock_parse(s, at))
		return error_field(e, "at", "Write the date like 2026-05-12.");
	if (*at > clock_now() + 86400 * CLOCK_SECOND)
		return error_field(e, "at", "Consent cannot be given in the future.");
	/* Today may have begun there, but not yet in UTC. */
	if (*at > clock_now())
		*at = clock_now();
	return true;
}

static bool
record(struct request *rq, int64_t id, const struct consent *consent, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *ids = value_list(a);
	int64_t recorded = 0;
	value_push(a, ids, value_int(a, id));
	return consent_add(rq->app->db, a, rq->viewer->client_id, ids, consent, clock_now(),
		   &recorded, e) &&
	       trail_add(rq, consent->granted ? "consent.grant" : "consent.withdraw", "lead", id,
		   NULL, e);
}

bool
lead_consent_record(
    struct request *rq, int64_t id, bool granted, struct str source, struct error *e)
{
	struct consent consent = {.channel = "call",
	    .granted = granted,
	    .source = str_dup(rq->arena, source),
	    .evidence = "",
	    .at = clock_now(),
	    .user_id = rq->viewer->user_id};
	return record(rq, id, &consent, e);
}

bool
lead_consent_add(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct str channel = request_text(rq, "channel"), source;
	struct consent consent = {
	    .granted = !request_has(rq, "granted") || request_flag(rq, "granted"),
	    .evidence = request_textz(rq, "evidence"),
	    .user_id = rq->viewer->user_id};
	if (!channel.n)
		channel = STR("call");
	if (!lead_find(rq->app->db, a, rq->viewer->client_id, rq->ids[0], e) ||
	    !check_channel(channel, e) || !request_required(rq, "source", 500, &source, e) ||
	    !read_at(rq, &consent.at, e))
		return false;
	consent.channel = str_dup(a, channel);
	consent.source = str_dup(a, source);
	if (!record(rq, rq->ids[0], &consent, e))
		return false;
	rs->status = 201;
	rs->model = value_map(a);
	value_set_text(a, rs->model, "channel", consent.channel);
	value_set_bool(a, rs->model, "granted", consent.granted);
	value_set_text(a, rs->model, "source", consent.source);
	value_set(a, rs->model, "at", value_time(a, consent.at));
	return response_redirect(rs, rq,
	    consent.granted ? "Consent recorded." : "Withdrawal recorded.", "/leads/%lld",
	    (long long)rq->ids[0]);
}
