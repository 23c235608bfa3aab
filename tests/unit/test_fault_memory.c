/*
 * Memory that runs out, at the N-th allocation, N = 1, 2, …: the process ends at once, says so, and
 * leaves the database as it was before or as it is after. Each attempt is a child process, whose
 * malloc and calloc fail; the parent looks at what it left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/mustache.h"
#include "engine/jobs.h"
#include "fault.h"
#include "store/import.h"

enum { MOST = 4000, ROWS = 12 };

/* The arena is compiled into this program with these two, and so comes before the library's. */
static int countdown;

static void *
fault_malloc(size_t n)
{
	return countdown && --countdown == 0 ? NULL : malloc(n);
}

static void *
fault_calloc(size_t n, size_t size)
{
	return countdown && --countdown == 0 ? NULL : calloc(n, size);
}

#define malloc fault_malloc
#define calloc fault_calloc
#include "base/arena.c" // NOLINT(bugprone-suspicious-include)
#undef malloc
#undef calloc

/* Runs ${work} with the ${n}th allocation failing. True where it passed, false where memory ran
 * out; anything else that ends it fails the test. */
static bool
child(bool (*work)(void), int n)
{
	char said[4096] = "";
	int ends[2], status = 0;
	size_t used = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		countdown = n;
		bool good = work();
		_exit(!good ? 2 : n && !countdown ? 1 : 0);
	}
	close(ends[1]);
	for (ssize_t got; used < sizeof(said) - 1 &&
			  (got = read(ends[0], said + used, sizeof(said) - 1 - used)) > 0;)
		used += (size_t)got;
	close(ends[0]);
	said[used] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !strstr(said, "out of memory"))
		fail_msg("allocation %d: status %x: %s", n, status, said);
	return false;
}

/* --- without a database --- */

static bool
a_page(void)
{
	struct error e = {0};
	struct arena *a = arena_new(256);
	struct buf out, text;
	buf_init(&out, a);
	buf_init(&text, a);
	buf_puts(&text, "{\"rows\":[");
	for (int i = 0; i < 2000; i++)
		buf_printf(&text, "%s{\"n\":%d,\"name\":\"Ada <%d>\"}", i ? "," : "", i, i);
	buf_puts(&text, "]}");
	struct value *model = json_parse(a, buf_view(&text), &e);
	struct mustache_set *set = mustache_set_new(a, MUSTACHE_HTML);
	bool good = model &&
		    mustache_add(set, "p", STR("{{#rows}}<p>{{n}} {{name}}</p>{{/rows}}"), &e) &&
		    mustache_render(set, a, "p", model, &out, &e) && out.n > 10000;
	arena_free(a);
	return good;
}

static void
a_page_is_whole_or_the_process_ends(void **state)
{
	int n = 1;
	(void)state;
	while (!child(a_page, n))
		assert_true(++n < MOST);
	assert_true(n > 5);
}

/* --- an import --- */

static struct config config;
static struct import_worker worker;
static char spool[200];

static void
write_file(const char *path)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("phone,name,notes\n", f);
	for (int i = 0; i < ROWS; i++)
		fprintf(f, "+1212200%04d,Ada %d,\"some, notes\"\n", i, i);
	assert_int_equal(fclose(f), 0);
}

static struct import_made
queue_file(struct db *db)
{
	struct error e = {0};
	struct import_made made;
	const char *path = arena_printf(house.a, "%s/list.upload", spool);
	write_file(path);
	struct import_wish wish = {.client_id = 1,
	    .path = path,
	    .file_name = "list.csv",
	    .sha256 = "0000",
	    .size = 500,
	    .options = value_map(house.a)};
	value_set_text(house.a, wish.options, "consent", "attested");
	value_set_text(house.a, wish.options, "consent_source", "a test");
	if (!import_add(&config, db, house.a, &wish, &made, &e))
		fail_msg("%s", e.message);
	return made;
}

static bool
run_job(void)
{
	struct error e = {0};
	struct arena *a = arena_new(256);
	int64_t id = 0;
	/* a connection of its own: the parent's must not be shared */
	worker.db = db_open(house.url, "faults", 20000, &e);
	bool good = worker.db && jobs_one(&worker, a, &id, &e) && id;
	if (!good)
		fprintf(stderr, "%s\n", e.message);
	db_close(worker.db);
	arena_free(a);
	return good;
}

static long
leads(void)
{
	return house_number("select count(*) from leads where phone like '+1212200%'");
}

/* The lease of a worker that ended so runs out; the next one goes on. */
static void
an_import_survives_workers_without_memory(void **state)
{
	(void)state;
	bool passed = false;
	for (int n = 1; !passed; n++) {
		struct error e = {0};
		struct db *db = house_open();
		assert_true(n < MOST);
		house_number("delete from leads");
		house_number("delete from imports");
		struct import_made made = queue_file(db);
		passed = child(run_job, n);
		long there = leads();
		if (there != 0 && there != ROWS)
			fail_msg("allocation %d: %ld leads of %d", n, there, ROWS);
		if (!passed) {
			house_wait(IMPORT_LEASE_SECONDS + 1);
			assert_true(child(run_job, 0));
		}
		assert_int_equal(leads(), ROWS);
		const struct value *i = import_find(db, house.a, 1, made.id, &e);
		assert_string_equal(value_strz(house.a, i, "state"), "done");
		db_close(db);
		arena_reset(house.a);
	}
}

static int
start(void **state)
{
	if (house_start(state))
		return -1;
	snprintf(spool, sizeof(spool), "/tmp/trunkline-memory-XXXXXX");
	if (!mkdtemp(spool))
		return -1;
	config = (struct config){.state_dir = strdup(spool), .default_country = "US"};
	snprintf(spool, sizeof(spool), "%s/spool", config.state_dir);
	worker.config = &config;
	return mkdir(spool, 0700);
}

static int
stop(void **state)
{
	rmdir(spool);
	rmdir(config.state_dir);
	free((char *)config.state_dir);
	return house_stop(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_page_is_whole_or_the_process_ends),
	    cmocka_unit_test(an_import_survives_workers_without_memory),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
