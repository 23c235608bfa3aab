#ifndef BASE_MUSTACHE_STATE_H
#define BASE_MUSTACHE_STATE_H
/* What the steps from text to page hand to each other. Only for mustache*.c. */
#include "base/mustache.h"

enum { MUSTACHE_NESTING = 100 }; /* sections, blocks and parents inside each other, per template */

enum token_kind {
	T_TEXT, /* without line ends */
	T_NEWLINE,
	T_VALUE,
	T_RAW,
	T_OPEN,
	T_INVERTED,
	T_CLOSE,
	T_COMMENT,
	T_DELIMITER,
	T_PARTIAL,
	T_PARENT,
	T_BLOCK
};

struct token {
	enum token_kind kind;
	struct str s; /* the text, or the tag's name */
	int line;
	bool dropped;      /* text of a line that vanishes */
	bool first;        /* the first thing of a line that stays */
	struct str indent; /* blanks before a standalone tag */
};

struct tokens {
	struct arena *a;
	struct token *items;
	size_t count, cap;
	struct str open, close; /* delimiters */
	int line;
};

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

/* One part of a dotted name. */
struct part {
	struct str key;
	size_t hint; /* where the last map had it: rows of a table all have it in the same place */
};

struct op {
	enum op_kind kind;
	bool line_start;    /* the first thing on its line: indentation goes before it */
	bool dynamic;       /* OP_PARTIAL, OP_PARENT: the name is looked up in the context */
	bool from_context;  /* the name begins with a dot */
	struct str text;    /* OP_TEXT: the bytes; otherwise the tag's name */
	struct part *parts; /* of the name, without the leading dot */
	int n_parts;
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

/** Text to tokens on ${t}->a, which was set by the caller; the rest of ${t} is {0}. */
bool mustache_tokenize(struct tokens *t, struct str text, struct error *e) MUST_USE;
/** Fills t->ops from ${text}; on error t is as it was. */
bool mustache_compile(
    struct arena *a, struct template *t, struct str text, struct error *e) MUST_USE;
struct template *mustache_find(const struct mustache_set *set, struct str name);

#endif
