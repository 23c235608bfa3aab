/* trunkline-web: a FastCGI worker of one of three pools. Started by spawn-fcgi and multiwatch. */
#include <signal.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mustache.h"
#include "hooks/batch.h"
#include "hooks/routes.h"
#include "http/fcgi.h"
#include "http/gather.h"
#include "http/meter.h"
#include "http/stream.h"
#include "http/token.h"
#include "http/view.h"
#include "pages/events.h"
#include "pages/frame.h"
#include "pages/login.h"
#include "pages/routes.h"
#include "store/health.h"
#include "store/setting.h"

enum { STATEMENT_MS = 5000, START_TRIES = 10 };

static const struct pool {
	const char *name;
	const struct route *(*routes)(size_t *n);
} pools[] = {{"web", routes_web}, {"hook", routes_hook}, {"stream", routes_stream}};

static const char usage[] =
    "Usage: trunkline-web --pool web|hook|stream\n"
    "Serves FastCGI requests on file descriptor 0: pages and API, provider webhooks, or live events.\n"
    "Settings come from the environment; see the README.\n";

/* app.refresh. The schema is looked at once: a program that is newer than its database refuses to
 * work. */
static bool
refresh(struct app *app, struct error *e)
{
	static bool schema_good;
	if (app->db)
		return db_refresh(app->db, e);
	struct db *db = db_open(app->config.database_url, "trunkline-web", STATEMENT_MS, e);
	if (!db)
		return false;
	if (!schema_good) {
		struct arena *a = arena_new(16 << 10);
		schema_good = health_schema(db, a, app->config.sql_dir, e);
		arena_free(a);
	}
	if (!schema_good) {
		db_close(db);
		return false;
	}
	app->db = db;
	return true;
}

/* What somebody saved through another worker a moment ago is what the next page shows and does. */
static bool
refresh_page(struct app *app, struct error *e)
{
	setting_forget();
	return refresh(app, e);
}

/* Waits a little for a database that is starting. One that stays away is no reason not to start:
 * pages then say so. One without our tables is. */
static bool
connect(struct app *app)
{
	struct error e = {0};
	for (int i = 0; i < START_TRIES; i++) {
		if (refresh(app, &e))
			return true;
		if (strcmp(e.code, "schema_missing") == 0)
			break;
		usleep(200 * 1000);
	}
	log_error("database", LOG_TEXT("why", e.message));
	return strcmp(e.code, "schema_missing") != 0;
}

static bool
prepare(struct app *app, const char *pool, struct error *e)
{
	app->arena = arena_new(256 << 10);
	if (!config_load(&app->config, app->arena, e))
		return false;
	log_open(pool, log_level_of(app->config.log_level));
	app->templates = mustache_set_new(app->arena, MUSTACHE_HTML);
	if (!mustache_add_dir(app->templates, app->config.template_dir, e))
		return false;
	app->assets = view_assets(app->arena, app->config.static_dir);
	app->tokens = token_memory_new(app->arena);
	app->authenticate = login_authenticate;
	app->frame = frame_fill;
	app->refresh = strcmp(pool, "web") == 0 ? refresh_page : refresh;
	return connect(app) ||
	       error_set(e, ERR_UNAVAILABLE, "The database's schema is not this program's.");
}

static struct route *
table_of(struct arena *a, const struct pool *pool, size_t *n)
{
	size_t more = 0, health = 0;
	const struct route *own = pool->routes(&more), *common = routes_health(&health);
	struct route *table = arena_new_array(a, struct route, more + health);
	memcpy(table, common, health * sizeof(*table));
	memcpy(table + health, own, more * sizeof(*table));
	*n = more + health;
	return table;
}

static int
serve(struct app *app, const struct pool *pool, int signals)
{
	size_t n = 0;
	const struct route *table = table_of(app->arena, pool, &n);
	struct error e = {0};
	app->meter = meter_open(app->arena, app->config.run_dir, pool->name, table, n, &e);
	if (!app->meter)
		log_warn("requests are not counted", LOG_TEXT("why", e.message));
	if (strcmp(pool->name, "hook") == 0) {
		app->apply_begin = batch_begin;
		app->apply_end = batch_end;
		app->apply_socket = batch_socket;
		app->apply_ready = batch_ready;
		batch_open(app->config.database_url, STATEMENT_MS);
		int status = gather_serve(app, table, n, signals, app->config.max_requests);
		batch_close();
		return status;
	}
	if (strcmp(pool->name, "web") == 0)
		return fcgi_serve(app, table, n, signals, app->config.max_requests);
	struct stream_source source = {.ctx = app, .news = events_news, .socket = events_socket};
	return stream_serve(app, table, n, signals, &source);
}

/* A dump of memory would hold keys and people's data. */
static void
no_core(void)
{
	(void)!setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_DUMPABLE, 0);
}

/* What a page takes beyond its arena is given back to us, not to the kernel: else each page would
 * pay for fresh pages of memory. Larger things, such as an upload's, are mapped and go back. */
static void
keep_memory(void)
{
	enum { MOST = 512 << 10 };
	mallopt(M_TRIM_THRESHOLD, MOST);
	mallopt(M_MMAP_THRESHOLD, MOST);
}

int
main(int argc, char **argv)
{
	int signals = fcgi_signals();
	const struct pool *pool = NULL;
	struct app app = {0};
	struct error e = {0};
	no_core();
	keep_memory();
	umask(027);
	if (argc == 3 && strcmp(argv[1], "--pool") == 0)
		for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
			if (strcmp(argv[2], pools[i].name) == 0)
				pool = &pools[i];
	if (!pool) {
		fputs(usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	log_open(pool->name, LOG_INFO);
	if (!prepare(&app, pool->name, &e)) {
		log_error("start", LOG_TEXT("why", e.message));
		/* The supervisor starts another at once: do not let it spin. */
		sleep(1);
		return 1;
	}
	int status = serve(&app, pool, signals);
	db_close(app.db);
	arena_free(app.arena);
	return status;
}
