#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* The last line of what can be read from ${fd} until its end. */
static struct str
last_line(struct arena *a, int fd)
{
	enum { KEPT = 4096 };
	char *kept = arena_alloc(a, 2 * KEPT);
	size_t n = 0;
	for (ssize_t got; (got = read(fd, kept + n, KEPT)) != 0;) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
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

bool
child_run(
    struct arena *a, const char *const *argv, const char *const *extra, int input, struct error *e)
{
	int pipes[2], status = 0;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", argv[0], strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		become(argv, extra, input, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return error_set(e, ERR_INTERNAL, "%s: %s", argv[0], strerror(errno));
	}
	struct str line = last_line(a, pipes[0]);
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return error_set(e, ERR_INTERNAL, "%s failed: %.*s", argv[0],
	    STR_ARG(line.n ? line : STR("it was ended")));
}
