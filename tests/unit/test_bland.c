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

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "providers/bland.h"

static struct arena *a;

static int
start(void **state)
{
	(void)state;
	a = arena_new(1 << 20);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static const struct value *
contract(const char *name)
{
	const char *shared = getenv("TRUNKLINE_SHARED");
	char *path = arena_printf(a, "%s/contracts/%s", shared ? shared : "../shared", name);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg("%s is missing; set TRUNKLINE_SHARED", path);
	struct buf b;
	char chunk[4096];
	buf_init(&b, a);
	for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	struct value *v = json_parse(a, buf_view(&b), NULL);
	assert_non_null(v);
	return v;
}

static const struct value *
at(const struct value *v, const char *const *way, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v = value_get(v, way[i]);
	assert_non_null(v);
	return v;
}
#define AT(v, ...)                                                                                 \
	at((v), (const char *const[]){__VA_ARGS__},                                                \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const struct value *
tree(const char *json)
{
	struct value *v = json_parse(a, str_of(json), NULL);
	if (!v)
		fail_msg("no JSON: %s", json);
	return v;
}

/* --- the request -------------------------------------------------------------------------------
 */

static const char *const types[] = {[VALUE_BOOL] = "boolean",
    [VALUE_INT] = "number",
    [VALUE_REAL] = "number",
    [VALUE_TEXT] = "string",
    [VALUE_LIST] = "array",
    [VALUE_MAP] = "object"};

/* Every member is one that the provider's description has, of its type and among its words. */
static void
fits(const struct value *map, const struct value *properties)
{
	for (size_t i = 0; i < map->map.n; i++) {
		const struct member *m = &map->map.members[i];
		const struct value *p = value_get_str(properties, m->key);
		if (!p)
			fail_msg("%.*s is not documented", STR_ARG(m->key));
		const char *type = types[m->value->type];
		if (!type || !str_is(value_str(p, "type"), type))
			fail_msg("%.*s is of another type", STR_ARG(m->key));
		const struct value *words = value_get(p, "enum");
		bool known = !words;
		for (size_t k = 0; words && k < words->list.n; k++)
			known = known || str_eq(words->list.items[k]->s, m->value->s);
		assert_true(known);
	}
}

static struct bland_call
full_call(void)
{
	return (struct bland_call){.phone = "+15550100002",
	    .task = "You are Sam. \"Quoted\"\n\xC3\xA9",
	    .first_sentence = "Hello",
	    .voice = "maya",
	    .from = "+15550100001",
	    .language = "en",
	    .time_zone = "America/Chicago",
	    .voicemail_action = "leave_message",
	    .voicemail_message = "Bye",
	    .max_duration = 5,
	    .record = true,
	    .webhook = "https://example.test/webhooks/bland",
	    .attempt_id = "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1",
	    .client_id = 1,
	    .campaign_id = 12,
	    .lead_id = 345,
	    .request_data = tree("{\"contact\": \"Ada\"}")};
}

static void
request_body(void **state)
{
	(void)state;
	struct bland_call call = full_call();
	const struct value *schema =
	    AT(contract("bland_voice.handmade.json"), "components", "schemas", "SendCall");
	const struct value *properties = value_get(schema, "properties");
	const struct value *body = json_parse(a, bland_call_body(a, &call), NULL);
	fits(body, properties);
	fits(value_get(body, "voicemail"), AT(properties, "voicemail", "properties"));
	assert_string_equal(value_strz(a, body, "phone_number"), "+15550100002");
	assert_string_equal(value_strz(a, body, "task"), call.task);
	assert_string_equal(value_strz(a, body, "voice"), "maya");
	assert_string_equal(json_text(a, value_get(body, "voicemail")),
	    "{\"action\":\"leave_message\",\"message\":\"Bye\"}");
	assert_string_equal(json_text(a, value_get(body, "metadata")),
	    "{\"client_id\":\"1\",\"campaign_id\":\"12\",\"lead_id\":\"345\","
	    "\"attempt_id\":\"6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1\"}");
	assert_string_equal(json_text(a, value_get(body, "request_data")), "{\"contact\":\"Ada\"}");
	assert_int_equal(value_num(body, "max_duration"), 5);
	assert_true(value_flag(body, "record"));
	/* Trunkline owns retries and the schedule. */
	assert_null(value_get(body, "retry"));
	assert_null(value_get(body, "start_time"));
	assert_null(value_get(body, "voice_id"));
}

static void
sparse_body(void **state)
{
	(void)state;
	struct bland_call call = {.phone = "+15550100002",
	    .task = "bad \xFF byte",
	    .from = "",
	    .attempt_id = "x",
	    .voicemail_action = "leave_message"};
	const struct value *body = json_parse(a, bland_call_body(a, &call), NULL);
	assert_non_null(body);
	static const char *const absent[] = {"from", "voice", "language", "timezone",
	    "first_sentence", "webhook", "request_data", "max_duration"};
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(value_get(body, absent[i]));
	assert_string_equal(value_strz(a, body, "task"), "bad \xEF\xBF\xBD byte");
	/* Nothing to say: then hang up. */
	assert_string_equal(json_text(a, value_get(body, "voicemail")), "{\"action\":\"hangup\"}");
}

static void
paths(void **state)
{
	(void)state;
	assert_string_equal(bland_lookup_path(a, "+15550100002", INT64_C(1767625200000000)),
	    "/v1/calls?limit=20&sort_by=created_at&to_number=%2B15550100002&start_date=2026-01-05T15%3A00%3A00Z");
	assert_string_equal(bland_call_path(a, "a/../b?c"), "/v1/calls/a%2F..%2Fb%3Fc");
	struct error e = {0};
	const struct value *ids = bland_lookup_read(a,
	    STR("{\"count\":3,\"calls\":[{\"call_id\":\"new\"},{\"c_id\":\"old\"},{\"to\":\"+1\"},7]}"),
	    &e);
	assert_string_equal(json_text(a, ids), "[\"new\",\"old\"]");
	assert_int_equal(bland_lookup_read(a, STR("{\"calls\":[]}"), &e)->list.n, 0);
	static const char *const bad[] = {
	    "", "x", "[]", "{}", "{\"calls\":null}", "{\"status\":\"error\"}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(bland_lookup_read(a, str_of(bad[i]), &e));
}

/* --- the answer --------------------------------------------------------------------------------
 */

struct verdict {
	int status;
	const char *body; /* JSON; or the name of a documented example */
	const char *verdict, *reason;
	bool suppress;
	int wait_ms;
};

static void
judge(const struct verdict *c, const char *body)
{
	struct bland_answer got;
	bland_answer_read(a, c->status, str_of(body), -1, &got);
	if (strcmp(bland_verdict_name(got.verdict), c->verdict) || strcmp(got.reason, c->reason))
		fail_msg("%d %s\n wanted %s %s\n got    %s %s", c->status, body, c->verdict,
		    c->reason, bland_verdict_name(got.verdict), got.reason);
	assert_int_equal(got.suppress, c->suppress);
	assert_int_equal(got.wait_ms, c->wait_ms);
	assert_true(str_is_utf8(str_of(got.message)));
	assert_true(strlen(got.message) <= 300);
}

static void
documented_answers(void **state)
{
	(void)state;
	static const struct verdict wanted[] = {{200, "queued", "placed", "", false, 0},
	    {400, "missing_phone", "lead", "invalid_number", false, 0},
	    {400, "bad_phone", "lead", "invalid_number", false, 0},
	    {400, "bad_webhook", "config", "bad_request", false, 0},
	    {400, "bad_voicemail_action", "config", "bad_request", false, 0},
	    {400, "additional_property", "config", "bad_request", false, 0},
	    {400, "max_duration_low", "config", "bad_request", false, 0},
	    {400, "max_duration_high", "config", "bad_request", false, 0},
	    {400, "start_time_too_soon", "config", "bad_request", false, 0},
	    {400, "keywords", "config", "bad_request", false, 0},
	    {400, "metadata", "config", "bad_request", false, 0},
	    {400, "sensitive_number", "lead", "blocked", true, 0},
	    {400, "dnc", "lead", "do_not_contact", true, 0},
	    {400, "unable_to_queue", "transient", "unavailable", false, 0},
	    {401, "auth", "stop", "unauthorized", false, 0},
	    {402, "balance", "stop", "insufficient_balance", false, 0},
	    {402, "no_record", "stop", "insufficient_balance", false, 0},
	    {403, "flagged", "stop", "account_flagged", false, 0},
	    {404, "pathway", "config", "bad_request", false, 0},
	    {429, "general", "back_off", "rate_limited", false, 0},
	    {429, "same_number", "wait_lead", "rate_limited", false, 10000},
	    {429, "blacklisted", "lead", "blocked", true, 0},
	    {429, "new_account", "back_off", "rate_limited", false, 0},
	    {429, "international", "back_off", "rate_limited", false, 0},
	    {500, "moderation", "unknown", "unavailable", false, 0},
	    {500, "trigger", "unknown", "unavailable", false, 0}};
	const struct value *responses =
	    AT(contract("bland_voice.handmade.json"), "paths", "/v1/calls", "post", "responses");
	size_t documented = 0;
	for (size_t i = 0; i < responses->map.n; i++)
		documented +=
		    AT(responses->map.members[i].value, "content", "application/json", "examples")
			->map.n;
	assert_int_equal(documented, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const char *status = arena_printf(a, "%d", wanted[i].status);
		const struct value *body = AT(responses, status, "content", "application/json",
		    "examples", wanted[i].body, "value");
		judge(&wanted[i], json_text(a, body));
	}
}

static void
other_answers(void **state)
{
	(void)state;
	static const struct verdict wanted[] = {
	    {201, "{\"status\":\"success\",\"call_id\":\"x\"}", "placed", "", false, 0},
	    {200, "{\"data\":{\"call_id\":\"x\"},\"errors\":null}", "placed", "", false, 0},
	    /* 2xx without an id: it may have been taken */
	    {200, "{\"status\":\"success\"}", "unknown", "no_call_id", false, 0},
	    {200, "<html>", "unknown", "no_call_id", false, 0},
	    {204, "", "unknown", "no_call_id", false, 0},
	    {200, "{\"status\":\"error\",\"message\":\"odd\",\"call_id\":\"x\"}", "unknown",
		"no_call_id", false, 0},
	    /* refusals under 200 */
	    {200, "{\"status\":\"error\",\"message\":\"Invalid phone number.\"}", "lead",
		"invalid_number", false, 0},
	    {200, "{\"status\":\"error\",\"message\":\"This number is blacklisted.\"}", "lead",
		"blocked", true, 0},
	    {200, "{\"data\":null,\"errors\":[{\"error\":\"X\",\"message\":\"nope\"}]}", "config",
		"bad_request", false, 0},
	    /* other shapes and newer codes */
	    {400, "{\"error\":\"Invalid phone number format\"}", "lead", "invalid_number", false,
		0},
	    {400, "{\"message\":\"`+1999` has these validation errors: [too short]\"}", "lead",
		"invalid_number", false, 0},
	    {400, "{\"message\":\"Invalid transfer_phone_number. Invalid phone number.\"}",
		"config", "bad_request", false, 0},
	    {400, "{\"message\":\"Invalid 'from'. Must be 10 or 12 digits.\"}", "config",
		"bad_request", false, 0},
	    {400, "{\"message\":\"Unable to save request body.\"}", "transient", "unavailable",
		false, 0},
	    {400, "", "config", "bad_request", false, 0},
	    {403, "{\"errors\":[{\"error\":\"CALL_PLAN_DESTINATION_BLOCKED\"}]}", "lead",
		"not_permitted", false, 0},
	    {402, "{\"errors\":[{\"error\":\"CALL_UNPAID_INTL_BLOCK\"}]}", "lead", "not_permitted",
		false, 0},
	    {403, "{\"errors\":[{\"error\":\"CALL_RL_PLAN_DAILY_MINUTES\"}]}", "back_off",
		"rate_limited", false, 0},
	    {418, "{\"error\":\"OBJECTIVE_VALIDATION_ERROR\",\"details\":\"x\"}", "config",
		"prompt_refused", false, 0},
	    {429, "<html>Too many</html>", "back_off", "rate_limited", false, 0},
	    {413, "", "config", "bad_request", false, 0},
	    {301, "", "config", "bad_request", false, 0},
	    {408, "", "unknown", "unavailable", false, 0},
	    {500, "{\"message\":\"Invalid phone number\"}", "unknown", "unavailable", false, 0},
	    {502, "<html>", "unknown", "unavailable", false, 0},
	    {503, "\xFF\xFE", "unknown", "unavailable", false, 0},
	    {100, "", "unknown", "unavailable", false, 0},
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		judge(&wanted[i], wanted[i].body);
	struct bland_answer got;
	bland_answer_read(a, 429, STR("{\"message\":\"Rate limit exceeded\"}"), 7000, &got);
	assert_int_equal(got.wait_ms, 7000);
	bland_answer_read(a, 200, STR("{\"status\":\"success\",\"call_id\":\"6f1e\"}"), -1, &got);
	assert_string_equal(got.call_id, "6f1e");
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, "{\"message\":\"");
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "\xC3\xA4");
	buf_puts(&b, "\"}");
	judge(&(struct verdict){400, "", "config", "bad_request", false, 0}, b.p);
}

/* --- signatures --------------------------------------------------------------------------------
 */

static void
signatures(void **state)
{
	(void)state;
	const struct value *vectors =
	    value_get(contract("bland_signature_vectors.json"), "vectors");
	assert_true(vectors->list.n >= 4);
	for (size_t i = 0; i < vectors->list.n; i++) {
		const struct value *v = vectors->list.items[i];
		struct str body = value_str(v, "body"), good = value_str(v, "signature");
		const char *secret = value_strz(a, v, "secret");
		assert_int_equal(bland_signature(a, secret, good, body), BLAND_GOOD);
		char *upper = str_dup(a, good), *flipped = str_dup(a, good);
		for (char *p = upper; *p; p++)
			*p = *p >= 'a' && *p <= 'f' ? (char)(*p - 32) : *p;
		flipped[63] = flipped[63] == '0' ? '1' : '0';
		assert_int_equal(bland_signature(a, secret, str_of(upper), body), BLAND_BAD);
		assert_int_equal(bland_signature(a, secret, str_of(flipped), body), BLAND_BAD);
		assert_int_equal(bland_signature(a, secret, str_sub(good, 0, 63), body), BLAND_BAD);
		assert_int_equal(bland_signature(a, "another", good, body), BLAND_BAD);
		const char *twice = arena_printf(a, "%.*s, %.*s", STR_ARG(good), STR_ARG(good));
		assert_int_equal(bland_signature(a, secret, str_of(twice), body), BLAND_BAD);
		const char *longer = arena_printf(a, "%.*s ", STR_ARG(body));
		assert_int_equal(bland_signature(a, secret, good, str_of(longer)), BLAND_BAD);
		/* none sent, or sent twice, which reads as none */
		assert_int_equal(bland_signature(a, secret, STR(""), body), BLAND_BAD);
		assert_int_equal(bland_signature(a, "", STR(""), body), BLAND_UNSIGNED);
		assert_int_equal(bland_signature(a, NULL, good, body), BLAND_UNSIGNED);
	}
}

/* --- reports -----------------------------------------------------------------------------------
 */

static const struct value *
report(const char *body)
{
	return bland_report_read(a, str_of(body));
}

#define POST "\"call_id\":\"6f1e\",\"status\":\"completed\",\"completed\":true"

static void
whole_report(void **state)
{
	(void)state;
	const struct value *r = report(
	    "{\"call_id\":\"6f1e\",\"c_id\":\"6f1e\",\"status\":\"completed\",\"completed\":true,"
	    "\"queue_status\":\"complete\",\"answered_by\":\"human\","
	    "\"call_length\":0.65,\"corrected_duration\":\"39\","
	    "\"to\":\"+15550100002\",\"started_at\":\"2026-01-05T15:00:04.000Z\","
	    "\"end_at\":\"2026-01-05T15:00:43.12+00:00\",\"error_message\":null,"
	    "\"metadata\":{\"attempt_id\":\"6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1\"},"
	    "\"concatenated_transcript\":\"user: Hello? \\n assistant: Hi Ada. \\n \","
	    "\"transcripts\":["
	    "{\"id\":4,\"user\":\"agent-action\",\"text\":\"Ended call\"},"
	    "{\"id\":1,\"user\":\"user\",\"text\":\" Hello? \",\"created_at\":\"2026-01-05T15:00:06.1+00:00\"},"
	    "{\"id\":3,\"user\":\"user\",\"text\":\"  \"},"
	    "{\"id\":2,\"user\":\"assistant\",\"text\":\"Hi Ada.\"}],"
	    "\"summary\":\"Ada wants a demo.\",\"disposition_tag\":\"INTERESTED\",\"price\":0.078,"
	    "\"call_ended_by\":\"USER\",\"recording_url\":\"https://example.test/r.mp3\","
	    "\"some_new_field\":{\"x\":[1]}}");
	assert_string_equal(json_text(a, r),
	    "{\"kind\":\"post_call\",\"provider_call_id\":\"6f1e\","
	    "\"attempt_id\":\"6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1\",\"to\":\"+15550100002\",\"final\":true,"
	    "\"transcript\":\"user: Hello? \\n assistant: Hi Ada. \\n \","
	    "\"turns\":[{\"speaker\":\"person\",\"text\":\"Hello?\",\"at\":\"2026-01-05T15:00:06.100000Z\"},"
	    "{\"speaker\":\"agent\",\"text\":\"Hi Ada.\"},{\"speaker\":\"action\",\"text\":\"Ended call\"}],"
	    "\"answered_by\":\"human\",\"disposition\":\"INTERESTED\",\"ended_by\":\"USER\","
	    "\"summary\":\"Ada wants a demo.\",\"recording_url\":\"https://example.test/r.mp3\","
	    "\"started_at\":\"2026-01-05T15:00:04Z\",\"ended_at\":\"2026-01-05T15:00:43.120000Z\","
	    "\"duration_seconds\":39,\"cost_micros\":78000,\"outcome\":\"interested\",\"reason\":\"\","
	    "\"rule\":\"7\","
	    "\"rule_version\":1,\"rank\":80,\"suppress\":false,\"number_invalid\":false}");
}

static void
kinds(void **state)
{
	(void)state;
	static const struct {
		const char *body, *kind, *state;
	} cases[] = {
	    {"{" POST "}", "post_call", NULL},
	    {"{\"c_id\":\"6f1e\",\"status\":\"busy\"}", "post_call", NULL},
	    {"{\"call_id\":\"6f1e\",\"completed\":false,\"status\":null,\"started_at\":\"2026-01-05T15:00:04Z\"}",
		"post_call", "under_way"},
	    {"{\"call_id\":\"6f1e\",\"completed\":false,\"queue_status\":\"queued\"}", "post_call",
		NULL},
	    {"{\"call_id\":\"6f1e\",\"completed\":false,\"queue_status\":\"started\"}", "post_call",
		"under_way"},
	    {"{\"call_id\":\"6f1e\",\"category\":\"call\",\"message\":\"Call connected\",\"log_level\":\"info\"}",
		"in_call", "under_way"},
	    {"{\"call_id\":\"6f1e\",\"category\":\"latency\",\"message\":\"x\",\"log_level\":\"performance\"}",
		"in_call", NULL},
	    {"{\"call_id\":\"6f1e\",\"category\":\"queue\",\"status\":\"completed\"}", "in_call",
		NULL},
	    {"{\"call_id\":\"6f1e\",\"event_type\":\"citations\",\"citations\":[]}", "enrichment",
		NULL},
	    {"{" POST ",\"event_type\":\"evals\"}", "enrichment", NULL},
	    {"{" POST ",\"event_type\":\"post_transfer_transcript\"}", "enrichment", NULL},
	    {"{" POST ",\"event_type\":\"multiple\"}", "enrichment", NULL},
	    {"{" POST ",\"is_proxy_agent_call\":true}", "enrichment", NULL},
	    {"{" POST ",\"is_proxy_agent_call\":false}", "post_call", NULL},
	    {"{}", "unreadable", NULL},
	    {"{\"call_id\":\"6f1e\"}", "unreadable", NULL},
	    {"{\"status\":\"completed\"}", "unreadable", NULL},
	    {"{\"call_id\":7,\"status\":\"completed\"}", "unreadable", NULL},
	    {"{\"category\":\"call\"}", "unreadable", NULL},
	    {"[]", "unreadable", NULL},
	    {"\"text\"", "unreadable", NULL},
	    {"null", "unreadable", NULL},
	    {"", "unreadable", NULL},
	    {"{\"call_id\":", "unreadable", NULL},
	    {"{} {}", "unreadable", NULL},
	    {"{\"call_id\":\"a\",\"call_id\":\"b\",\"status\":\"busy\"}", "unreadable", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct value *r = report(cases[i].body);
		if (!str_is(value_str(r, "kind"), cases[i].kind))
			fail_msg("%s: %s", cases[i].body, json_text(a, r));
		const char *way = value_strz(a, r, "state");
		assert_true(cases[i].state ? way && strcmp(way, cases[i].state) == 0 : !way);
		if (strcmp(cases[i].kind, "post_call"))
			assert_false(value_flag(r, "final"));
		if (strcmp(cases[i].kind, "unreadable") == 0)
			assert_true(value_str(r, "error_message").n > 0);
	}
}

static void
numbers(void **state)
{
	(void)state;
	static const struct {
		const char *members;
		int64_t seconds, micros; /* -1: absent */
	} cases[] = {
	    {"\"corrected_duration\":\"39\"", 39, -1},
	    {"\"corrected_duration\":39", 39, -1},
	    {"\"corrected_duration\":\" 39.6 \"", 40, -1},
	    {"\"corrected_duration\":\"0\",\"call_length\":5", 0, -1},
	    {"\"corrected_duration\":null,\"call_length\":0.65", 39, -1},
	    {"\"corrected_duration\":\"soon\",\"call_length\":\"1.5\"", 90, -1},
	    {"\"corrected_duration\":\"-1\",\"call_length\":2", 120, -1},
	    {"\"corrected_duration\":\"1e99\"", -1, -1},
	    {"\"corrected_duration\":\"inf\"", -1, -1},
	    {"\"corrected_duration\":\"nan\"", -1, -1},
	    {"\"corrected_duration\":true", -1, -1},
	    {"\"price\":0.078", -1, 78000},
	    {"\"price\":\"0.015\"", -1, 15000},
	    {"\"price\":0.000001", -1, 1},
	    {"\"price\":1.1", -1, 1100000},
	    {"\"price\":0.29", -1, 290000},
	    {"\"price\":12345.678901", -1, 12345678901},
	    {"\"price\":0", -1, 0},
	    {"\"price\":null", -1, -1},
	    {"\"price\":-3", -1, -1},
	    {"\"price\":\"free\"", -1, -1},
	    {"\"price\":1e300", -1, -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct value *r = report(arena_printf(a, "{" POST ",%s}", cases[i].members));
		bool seconds = value_has(r, "duration_seconds"),
		     micros = value_has(r, "cost_micros");
		if ((seconds ? value_num(r, "duration_seconds") : -1) != cases[i].seconds ||
		    (micros ? value_num(r, "cost_micros") : -1) != cases[i].micros)
			fail_msg("%s: %s", cases[i].members, json_text(a, r));
	}
}

static void
transcripts(void **state)
{
	(void)state;
	static const struct {
		const char *members, *turns, *rule; /* turns NULL: absent */
	} cases[] = {
	    /* absent is not the same as silent */
	    {"\"summary\":\"x\"", NULL, "12"},
	    {"\"transcripts\":null", NULL, "12"},
	    {"\"transcripts\":[]", "[]", "10"},
	    {"\"transcripts\":[],\"concatenated_transcript\":\"user: hi\"", "[]", "10"},
	    {"\"transcripts\":[{\"user\":\"robot\",\"text\":\"Hi\"}]",
		"[{\"speaker\":\"agent\",\"text\":\"Hi\"}]", "10"},
	    {"\"transcripts\":[{\"user\":\"user\",\"text\":\"Hi\"},7,null,[],{\"user\":{},\"text\":[]}]",
		"[{\"speaker\":\"person\",\"text\":\"Hi\"}]", "12"},
	    {"\"transcripts\":[{\"id\":2.5,\"user\":\"user\",\"text\":\"b\"},{\"user\":\"user\",\"text\":\"c\"},"
	     "{\"id\":1,\"user\":\"user\",\"text\":\"a\"}]",
		"[{\"speaker\":\"person\",\"text\":\"a\"},{\"speaker\":\"person\",\"text\":\"b\"},"
		"{\"speaker\":\"person\",\"text\":\"c\"}]",
		"12"},
	    /* without rows, the flat text */
	    {"\"concatenated_transcript\":\"user: Hello? \\n assistant: Hi: you \\n agent-action: Ended call \\n \"",
		"[{\"speaker\":\"person\",\"text\":\"Hello?\"},{\"speaker\":\"agent\",\"text\":\"Hi: you\"},"
		"{\"speaker\":\"action\",\"text\":\"Ended call\"}]",
		"12"},
	    {"\"concatenated_transcript\":\"assistant: two\\nlines\\n\\nuser:\\n\"",
		"[{\"speaker\":\"agent\",\"text\":\"two\\nlines\"}]", "10"},
	    {"\"concatenated_transcript\":\"nobody is named here\"", NULL, "12"},
	    {"\"concatenated_transcript\":\"\"", NULL, "12"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct value *r = report(arena_printf(a, "{" POST ",%s}", cases[i].members));
		const struct value *turns = value_get(r, "turns");
		if (!turns != !cases[i].turns ||
		    (turns && strcmp(json_text(a, turns), cases[i].turns)))
			fail_msg("%s: %s", cases[i].members, json_text(a, r));
		assert_string_equal(value_strz(a, r, "rule"), cases[i].rule);
	}
}

static void
older_shape(void **state)
{
	(void)state;
	static const struct {
		const char *body, *outcome, *rule;
	} cases[] = {
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"completed\",\"duration\":42,"
	     "\"transcript\":\"User: hi\\nAI: hello\"}",
		"unknown", "12"},
	    {"{\"event\":\"call.completed\",\"call_id\":\"x\",\"status\":\"completed\",\"transcript\":\"\"}",
		"unknown", "12"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"voicemail\"}", "voicemail",
		"6"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"no_answer\"}", "no_answer",
		"4"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"no-answer\"}", "no_answer",
		"4"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"busy\"}", "busy", "3"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"failed\"}", "failed", "5e"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"interested\"}", "interested",
		"7"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"NOT_INTERESTED\"}",
		"not_interested", "8"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"do_not_call\"}",
		"do_not_contact", "1"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"hangup\"}", "hangup", "10"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\",\"status\":\"something\"}", "unknown",
		"12"},
	    {"{\"event\":\"call_ended\",\"call_id\":\"x\"}", "unknown", "12"},
	    {"{\"event\":\"call_started\",\"call_id\":\"x\",\"status\":\"in_progress\"}", NULL,
		NULL},
	    {"{\"event\":\"call.ringing\",\"call_id\":\"x\"}", NULL, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct value *r = report(cases[i].body);
		assert_string_equal(value_strz(a, r, "kind"), "post_call");
		assert_int_equal(value_flag(r, "final"), cases[i].rule != NULL);
		if (!cases[i].rule)
			continue;
		if (!str_is(value_str(r, "outcome"), cases[i].outcome) ||
		    !str_is(value_str(r, "rule"), cases[i].rule))
			fail_msg("%s: %s", cases[i].body, json_text(a, r));
	}
	const struct value *r = report(cases[0].body);
	assert_int_equal(value_num(r, "duration_seconds"), 42);
	assert_string_equal(value_strz(a, r, "transcript"), "User: hi\nAI: hello");
	assert_string_equal(json_text(a, value_get(r, "turns")),
	    "[{\"speaker\":\"person\",\"text\":\"hi\"},{\"speaker\":\"agent\",\"text\":\"hello\"}]");
	/* as rows */
	r = report(
	    "{\"event\":\"e\",\"call_id\":\"x\",\"transcript\":[{\"user\":\"human\",\"text\":\"hi\"}]}");
	assert_int_equal(value_get(r, "turns")->list.n, 1);
}

/* What strict readers refuse must not cost a call its outcome. */
static void
damaged_text(void **state)
{
	(void)state;
	static const struct {
		const char *summary, *want; /* NULL: unreadable */
	} cases[] = {
	    {"caf\xE9!", "caf\xEF\xBF\xBD!"},
	    {"a\\u0000b", "a\xEF\xBF\xBD"
			  "b"},
	    {"cut \\ud83d", "cut \xEF\xBF\xBD"},
	    {"cut \\udc4d.", "cut \xEF\xBF\xBD."},
	    {"\\ud83d\\ud83d\\udc4d \\u0000", "\xEF\xBF\xBD\xF0\x9F\x91\x8D \xEF\xBF\xBD"},
	    {"not an escape \\\\u0000", "not an escape \\u0000"},
	    {"both \\u0000 \\\\\\u0000", "both \xEF\xBF\xBD \\\xEF\xBF\xBD"},
	    {"bad \\x", NULL},
	    {"bad \\u00", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct value *r =
		    report(arena_printf(a, "{" POST ",\"summary\":\"%s\"}", cases[i].summary));
		if (!cases[i].want)
			assert_string_equal(value_strz(a, r, "kind"), "unreadable");
		else
			assert_string_equal(value_strz(a, r, "summary"), cases[i].want);
	}
	struct str raw = STR("{" POST ",\"summary\":\"raw \0 byte\"}");
	const struct value *r = bland_report_read(a, raw);
	assert_string_equal(value_strz(a, r, "summary"), "raw \xEF\xBF\xBD byte");
}

static void
hostile_members(void **state)
{
	(void)state;
	const struct value *r = report(
	    "{" POST ",\"metadata\":{\"attempt_id\":\"'; drop table calls; --\"},"
	    "\"recording_url\":\"javascript:alert(1)\",\"started_at\":\"0000-01-01T00:00:00Z\","
	    "\"end_at\":\"99999\",\"answered_by\":{\"a\":1},\"disposition_tag\":[\"INTERESTED\"]}");
	assert_null(value_get(r, "attempt_id"));
	assert_null(value_get(r, "recording_url"));
	assert_null(value_get(r, "started_at"));
	assert_null(value_get(r, "ended_at"));
	assert_null(value_get(r, "answered_by"));
	assert_string_equal(value_strz(a, r, "rule"), "12");
	r = report("{" POST ",\"metadata\":\"text\",\"started_at\":\"2026-13-45T99:00:00Z\"}");
	assert_null(value_get(r, "attempt_id"));
}

static void
large(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, a);
	buf_puts(&b, "{" POST ",\"disposition_tag\":\"INTERESTED\",\"transcripts\":[");
	for (int i = 0; i < 3000; i++)
		buf_printf(&b, "%s{\"id\":%d,\"user\":\"user\",\"text\":\"turn %d\"}", i ? "," : "",
		    3000 - i, 3000 - i);
	buf_puts(&b, "],\"concatenated_transcript\":\"x");
	for (int i = 0; i < 200000; i++)
		buf_puts(&b, "\xC3\xA4");
	/* logs as pathways write them, and a map with very many members */
	buf_puts(&b, "\",\"variables\":{");
	for (int i = 0; i < 60000; i++)
		buf_printf(&b, "%s\"v%d\":1", i ? "," : "", i);
	buf_puts(&b, "},\"pathway_logs\":[");
	for (int i = 0; b.n < 5u << 20; i++)
		buf_printf(
		    &b, "%s{\"role\":\"node\",\"text\":\"%08d a line of a log\"}", i ? "," : "", i);
	buf_puts(&b, "]}");
	int64_t began = clock_monotonic();
	const struct value *r = bland_report_read(a, buf_view(&b));
	int64_t took = clock_monotonic() - began;
	assert_string_equal(value_strz(a, r, "rule"), "7");
	assert_int_equal(value_get(r, "turns")->list.n, 2000);
	assert_string_equal(value_strz(a, value_get(r, "turns")->list.items[0], "text"), "turn 1");
	assert_true(value_str(r, "transcript").n <= 200000);
	assert_true(str_is_utf8(value_str(r, "transcript")));
	assert_true(took < 5 * CLOCK_SECOND);
	/* one turn that goes on over very many lines */
	b.n = 0;
	buf_puts(&b, "{" POST ",\"concatenated_transcript\":\"user: a");
	for (int i = 0; i < 500000; i++)
		buf_puts(&b, "\\nb");
	buf_puts(&b, "\"}");
	began = clock_monotonic();
	r = bland_report_read(a, buf_view(&b));
	assert_int_equal(value_get(r, "turns")->list.n, 1);
	assert_true(clock_monotonic() - began < 5 * CLOCK_SECOND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(request_body, start, stop),
	    cmocka_unit_test_setup_teardown(sparse_body, start, stop),
	    cmocka_unit_test_setup_teardown(paths, start, stop),
	    cmocka_unit_test_setup_teardown(documented_answers, start, stop),
	    cmocka_unit_test_setup_teardown(other_answers, start, stop),
	    cmocka_unit_test_setup_teardown(signatures, start, stop),
	    cmocka_unit_test_setup_teardown(whole_report, start, stop),
	    cmocka_unit_test_setup_teardown(kinds, start, stop),
	    cmocka_unit_test_setup_teardown(numbers, start, stop),
	    cmocka_unit_test_setup_teardown(transcripts, start, stop),
	    cmocka_unit_test_setup_teardown(older_shape, start, stop),
	    cmocka_unit_test_setup_teardown(damaged_text, start, stop),
	    cmocka_unit_test_setup_teardown(hostile_members, start, stop),
	    cmocka_unit_test_setup_teardown(large, start, stop),
	};
	return cmocka_run_group_tests_name("bland", tests, NULL, NULL);
}
