#include "engine/keeping.h"

#include <stdio.h>
#include <string.h>

#include "store/database.h"
#include "store/migrate.h"
#include "store/prompt.h"

const char *
keeping_option(const struct keeping *k, const char *name)
{
	for (int i = 0; i + 1 < k->argc; i++)
		if (strcmp(k->argv[i], name) == 0)
			return k->argv[i + 1];
	return NULL;
}

bool
keeping_flag(const struct keeping *k, const char *name)
{
	for (int i = 0; i < k->argc; i++)
		if (strcmp(k->argv[i], name) == 0)
			return true;
	return false;
}

bool
keeping_database_init(const struct keeping *k, struct error *e)
{
	const char *url = k->config->database_url;
	const char *owner = keeping_option(k, "--owner"), *runtime = keeping_option(k, "--runtime");
	owner = owner ? owner : "trunkline_owner";
	runtime = runtime ? runtime : "trunkline";
	if (!database_become(k->a, url, "postgres", e) ||
	    !database_init(k->a, url, owner, runtime, e))
		return false;
	printf(
	    "The database is there. %s owns it, %s may read and write its rows.\n", owner, runtime);
	return true;
}

bool
keeping_migrate(const struct keeping *k, struct error *e)
{
	struct migrate_report report;
	const char *url = k->config->database_url, *role = keeping_option(k, "--grant");
	if (!database_become(k->a, url, "postgres", e))
		return false;
	struct db *db = database_open_as_owner(k->a, url, NULL, e);
	bool good = db && (!role || database_grant(db, k->a, role, e)) &&
		    migrate_run(db, k->a, k->config->sql_dir, &report, e) &&
		    prompt_seed(db, k->a, k->config, e);
	db_close(db);
	if (good)
		printf("%d migrations and %d function files applied.\n", report.migrations,
		    report.functions);
	return good;
}
