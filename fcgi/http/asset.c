#include "http/view.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"

static bool
read_file(struct arena *a, const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	char chunk[4096];
	buf_init(out, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(out, chunk, (size_t)n);
	close(fd);
	return true;
}

/* "app.css" -> app_css, the name that templates use. */
static void
add(struct arena *a, struct value *assets, struct str file, const char *url)
{
	char *name = str_dup(a, file);
	for (char *c = name; *c; c++)
		if (strchr(".-/", *c))
			*c = '_';
	value_set_text(a, assets, name, url);
}

/* Each line: the name and the same with its hash, as the build wrote it. */
static void
from_manifest(struct arena *a, struct value *assets, struct str text)
{
	while (text.n) {
		struct str hashed = str_cut(&text, '\n');
		struct str file = str_cut(&hashed, ' ');
		hashed = str_trim(hashed);
		if (hashed.n)
			add(a, assets, file, arena_printf(a, "/static/%.*s", STR_ARG(hashed)));
	}
}

/* Without a build step (an edited checkout) the query part makes browsers fetch a changed file. */
static void
from_files(struct arena *a, struct value *assets, const char *dir)
{
	DIR *d = opendir(dir);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct str name = str_of(entry->d_name);
		struct buf text;
		if (!str_ends(name, ".css") && !str_ends(name, ".js") && !str_ends(name, ".svg"))
			continue;
		if (read_file(a, arena_printf(a, "%s/%s", dir, entry->d_name), &text))
			add(a, assets, name,
			    arena_printf(a, "/static/%s?v=%.10s", entry->d_name,
				crypto_sha256(a, buf_view(&text))));
	}
	if (d)
		closedir(d);
}

struct value *
view_assets(struct arena *a, const char *dir)
{
	struct value *assets = value_map(a);
	struct buf text;
	if (read_file(a, arena_printf(a, "%s/manifest", dir), &text))
		from_manifest(a, assets, buf_view(&text));
	else
		from_files(a, assets, dir);
	return assets;
}
