/*
 * What Bland, or somebody in its place, sends: a signature in the first line, then the body, read
 * as a webhook, as the answer to a call, and as a list of calls.
 */
#include "base/crypto.h"
#include "fuzz.h"
#include "providers/bland.h"

enum { MOST_TRANSCRIPT = 200000, MOST_TURNS = 2000 };

static const char secret[] = "trunkline-test-secret";

static void
signature(struct arena *a, struct str header, struct str body)
{
	const char *good = crypto_hmac_sha256(a, str_of(secret), body);
	bool same = str_is(str_trim(header), good);
	MUST(bland_signature(a, secret, str_of(good), body) == BLAND_GOOD);
	MUST(bland_signature(a, secret, header, body) == (same ? BLAND_GOOD : BLAND_BAD));
	MUST(bland_signature(a, "", header, body) == BLAND_UNSIGNED);
}

static void
report(struct arena *a, struct str body)
{
	static const char *const kinds[] = {"post_call", "in_call", "enrichment", "unreadable"};
	const struct value *r = bland_report_read(a, body);
	bool known = false;
	MUST(r && r->type == VALUE_MAP);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		known = known || str_is(value_str(r, "kind"), kinds[i]);
	MUST(known);
	MUST(value_str(r, "transcript").n <= MOST_TRANSCRIPT);
	const struct value *turns = value_get(r, "turns");
	MUST(!turns || (turns->type == VALUE_LIST && turns->list.n <= MOST_TURNS));
	MUST(!value_has(r, "attempt_id") || value_str(r, "attempt_id").n == 36);
	MUST(value_num(r, "duration_seconds") >= 0 && value_num(r, "cost_micros") >= 0);
	fuzz_clean(r);
	fuzz_survives_json(a, r);
}

static void
answer(struct arena *a, struct str body)
{
	static const int statuses[] = {
	    100, 200, 201, 301, 400, 401, 402, 403, 404, 408, 418, 429, 500};
	struct error e = {0};
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct bland_answer got;
		bland_answer_read(a, statuses[i], body, -1, &got);
		MUST(bland_verdict_name(got.verdict)[0] && got.reason && got.message);
		MUST(strlen(got.message) <= 300 && str_is_utf8(str_of(got.message)));
		MUST(got.verdict != BLAND_PLACED || (got.call_id && got.call_id[0]));
		MUST(got.wait_ms >= 0);
	}
	const struct value *ids = bland_lookup_read(a, body, &e);
	MUST(ids || e.kind == ERR_MALFORMED);
	fuzz_clean(ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct str body = fuzz_input(data, size);
	struct str header = str_cut(&body, '\n');
	signature(a, header, body);
	report(a, body);
	answer(a, body);
	return 0;
}
