#ifndef SANDBOX_STORY_H
#define SANDBOX_STORY_H
/*
 * What is said in a call, and what it comes to. All of it follows from the call's seed, so nothing
 * of it is kept: a transcript is told again whenever somebody asks.
 */
#include "sandbox/calls.h"

struct story_line {
	const char *who; /* user, assistant, agent-action */
	struct str text;
};

struct story {
	struct story_line *lines;
	size_t n;
	struct str summary; /* .p NULL: none */
};

/* How an outcome looks in a report. */
struct ending {
	const char *status, *queue_status, *answered_by, *error_message;
	const char *tags;     /* the disposition: the first of these that the caller asked for */
	const char *own;      /* a better one, if the caller's list has it; may be NULL */
	const char *ended_by; /* ASSISTANT, USER or NULL */
	unsigned talk[2];     /* seconds, from ... to; 0, 0: nobody talks */
};

const struct ending *story_ending(enum outcome o);
/** Draws how long the phone rings and how long the talk is; keeps to max_minutes. */
void story_durations(struct call *c);
struct story story_tell(struct arena *a, const struct call *c);
/** The disposition, one of the caller's own where it named some; NULL where there is none. */
const char *story_tag(struct arena *a, const struct call *c);

/** Fills {{name}} from ${data}, with blanks allowed inside the braces; unknown names vanish. */
struct str story_fill(struct arena *a, struct str text, const struct value *data);
/** Finds agent, firm and topic in a prompt such as "You are Sam from Acme, calling about parts." */
void story_cast(struct arena *a, struct call_texts *t, struct str task);

#endif
