/* trunkline: the admin command. A table of subcommands; each opens what it needs and says what it
 * did. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/backup.h"
#include "engine/doctor.h"
#include "engine/jobs.h"
#include "engine/keeping.h"
#include "engine/retention.h"
#include "engine/status.h"
#include "engine/watch.h"
#include "http/fcgi.h"
#include "http/ping.h"
#include "store/import.h"
#include "store/user.h"

struct run {
	struct arena *a;
	struct config config;
	struct db *db;     /* where the row asks for it */
	struct error away; /* why there is none */
	int argc;
	char **argv;      /* after the subcommand's words */
	int code;         /* exit status, where it is neither 0 nor 1 by itself */
	const char *made; /* a password to be shown once it holds */
};

/** Prints; false with ${e} where it failed. */
typedef bool command(struct run *r, struct error *e);

/* The value of --name, or NULL. */
static const char *
option(const struct run *r, const char *name)
{
	for (int i = 0; i + 1 < r->argc; i++)
		if (r->argv[i] && strcmp(r->argv[i], name) == 0)
			return r->argv[i + 1];
	return NULL;
}

static bool
has_flag(const struct run *r, const char *name)
{
	for (int i = 0; i < r->argc; i++)
		if (strcmp(r->argv[i], name) == 0)
			return true;
	return false;
}

static struct keeping
keeping_of(struct run *r)
{
	return (struct keeping){&r->config, r->a, r->argc, r->argv};
}

static bool
migrate(struct run *r, struct error *e)
{
	struct keeping k = keeping_of(r);
	return keeping_migrate(&k, e);
}

static bool
database_init_command(struct run *r, struct error *e)
{
	struct keeping k = keeping_of(r);
	return keeping_database_init(&k, e);
}

static bool
backup_command(struct run *r, struct error *e)
{
	struct keeping k = keeping_of(r);
	return keeping_backup(&k, e);
}

static bool
restore_command(struct run *r, struct error *e)
{
	struct keeping k = keeping_of(r);
	return keeping_restore(&k, e);
}

static bool
retention_command(struct run *r, struct error *e)
{
	struct keeping k = keeping_of(r);
	return keeping_retention(&k, e);
}

static bool
erase_command(struct run *r, struct error *e)
{
	struct keeping k = keeping_of(r);
	return keeping_erase(&k, e);
}

/* From standard input with --password-stdin, else a made one, which is printed. */
static const char *
read_password(struct run *r, struct error *e)
{
	if (!has_flag(r, "--password-stdin"))
		return r->made = user_generated_password(r->a);
	struct buf b;
	buf_init(&b, r->a);
	for (int c; (c = getchar()) != EOF && c != '\n' && b.n < 1000;)
		buf_putc(&b, (char)c);
	if (b.n == 0) {
		error_field(e, "password", "There was no password on standard input.");
		return NULL;
	}
	return b.p;
}

static void
print_made(const struct run *r)
{
	if (r->made)
		printf("Password: %s\n", r->made);
}

static bool
user_add_command(struct run *r, struct error *e)
{
	int64_t client_id = 0, id = 0;
	const char *role = option(r, "--role"), *name = option(r, "--name");
	if (r->argc < 1 || r->argv[0][0] == '-')
		return error_set(e, ERR_MALFORMED, "Whose account? trunkline user add EMAIL");
	const char *password = read_password(r, e);
	if (!password || !user_default_client(r->db, r->a, &client_id, e) ||
	    !user_add(r->db, r->a, client_id, str_of(r->argv[0]), str_of(name ? name : ""),
		str_of(role ? role : "member"), password, &id, e))
		return false;
	printf("%s was added as %s.\n", r->argv[0], role ? role : "member");
	print_made(r);
	return true;
}

static bool
user_password_command(struct run *r, struct error *e)
{
	int64_t client_id = 0, id = 0, epoch = 0;
	if (r->argc < 1 || r->argv[0][0] == '-')
		return error_set(e, ERR_MALFORMED, "Whose password? trunkline user passwd EMAIL");
	if (!user_by_email(r->db, r->a, str_of(r->argv[0]), &client_id, &id, e))
		return false;
	const char *password = read_password(r, e);
	if (!password || !user_password(r->db, r->a, client_id, id, password, &epoch, e))
		return false;
	printf("The password of %s was changed; all sessions were ended.\n", r->argv[0]);
	print_made(r);
	return true;
}

static bool
user_list_command(struct run *r, struct error *e)
{
	int64_t client_id = 0;
	if (!user_default_client(r->db, r->a, &client_id, e))
		return false;
	struct value *users = user_list(r->db, r->a, client_id, e);
	for (size_t i = 0; users && i < users->list.n; i++) {
		const struct value *u = users->list.items[i];
		struct str email = value_str(u, "email"), role = value_str(u, "role");
		printf("%-40.*s %-8.*s %s\n", STR_ARG(email), STR_ARG(role),
		    value_flag(u, "active") ? "active" : "inactive");
	}
	return users != NULL;
}

static bool
config(struct run *r, struct error *e)
{
	struct buf b;
	(void)e;
	buf_init(&b, r->a);
	config_print(&r->config, &b);
	fputs(b.p, stdout);
	return true;
}

/* Watching: exit status 1 says that something needs a person, 3 that nobody could look. */
enum { EXIT_MEND = 1, EXIT_BLIND = 3 };

static void
print_value(struct run *r, const struct value *v)
{
	struct buf b;
	buf_init(&b, r->a);
	json_write(&b, v);
	puts(b.p);
}

static bool
status(struct run *r, struct error *e)
{
	struct buf b;
	struct value *all = status_look(&r->config, r->db, &r->away, r->a);
	(void)e;
	buf_init(&b, r->a);
	status_print(&b, all);
	if (has_flag(r, "--json"))
		print_value(r, all);
	else
		fputs(b.p, stdout);
	r->code = !r->db ? EXIT_BLIND : value_flag(all, "well") ? 0 : EXIT_MEND;
	return true;
}

static bool
doctor(struct run *r, struct error *e)
{
	struct buf b;
	struct value *all = value_map(r->a);
	struct value *findings = doctor_examine(&r->config, r->db, &r->away, r->a);
	(void)e;
	buf_init(&b, r->a);
	int bad = doctor_print(findings, &b);
	if (has_flag(r, "--json")) {
		value_set_int(r->a, all, "to_mend", bad);
		value_set(r->a, all, "findings", findings);
		print_value(r, all);
	} else {
		printf("%s%s", b.p, bad ? "" : "All is well.\n");
		if (bad)
			printf("%d to mend.\n", bad);
	}
	r->code = bad ? EXIT_MEND : 0;
	return true;
}

static bool
watch(struct run *r, struct error *e)
{
	struct watch_report report;
	log_open("watch", log_level_of(r->config.log_level));
	if (!r->db) {
		watch_database_away(&r->config, r->a, &r->away);
		*e = r->away;
		r->code = EXIT_BLIND;
		return false;
	}
	if (!watch_run(&r->config, r->db, r->a, &report, e))
		return false;
	if (!has_flag(r, "--quiet"))
		printf("%lld alerts open, %lld new, %lld over; %d messages sent, %d not.\n",
		    (long long)report.open, (long long)report.opened, (long long)report.closed,
		    report.sent, report.unsent);
	else if (report.opened || report.closed || report.sent)
		log_info("alerts", LOG_INT("open", report.open), LOG_INT("new", report.opened),
		    LOG_INT("over", report.closed), LOG_INT("sent", report.sent));
	return true;
}

static bool
jobs(struct run *r, struct error *e)
{
	log_open("jobs", log_level_of(r->config.log_level));
	return jobs_run(&r->config, fcgi_signals(), has_flag(r, "--once")) == 0 ||
	       error_set(e, ERR_INTERNAL, "the jobs did not end well; see the log.");
}

static bool
import_command(struct run *r, struct error *e)
{
	static const char *const names[][2] = {{"--prompt", "prompt_name"}, {"--list", "list"},
	    {"--consent", "consent"}, {"--consent-source", "consent_source"},
	    {"--policy", "update_policy"}, {"--country", "default_country"},
	    {"--encoding", "encoding"}, {"--delimiter", "delimiter"}};
	struct value *options = value_map(r->a);
	struct import_wish wish = {.options = options};
	struct import_made made;
	if (r->argc < 1 || r->argv[0][0] == '-')
		return error_set(e, ERR_MALFORMED, "Which file? trunkline import FILE");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (option(r, names[i][0]))
			value_set_text(r->a, options, names[i][1], option(r, names[i][0]));
	wish.path = r->argv[0];
	if (!user_default_client(r->db, r->a, &wish.client_id, e) ||
	    !import_file(&r->config, r->db, r->a, &wish, &made, e))
		return false;
	const struct value *i = import_find(r->db, r->a, wish.client_id, made.id, e);
	if (!i)
		return false;
	printf(
	    "import %lld: %lld lines = %lld created + %lld updated + %lld skipped + %lld rejected; "
	    "consent: %s\n",
	    (long long)made.id, (long long)value_num(i, "rows_total"),
	    (long long)value_num(i, "rows_created"), (long long)value_num(i, "rows_updated"),
	    (long long)value_num(i, "rows_skipped"), (long long)value_num(i, "rows_rejected"),
	    made.consent);
	struct str state = value_str(i, "state"), why = value_str(i, "error");
	return str_is(state, "done") ||
	       error_set(e, ERR_INVALID, "it %.*s. %.*s", STR_ARG(state), STR_ARG(why));
}

/* Whoever replaces workers waits here for the new ones. */
static bool
ping_command(struct run *r, struct error *e)
{
	int64_t seconds = 0;
	if (r->argc < 1 || r->argv[0][0] == '-')
		return error_set(e, ERR_MALFORMED, "Which socket? trunkline ping SOCKET");
	if (option(r, "--wait") &&
	    (!str_to_int(str_of(option(r, "--wait")), &seconds) || seconds < 0))
		return error_set(e, ERR_MALFORMED, "--wait takes seconds.");
	int64_t until = clock_monotonic() + seconds * CLOCK_SECOND;
	while (!ping(r->argv[0], 5000, e)) {
		if (clock_monotonic() >= until)
			return false;
		usleep(50 * 1000);
	}
	return true;
}

/* What changes the system itself is a script beside the program (systemd/), told by the command's
 * name. */
static bool
script(struct run *r, struct error *e)
{
	char path[4096] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	char *folder = n > 0 ? strrchr(path, '/') : NULL;
	const char *name = r->argv[-1];
	if (folder) {
		snprintf(folder + 1, 60, "%s.sh", name);
		r->argv[-1] = path;
		execv(path, r->argv - 1);
	}
	return error_set(e, ERR_NOT_FOUND, "%s is missing; it comes with an installed Trunkline.",
	    folder ? path : name);
}

enum need { NEEDS_NO_SETTINGS, NEEDS_NOTHING, NEEDS_DB, LOOKS_FOR_DB };

static const struct subcommand {
	const char *words[2];
	command *run;
	enum need need;
	const char *usage, *help;
} subcommands[] = {
    {{"database", "init"}, database_init_command, NEEDS_NOTHING, "[--owner ROLE] [--runtime ROLE]",
	"make the roles and the database, as far as they are missing; run as root or postgres"},
    {{"migrate"}, migrate, NEEDS_NOTHING, "[--grant ROLE]",
	"bring the database's schema up to date (from SQL_DIR); --grant: let a run-time role in"},
    {{"backup"}, backup_command, NEEDS_NOTHING, "[--to DIR] [--check] [--secret-key] [--list]",
	"dump the database and remove old dumps; --check: restore the newest into a scratch database and compare"},
    {{"restore"}, restore_command, NEEDS_NOTHING, "FILE [--into DATABASE] [--yes]",
	"put a backup in the database's place; what was there is kept under another name"},
    {{"retention"}, retention_command, NEEDS_NOTHING, "[--seconds N]",
	"remove what is older than Settings say"},
    {{"erase"}, erase_command, NEEDS_NOTHING, "PHONE [--yes]",
	"erase a person: all that is known but the order not to contact that number"},
    {{"user", "add"}, user_add_command, NEEDS_DB,
	"EMAIL [--role admin|member|viewer] [--name NAME] [--password-stdin]",
	"add an account; without --password-stdin a password is made and printed"},
    {{"user", "passwd"}, user_password_command, NEEDS_DB, "EMAIL [--password-stdin]",
	"set a password and end the sessions of that account"},
    {{"user", "list"}, user_list_command, NEEDS_DB, "", "list the accounts"},
    {{"config"}, config, NEEDS_NOTHING, "", "print the settings, secrets masked"},
    {{"status"}, status, LOOKS_FOR_DB, "[--json]",
	"programs, queue, campaigns, backup and alerts on one screen\n"
	"\texit status: 0 all is well, 1 something needs a person, 3 the database is away"},
    {{"watch"}, watch, LOOKS_FOR_DB, "[--quiet]",
	"look at what may go wrong, open and close alerts, tell of them; a timer runs it each minute\n"
	"\texit status: 0 it looked, 1 it failed, 3 the database is away"},
    {{"jobs"}, jobs, NEEDS_NOTHING, "[--once]",
	"run imports and what else takes long, until the time budget is spent; --once: until nothing is left"},
    {{"import"}, import_command, NEEDS_DB,
	"FILE [--prompt NAME] [--list NAME] [--consent column|attested|none] [--consent-source TEXT]\n"
	"\t[--policy skip|fill_empty|overwrite] [--country US] [--encoding NAME] [--delimiter ,|;|tab]",
	"import a file of leads (.csv, .xlsx) and say what became of its lines"},
    {{"doctor"}, doctor, LOOKS_FOR_DB, "[--json]",
	"check everything that has to be right and say how to mend it\n"
	"\texit status: 0 all is well, 1 there is something to mend"},
    {{"setup"}, script, NEEDS_NO_SETTINGS,
	"--domain app.example.com [--email ADDRESS] [--proxy ADDRESS/BITS] [--live] [--yes] [--check]",
	"make this machine serve it: user, keys, database, nginx, services; a second run changes nothing"},
    {{"reload"}, script, NEEDS_NO_SETTINGS, "",
	"take over a new program and new settings without failing a request"},
    {{"ping"}, ping_command, NEEDS_NO_SETTINGS, "SOCKET [--wait SECONDS]",
	"ask a pool of workers through its socket whether it answers"},
};

enum { SUBCOMMAND_COUNT = sizeof(subcommands) / sizeof(subcommands[0]) };

static void
print_usage(FILE *out, const struct subcommand *only)
{
	for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
		const struct subcommand *s = &subcommands[i];
		if (only && s != only)
			continue;
		fprintf(out, "trunkline %s%s%s %s\n\t%s\n", s->words[0], s->words[1] ? " " : "",
		    s->words[1] ? s->words[1] : "", s->usage, s->help);
	}
	if (!only)
		fputs(
		    "Settings come from the environment or /etc/trunkline/trunkline.env; see the README.\n",
		    out);
}

static const struct subcommand *
find(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
		const struct subcommand *s = &subcommands[i];
		*words = s->words[1] ? 2 : 1;
		if (argc > *words && strcmp(argv[1], s->words[0]) == 0 &&
		    (!s->words[1] || strcmp(argv[2], s->words[1]) == 0))
			return s;
	}
	return NULL;
}

static bool
prepare(struct run *r, enum need need, struct error *e)
{
	if (need == NEEDS_NO_SETTINGS)
		return true;
	if (!config_load(&r->config, r->a, e))
		return false;
	log_open("trunkline", log_level_of(r->config.log_level));
	clock_set_zone(r->config.time_zone);
	if (need != NEEDS_NOTHING)
		r->db = db_open(r->config.database_url, "trunkline", 0, &r->away);
	if (need == NEEDS_DB && !r->db) {
		*e = r->away;
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	int words = 0;
	struct error e = {0};
	const struct subcommand *s = find(argc, argv, &words);
	if (!s) {
		bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
		print_usage(asked ? stdout : stderr, NULL);
		return asked ? 0 : 2;
	}
	struct run r = {
	    .a = arena_new(64 << 10), .argc = argc - 1 - words, .argv = argv + 1 + words};
	if (has_flag(&r, "--help")) {
		print_usage(stdout, s);
		arena_free(r.a);
		return 0;
	}
	umask(027);
	bool good = prepare(&r, s->need, &e) && s->run(&r, &e);
	if (!good)
		fprintf(stderr, "trunkline %s: %s\n", s->words[0], e.message);
	db_close(r.db);
	arena_free(r.a);
	return r.code ? r.code : good ? 0 : 1;
}
