#ifndef FUZZ_H
#define FUZZ_H
/*
 * What all fuzz targets share. A target reads what a stranger may send and checks, beside what the
 * sanitizers see, properties that hold for any input: MUST ends the process where one does not.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The arena holds what most inputs need: asking the system for more is slow under a sanitizer. */
enum { FUZZ_NOW_SECONDS = 1800000000, FUZZ_ARENA = 4 << 20 };

/** One arena for all inputs of a process, empty at the start of each; the clock stands still. */
static inline struct arena *
fuzz_arena(void)
{
	static struct arena *a;
	if (!a) {
		a = arena_new(FUZZ_ARENA);
		clock_freeze(FUZZ_NOW_SECONDS * CLOCK_SECOND);
	}
	arena_reset(a);
	return a;
}

/** The input as it is: no byte behind it may be read. */
static inline struct str
fuzz_input(const uint8_t *data, size_t size)
{
	return (struct str){(const char *)data, size};
}

/** Cuts ${s} at the next line "===": what stands before it; all of it where there is none. */
static inline struct str
fuzz_section(struct str *s)
{
	size_t at = str_find(*s, "\n===\n");
	struct str before = str_sub(*s, 0, at);
	*s = at + 5 <= s->n ? str_sub(*s, at + 5, s->n) : (struct str){"", 0};
	return before;
}

/** The path of a file in memory that holds ${content}. One at a time. */
static inline const char *
fuzz_file(struct str content)
{
	static int fd = -1;
	static char path[64];
	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	for (size_t n = 0; n < content.n;) {
		ssize_t done = write(fd, content.p + n, content.n - n);
		MUST(done > 0);
		n += (size_t)done;
	}
	return path;
}

/** All texts of a tree are UTF-8 without NUL. */
static inline void
fuzz_clean(const struct value *v)
{
	if (!v)
		return;
	if (v->type == VALUE_TEXT || v->type == VALUE_PHONE)
		MUST(str_is_utf8(v->s));
	for (size_t i = 0; v->type == VALUE_LIST && i < v->list.n; i++)
		fuzz_clean(v->list.items[i]);
	for (size_t i = 0; v->type == VALUE_MAP && i < v->map.n; i++) {
		MUST(str_is_utf8(v->map.members[i].key));
		fuzz_clean(v->map.members[i].value);
	}
}

/** What is written as JSON reads back as the same. */
static inline void
fuzz_survives_json(struct arena *a, const struct value *v)
{
	struct error e = {0};
	const char *once = json_text(a, v);
	const struct value *back = json_parse(a, str_of(once), &e);
	MUST(back);
	/* -0 reads as 0; everything else is the same at once */
	const char *twice = json_text(a, back);
	back = json_parse(a, str_of(twice), &e);
	MUST(back && strcmp(json_text(a, back), twice) == 0);
}

#endif
