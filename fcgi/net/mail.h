#ifndef NET_MAIL_H
#define NET_MAIL_H
/* One e-mail through a command that takes it on its standard input, as sendmail does. */
#include "base/str.h"

/** One or several addresses with commas between them: a@b.example, c@d.example. Else ERR_INVALID.
 */
bool mail_check(struct str to, struct error *e) MUST_USE;
/** Runs "${command} -t -i" and waits for it, at most ${timeout_ms}; then it is ended. ${subject} is
 * ASCII,
 * ${body} UTF-8. Errors are child_run's. */
bool mail_send(const char *command, const char *from, const char *to, const char *subject,
    struct str body, int timeout_ms, struct error *e) MUST_USE;

#endif
