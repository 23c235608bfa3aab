#include "net/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

enum { MOST_ADDRESSES = 500, STEP_MS = 20 };

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

/* Whether all of it was taken; it may well not be, and SIGPIPE is not for us. */
static bool
feed(int fd, struct str text, int64_t until)
{
	size_t done = 0;
	while (done < text.n) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		int64_t left = (until - clock_monotonic()) / 1000;
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		ssize_t n = write(fd, text.p + done, text.n - done);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool
await(pid_t pid, int64_t until, int *status)
{
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		if (clock_monotonic() >= until)
			break;
		poll(NULL, 0, STEP_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return false;
}

/* The child has the pipe as its input, no other descriptor of ours, and no signal blocked or
 * ignored. */
static bool
start(const char *command, int ends[2], pid_t *pid)
{
	char *const words[] = {(char *)command, (char *)"-t", (char *)"-i", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, pipes;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int failed = posix_spawn(pid, command, &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (failed) {
		close(ends[1]);
		errno = failed;
	}
	return !failed;
}

bool
mail_send(const char *command, const char *from, const char *to, const char *subject,
    struct str body, int timeout_ms, struct error *e)
{
	struct arena *a = arena_new(4096);
	struct buf b;
	int64_t until = clock_monotonic() + timeout_ms * INT64_C(1000);
	int ends[2], status = 0;
	pid_t pid = -1;
	buf_init(&b, a);
	buf_printf(&b,
	    "From: Trunkline <%s>\nTo: %s\nSubject: %s\nMIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
	    "Auto-Submitted: auto-generated\n\n",
	    from, to, subject);
	buf_str(&b, body);
	bool good = start(command, ends, &pid);
	if (!good) {
		error_set(e, ERR_UNAVAILABLE, "%s cannot be run: %s", command, strerror(errno));
	} else {
		void (*before)(int) = signal(SIGPIPE, SIG_IGN);
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
		bool fed = feed(ends[1], buf_view(&b), until);
		close(ends[1]);
		bool ended = await(pid, until, &status);
		signal(SIGPIPE, before);
		good = fed && ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
		if (!good)
			error_set(e, ERR_UNAVAILABLE, "%s %s", command,
			    ended ? "did not take the message." : "did not end in time.");
	}
	arena_free(a);
	return good;
}
