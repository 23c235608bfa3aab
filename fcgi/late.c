/*
 * What a web worker seldom needs: spreadsheets, and numbers of other countries. The libraries below
 * them (libxml2, libarchive, ICU, protobuf) take 6 MB of each process that is merely linked to
 * them, so they are in trunkline-late.so beside the program, loaded when
 * first asked for. These functions stand in for the ones of the same name in base/sheet.c and
 * rules/phone_check.cc, which the library holds; other programs link those directly.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sheet.h"
#include "rules/phone_check.h"

#define NAME "trunkline-late.so"

static int held = -1;

/* Opened with the program: an upgrade may put a newer one in its place while this worker lives. */
__attribute__((constructor)) static void
hold(void)
{
	char path[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(NAME));
	char *folder = n > 0 ? strrchr(path, '/') : NULL;
	if (folder)
		memcpy(folder + 1, NAME, sizeof(NAME));
	held = open(path, O_RDONLY | O_CLOEXEC);
}

static void *
late(const char *name)
{
	static void *library;
	if (!library) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	}
	void *symbol = library ? dlsym(library, name) : NULL;
	if (!symbol) {
		fprintf(stderr, "The installation is incomplete: %s\n", dlerror());
		abort();
	}
	return symbol;
}

/* POSIX lets a function's address travel as an object's, ISO C does not; hence the unions. */
#define LATE(name)                                                                                 \
	static union {                                                                             \
		void *symbol;                                                                      \
		__typeof__(&(name)) function;                                                      \
	} known;                                                                                   \
	if (!known.symbol)                                                                         \
	known.symbol = late(#name)

struct sheet *
sheet_open(struct arena *a, const char *path, const char *spool_dir, struct error *e)
{
	LATE(sheet_open);
	return known.function(a, path, spool_dir, e);
}

bool
sheet_next(struct sheet *s, struct csv_row *out, struct error *e)
{
	LATE(sheet_next);
	return known.function(s, out, e);
}

struct str
sheet_name(const struct sheet *s)
{
	LATE(sheet_name);
	return known.function(s);
}

double
sheet_progress(const struct sheet *s)
{
	LATE(sheet_progress);
	return known.function(s);
}

enum phone_opinion
phone_check(const char *text, const char *country, char *e164, unsigned long cap)
{
	LATE(phone_check);
	return known.function(text, country, e164, cap);
}
