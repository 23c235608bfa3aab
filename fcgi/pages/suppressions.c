#include "pages/suppressions.h"

#include <ctype.h>

#include "base/clock.h"
#include "pages/filter.h"
#include "pages/trail.h"
#include "rules/phone.h"
#include "store/consent.h"

/* Of a number only the digits are looked for. */
static const char *
part_of(struct arena *a, struct str q)
{
	struct buf b;
	buf_init(&b, a);
	bool number = true;
	for (size_t i = 0; i < q.n; i++)
		number &= !isalpha((unsigned char)q.p[i]) && q.p[i] != '@';
	for (size_t i = 0; i < q.n && b.n < 100; i++)
		if (number ? isdigit((unsigned char)q.p[i]) : q.p[i] != '%' && q.p[i] != '_')
			buf_putc(&b, (char)tolower((unsigned char)q.p[i]));
	return b.n ? b.p : NULL;
}

static struct value *
fill(struct request *rq, struct error *e)
{
	struct arena *a = rq->arena;
	struct filter_place place;
	int64_t cursor;
	if (!filter_place_number(rq, &place, &cursor, e))
		return NULL;
	struct str q = rq->method == GET ? request_text(rq, "q") : STR("");
	struct value *rows = suppression_list(
	    rq->app->db, a, rq->viewer->client_id, cursor, part_of(a, q), place.limit + 1, e);
	if (!rows)
		return NULL;
	struct value *model = value_map(a);
	filter_page(rq, model, "suppressions", rows, "id", &place);
	if (!rq->json) {
		value_set(a, model, "q", value_text(a, q));
		value_set_bool(a, model, "nobody", !rows->list.n && !q.n);
		value_set_bool(a, model, "no_match", !rows->list.n && q.n);
	}
	return model;
}

bool
suppressions_list(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = fill(rq, e);
	return rs->model;
}

/* Number and address of the order; at least one. */
static bool
read_whom(struct request *rq, struct suppression *order, struct error *e)
{
	struct arena *a = rq->arena;
	struct phone phone;
	struct str raw = request_text(rq, "phone"), email = request_text(rq, "email");
	if (raw.n) {
		if (raw.n > 60 || !phone_parse(raw, rq->app->config.default_country, &phone))
			return error_field(e, "phone", "%s Write it like +1 415 555 0100.",
			    raw.n > 60 ? "This is too long for a phone number." : phone.reason);
		order->phone = arena_strdup(a, phone.e164);
	}
	if (email.n) {
		if (email.n > 254 || str_chr(email, '@') == email.n)
			return error_field(
			    e, "email", "An e-mail address looks like name@example.com.");
		char *lower = str_dup(a, email);
		for (char *c = lower; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		order->email = lower;
	}
	return raw.n || email.n ||
	       error_field(e, "phone", "Enter a phone number, or an e-mail address, or both.");
}

static bool
read_order(struct request *rq, struct suppression *order, struct error *e)
{
	static const char *const channels[] = {"call", "sms", "whatsapp", "email"};
	struct arena *a = rq->arena;
	struct str reason, channel = request_text(rq, "channel");
	if (!read_whom(rq, order, e) || !request_required(rq, "reason", 500, &reason, e))
		return false;
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		if (str_is(channel, channels[i]))
			order->channel = channels[i];
	if (channel.n && !order->channel)
		return error_field(
		    e, "channel", "Choose call, sms, whatsapp, email, or none for all of them.");
	order->reason = str_dup(a, reason);
	return true;
}

bool
suppressions_add(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	struct suppression order = {.source = rq->json ? "API" : "a person, by hand",
	    .evidence = request_textz(rq, "evidence"),
	    .user_id = rq->viewer->user_id};
	int64_t id = 0;
	bool made = false;
	if (!rq->json) {
		struct value *form = fill(rq, e);
		if (!form)
			return false;
		response_form(rs, "suppressions", form);
	}
	if (!read_order(rq, &order, e) ||
	    !suppression_add(
		rq->app->db, a, rq->viewer->client_id, &order, clock_now(), &id, &made, e) ||
	    !trail_add(rq, "suppression.add", "suppression", id, NULL, e))
		return false;
	rs->status = made ? 201 : 200;
	rs->model = suppression_find(rq->app->db, a, rq->viewer->client_id, id, e);
	return rs->model &&
	       response_redirect(rs, rq,
		   made ? "Added. Nobody contacts them any more." : "It was on the list already.",
		   "/suppressions");
}

/* DELETE /api/suppressions/{id}, or ?phone= … by id only on the page. */
bool
suppressions_remove(struct request *rq, struct response *rs, struct error *e)
{
	struct arena *a = rq->arena;
	if (!suppression_remove(
		rq->app->db, a, rq->viewer->client_id, rq->ids[0], clock_now(), e) ||
	    !trail_add(rq, "suppression.remove", "suppression", rq->ids[0], NULL, e))
		return false;
	rs->model = value_map(a);
	value_set_bool(a, rs->model, "removed", true);
	return response_redirect(rs, rq,
	    "Removed. Contact is allowed again where consent and hours allow it.", "/suppressions");
}
