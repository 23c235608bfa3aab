/*
 * trunkline-sandbox: the outside world for trying and testing. See sandbox/sandbox.h.
 */
#include "sandbox/sandbox.h"

#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/behaviour.h"
#include "sandbox/calls.h"
#include "sandbox/delivery.h"
#include "sandbox/ledger.h"
#include "sandbox/memory.h"
#include "sandbox/server.h"
#include "sandbox/timers.h"

#define SLEEP_MS 1000
#define STORY_SECOND_MS 50

static const char usage[] =
    "usage: trunkline-sandbox --listen 127.0.0.1:PORT --ledger FILE [options]\n"
    "\n"
    "A stand-in for the voice provider. Calls take 2 to 8 seconds.\n"
    "\n"
    "  --listen ADDRESS:PORT   a loopback address; port 0 takes a free one (see the log)\n"
    "  --ledger FILE           one JSON line for everything that happens is appended to it\n"
    "  --speed F               divides all durations of calls (1)\n"
    "  --seed N                other outcomes and other words (1)\n"
    "  --keep N                calls to remember (100000)\n"
    "  --remember              calls outlive the process: the ledger is read at the start\n"
    "  --allow-http-webhook    webhook addresses may be http://127.0.0.1 or http://localhost\n"
    "  --help\n"
    "\n"
    "Environment: SANDBOX_WEBHOOK_SECRET signs reports; SANDBOX_API_KEY is then the only key that\n"
    "is accepted (else any but \"bad\"); CA_FILE verifies https webhook addresses.\n"
    "\n"
    "GET /sandbox/ledger[?numbers=1], POST /sandbox/reset,\n"
    "POST /sandbox/faults {\"mode\":\"down|slow|rate_limit|error|auth|balance|flagged|lost|\n"
    "half_closed|report_first|tenfold|late|shuffled|ok\",\"for_ms\":N}, GET /sandbox/healthz\n"
    "\n"
    "A number's last two digits decide; \"first\": only the first POST of that number suffers:\n";

int64_t
sandbox_now(void)
{
	return clock_monotonic() / 1000;
}

int64_t
sandbox_lasts(const struct sandbox *s, double seconds)
{
	return (int64_t)(seconds * STORY_SECOND_MS / s->o.speed);
}

void
sandbox_reset(struct sandbox *s)
{
	exchange_release(s, 0, EXCHANGE_CUT);
	deliveries_clear(s->deliveries);
	timers_clear(s->timers);
	calls_clear(s->calls);
	ledger_reset(s->ledger);
	s->fault = s->hooks = (struct fault){0};
}

static bool
read_address(struct options *o, char *text)
{
	char *colon = strrchr(text, ':');
	int64_t port;
	if (!colon || !str_to_int(str_of(colon + 1), &port) || port < 0 || port > 65535)
		return false;
	*colon = '\0';
	o->host = text;
	o->port = (int)port;
	return strncmp(text, "127.", 4) == 0;
}

static bool
read_positive(const char *text, int64_t *out)
{
	return str_to_int(str_of(text), out) && *out > 0;
}

static bool
read_option(struct options *o, int option, char *value)
{
	int64_t n = 0;
	switch (option) {
	case 'l':
		return read_address(o, value);
	case 'f':
		o->ledger_path = value;
		return true;
	case 's':
		return str_to_double(str_of(value), &o->speed) && o->speed > 0;
	case 'n':
		if (!str_to_int(str_of(value), &n))
			return false;
		o->seed = (uint64_t)n;
		return true;
	case 'k':
		if (!read_positive(value, &n))
			return false;
		o->keep = (size_t)n;
		return true;
	case 'w':
		return o->http_webhooks = true;
	case 'r':
		return o->remember = true;
	default:
		return false;
	}
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

static bool
read_options(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {{"listen", required_argument, NULL, 'l'},
	    {"ledger", required_argument, NULL, 'f'}, {"speed", required_argument, NULL, 's'},
	    {"seed", required_argument, NULL, 'n'}, {"keep", required_argument, NULL, 'k'},
	    {"allow-http-webhook", no_argument, NULL, 'w'}, {"remember", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'}, {0}};
	*o = (struct options){.speed = 1,
	    .seed = 1,
	    .keep = 100000,
	    .api_key = environment("SANDBOX_API_KEY"),
	    .webhook_secret = environment("SANDBOX_WEBHOOK_SECRET"),
	    .ca_file = environment("CA_FILE")};
	for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (option == 'h') {
			fputs(usage, stdout);
			behaviour_print(stdout);
			exit(0);
		}
		if (!read_option(o, option, optarg))
			return false;
	}
	return o->host && o->ledger_path && optind == argc;
}

static int
signals_open(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
files_allow_many(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
serve(struct sandbox *s, int signals)
{
	const int fds[] = {server_fd(s->server), signals};
	struct signalfd_siginfo told;
	while (read(signals, &told, sizeof(told)) != (ssize_t)sizeof(told)) {
		server_run(s->server);
		timers_run(s);
		int64_t wait = server_wait(s->server, timers_wait(s->timers, SLEEP_MS));
		deliveries_run(s, fds, 2, wait);
	}
}

int
main(int argc, char **argv)
{
	struct sandbox s = {0};
	struct error e = {0};
	if (!read_options(&s.o, argc, argv)) {
		fputs("trunkline-sandbox: wrong arguments; --help tells more\n", stderr);
		return 2;
	}
	log_open("sandbox", LOG_INFO);
	int signals = signals_open();
	files_allow_many();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	s.timers = timers_new();
	s.calls = calls_new(s.o.keep);
	s.deliveries = deliveries_new(s.o.ca_file, s.o.webhook_secret);
	s.ledger = ledger_open(s.o.ledger_path, &e);
	if (s.ledger && s.o.remember)
		memory_load(&s, s.o.ledger_path);
	s.server = s.ledger ? server_new(&s, &e) : NULL;
	if (s.server) {
		log_info("listening", LOG_TEXT("host", s.o.host),
		    LOG_INT("port", server_port(s.server)));
		serve(&s, signals);
	} else {
		log_error(e.message);
	}
	bool served = s.server != NULL;
	server_free(s.server);
	deliveries_free(s.deliveries);
	calls_free(s.calls);
	timers_free(s.timers);
	ledger_close(s.ledger);
	curl_global_cleanup();
	close(signals);
	return served ? 0 : 1;
}
