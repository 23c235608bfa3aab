#ifndef HTTP_SESSION_H
#define HTTP_SESSION_H
/* Tokens of a signed-in browser or API client: a JWT in the cookie __Host-trunkline or a bearer
 * header. */
#include "http/response.h"

enum { SESSION_SECONDS = 12 * 3600 };

/** A token for the user; "sid" is a fresh id, "epoch" the user's token_epoch at this moment. */
char *session_token(struct request *rq, int64_t user_id, int64_t epoch, struct error *e) MUST_USE;
/** Sets / removes the cookie. */
void session_cookie_set(struct response *rs, struct request *rq, const char *token);
void session_cookie_clear(struct response *rs, struct request *rq);
/** Bearer token or cookie; "" where neither. *by_cookie tells which. */
struct str session_presented(const struct request *rq, bool *by_cookie);

/** One sentence for the next page, in a cookie of its own that lives a minute. */
void session_notice_set(struct response *rs, struct request *rq, const char *notice);
/** Moves it into rq->notice and ends the cookie. */
void session_notice_take(struct response *rs, struct request *rq);
/** Where to go after signing in: ${path} if it is one of ours (begins with one slash), else "/". */
const char *session_next(struct request *rq, struct str path);

/** The CSRF token of this session, differently masked each time (so that compression tells
 * nothing). */
char *session_csrf(const struct request *rq);
/** Checks the body's "csrf" or the header X-CSRF-Token, and the Origin where the browser sent one.
 */
bool session_csrf_ok(const struct request *rq, struct error *e) MUST_USE;
/** Only the Origin, where there is no session yet. */
bool session_origin_ok(const struct request *rq, struct error *e) MUST_USE;

#endif
