/* What Bland answers to POST /v1/calls, and what that means. docs.bland.ai/api-v1/post/calls.md, "Error Codes". */
#include "base/json.h"
#include "providers/bland.h"

enum { SAME_NUMBER_MS = 10000, MOST_MESSAGE = 300 };

/* The first row whose status and words are found decides; words NULL: any text. */
static const struct row {
	int status;
	const char *words;
	enum bland_verdict verdict;
	const char *reason;
	bool suppress;
	int wait_ms;
} table[] = {
    {400, "DNC", BLAND_LEAD, "do_not_contact", true, 0},
    {400, "sensitive numbers", BLAND_LEAD, "blocked", true, 0},
    {400, "Unable to queue call", BLAND_TRANSIENT, "unavailable", false, 0},
    {400, "Unable to save request body", BLAND_TRANSIENT, "unavailable", false, 0},
    {400, "Additional properties", BLAND_CONFIG, "bad_request", false, 0},
    {400, "transfer_phone_number", BLAND_CONFIG, "bad_request", false, 0},
    {400, "Invalid 'from'", BLAND_CONFIG, "bad_request", false, 0},
    {400, "Missing required parameter: phone_number", BLAND_LEAD, "invalid_number", false, 0},
    {400, "Invalid phone number", BLAND_LEAD, "invalid_number", false, 0},
    {400, "has these validation errors", BLAND_LEAD, "invalid_number", false, 0},
    {400, "DESTINATION_BLOCKED", BLAND_LEAD, "not_permitted", false, 0},
    {400, "INTL_BLOCK", BLAND_LEAD, "not_permitted", false, 0},
    {400, NULL, BLAND_CONFIG, "bad_request", false, 0},
    {401, NULL, BLAND_STOP, "unauthorized", false, 0},
    {402, NULL, BLAND_STOP, "insufficient_balance", false, 0},
    {403, "DESTINATION_BLOCKED", BLAND_LEAD, "not_permitted", false, 0},
    {403, "INTL_BLOCK", BLAND_LEAD, "not_permitted", false, 0},
    {403, NULL, BLAND_STOP, "account_flagged", false, 0},
    {404, NULL, BLAND_CONFIG, "bad_request", false, 0},
    {418, NULL, BLAND_CONFIG, "prompt_refused", false, 0},
    /* A permanent condition under a 429. */
    {429, "blacklisted", BLAND_LEAD, "blocked", true, 0},
    {429, "same number", BLAND_WAIT_LEAD, "rate_limited", false, SAME_NUMBER_MS},
    {429, NULL, BLAND_BACK_OFF, "rate_limited", false, 0},
};

/* All texts that an answer may carry: message, status, error, details, errors[]. */
static void
gather(struct buf *out, const struct value *v)
{
	if (!v)
		return;
	if (v->type == VALUE_TEXT) {
		if (out->n)
			buf_puts(out, " ");
		buf_str(out, v->s);
	}
	for (size_t i = 0; v->type == VALUE_LIST && i < v->list.n && out->n < 2000; i++)
		gather(out, v->list.items[i]);
	for (size_t i = 0; v->type == VALUE_MAP && i < v->map.n && out->n < 2000; i++)
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
		buf_str(&b, status);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		gather(&b, value_get(answer, members[i]));
	return b.n ? buf_view(&b) : str_utf8(a, str_sub(body, 0, MOST_MESSAGE));
}

static const char *
cut(struct arena *a, struct str s)
{
	if (s.n > MOST_MESSAGE) {
		s.n = MOST_MESSAGE;
		while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
			s.n--;
	}
	return str_dup(a, s);
}

static void
read_success(struct arena *a, const struct value *answer, struct bland_answer *out)
{
	struct str id = value_str(answer, "call_id");
	if (id.n && !str_is(value_str(answer, "status"), "error")) {
		out->verdict = BLAND_PLACED;
		out->call_id = str_dup(a, id);
		out->reason = "";
		return;
	}
	/* 2xx without an id: it may have taken the call all the same. */
	out->verdict = BLAND_UNKNOWN;
	out->reason = "no_call_id";
}

void
bland_answer_read(struct arena *a, int status, struct str body, int64_t retry_after_ms,
    struct bland_answer *out)
{
	struct value *answer = json_parse(a, body, NULL);
	struct str words = words_of(a, answer, body);
	*out = (struct bland_answer){.verdict = BLAND_UNKNOWN, .reason = "unavailable", .message = cut(a, words)};
	if (retry_after_ms > 0)
		out->wait_ms = retry_after_ms;
	if (status >= 200 && status < 300) {
		/* Some refusals come as 200 with status "error". */
		if (answer && str_is(value_str(answer, "status"), "error"))
			status = 400;
		else {
			read_success(a, answer, out);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *row = &table[i];
		if (row->status != status || (row->words && str_find_nocase(words, row->words) == words.n))
			continue;
		out->verdict = row->verdict;
		out->reason = row->reason;
		out->suppress = row->suppress;
		if (!out->wait_ms)
			out->wait_ms = row->wait_ms;
		return;
	}
	/* Other 4xx say that the request was not taken; after a 5xx nobody knows. */
	if (status >= 400 && status < 500) {
		out->verdict = BLAND_CONFIG;
		out->reason = "bad_request";
	}
}

const char *
bland_verdict_name(enum bland_verdict v)
{
	static const char *const names[] = {[BLAND_PLACED] = "placed", [BLAND_LEAD] = "lead",
	    [BLAND_CONFIG] = "config", [BLAND_STOP] = "stop", [BLAND_WAIT_LEAD] = "wait_lead",
	    [BLAND_BACK_OFF] = "back_off", [BLAND_TRANSIENT] = "transient", [BLAND_UNKNOWN] = "unknown"};
	return names[v];
}
