#ifndef PROVIDERS_BLAND_H
#define PROVIDERS_BLAND_H
/*
 * Bland.ai's voice API: builds requests, reads answers and webhooks. No I/O, no database.
 * Wire contract: docs.bland.ai/api-v1/post/calls.md, /get/calls-id.md,
 * /tutorials/post-call-webhooks.md, /tutorials/webhook-signing.md.
 */
#include "base/value.h"

/** What one call needs; strings are UTF-8, NULL or "" means: leave the field out. */
struct bland_call {
	const char *phone; /* E.164 */
	const char *task, *first_sentence;
	const char *voice, *from, *language, *time_zone;
	const char *voicemail_action, *voicemail_message; /* "hangup" or "leave_message" */
	int64_t max_duration;                             /* minutes */
	bool record;
	const char *webhook;    /* https */
	const char *attempt_id; /* calls.id; comes back as metadata.attempt_id */
	int64_t client_id, campaign_id, lead_id;
	const struct value *request_data; /* map of text: the lead's placeholders */
};

/** The body of POST /v1/calls, with documented names only. */
struct str bland_call_body(struct arena *a, const struct bland_call *call);

enum bland_verdict {
	BLAND_PLACED, /* taken; call_id is set */
	BLAND_LEAD, /* this number never: reason is an error reason of the lead; suppress may be set
		     */
	BLAND_CONFIG,    /* nobody can be called like this: pause the campaign, alert */
	BLAND_STOP,      /* nobody can be called at all (401, 402, 403): stop the provider, alert */
	BLAND_WAIT_LEAD, /* 429 for this number only: this lead later */
	BLAND_BACK_OFF,  /* 429 for all: hold the provider */
	BLAND_TRANSIENT, /* surely not placed; try again with back-off */
	BLAND_UNKNOWN,   /* nobody knows whether it was placed: look it up before anything else */
};

struct bland_answer {
	enum bland_verdict verdict;
	const char *call_id;
	const char *reason;  /* snake_case: invalid_number, do_not_contact, blocked, rate_limited,
				unauthorized,  insufficient_balance, account_flagged, bad_request,
				prompt_refused, unavailable… */
	const char *message; /* the provider's own words, <= 300 bytes, for people */
	bool suppress;       /* with BLAND_LEAD: never again on any channel of voice */
	int64_t
	    wait_ms; /* how long to wait where the provider or its documentation says so; 0 else */
};

/** Judges the answer to POST /v1/calls. ${retry_after_ms} from the header, or -1. */
void bland_answer_read(
    struct arena *a, int status, struct str body, int64_t retry_after_ms, struct bland_answer *out);
/** The name of a verdict as stored and handed to SQL: "placed", "lead", "config", "stop",
 * "wait_lead", "back_off", "transient", "unknown". */
const char *bland_verdict_name(enum bland_verdict v);

/** Paths (with query) below BLAND_BASE_URL for look-ups after a lost answer, and for a silent call.
 */
char *bland_lookup_path(struct arena *a, const char *phone, int64_t since_micros);
char *bland_call_path(struct arena *a, const char *call_id);
/** The call ids of a list answer, newest first, as a VALUE_LIST of text. NULL + error where
 * unreadable. */
struct value *bland_lookup_read(struct arena *a, struct str body, struct error *e) MUST_USE;

enum bland_signature { BLAND_GOOD, BLAND_BAD, BLAND_UNSIGNED };
/** Judges header X-Webhook-Signature over the raw body, in constant time. ${secret} "":
 * BLAND_UNSIGNED, whatever the header says, for nobody can check it. A missing header with a secret
 * set is BLAND_BAD. */
enum bland_signature bland_signature(
    struct arena *a, const char *secret, struct str header, struct str body);

/**
 * What a webhook body (or the answer to GET /v1/calls/{id}) says, in our words; the map that SQL
 * function apply_report takes: kind              "post_call", "in_call", "enrichment", "unreadable"
 *   provider_call_id, attempt_id (our uuid, from metadata; absent where it is none), to (E.164)
 *   final             false: the call goes on; only kind, ids and state ("under_way") matter then
 *   started_at, ended_at (VALUE_TIME), duration_seconds (int), cost_micros (int, micro-dollars)
 *   answered_by, disposition, ended_by, error_message, transcript, turns [{speaker, text, at}],
 * summary, recording_url outcome, reason, rule, rule_version, rank, suppress, number_invalid (from
 * rules/outcome) Absent means unknown. The older, smaller shape {event, call_id, status,
 * transcript, duration} is understood. What comes out is well-formed UTF-8 without NUL and bounded:
 * 200,000 bytes of transcript, 2,000 turns. Never NULL: a body that is no JSON object gives kind
 * "unreadable" with error_message. Ill-formed UTF-8, NULs and halves of surrogate pairs in strings,
 * which other systems let through, become U+FFFD first.
 */
struct value *bland_report_read(struct arena *a, struct str body);

#endif
