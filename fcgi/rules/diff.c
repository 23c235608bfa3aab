#include "rules/diff.h"

enum { MOST_LINES = 600 };

struct text {
	struct str *lines;
	size_t n;
};

static struct text
lines_of(struct arena *a, struct str s)
{
	size_t n = 1;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	struct text t = {.lines = arena_new_array(a, struct str, n)};
	while (s.n) {
		struct str line = str_cut(&s, '\n');
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		t.lines[t.n++] = line;
	}
	return t;
}

static void
put(struct arena *a, struct value *out, const char *what, struct str line)
{
	struct value *v = value_push(a, out, value_map(a));
	value_set(a, v, "text", value_text(a, line));
	value_set_bool(a, v, what, true);
}

/* at(i, j): the length of the longest common subsequence of lines i… of b and j… of f. */
static uint16_t *
common(struct arena *a, const struct text *b, const struct text *f)
{
	size_t width = f->n + 1;
	uint16_t *length = arena_new_array(a, uint16_t, (b->n + 1) * width);
	for (size_t i = b->n; i-- > 0;)
		for (size_t j = f->n; j-- > 0;) {
			uint16_t down = length[(i + 1) * width + j],
				 right = length[i * width + j + 1];
			uint16_t both = (uint16_t)(length[(i + 1) * width + j + 1] + 1);
			bool same = str_eq(b->lines[i], f->lines[j]);
			length[i * width + j] = same ? both : down > right ? down : right;
		}
	return length;
}

struct value *
diff_lines(struct arena *a, struct str before, struct str after)
{
	struct value *out = value_list(a);
	struct text b = lines_of(a, before), f = lines_of(a, after);
	size_t i = 0, j = 0, width = f.n + 1;
	bool small = b.n <= MOST_LINES && f.n <= MOST_LINES;
	const uint16_t *length = small ? common(a, &b, &f) : NULL;
	while (i < b.n || j < f.n) {
		if (i < b.n && j < f.n && str_eq(b.lines[i], f.lines[j])) {
			put(a, out, "same", b.lines[i++]);
			j++;
		} else if (j == f.n || (i < b.n && (!length || length[(i + 1) * width + j] >=
								   length[i * width + j + 1]))) {
			put(a, out, "removed", b.lines[i++]);
		} else {
			put(a, out, "added", f.lines[j++]);
		}
	}
	return out;
}
