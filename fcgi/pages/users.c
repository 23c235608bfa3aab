#include "pages/users.h"

#include "pages/trail.h"
#include "store/user.h"

static struct value *
list_model(struct request *rq, struct error *e)
{
	struct value *users = user_list(rq->app->db, rq->arena, rq->viewer->client_id, e);
	if (!users)
		return NULL;
	struct value *model = value_map(rq->arena);
	value_set(rq->arena, model, "users", users);
	value_set(rq->arena, model, "next", value_null(rq->arena));
	return model;
}

bool
users_list(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = list_model(rq, e);
	return rs->model != NULL;
}

/* The typed password, exactly; or a generated one, which the answer shows this once. */
static const char *
password(const struct request *rq, bool *generated)
{
	const struct value *v = value_get(rq->body, "password");
	*generated = !v || v->type != VALUE_TEXT || v->s.n == 0;
	return *generated ? user_generated_password(rq->arena) : str_dup(rq->arena, v->s);
}

/* {"user": …} and, where it was generated, "password". */
static struct value *
user_model(struct request *rq, int64_t id, const char *generated, struct error *e)
{
	struct arena *a = rq->arena;
	struct value *user = user_find(rq->app->db, a, rq->viewer->client_id, id, e);
	if (!user)
		return NULL;
	struct value *model = value_map(a);
	value_set(a, model, "user", user);
	if (generated)
		value_set_text(a, model, "password", generated);
	if (rq->json)
		return model;
	static const char *const roles[] = {"viewer", "member", "admin"};
	struct value *list = value_set(a, model, "roles", value_list(a));
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct value *role = value_push(a, list, value_map(a));
		value_set_text(a, role, "name", roles[i]);
		value_set_bool(a, role, "chosen", str_is(value_str(user, "role"), roles[i]));
	}
	value_set_bool(a, model, "is_self", id == rq->viewer->user_id);
	return model;
}

/* A generated password is shown on the page that answers the form: it must not travel in a notice.
 */
static bool
answer(struct request *rq, struct response *rs, int64_t id, const char *generated,
    const char *notice, struct error *e)
{
	rs->model = user_model(rq, id, generated, e);
	if (!rs->model)
		return false;
	if (!generated)
		return response_redirect(rs, rq, notice, "/users/%lld", (long long)id);
	rs->page = "user";
	rs->notice = notice;
	return true;
}

bool
users_add(struct request *rq, struct response *rs, struct error *e)
{
	int64_t id = 0;
	bool generated = false;
	struct str email;
	struct value *model = rq->json ? NULL : list_model(rq, e);
	if (!model && !rq->json)
		return false;
	response_form(rs, "users", model);
	const char *word = password(rq, &generated);
	if (!request_required(rq, "email", 254, &email, e) ||
	    !user_add(rq->app->db, rq->arena, rq->viewer->client_id, email,
		request_text(rq, "name"),
		request_has(rq, "role") ? request_text(rq, "role") : STR("member"), word, &id, e))
		return false;
	if (!trail_add(rq, "user.add", "user", id, NULL, e))
		return false;
	if (rq->json)
		rs->status = 201;
	return answer(rq, rs, id, generated ? word : NULL, "The account was added.", e);
}

bool
users_show(struct request *rq, struct response *rs, struct error *e)
{
	rs->model = user_model(rq, rq->ids[0], NULL, e);
	return rs->model != NULL;
}

bool
users_save(struct request *rq, struct response *rs, struct error *e)
{
	struct value *model = user_model(rq, rq->ids[0], NULL, e);
	if (!model)
		return false;
	response_form(rs, "user", model);
	struct value *user = value_get(model, "user");
	struct str name =
	    request_has(rq, "name") ? request_text(rq, "name") : value_str(user, "name");
	struct str role =
	    request_has(rq, "role") ? request_text(rq, "role") : value_str(user, "role");
	bool active =
	    request_has(rq, "active") ? request_flag(rq, "active") : value_flag(user, "active");
	struct value *detail = value_map(rq->arena);
	value_set(rq->arena, detail, "role", value_text(rq->arena, role));
	value_set_bool(rq->arena, detail, "active", active);
	return user_change(rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], name, role,
		   active, e) &&
	       trail_add(rq, "user.change", "user", rq->ids[0], detail, e) &&
	       answer(rq, rs, rq->ids[0], NULL, "Saved.", e);
}

bool
users_password(struct request *rq, struct response *rs, struct error *e)
{
	bool generated = false;
	int64_t epoch = 0;
	struct value *model = user_model(rq, rq->ids[0], NULL, e);
	if (!model)
		return false;
	response_form(rs, "user", model);
	const char *word = password(rq, &generated);
	return user_password(
		   rq->app->db, rq->arena, rq->viewer->client_id, rq->ids[0], word, &epoch, e) &&
	       trail_add(rq, "user.password", "user", rq->ids[0], NULL, e) &&
	       answer(rq, rs, rq->ids[0], generated ? word : NULL,
		   "The password was changed and all sessions of this account were ended.", e);
}
