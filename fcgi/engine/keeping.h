#ifndef ENGINE_KEEPING_H
#define ENGINE_KEEPING_H
/* What the admin command does to keep the house: the words behind the subcommand come as ${argv};
 * each prints what it did. They connect themselves: root becomes postgres (store/database.h). */
#include "base/config.h"

struct keeping {
	const struct config *config;
	struct arena *a;
	int argc;
	char **argv;
};

/** The word behind --name, or NULL. */
const char *keeping_option(const struct keeping *k, const char *name);
bool keeping_flag(const struct keeping *k, const char *name);

/** database init [--owner ROLE] [--runtime ROLE] */
bool keeping_database_init(const struct keeping *k, struct error *e) MUST_USE;
/** migrate [--grant ROLE] */
bool keeping_migrate(const struct keeping *k, struct error *e) MUST_USE;

#endif
