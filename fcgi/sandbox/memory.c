#include "sandbox/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "sandbox/bland.h"
#include "sandbox/ledger.h"
#include "sandbox/life.h"

enum { PHONE_MOST = 16 }; /* "+" and 15 digits */

static void
recall(struct sandbox *s, struct arena *a, const struct value *line, struct number *number)
{
	struct error e = {0};
	const struct value *body = json_parse(a, value_str(line, "body"), &e);
	if (!body || !number)
		return;
	unsigned tries = number->tries ? number->tries - 1 : 0;
	struct call *c = bland_call_of(
	    s, a, value_strz(a, line, "call_id"), number, behaviour_of(number->phone, tries), body);
	c->created = value_num(line, "t") * 1000;
	life_plan(s, c);
}

/* Reports that end the matter; see delivery.c. */
static bool
is_final(const struct value *line)
{
	struct str why = value_str(line, "why");
	return str_is(why, "full") || str_is(why, "huge") || str_is(why, "bare") ||
	       str_is(why, "small");
}

static void
live_on(struct call *c, struct str what, const struct value *line)
{
	if (str_is(what, "started")) {
		c->state = CALL_CONNECTED;
		c->started = value_num(line, "t") * 1000;
	} else if (str_is(what, "ended")) {
		c->state = CALL_ENDED;
		c->ended = value_num(line, "t") * 1000;
	} else if (str_is(what, "webhook_given_up") ||
		   (str_is(what, "webhook") && is_final(line))) {
		c->told = true;
	}
}

static void
read_line(struct sandbox *s, struct arena *a, struct str text)
{
	struct error e = {0};
	const struct value *line = json_parse(a, text, &e);
	struct str what = value_str(line, "what"), to = value_str(line, "to");
	if (!line || !what.n)
		return;
	if (str_is(what, "reset"))
		calls_clear(s->calls);
	struct number *number = to.n > 1 && to.n <= PHONE_MOST && to.p[0] == '+'
				    ? calls_number(s->calls, str_dup(a, to))
				    : NULL;
	if (number && str_is(what, "post"))
		number->tries++;
	if (str_is(what, "accepted"))
		recall(s, a, line, number);
	struct call *c = calls_find(s->calls, str_dup(a, value_str(line, "call_id")));
	if (c)
		live_on(c, what, line);
	ledger_recount(s->ledger, &(struct entry){.what = str_dup(a, what),
				      .attempt = value_str(line, "attempt_id"),
				      .status = (long)value_num(line, "status")});
}

/* A line that broke off gets its end, so that the next one stands for itself. */
static void
end_line(const char *path)
{
	FILE *out = fopen(path, "ae");
	if (!out || fputc('\n', out) == EOF)
		log_error("ledger cannot be written", LOG_TEXT("path", path));
	if (out)
		fclose(out);
}

void
memory_load(struct sandbox *s, const char *path)
{
	FILE *in = fopen(path, "re");
	struct arena *a = arena_new(65536);
	char *text = NULL;
	size_t room = 0;
	ssize_t n;
	bool whole = true;
	while (in && (n = getline(&text, &room, in)) > 0) {
		whole = text[n - 1] == '\n';
		read_line(s, a, (struct str){text, (size_t)n});
		arena_reset(a);
	}
	if (!whole)
		end_line(path);
	for (size_t i = 0; i < calls_count(s->calls); i++)
		life_resume(s, calls_at(s->calls, i));
	log_info("remembered", LOG_INT("calls", (int64_t)calls_count(s->calls)));
	free(text);
	arena_free(a);
	if (in)
		fclose(in);
}
