/* Renders a page over and over with the product's own mustache, or copies the finished page (the
 * limit). usage: mustache_bench print|render|copy TEMPLATE MODEL.json SECONDS print writes the
 * page; the others write pages per second. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mustache.h"

enum { BLOCK = 1 << 20, BETWEEN_LOOKS = 64 };

struct bench {
	struct arena *a, *scratch;
	struct mustache_set *set;
	struct value *model;
	struct buf out;
	char *copy;
};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "mustache_bench: %s: %s\n", what, why);
	exit(1);
}

static struct str
read_file(struct arena *a, const char *path)
{
	struct buf b;
	char piece[8192];
	FILE *f = fopen(path, "rb");
	if (!f)
		die(path, "cannot be read");
	buf_init(&b, a);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
		buf_add(&b, piece, n);
	fclose(f);
	return buf_view(&b);
}

static void
render(struct bench *b)
{
	struct error e = {0};
	b->out.n = 0;
	arena_reset(b->scratch);
	if (!mustache_render(b->set, b->scratch, "page", b->model, &b->out, &e))
		die("render", e.message);
}

static void
copy(struct bench *b)
{
	memcpy(b->copy, b->out.p, b->out.n);
	/* The compiler must not see that nobody reads the copy. */
	__asm__ volatile("" : : "r"(b->copy) : "memory");
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
per_second(struct bench *b, void (*once)(struct bench *), double seconds)
{
	double began = now(), took;
	long n = 0;
	do {
		for (int i = 0; i < BETWEEN_LOOKS; i++)
			once(b);
		n += BETWEEN_LOOKS;
		took = now() - began;
	} while (took < seconds);
	return (double)n / took;
}

int
main(int argc, char **argv)
{
	if (argc != 5)
		die("usage", "mustache_bench print|render|copy TEMPLATE MODEL.json SECONDS");
	struct error e = {0};
	struct bench b = {.a = arena_new(BLOCK), .scratch = arena_new(BLOCK)};
	b.set = mustache_set_new(b.a, MUSTACHE_HTML);
	b.model = json_parse(b.a, read_file(b.a, argv[3]), &e);
	if (!b.model || !mustache_add(b.set, "page", read_file(b.a, argv[2]), &e))
		die(argv[2], e.message);
	buf_init(&b.out, b.a);
	render(&b);
	b.copy = arena_alloc(b.a, b.out.n + 1);
	double seconds = atof(argv[4]);
	if (strcmp(argv[1], "print") == 0) {
		fwrite(b.out.p, 1, b.out.n, stdout);
	} else {
		void (*once)(struct bench *) = strcmp(argv[1], "copy") == 0 ? copy : render;
		per_second(&b, once, seconds / 10);
		printf("%.1f\n", per_second(&b, once, seconds));
	}
	arena_free(b.scratch);
	arena_free(b.a);
	return 0;
}
