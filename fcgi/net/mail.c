#include "net/mail.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"

enum { MOST_ADDRESSES = 500 };

static bool
is_address(struct str s)
{
	size_t at = str_chr(s, '@');
	struct str host = str_sub(s, at + 1 < s.n ? at + 1 : s.n, s.n);
	if (at == 0 || at > 64 || !host.n || host.n > 253 || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("()<>,;:\\\"[]", s.p[i]))
			return false;
	return str_chr(host, '@') == host.n && host.p[0] != '.';
}

bool
mail_check(struct str to, struct error *e)
{
	struct str rest = to;
	if (to.n > MOST_ADDRESSES)
		return error_set(e, ERR_INVALID, "At most %d characters.", MOST_ADDRESSES);
	do {
		if (!is_address(str_trim(str_cut(&rest, ','))))
			return error_set(e, ERR_INVALID,
			    "Write an e-mail address, or several with commas between them.");
	} while (rest.n);
	return !str_ends(str_trim(to), ",") ||
	       error_set(e, ERR_INVALID, "Nothing follows the last comma.");
}

/* A file that nobody else can see, to be read from its beginning; -1: errno. */
static int
file_of(struct str text)
{
	int fd = memfd_create("mail", MFD_CLOEXEC);
	for (size_t done = 0; fd >= 0 && done < text.n;) {
		ssize_t n = pwrite(fd, text.p + done, text.n - done, (off_t)done);
		if (n < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return fd;
}

bool
mail_send(const char *command, const char *from, const char *to, const char *subject,
    struct str body, int timeout_ms, struct error *e)
{
	const char *const argv[] = {command, "-t", "-i", NULL};
	struct arena *a = arena_new(4096);
	struct buf b;
	buf_init(&b, a);
	buf_printf(&b,
	    "From: Trunkline <%s>\nTo: %s\nSubject: %s\nMIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
	    "Auto-Submitted: auto-generated\n\n",
	    from, to, subject);
	buf_str(&b, body);
	int message = file_of(buf_view(&b));
	bool good = message >= 0 ? child_run(a, argv, NULL, message, timeout_ms, e)
				 : error_set(e, ERR_UNAVAILABLE, "The e-mail: %s", strerror(errno));
	if (message >= 0)
		close(message);
	arena_free(a);
	return good;
}
