#ifndef SANDBOX_STORY_LINES_H
#define SANDBOX_STORY_LINES_H
/*
 * The scripts: for each outcome a list of moves, a move being its speaker (u: user, a: assistant,
 * x: agent-action) and the variants to choose from, parted by '|'. {contact}, {company}, {agent},
 * {firm}, {topic} and {voicemail} are filled in. Texts only: no logic here.
 */
#include "sandbox/behaviour.h"

struct script {
	const char *const *moves; /* ends with NULL; empty where nobody talks */
	const char *summaries;    /* variants, parted by '|'; NULL: no summary */
};

const struct script *story_script(enum outcome o);

#endif
