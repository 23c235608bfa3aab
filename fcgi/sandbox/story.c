#include "sandbox/story.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "sandbox/story_lines.h"

/* Ringing and talk together last at least this long: two seconds of real time at --speed 1. */
#define SHORTEST 40

/* clang-format off */
#define TALK(who, tags, own, by, from, to) \
	{"completed", "complete", who, NULL, tags, own, by, {from, to}}
#define NO_TALK(status, queue, who, message, tag) \
	{status, queue, who, message, tag, NULL, NULL, {0, 0}}
/* clang-format on */

static const struct ending endings[OUTCOME__MAX] = {
    [OUTCOME_INTERESTED] = TALK("human", "INTERESTED|COMPLETED_ACTION", NULL, "USER", 50, 130),
    [OUTCOME_NOT_INTERESTED] = TALK("human", "NOT_INTERESTED|NOT_QUALIFIED", NULL, "USER", 25, 80),
    [OUTCOME_CALLBACK] = TALK("human", "CALL_BACK_SCHEDULED|FOLLOW_UP_REQUIRED|INTERESTED",
	"CALLBACK", "ASSISTANT", 20, 45),
    [OUTCOME_FOLLOW_UP] = TALK("human", "FOLLOW_UP_REQUIRED|NEEDS_MORE_INFO|CALL_BACK_SCHEDULED",
	"FOLLOW_UP", "USER", 40, 110),
    [OUTCOME_VOICEMAIL] =
	TALK("voicemail", "NO_CONTACT_MADE|NO_ANSWER", "VOICEMAIL", "ASSISTANT", 12, 28),
    [OUTCOME_HANGUP] = TALK("human", "NO_CONTACT_MADE", "HANGUP", "USER", 3, 3),
    [OUTCOME_DO_NOT_CONTACT] =
	TALK("human", "DO_NOT_CONTACT|NOT_INTERESTED", NULL, "ASSISTANT", 12, 25),
    [OUTCOME_WRONG_NUMBER] =
	TALK("human", "NOT_QUALIFIED|NOT_INTERESTED", "WRONG_NUMBER", "ASSISTANT", 10, 20),
    [OUTCOME_SILENT] = TALK("unknown", "AGENT_ENDED_CALL", NULL, "ASSISTANT", 121, 130),
    [OUTCOME_NO_ANSWER] = NO_TALK("no-answer", "complete", "no-answer", NULL, "NO_ANSWER"),
    [OUTCOME_BUSY] = NO_TALK("busy", "complete", NULL,
	"Call failed. The number you dialed is busy. Please try again later.", "BUSY"),
    [OUTCOME_NOT_FOUND] = NO_TALK(
	"failed", "call_error", NULL, "Call failed. The number you dialed is not found.", "FAILED"),
    [OUTCOME_UNAVAILABLE] = NO_TALK("failed", "call_error", NULL,
	"Call failed. The number you dialed is temporarily unavailable.", "FAILED"),
    [OUTCOME_BLOCKED] = NO_TALK("failed", "call_error", NULL,
	"Call failed. Service Provider Blocked Call due to Spam or Number Reputation. Try a "
	"different number.",
	"FAILED"),
    [OUTCOME_NOT_PERMITTED] =
	NO_TALK("failed", "call_error", NULL, "Account not allowed to call %s", "FAILED"),
    [OUTCOME_CANCELED] = NO_TALK("canceled", "complete", NULL, NULL, "CANCELED"),
};

const struct ending *
story_ending(enum outcome o)
{
	return &endings[o];
}

void
story_durations(struct call *c)
{
	const unsigned *talk = endings[c->outcome].talk;
	struct lot l = {c->seed ^ 1};
	c->ring = 8 + lot_below(&l, 18);
	c->talk = talk[0] + (talk[1] > talk[0] ? lot_below(&l, talk[1] - talk[0]) : 0);
	if (c->talk > c->max_minutes * 60)
		c->talk = c->max_minutes * 60;
	if (c->ring + c->talk < SHORTEST)
		c->ring = SHORTEST - c->talk;
}

static struct str
choose(struct lot *l, struct str variants)
{
	unsigned n = 1;
	for (size_t i = 0; i < variants.n; i++)
		n += variants.p[i] == '|';
	for (unsigned skip = lot_below(l, n); skip > 0; skip--)
		str_cut(&variants, '|');
	return str_cut(&variants, '|');
}

static struct str
part_of(const struct call_texts *t, struct str name)
{
	if (str_is(name, "company"))
		return t->company.n ? t->company : STR("your company");
	if (str_is(name, "agent"))
		return t->agent.n ? t->agent : STR("Alex");
	if (str_is(name, "firm"))
		return t->firm.n ? t->firm : STR("our team");
	return t->topic.n ? t->topic : STR("our service");
}

/* Somebody whose name is not known is greeted with "there", and not addressed after a comma. */
static void
add_contact(struct buf *b, struct str contact)
{
	struct str before = buf_view(b);
	if (contact.n)
		buf_str(b, contact);
	else if (str_ends(before, ", "))
		b->p[b->n -= 2] = '\0';
	else if (str_ends(before, "Hi ") || str_ends(before, "Hello ") || str_ends(before, "day "))
		buf_puts(b, "there");
	else
		buf_puts(b, before.n ? "the person" : "The person");
}

static struct str
cast(struct arena *a, const struct call_texts *t, struct str line)
{
	struct buf b;
	buf_init(&b, a);
	while (line.n) {
		buf_str(&b, str_cut(&line, '{'));
		if (!line.n)
			break;
		struct str name = str_cut(&line, '}');
		if (str_is(name, "contact"))
			add_contact(&b, t->contact);
		else
			buf_str(&b, part_of(t, name));
	}
	return buf_view(&b);
}

static void
say(struct arena *a, struct story *s, const struct call *c, struct lot *l, const char *move)
{
	struct str text = choose(l, str_of(move + 2));
	const char *who = *move == 'u' ? "user" : *move == 'x' ? "agent-action" : "assistant";
	if (*move == 'v' && !c->t.voicemail.n)
		return;
	text = *move == 'v'                     ? c->t.voicemail
	       : *move == 'o' && c->t.opening.n ? c->t.opening
						: cast(a, &c->t, text);
	/* Only somebody who knows the name can be asked for by it. */
	if (*move == 'u' && !c->t.company.n && str_find(text, "your company") < text.n)
		text = STR("Hello?");
	s->lines[s->n++] = (struct story_line){who, text};
}

struct story
story_tell(struct arena *a, const struct call *c)
{
	const struct script *script = story_script(c->outcome);
	struct lot l = {c->seed ^ 2};
	struct story s = {0};
	size_t moves = 0;
	while (script->moves[moves])
		moves++;
	s.lines = arena_new_array(a, struct story_line, moves + 1);
	for (size_t i = 0; i < moves; i++)
		say(a, &s, c, &l, script->moves[i]);
	if (script->summaries)
		s.summary = cast(a, &c->t, choose(&l, str_of(script->summaries)));
	return s;
}

/* The caller's spelling of ${tag}, or NULL where its list does not have it. */
static const char *
in_list(struct arena *a, const struct value *list, struct str tag)
{
	for (size_t i = 0; tag.n && i < list->list.n; i++)
		if (str_is_nocase(list->list.items[i]->s, str_dup(a, tag)))
			return str_dup(a, list->list.items[i]->s);
	return NULL;
}

const char *
story_tag(struct arena *a, const struct call *c)
{
	const struct ending *e = &endings[c->outcome];
	bool cut_short = c->stopped && c->started;
	struct str rest = cut_short ? STR("NO_CONTACT_MADE") : str_of(e->tags);
	struct error why = {0};
	const struct value *list =
	    c->t.dispositions.n ? json_parse(a, c->t.dispositions, &why) : NULL;
	/* The system's own tags are not a matter of the caller's list. */
	if (!list || !list->list.n || c->outcome >= OUTCOME_SILENT)
		return str_dup(a, str_cut(&rest, '|'));
	const char *tag = cut_short ? NULL : in_list(a, list, str_of(e->own));
	while (!tag && rest.n)
		tag = in_list(a, list, str_cut(&rest, '|'));
	return tag ? tag : str_dup(a, list->list.items[list->list.n - 1]->s);
}

struct str
story_fill(struct arena *a, struct str text, const struct value *data)
{
	struct buf b;
	buf_init(&b, a);
	while (text.n) {
		size_t at = str_find(text, "{{");
		buf_str(&b, str_sub(text, 0, at));
		if (at >= text.n)
			break;
		text = str_sub(text, at + 2, text.n);
		size_t end = str_find(text, "}}");
		const struct value *v = value_get_str(data, str_trim(str_sub(text, 0, end)));
		if (v)
			value_print(&b, v);
		text = str_sub(text, end < text.n ? end + 2 : end, text.n);
	}
	return buf_view(&b);
}

/* The words at the start of ${s} that are written with a capital letter, at most ${most}. */
static struct str
capitals(struct str s, int most)
{
	size_t n = 0;
	while (most-- > 0) {
		size_t i = n + (n && n < s.n && s.p[n] == ' ');
		if (i >= s.n || !isupper((unsigned char)s.p[i]))
			break;
		while (i < s.n && (isalnum((unsigned char)s.p[i]) || strchr("&'-", s.p[i]) ||
				      (unsigned char)s.p[i] >= 0x80))
			i++;
		n = i;
	}
	return str_sub(s, 0, n);
}

static struct str
after(struct str s, const char *word)
{
	size_t at = str_find_nocase(s, word);
	return at < s.n ? str_sub(s, at + strlen(word), s.n) : (struct str){"", 0};
}

void
story_cast(struct arena *a, struct call_texts *t, struct str task)
{
	static const char *const links[] = {" from ", " at ", " of ", " for ", " with "};
	struct str rest = after(task, "you are ");
	t->agent = capitals(rest, 2);
	rest = str_sub(rest, 0, rest.n < 160 ? rest.n : 160);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && !t->firm.n; i++)
		t->firm = capitals(after(rest, links[i]), 4);
	struct str topic = after(task, " about ");
	size_t n = 0;
	while (n < topic.n && !strchr(".,;:!?\r\n{}", topic.p[n]))
		n++;
	if (n > 0 && n <= 80)
		t->topic = str_copy(a, str_trim(str_sub(topic, 0, n)));
}
