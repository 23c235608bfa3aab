#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "providers/bland.h"
#include "rules/outcome.h"

struct want {
	const char *rule, *name, *reason;
};

/* What a case does not state is a call of a minute with a conversation of ten turns. */
struct said {
	const char *status, *queue, *by, *tag, *error, *ended, *to;
	bool not_completed;
	double seconds; /* 0: 60 */
	int turns;      /* 0: 10; NONE: a transcript without a word of the person; UNSENT */
	bool silent_agent;
};
enum { NONE = -1, UNSENT = -2 };

static struct outcome
decide(const struct said *c)
{
	struct outcome_facts f = {.status = str_of(c->status),
	    .queue_status = str_of(c->queue),
	    .answered_by = str_of(c->by),
	    .disposition = str_of(c->tag),
	    .error_message = str_of(c->error),
	    .ended_by = str_of(c->ended),
	    .transferred_to = str_of(c->to),
	    .completed = !c->not_completed,
	    .seconds = c->seconds != 0 ? c->seconds : 60,
	    .user_turns = c->turns == UNSENT ? -1
			  : c->turns == NONE ? 0
			  : c->turns         ? c->turns
					     : 10,
	    .agent_turns = c->turns != UNSENT && !c->silent_agent};
	return outcome_decide(&f);
}

static const struct {
	struct want want;
	struct said said;
} cases[] = {
    /* 0: not over yet */
    {{"0", "unknown", ""}, {.not_completed = true}},
    {{"0", "unknown", ""}, {.not_completed = true, .status = "in-progress", .tag = "INTERESTED"}},
    {{"0", "unknown", ""}, {.not_completed = true, .queue = "call_error"}},
    {{"12", "unknown", ""}, {.not_completed = true, .status = "completed"}},
    {{"3", "busy", ""}, {.not_completed = true, .status = "busy"}},
    /* completed is the fresher truth */
    {{"7", "interested", ""}, {.status = "in-progress", .tag = "INTERESTED"}},
    /* each row by each of its conditions */
    {{"1", "do_not_contact", ""}, {.tag = "DO_NOT_CONTACT"}},
    {{"1", "do_not_contact", ""}, {.tag = "do_not_contact"}},
    {{"2", "canceled", ""}, {.status = "canceled"}},
    {{"2", "canceled", ""}, {.tag = "CANCELED"}},
    {{"3", "busy", ""}, {.status = "busy"}},
    {{"3", "busy", ""}, {.tag = "BUSY"}},
    {{"3", "busy", ""},
	{.error = "Call failed. The number you dialed is busy. Please try again later."}},
    {{"4", "no_answer", ""}, {.status = "no-answer"}},
    {{"4", "no_answer", ""}, {.by = "no-answer"}},
    {{"4", "no_answer", ""}, {.tag = "NO_ANSWER"}},
    {{"5a", "failed", "invalid_number"},
	{.status = "failed", .error = "The number you dialed is not found."}},
    {{"5b", "failed", "unavailable"},
	{.error = "The number you dialed is temporarily unavailable."}},
    {{"5c", "failed", "carrier_blocked"},
	{.error =
		"Service Provider Blocked Call due to Spam or Number Reputation. Try a different number."}},
    {{"5d", "failed", "not_permitted"}, {.error = "Account not allowed to call +15550100002"}},
    {{"5e", "failed", "other"}, {.status = "failed"}},
    {{"5e", "failed", "other"}, {.tag = "FAILED"}},
    {{"5e", "failed", "other"}, {.queue = "pre_queue_error"}},
    {{"5e", "failed", "other"}, {.queue = "queue_error"}},
    {{"5e", "failed", "other"}, {.queue = "call_error"}},
    {{"6", "voicemail", ""}, {.by = "voicemail"}},
    {{"7", "interested", ""}, {.tag = "INTERESTED"}},
    {{"7", "interested", "converted"}, {.tag = "COMPLETED_ACTION"}},
    {{"7", "interested", "callback"}, {.tag = "CALL_BACK_SCHEDULED"}},
    {{"7", "interested", "transferred"}, {.tag = "TRANSFERRED"}},
    {{"7", "interested", "transferred"}, {.to = "+15550100003"}},
    {{"8", "not_interested", ""}, {.tag = "NOT_INTERESTED"}},
    {{"8", "not_interested", ""}, {.tag = "NOT_QUALIFIED"}},
    {{"9", "follow_up", ""}, {.tag = "FOLLOW_UP_REQUIRED"}},
    {{"9", "follow_up", ""}, {.tag = "NEEDS_MORE_INFO"}},
    {{"9", "follow_up", ""}, {.tag = "OBJECTION_RAISED"}},
    {{"10", "hangup", ""}, {.turns = NONE}},
    {{"10", "hangup", ""}, {.seconds = 9, .ended = "USER"}},
    {{"10", "hangup", ""}, {.tag = "NO_CONTACT_MADE"}},
    {{"10", "hangup", ""}, {.tag = "AGENT_ENDED_CALL", .turns = UNSENT}},
    {{"11", "invalid_number", "wrong_number"}, {.tag = "WRONG_NUMBER"}},
    {{"12", "unknown", ""}, {0}},
    {{"12", "unknown", ""}, {.status = "unknown"}},
    {{"12", "unknown", ""}, {.tag = "SOMETHING_OF_THEIR_OWN"}},
    /* what is close to a row but none of it */
    {{"12", "unknown", ""}, {.queue = "complete_error"}},
    {{"7", "interested", ""}, {.queue = "complete_error", .tag = "INTERESTED"}},
    {{"12", "unknown", ""}, {.seconds = 9, .ended = "ASSISTANT"}},
    {{"12", "unknown", ""}, {.seconds = 10, .ended = "USER"}},
    {{"12", "unknown", ""}, {.seconds = -1, .ended = "USER"}},
    {{"12", "unknown", ""}, {.turns = UNSENT}},
    {{"12", "unknown", ""}, {.tag = "AGENT_ENDED_CALL"}},
    {{"12", "unknown", ""}, {.error = "unknown"}},
    /* precedence: of two rows that both hold, the upper one */
    {{"1", "do_not_contact", ""}, {.tag = "DO_NOT_CONTACT", .status = "canceled"}},
    {{"1", "do_not_contact", ""}, {.tag = "DO_NOT_CONTACT", .by = "voicemail"}},
    {{"1", "do_not_contact", ""}, {.tag = "DO_NOT_CONTACT", .seconds = 4, .ended = "USER"}},
    {{"2", "canceled", ""}, {.status = "canceled", .error = "is busy"}},
    {{"3", "busy", ""}, {.status = "busy", .by = "no-answer"}},
    {{"3", "busy", ""}, {.status = "failed", .error = "is busy"}},
    {{"4", "no_answer", ""}, {.status = "no-answer", .error = "not found"}},
    {{"4", "no_answer", ""}, {.status = "failed", .by = "no-answer"}},
    {{"5a", "failed", "invalid_number"},
	{.queue = "call_error", .error = "not found", .tag = "INTERESTED"}},
    {{"5e", "failed", "other"}, {.status = "failed", .by = "voicemail"}},
    {{"6", "voicemail", ""}, {.by = "voicemail", .tag = "INTERESTED"}},
    {{"6", "voicemail", ""}, {.by = "voicemail", .tag = "NO_CONTACT_MADE", .turns = NONE}},
    {{"7", "interested", "transferred"}, {.tag = "NOT_INTERESTED", .to = "+15550100003"}},
    {{"7", "interested", ""}, {.tag = "INTERESTED", .seconds = 5, .ended = "USER"}},
    {{"8", "not_interested", ""}, {.tag = "NOT_INTERESTED", .seconds = 5, .ended = "USER"}},
    {{"9", "follow_up", ""}, {.tag = "NEEDS_MORE_INFO", .turns = NONE}},
    {{"11", "invalid_number", "wrong_number"},
	{.tag = "WRONG_NUMBER", .seconds = 5, .ended = "USER"}},
    /* answered_by null or unknown with words of the person is a conversation */
    {{"7", "interested", ""}, {.by = "unknown", .tag = "INTERESTED", .turns = 2}},
    {{"10", "hangup", ""}, {.by = "unknown", .turns = NONE}},
};

static void
rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o = decide(&cases[i].said);
		const struct want *w = &cases[i].want;
		if (strcmp(o.rule, w->rule) || strcmp(o.name, w->name) ||
		    strcmp(o.reason, w->reason))
			fail_msg("case %zu: wanted %s %s/%s, got %s %s/%s", i, w->rule, w->name,
			    w->reason, o.rule, o.name, o.reason);
		assert_int_equal(o.final, strcmp(o.rule, "0") != 0);
		assert_int_equal(o.suppress, strcmp(o.rule, "1") == 0);
		assert_int_equal(
		    o.number_invalid, strcmp(o.rule, "5a") == 0 || strcmp(o.rule, "11") == 0);
	}
}

static int
rank_of(const char *rule)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i].want.rule, rule) == 0)
			return decide(&cases[i].said).rank;
	fail_msg("no case for rule %s", rule);
	return 0;
}

static void
later_reports(void **state)
{
	(void)state;
	static const char *const all[] = {
	    "1", "2", "3", "4", "5a", "5b", "5c", "5d", "5e", "6", "7", "8", "9", "10", "11", "12"};
	assert_int_equal(rank_of("0"), 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *rule = all[i];
		assert_true(rank_of(rule) > 0);
		if (strcmp(rule, "12"))
			assert_true(rank_of(rule) > rank_of("12"));
		if (strcmp(rule, "12") && strcmp(rule, "10"))
			assert_true(rank_of(rule) > rank_of("10"));
		/* What the person said stands; only a request not to be called goes before it. */
		if (strcmp(rule, "1"))
			assert_true(rank_of(rule) < rank_of("1"));
		assert_true(strcmp(rule, "1") == 0 || rank_of(rule) <= rank_of("7"));
	}
	assert_int_equal(rank_of("7"), rank_of("8"));
}

/* The bodies of GET /v1/calls/{id} in the provider's description. */
static void
documented_bodies(void **state)
{
	(void)state;
	static const struct {
		const char *example;
		struct want want;
	} wanted[] = {{"human_interested", {"7", "interested", ""}},
	    {"voicemail", {"6", "voicemail", ""}}, {"no_answer", {"4", "no_answer", ""}},
	    {"busy", {"3", "busy", ""}}, {"failed", {"5a", "failed", "invalid_number"}},
	    {"canceled", {"2", "canceled", ""}}, {"in_progress", {"0", "", ""}}};
	const char *shared = getenv("TRUNKLINE_SHARED");
	struct arena *a = arena_new(1 << 20);
	char *path = arena_printf(
	    a, "%s/contracts/bland_voice.handmade.json", shared ? shared : "../shared");
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg("%s is missing; set TRUNKLINE_SHARED", path);
	struct buf b;
	char chunk[4096];
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	const struct value *v = json_parse(a, buf_view(&b), NULL);
	static const char *const way[] = {"paths", "/v1/calls/{call_id}", "get", "responses", "200",
	    "content", "application/json", "examples"};
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		v = value_get(v, way[i]);
	assert_non_null(v);
	assert_int_equal(v->map.n, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct value *body = value_get(value_get(v, wanted[i].example), "value");
		assert_non_null(body);
		const struct value *r = bland_report_read(a, str_of(json_text(a, body)));
		assert_string_equal(value_strz(a, r, "kind"), "post_call");
		assert_int_equal(value_flag(r, "final"), strcmp(wanted[i].want.rule, "0") != 0);
		if (!value_flag(r, "final"))
			continue;
		assert_string_equal(value_strz(a, r, "rule"), wanted[i].want.rule);
		assert_string_equal(value_strz(a, r, "outcome"), wanted[i].want.name);
		assert_string_equal(value_strz(a, r, "reason"), wanted[i].want.reason);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows),
	    cmocka_unit_test(later_reports),
	    cmocka_unit_test(documented_bodies),
	};
	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
