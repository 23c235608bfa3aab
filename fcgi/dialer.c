/* trunkline-dialer: one bounded run; a timer starts the next. See engine/dialer.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/dialer.h"

static const char usage[] =
    "usage: trunkline-dialer\n\n"
    "Places due calls and settles what comes of them until DIALER_BUDGET seconds are over,\n"
    "then exits 0. TERM or INT: no new calls; answers under way are waited for.\n"
    "Settings: see trunkline.env(5), or `trunkline config`.\n";

static int
signal_fd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each call that is being placed has a connection, and a shell's limit is near their number. */
static void
more_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4 * (rlim_t)MOST_PLACING) {
		limit.rlim_cur = limit.rlim_max < 4 * (rlim_t)MOST_PLACING
				     ? limit.rlim_max
				     : 4 * (rlim_t)MOST_PLACING;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			log_warn("no more files may be opened");
	}
}

int
main(int argc, char **argv)
{
	if (argc > 1) {
		bool help = strcmp(argv[1], "--help") == 0;
		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	struct arena *a = arena_new(8192);
	struct config config;
	struct error e = {0};
	int signals = signal_fd(), status = 1;
	log_open("dialer", LOG_INFO);
	more_files();
	if (signals < 0 || !config_load(&config, a, &e))
		log_error("the dialer cannot start", LOG_TEXT("why", e.message));
	else
		status = dialer_run(&config, a, signals);
	arena_free(a);
	return status;
}
