#include "providers/bland_transcript.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define CENTURY_FROM (INT64_C(946684800) * CLOCK_SECOND)
#define CENTURY_TO (INT64_C(4102444800) * CLOCK_SECOND)

struct str
bland_cut(struct str s, size_t most)
{
	if (s.n > most) {
		s.n = most;
		while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	return s;
}

int64_t
bland_time(struct str s)
{
	int64_t micros;
	bool good = s.n && clock_parse(s, &micros) && micros > CENTURY_FROM && micros < CENTURY_TO;
	return good ? micros : 0;
}

/* Bland says user, assistant, robot, agent-action; the older reports had other words for the same.
 */
static const char *
speaker_of(struct str user)
{
	static const char *const words[][2] = {{"user", "person"}, {"human", "person"},
	    {"person", "person"}, {"customer", "person"}, {"lead", "person"},
	    {"assistant", "agent"}, {"robot", "agent"}, {"agent", "agent"}, {"ai", "agent"},
	    {"bot", "agent"}, {"agent-action", "action"}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_is_nocase(user, words[i][0]))
			return words[i][1];
	return NULL;
}

/* Fills a list of turns up to its limits; goes on counting beyond them. */
struct taker {
	struct arena *a;
	struct bland_transcript *out;
	size_t bytes;
};

static struct value *
take(struct taker *t, const char *speaker, struct str said, int64_t at)
{
	t->out->any = true;
	t->out->person += strcmp(speaker, "person") == 0;
	if (t->out->turns->list.n >= BLAND_TURNS_MOST || t->bytes >= BLAND_TEXT_MOST)
		return NULL;
	said = bland_cut(said, BLAND_TEXT_MOST - t->bytes);
	t->bytes += said.n;
	struct value *turn = value_push(t->a, t->out->turns, value_map(t->a));
	value_set_text(t->a, turn, "speaker", speaker);
	value_set(t->a, turn, "text", value_text(t->a, said));
	if (at)
		value_set(t->a, turn, "at", value_time(t->a, at));
	return turn;
}

static struct taker
taker(struct arena *a, struct bland_transcript *out)
{
	*out = (struct bland_transcript){.turns = value_list(a)};
	return (struct taker){.a = a, .out = out};
}

struct place {
	double id;
	size_t index;
};

static int
by_id(const void *left, const void *right)
{
	const struct place *l = left, *r = right;
	if (l->id != r->id)
		return l->id < r->id ? -1 : 1;
	return l->index < r->index ? -1 : l->index > r->index;
}

/* Rows without a number stay behind the row they follow. */
static struct place *
ordered(struct arena *a, const struct value *rows)
{
	struct place *places = arena_new_array(a, struct place, rows->list.n + 1);
	bool sorted = true;
	for (size_t i = 0; i < rows->list.n; i++) {
		const struct value *id = value_get(rows->list.items[i], "id");
		double before = i ? places[i - 1].id : 0;
		double number = !id                      ? before
				: id->type == VALUE_INT  ? (double)id->i
				: id->type == VALUE_REAL ? id->d
							 : before;
		places[i] = (struct place){number, i};
		sorted = sorted && number >= before;
	}
	if (!sorted)
		qsort(places, rows->list.n, sizeof(*places), by_id);
	return places;
}

void
bland_transcript_rows(struct arena *a, const struct value *rows, struct bland_transcript *out)
{
	struct taker t = taker(a, out);
	struct place *places = ordered(a, rows);
	for (size_t i = 0; i < rows->list.n; i++) {
		const struct value *row = rows->list.items[places[i].index];
		struct str said = str_trim(value_str(row, "text"));
		const char *speaker = speaker_of(value_str(row, "user"));
		if (said.n)
			take(&t, speaker ? speaker : "agent", said,
			    bland_time(value_str(row, "created_at")));
	}
}

/* A line without a speaker goes on with what the line before it said: both stand in the same text.
 */
static void
go_on(struct taker *t, struct value *turn, struct str line)
{
	struct value *said = value_get(turn, "text");
	size_t more = said ? (size_t)(line.p + line.n - said->s.p) - said->s.n : 0;
	if (!said || t->bytes + more > BLAND_TEXT_MOST)
		return;
	t->bytes += more;
	said->s.n += more;
}

void
bland_transcript_flat(struct arena *a, struct str flat, struct bland_transcript *out)
{
	struct bland_transcript found;
	struct taker t = taker(a, &found);
	struct value *turn = NULL;
	for (struct str rest = flat; rest.n;) {
		struct str line = str_trim(str_cut(&rest, '\n')), said = line;
		const char *speaker = speaker_of(str_trim(str_cut(&said, ':')));
		said = str_trim(said);
		if (speaker && said.n)
			turn = take(&t, speaker, said, 0);
		else if (!speaker && line.n)
			go_on(&t, turn, line);
	}
	if (found.any)
		*out = found;
}
