#include "http/meter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"

#define MAGIC "TLMETER1"
#define PREFIX "metrics-"

enum { POOL_BYTES = 16, METHOD_BYTES = 32, ROUTE_BYTES = 64, MOST_ROWS = 1000, ALIGN = 64 };

const char *const meter_bounds[METER_BOUNDS] = {
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5"};
static const int64_t bounds_us[METER_BOUNDS] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};

/* What a file begins with; then the labels of its rows, then, aligned, their cells. */
struct head {
	char magic[8], pool[POOL_BYTES];
	uint64_t rows;
};

struct label {
	char method[METHOD_BYTES], route[ROUTE_BYTES];
};

/* Two cache lines. */
struct cell {
	_Atomic uint64_t counts[METER_BOUNDS + 1], sum_us, spare[2];
};

struct meter {
	size_t rows;
	struct cell *cells; /* rows × METER_CLASSES */
};

static size_t
cells_at(size_t rows)
{
	size_t end = sizeof(struct head) + rows * sizeof(struct label);
	return (end + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t
file_size(size_t rows)
{
	return cells_at(rows) + rows * METER_CLASSES * sizeof(struct cell);
}

static void
print_methods(char *to, unsigned methods)
{
	size_t n = 0;
	for (unsigned m = GET; m < HEAD; m <<= 1)
		if (methods & m)
			n += (size_t)snprintf(to + n, METHOD_BYTES - n, "%s%s", n ? "," : "",
			    method_name((enum method)m));
}

/* Head and labels: what makes two tables the same. */
static struct str
describe(struct arena *a, const char *pool, const struct route *table, size_t n)
{
	size_t size = sizeof(struct head) + (n + 1) * sizeof(struct label);
	char *p = arena_alloc(a, size);
	struct head head = {.magic = {0}, .rows = n + 1};
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	snprintf(head.pool, sizeof(head.pool), "%s", pool);
	memcpy(p, &head, sizeof(head));
	struct label *labels = (struct label *)(p + sizeof(head));
	for (size_t i = 0; i < n; i++) {
		print_methods(labels[i].method, table[i].methods);
		snprintf(labels[i].route, ROUTE_BYTES, "%s", table[i].pattern);
	}
	return (struct str){p, size};
}

static bool
fill(int fd, struct str text, size_t size)
{
	return fchmod(fd, 0640) == 0 && ftruncate(fd, (off_t)size) == 0 &&
	       write(fd, text.p, text.n) == (ssize_t)text.n;
}

/* Complete before it has its name: who finds it may use it. Where several make it, one wins. */
static bool
make(struct arena *a, const char *path, struct str text, size_t size, struct error *e)
{
	const char *draft = arena_printf(a, "%s.%d", path, (int)getpid());
	int fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0 && fill(fd, text, size) && (link(draft, path) == 0 || errno == EEXIST);
	if (!good)
		error_set(e, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(draft);
	}
	return good;
}

static void *
map(const char *path, int flags, int protection, size_t *size)
{
	struct stat st;
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
	void *p = MAP_FAILED;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size >= sizeof(struct head)) {
		*size = (size_t)st.st_size;
		p = mmap(NULL, *size, protection, MAP_SHARED, fd, 0);
	}
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

struct meter *
meter_open(struct arena *a, const char *dir, const char *pool, const struct route *table, size_t n,
    struct error *e)
{
	struct str text = describe(a, pool, table, n);
	const char *path =
	    arena_printf(a, "%s/" PREFIX "%s-%.12s", dir, pool, crypto_sha256(a, text));
	size_t size = 0;
	char *p = map(path, O_RDWR, PROT_READ | PROT_WRITE, &size);
	if (!p && make(a, path, text, file_size(n + 1), e))
		p = map(path, O_RDWR, PROT_READ | PROT_WRITE, &size);
	if (!p) {
		error_set(e, ERR_UNAVAILABLE, "%s cannot be used: %s", path, strerror(errno));
		return NULL;
	}
	if (size != file_size(n + 1) || memcmp(p, text.p, text.n) != 0) {
		munmap(p, size);
		error_set(e, ERR_UNAVAILABLE, "%s is something else.", path);
		return NULL;
	}
	struct meter *m = arena_new_of(a, struct meter);
	*m = (struct meter){.rows = n + 1, .cells = (struct cell *)(p + cells_at(n + 1))};
	return m;
}

static void
add(_Atomic uint64_t *to, uint64_t n)
{
	__atomic_fetch_add((uint64_t *)to, n, __ATOMIC_RELAXED);
}

void
meter_count(struct meter *m, size_t row, int status, int64_t us)
{
	int class = status / 100 - 2;
	size_t i = 0;
	if (!m || row >= m->rows)
		return;
	if (class < 0 || class >= METER_CLASSES)
		class = METER_CLASSES - 1;
	while (i < METER_BOUNDS && us > bounds_us[i])
		i++;
	struct cell *cell = &m->cells[row * METER_CLASSES + (size_t) class];
	add(&cell->counts[i], 1);
	add(&cell->sum_us, us > 0 ? (uint64_t)us : 0);
}

struct collection {
	struct arena *a;
	struct meter_row *rows;
	size_t n, cap;
};

static struct meter_row *
row_of(struct collection *c, const char *pool, const struct label *label)
{
	for (size_t i = 0; i < c->n; i++)
		if (strncmp(c->rows[i].route, label->route, ROUTE_BYTES) == 0 &&
		    strncmp(c->rows[i].method, label->method, METHOD_BYTES) == 0 &&
		    strcmp(c->rows[i].pool, pool) == 0)
			return &c->rows[i];
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		c->rows =
		    arena_grow(c->a, c->rows, c->cap * sizeof(*c->rows), cap * sizeof(*c->rows));
		c->cap = cap;
	}
	struct meter_row *row = &c->rows[c->n++];
	*row = (struct meter_row){.pool = pool,
	    .method = arena_strndup(c->a, label->method, strnlen(label->method, METHOD_BYTES)),
	    .route = arena_strndup(c->a, label->route, strnlen(label->route, ROUTE_BYTES))};
	return row;
}

/* True where something was counted. */
static bool
cell_used(const struct cell *cell)
{
	for (size_t i = 0; i <= METER_BOUNDS; i++)
		if (__atomic_load_n((const uint64_t *)&cell->counts[i], __ATOMIC_RELAXED))
			return true;
	return false;
}

static void
take_row(
    struct collection *c, const char *pool, const struct label *label, const struct cell *cells)
{
	struct meter_row *row = NULL;
	for (size_t k = 0; k < METER_CLASSES; k++) {
		if (!cell_used(&cells[k]))
			continue;
		if (!row)
			row = row_of(c, pool, label);
		for (size_t i = 0; i <= METER_BOUNDS; i++)
			row->classes[k].counts[i] += __atomic_load_n(
			    (const uint64_t *)&cells[k].counts[i], __ATOMIC_RELAXED);
		row->classes[k].sum_us +=
		    __atomic_load_n((const uint64_t *)&cells[k].sum_us, __ATOMIC_RELAXED);
	}
}

/* Mapped only while it is read, so that who is asked for the counters does not grow. */
static void
take_file(struct collection *c, const char *path)
{
	size_t size = 0;
	struct head head;
	const char *p = map(path, O_RDONLY, PROT_READ, &size);
	if (!p)
		return;
	memcpy(&head, p, sizeof(head));
	if (memcmp(head.magic, MAGIC, sizeof(head.magic)) == 0 && head.rows <= MOST_ROWS &&
	    size == file_size(head.rows)) {
		const char *pool = arena_strndup(c->a, head.pool, strnlen(head.pool, POOL_BYTES));
		const struct label *labels = (const struct label *)(p + sizeof(head));
		const struct cell *cells = (const struct cell *)(p + cells_at(head.rows));
		for (size_t i = 0; i < head.rows; i++)
			take_row(c, pool, &labels[i], &cells[i * METER_CLASSES]);
	}
	munmap((void *)p, size);
}

size_t
meter_read(struct arena *a, const char *dir, struct meter_row **rows)
{
	struct collection c = {.a = a};
	DIR *d = opendir(dir);
	for (struct dirent *entry; d && (entry = readdir(d));)
		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0)
			take_file(&c, arena_printf(a, "%s/%s", dir, entry->d_name));
	if (d)
		closedir(d);
	*rows = c.rows;
	return c.n;
}
