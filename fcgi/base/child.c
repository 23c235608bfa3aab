#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { NOT_STARTED = 127 };

/* In the child: nothing here returns. */
static void
become(const char *const *argv, const char *const *extra, int input, int errors)
{
	int nowhere = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (; extra && *extra; extra++)
		putenv((char *)*extra);
	if (dup2(input < 0 ? nowhere : input, 0) < 0 || dup2(nowhere, 1) < 0 || dup2(errors, 2) < 0)
		_exit(NOT_STARTED);
	execvp(argv[0], (char *const *)argv);
	(void)!write(2, strerror(errno), strlen(strerror(errno)));
	_exit(NOT_STARTED);
}

/* Reads once; false at the end of it, or when ${until} (0: never) has come. */
static bool
hear(int fd, char *to, size_t most, int64_t until, size_t *n)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left = until ? (until - clock_monotonic()) / 1000 : -1;
	if (until && left <= 0)
		return false;
	int ready = poll(&p, 1, (int)left);
	ssize_t got = ready > 0 ? read(fd, to, most) : ready;
	*n = got > 0 ? (size_t)got : 0;
	return got > 0 || (got < 0 && errno == EINTR) || ready == 0;
}

/* The last line of what can be read from ${fd} until its end. */
static struct str
last_line(struct arena *a, int fd, int64_t until)
{
	enum { KEPT = 4096 };
	char *kept = arena_alloc(a, 2 * KEPT);
	size_t n = 0;
	for (size_t got; hear(fd, kept + n, KEPT, until, &got);) {
		n += got;
		if (n > KEPT) {
			memmove(kept, kept + n - KEPT, KEPT);
			n = KEPT;
		}
	}
	struct str text = str_trim((struct str){kept, n}), line = text;
	while (text.n)
		line = str_cut(&text, '\n');
	return line;
}

/* Its status; killed where it has not ended by ${until}. It may have closed its standard error long
 * before. */
static bool
await(pid_t pid, int64_t until, int *status)
{
	enum { STEP_MS = 20 };
	for (;;) {
		pid_t got = waitpid(pid, status, until ? WNOHANG : 0);
		if (got == pid)
			return true;
		if (got == 0 && clock_monotonic() >= until)
			break;
		if (got == 0)
			poll(NULL, 0, STEP_MS);
		else if (errno != EINTR)
			return false;
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return false;
}

bool
child_run(struct arena *a, const char *const *argv, const char *const *extra, int input,
    int timeout_ms, struct error *e)
{
	int64_t until = timeout_ms ? clock_monotonic() + timeout_ms * INT64_C(1000) : 0;
	int pipes[2], status = 0;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set(e, ERR_UNAVAILABLE, "%s: %s", argv[0], strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		become(argv, extra, input, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return error_set(e, ERR_UNAVAILABLE, "%s: %s", argv[0], strerror(errno));
	}
	struct str line = last_line(a, pipes[0], until);
	bool ended = await(pid, until, &status);
	close(pipes[0]);
	if (!ended)
		return error_set(e, ERR_UNAVAILABLE, "%s did not end in time.", argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (!line.n)
		line = str_of(WIFEXITED(status)
				  ? arena_printf(a, "it ended with status %d", WEXITSTATUS(status))
				  : "it was ended");
	return error_set(e, ERR_UNAVAILABLE, "%s %s: %.*s", argv[0],
	    WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED ? "cannot be run" : "failed",
	    STR_ARG(line));
}
