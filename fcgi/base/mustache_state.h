#ifndef BASE_MUSTACHE_STATE_H
#define BASE_MUSTACHE_STATE_H
/* What the compiler leaves and the renderer runs. Only for mustache*.c. */
#include "base/mustache.h"

enum op_kind {
	OP_TEXT,
	OP_VALUE,
	OP_RAW,
	OP_SECTION,
	OP_INVERTED,
	OP_PARTIAL,
	OP_PARENT,
	OP_BLOCK
};

struct op {
	enum op_kind kind;
	bool line_start;  /* the first thing on its line: indentation goes before it */
	bool dynamic;     /* OP_PARTIAL, OP_PARENT: the name is looked up in the context */
	struct str text;  /* OP_TEXT: the bytes; otherwise the tag's name */
	struct str *path; /* the name's parts; path[0] "." is the context itself */
	int parts;
	int end;                 /* first op after what this one encloses */
	struct str indent;       /* what a standalone tag puts before each line it brings in */
	struct template *target; /* OP_PARTIAL, OP_PARENT: found at the first rendering */
};

struct template
{
	const char *name;
	struct op *ops;
	int count;
	struct template *next;
};

struct mustache_set {
	struct arena *a;
	enum mustache_escape escape;
	struct template *first;
};

/** Fills t->ops from ${text}; on error t is as it was. */
bool mustache_compile(
    struct arena *a, struct template *t, struct str text, struct error *e) MUST_USE;
struct template *mustache_find(const struct mustache_set *set, struct str name);

#endif
