#include "pages/login.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "http/session.h"
#include "http/token.h"
#include "store/audit.h"
#include "store/user.h"

static enum role
role_of(const char *name)
{
	static const char *const names[] = {
	    [ROLE_VIEWER] = "viewer", [ROLE_MEMBER] = "member", [ROLE_ADMIN] = "admin"};
	for (int r = ROLE_VIEWER; r <= ROLE_ADMIN; r++)
		if (strcmp(name, names[r]) == 0)
			return (enum role)r;
	return ROLE_NONE;
}

/* ADMIN_TOKEN: the operator's own programs, which are nobody's account. */
static bool
by_admin_token(struct request *rq, struct error *e)
{
	struct viewer *v = arena_new_of(rq->arena, struct viewer);
	*v = (struct viewer){
	    .role = ROLE_ADMIN, .email = "ADMIN_TOKEN", .name = "ADMIN_TOKEN", .session = ""};
	if (!user_default_client(rq->app->db, rq->arena, &v->client_id, e))
		return false;
	rq->viewer = v;
	return true;
}

/* A page is shown inside the frame, which is fetched together with the user. Should that fail, the
 * user alone will do. */
static bool
session_user(struct request *rq, const struct token_claims *claims, struct user *user,
    const struct value **frame, struct error *e)
{
	struct db *db = rq->app->db;
	int64_t id = claims->user_id, epoch = claims->epoch;
	struct error why = {0};
	if (rq->method == GET && !rq->json) {
		if (user_visit(db, rq->arena, id, epoch, clock_now(), user, frame, &why))
			return true;
		if (why.kind == ERR_UNAUTHENTICATED || why.kind == ERR_UNAVAILABLE) {
			*e = why;
			return false;
		}
		log_warn("no frame", LOG_TEXT("error", why.message));
	}
	return user_session(db, rq->arena, id, epoch, user, e);
}

bool
login_authenticate(struct request *rq, struct error *e)
{
	bool by_cookie = false;
	struct user user;
	const struct value *frame = NULL;
	struct str token = session_presented(rq, &by_cookie);
	struct str admin = str_of(rq->app->config.admin_token);
	if (token.n == 0)
		return error_set(e, ERR_UNAUTHENTICATED, "Sign in first.");
	if (!by_cookie && admin.n >= 16 && crypto_equal(token, admin))
		return by_admin_token(rq, e);
	struct token_claims claims;
	if (!token_read(rq->app->tokens, rq->arena, rq->app->config.secret_key, token, clock_now(),
		&claims, e) ||
	    !session_user(rq, &claims, &user, &frame, e))
		return false;
	struct viewer *v = arena_new_of(rq->arena, struct viewer);
	*v = (struct viewer){.user_id = user.id,
	    .client_id = user.client_id,
	    .role = role_of(user.role),
	    .email = user.email,
	    .name = user.name,
	    .time_zone = user.time_zone,
	    .session = arena_strdup(rq->arena, claims.session),
	    .by_cookie = by_cookie,
	    .frame = frame};
	if (!*v->session || v->role == ROLE_NONE)
		return error_set(e, ERR_UNAUTHENTICATED, "Sign in first.");
	rq->viewer = v;
	return true;
}

static struct value *
login_model(struct request *rq)
{
	struct value *model = value_map(rq->arena);
	value_set_text(rq->arena, model, "next", session_next(rq, request_text(rq, "next")));
	value_set_bool(rq->arena, model, "sandbox", rq->app->config.sandbox);
	return model;
}

bool
login_form(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	rs->model = login_model(rq);
	if (rq->viewer)
		return response_redirect(
		    rs, rq, NULL, "%s", session_next(rq, request_text(rq, "next")));
	return true;
}

static bool
check(struct request *rq, struct response *rs, struct user *user, struct error *e)
{
	struct str email, password;
	int64_t wait = 0;
	if (!request_required(rq, "email", 254, &email, e) ||
	    !request_required(rq, "password", USER_PASSWORD_MOST, &password, e))
		return false;
	/* Not trimmed: blanks may be part of a password. */
	const struct value *typed = value_get(rq->body, "password");
	const char *exact = typed && typed->type == VALUE_TEXT ? str_dup(rq->arena, typed->s) : "";
	if (user_login(rq->app->db, rq->arena, email, exact, rq->address, user, &wait, e))
		return audit_add(rq->app->db, rq->arena, user->client_id, user->id, user->email,
		    "session.start", arena_printf(rq->arena, "user %lld", (long long)user->id),
		    NULL, rq->address, clock_now(), e);
	if (e->kind == ERR_TOO_MANY)
		response_header(
		    rs, rq, "Retry-After", arena_printf(rq->arena, "%lld", (long long)wait));
	return false;
}

/* POST /login sets the cookie; POST /api/login answers the same token. */
bool
login_submit(struct request *rq, struct response *rs, struct error *e)
{
	struct user user;
	response_form(rs, "login", login_model(rq));
	if (!session_origin_ok(rq, e) || !check(rq, rs, &user, e))
		return false;
	char *token = session_token(rq, user.id, user.token_epoch, e);
	if (!token)
		return false;
	if (!rq->json) {
		session_cookie_set(rs, rq, token);
		return response_redirect(
		    rs, rq, NULL, "%s", session_next(rq, request_text(rq, "next")));
	}
	rs->model = value_map(rq->arena);
	value_set_text(rq->arena, rs->model, "token", token);
	value_set(rq->arena, rs->model, "expires_at",
	    value_time(rq->arena, (clock_now() / CLOCK_SECOND + SESSION_SECONDS) * CLOCK_SECOND));
	return true;
}

bool
login_out(struct request *rq, struct response *rs, struct error *e)
{
	(void)e;
	session_cookie_clear(rs, rq);
	return response_redirect(rs, rq, NULL, "/login");
}
