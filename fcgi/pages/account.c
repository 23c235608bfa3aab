#include "pages/login.h"

#include "http/session.h"
#include "pages/trail.h"
#include "store/user.h"

/* ADMIN_TOKEN has no account of its own. */
static bool
has_account(const struct request *rq, struct error *e)
{
	return rq->viewer->user_id != 0 ||
	       error_set(
		   e, ERR_NOT_FOUND, "ADMIN_TOKEN is no account: it has nothing to change here.");
}

/* {"account": …}; pages also get the zones to choose from. */
static struct value *
account_model(struct request *rq, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *model = value_map(a);
	struct value *account =
	    user_find(rq->app->db, a, rq->viewer->client_id, rq->viewer->user_id, e);
	if (!account)
		return NULL;
	value_set(a, model, "account", account);
	if (rq->json)
		return model;
	struct value *zones = user_time_zones(rq->app->db, a, e);
	if (!zones)
		return NULL;
	for (size_t i = 0; i < zones->list.n; i++)
		if (str_eq(
			value_str(zones->list.items[i], "name"), value_str(account, "time_zone")))
			value_set_bool(a, zones->list.items[i], "chosen", true);
	value_set(a, model, "zones", zones);
	value_set_text(a, model, "installation_zone", rq->app->config.time_zone);
	return model;
}

bool
account_show(struct request *rq, struct response *rs, struct error *e)
{
	if (!has_account(rq, e))
		return false;
	rs->model = account_model(rq, e);
	return rs->model != NULL;
}

bool
account_save(struct request *rq, struct response *rs, struct error *e)
{
	if (!has_account(rq, e))
		return false;
	struct value *model = account_model(rq, e);
	if (!model)
		return false;
	struct value *account = value_get(model, "account");
	response_form(rs, "account", model);
	struct str name =
	    request_has(rq, "name") ? request_text(rq, "name") : value_str(account, "name");
	struct str zone = request_has(rq, "time_zone") ? request_text(rq, "time_zone")
						       : value_str(account, "time_zone");
	if (!user_own(
		rq->app->db, rq->arena, rq->viewer->client_id, rq->viewer->user_id, name, zone, e))
		return false;
	rs->model = rq->json ? account_model(rq, e) : NULL;
	return (!rq->json || rs->model) && response_redirect(rs, rq, "Saved.", "/account");
}

static const char *
exact_text(const struct request *rq, const char *name)
{
	const struct value *v = value_get(rq->body, name);
	return v && v->type == VALUE_TEXT ? str_dup(rq->arena, v->s) : "";
}

/* All other sessions end; this one gets a token of the new epoch. */
static bool
go_on(struct request *rq, struct response *rs, int64_t epoch, const char *notice, struct error *e)
{
	char *token = session_token(rq, rq->viewer->user_id, epoch, e);
	if (!token)
		return false;
	if (rq->viewer->by_cookie) {
		session_cookie_set(rs, rq, token);
	} else {
		rs->model = value_map(rq->arena);
		value_set_text(rq->arena, rs->model, "token", token);
	}
	return response_redirect(rs, rq, notice, "/account");
}

bool
account_password(struct request *rq, struct response *rs, struct error *e)
{
	int64_t epoch = 0;
	struct arena *a = rq->arena;
	if (!has_account(rq, e))
		return false;
	struct value *model = account_model(rq, e);
	if (!model)
		return false;
	response_form(rs, "account", model);
	return user_password_is(rq->app->db, a, rq->viewer->client_id, rq->viewer->user_id,
		   exact_text(rq, "current"), e) &&
	       user_password(rq->app->db, a, rq->viewer->client_id, rq->viewer->user_id,
		   exact_text(rq, "password"), &epoch, e) &&
	       trail_add(rq, "user.password", "user", rq->viewer->user_id, NULL, e) &&
	       go_on(
		   rq, rs, epoch, "Your password was changed. Other sessions were signed out.", e);
}

bool
account_sign_out_everywhere(struct request *rq, struct response *rs, struct error *e)
{
	int64_t epoch = 0;
	return has_account(rq, e) &&
	       user_end_sessions(
		   rq->app->db, rq->arena, rq->viewer->client_id, rq->viewer->user_id, &epoch, e) &&
	       trail_add(rq, "user.sessions_ended", "user", rq->viewer->user_id, NULL, e) &&
	       go_on(rq, rs, epoch, "All other sessions were signed out.", e);
}
