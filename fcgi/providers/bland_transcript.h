#ifndef PROVIDERS_BLAND_TRANSCRIPT_H
#define PROVIDERS_BLAND_TRANSCRIPT_H
/* Who said what, from Bland's two forms of a transcript; for providers/bland_report.c only. */
#include "base/value.h"

enum { BLAND_TEXT_MOST = 200000, BLAND_TURNS_MOST = 2000 };

struct bland_transcript {
	struct value
	    *turns; /* [{speaker: person | agent | action, text, at}], NULL where none was sent */
	int person; /* rows with the person's own words; -1: no transcript was sent */
	bool any;   /* it has any row at all */
};

/** From transcripts[] rows {id, user, text, created_at}, in the order of their ids. */
void bland_transcript_rows(struct arena *a, const struct value *rows, struct bland_transcript *out);
/** From "user: Hello? \n assistant: Hi … \n"; text without any speaker leaves ${out} as it is. */
void bland_transcript_flat(struct arena *a, struct str flat, struct bland_transcript *out);
/** At most ${most} bytes of ${s}, never half a character. */
struct str bland_cut(struct str s, size_t most);
/** An instant of this century, or 0: what else a clock says is of no use, and PostgreSQL refuses
 * some of it. */
int64_t bland_time(struct str s);

#endif
