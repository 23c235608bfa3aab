/* The set of templates. */
#include "base/mustache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mustache_state.h"

#define SUFFIX ".mustache"

enum { MOST_DEPTH = 4, MOST_FILE = 1 << 20 };

struct mustache_set *
mustache_set_new(struct arena *a, enum mustache_escape escape)
{
	struct mustache_set *set = arena_new_of(a, struct mustache_set);
	set->a = a;
	set->escape = escape;
	return set;
}

struct template *
mustache_find(const struct mustache_set *set, struct str name)
{
	for (struct template *t = set->first; t; t = t->next)
		if (str_is(name, t->name))
			return t;
	return NULL;
}

bool
mustache_has(const struct mustache_set *set, struct str name)
{
	return mustache_find(set, name) != NULL;
}

bool
mustache_add(struct mustache_set *set, const char *name, struct str text, struct error *e)
{
	struct template *t = mustache_find(set, str_of(name)), fresh = {0};
	fresh.name = name;
	if (!mustache_compile(set->a, &fresh, text, e))
		return false;
	/* In place, so that what others remember of it stays true. */
	if (t) {
		t->ops = fresh.ops;
		t->count = fresh.count;
		return true;
	}
	t = arena_new_of(set->a, struct template);
	*t = fresh;
	t->name = arena_strdup(set->a, name);
	t->next = set->first;
	set->first = t;
	return true;
}

static bool
add_file(struct mustache_set *set, const char *path, size_t size, const char *name, struct error *e)
{
	struct error why = {0};
	if (size > MOST_FILE)
		return error_set(e, ERR_TOO_LARGE, "%s: no template is that large.", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	char *text = arena_alloc(set->a, size);
	size_t have = 0;
	ssize_t n;
	while ((n = read(fd, text + have, size - have)) > 0)
		have += (size_t)n;
	int failed = errno;
	close(fd);
	if (n < 0)
		return error_set(e, ERR_INTERNAL, "%s: %s", path, strerror(failed));
	return mustache_add(set, name, (struct str){text, have}, &why) ||
	       error_set(e, why.kind, "%s: %s", path, why.message);
}

/* partials/chip.mustache is named by its base name, others by their path below the first folder. */
static bool
add_below(struct mustache_set *set, const char *dir, const char *prefix, int depth, struct error *e)
{
	DIR *d = opendir(dir);
	if (!d)
		return error_set(e, ERR_INTERNAL, "%s: %s", dir, strerror(errno));
	bool good = true;
	for (struct dirent *entry; good && (entry = readdir(d));) {
		const char *name = entry->d_name;
		struct str base = str_of(name);
		struct stat st;
		const char *path = arena_printf(set->a, "%s/%s", dir, name);
		if (name[0] == '.' || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < MOST_DEPTH) {
			bool partials = strcmp(name, "partials") == 0;
			const char *below =
			    partials ? "" : arena_printf(set->a, "%s%s/", prefix, name);
			good = add_below(set, path, below, depth + 1, e);
		} else if (str_ends(base, SUFFIX)) {
			int n = (int)(base.n - strlen(SUFFIX));
			good = add_file(set, path, (size_t)st.st_size,
			    arena_printf(set->a, "%s%.*s", prefix, n, name), e);
		}
	}
	closedir(d);
	return good;
}

bool
mustache_add_dir(struct mustache_set *set, const char *dir, struct error *e)
{
	return add_below(set, dir, "", 0, e);
}
