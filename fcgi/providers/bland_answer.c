/* What Bland answers to POST /v1/calls, and what that means. docs.bland.ai/api-v1/post/calls.md,
 * "Error Codes". */
#include "base/json.h"
#include "providers/bland.h"
#include "providers/bland_transcript.h"

enum { SAME_NUMBER_MS = 10000, MOST_MESSAGE = 300, MOST_WORDS = 2000, MOST_ID = 200 };
enum { ANY = 0 };

/*
 * The first row whose status and words are found decides; words NULL: any text. Codes that newer
 * accounts return are documented without a status, so they are looked for under any.
 */
static const struct row {
	int status;
	enum bland_verdict verdict;
	const char *words, *reason;
	int wait_ms;
	bool suppress;
} table[] = {
    {ANY, BLAND_LEAD, "DESTINATION_BLOCKED", "not_permitted", 0, false},
    {ANY, BLAND_LEAD, "INTL_BLOCK", "not_permitted", 0, false},
    {ANY, BLAND_BACK_OFF, "CALL_RL_", "rate_limited", 0, false},
    {400, BLAND_LEAD, "DNC", "do_not_contact", 0, true},
    {400, BLAND_LEAD, "sensitive numbers", "blocked", 0, true},
    {400, BLAND_TRANSIENT, "Unable to queue call", "unavailable", 0, false},
    {400, BLAND_TRANSIENT, "Unable to save request body", "unavailable", 0, false},
    {400, BLAND_CONFIG, "Additional properties", "bad_request", 0, false},
    {400, BLAND_CONFIG, "transfer_phone_number", "bad_request", 0, false},
    {400, BLAND_CONFIG, "Invalid 'from'", "bad_request", 0, false},
    {400, BLAND_LEAD, "Missing required parameter: phone_number", "invalid_number", 0, false},
    {400, BLAND_LEAD, "Invalid phone number", "invalid_number", 0, false},
    {400, BLAND_LEAD, "has these validation errors", "invalid_number", 0, false},
    {400, BLAND_CONFIG, NULL, "bad_request", 0, false},
    {401, BLAND_STOP, NULL, "unauthorized", 0, false},
    {402, BLAND_STOP, NULL, "insufficient_balance", 0, false},
    {403, BLAND_STOP, NULL, "account_flagged", 0, false},
    {404, BLAND_CONFIG, NULL, "bad_request", 0, false},
    {418, BLAND_CONFIG, NULL, "prompt_refused", 0, false},
    /* A permanent condition under a 429. */
    {429, BLAND_LEAD, "blacklisted", "blocked", 0, true},
    {429, BLAND_WAIT_LEAD, "same number", "rate_limited", SAME_NUMBER_MS, false},
    {429, BLAND_BACK_OFF, NULL, "rate_limited", 0, false},
};

/* All texts that an answer may carry: message, status, error, details, errors[]. */
static void
gather(struct buf *out, const struct value *v)
{
	if (!v || out->n > MOST_WORDS)
		return;
	if (v->type == VALUE_TEXT) {
		if (out->n)
			buf_puts(out, " ");
		buf_str(out, bland_cut(v->s, MOST_WORDS));
	}
	for (size_t i = 0; v->type == VALUE_LIST && i < v->list.n; i++)
		gather(out, v->list.items[i]);
	for (size_t i = 0; v->type == VALUE_MAP && i < v->map.n; i++)
		gather(out, v->map.members[i].value);
}

static struct str
words_of(struct arena *a, const struct value *answer, struct str body)
{
	static const char *const members[] = {"message", "error", "errors", "details"};
	struct buf b;
	buf_init(&b, a);
	struct str status = value_str(answer, "status");
	if (status.n && !str_is(status, "error") && !str_is(status, "success"))
		gather(&b, value_get(answer, "status"));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		gather(&b, value_get(answer, members[i]));
	return b.n ? buf_view(&b)
		   : str_utf8(a, str_sub(body, 0, body.n < MOST_WORDS ? body.n : MOST_WORDS));
}

/* Some refusals come with a status of 200. */
static bool
is_refusal(const struct value *answer)
{
	return str_is(value_str(answer, "status"), "error") ||
	       value_truthy(value_get(answer, "errors")) ||
	       value_truthy(value_get(answer, "error"));
}

static struct str
id_of(const struct value *answer)
{
	struct str id = value_str(answer, "call_id");
	if (!id.n)
		id = value_str(value_get(answer, "data"), "call_id");
	return id.n <= MOST_ID ? id : STR("");
}

static void
use_row(const struct row *row, struct bland_answer *out)
{
	out->verdict = row->verdict;
	out->reason = row->reason;
	out->suppress = row->suppress;
	if (!out->wait_ms)
		out->wait_ms = row->wait_ms;
}

static bool
find_row(int status, struct str words, bool by_words_only, struct bland_answer *out)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *row = &table[i];
		bool there = row->words && str_find_nocase(words, row->words) < words.n;
		bool fits = row->status == ANY || row->status == status;
		if (by_words_only ? !there : !fits || (row->words && !there))
			continue;
		use_row(row, out);
		return true;
	}
	return false;
}

static void
read_success(
    struct arena *a, const struct value *answer, struct str words, struct bland_answer *out)
{
	struct str id = id_of(answer);
	if (!is_refusal(answer) && id.n) {
		out->verdict = BLAND_PLACED;
		out->call_id = str_dup(a, id);
		out->reason = "";
	} else if (!is_refusal(answer) || id.n) {
		/* It may have taken the call all the same. */
		out->reason = "no_call_id";
	} else if (!find_row(0, words, true, out)) {
		out->verdict = BLAND_CONFIG;
		out->reason = "bad_request";
	}
}

void
bland_answer_read(
    struct arena *a, int status, struct str body, int64_t retry_after_ms, struct bland_answer *out)
{
	struct value *answer = json_parse(a, body, NULL);
	struct str words = words_of(a, answer, body);
	*out = (struct bland_answer){.verdict = BLAND_UNKNOWN,
	    .reason = "unavailable",
	    .message = str_dup(a, bland_cut(words, MOST_MESSAGE)),
	    .wait_ms = retry_after_ms > 0 ? retry_after_ms : 0};
	if (status >= 200 && status < 300) {
		read_success(a, answer, words, out);
		return;
	}
	/* After a 5xx nobody knows, whatever the text says; nor after a request that timed out. */
	if (status >= 500 || status < 200 || status == 408)
		return;
	if (find_row(status, words, false, out))
		return;
	/* Other 4xx, and those that send us elsewhere, say that the request was not taken. */
	out->verdict = BLAND_CONFIG;
	out->reason = "bad_request";
}

const char *
bland_verdict_name(enum bland_verdict v)
{
	static const char *const names[] = {[BLAND_PLACED] = "placed",
	    [BLAND_LEAD] = "lead",
	    [BLAND_CONFIG] = "config",
	    [BLAND_STOP] = "stop",
	    [BLAND_WAIT_LEAD] = "wait_lead",
	    [BLAND_BACK_OFF] = "back_off",
	    [BLAND_TRANSIENT] = "transient",
	    [BLAND_UNKNOWN] = "unknown"};
	return names[v];
}
