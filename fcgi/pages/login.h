#ifndef PAGES_LOGIN_H
#define PAGES_LOGIN_H
/* Signing in and out, and one's own account. */
#include "http/response.h"

/** app.authenticate: bearer token, ADMIN_TOKEN or cookie -> rq->viewer. */
bool login_authenticate(struct request *rq, struct error *e) MUST_USE;

handler login_form, login_submit, login_out;
handler account_show, account_save, account_password, account_sign_out_everywhere;

#endif
