#include "hooks/bland.h"

#include "base/clock.h"
#include "base/log.h"
#include "hooks/batch.h"
#include "providers/bland.h"
#include "store/alert.h"
#include "store/setting.h"

/* Webhooks carry no client; one installation has one Bland account, that of the first client. */
enum { FIRST_CLIENT = 1, MOST_HEADER = 200, ALERT_SECONDS = 5 };

#define SIGNATURE "X-Webhook-Signature"

static struct value *
headers_kept(struct request *rq)
{
	static const char *const names[] = {"Content-Type", "User-Agent"};
	struct value *kept = value_map(rq->arena);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str s = request_header(rq, names[i]);
		if (s.n)
			value_set(rq->arena, kept, names[i],
			    value_text(rq->arena,
				str_utf8(rq->arena,
				    str_sub(s, 0, s.n < MOST_HEADER ? s.n : MOST_HEADER))));
	}
	value_set_text(rq->arena, kept, "address", rq->address);
	value_set_bool(rq->arena, kept, "signed", request_header(rq, SIGNATURE).n > 0);
	return kept;
}

/* "good", "unsigned", or "bad": what the event is stored with; NULL on error. */
static const char *
judge_once(struct request *rq, struct error *e)
{
	const struct config *config = &rq->app->config;
	const char *secret =
	    setting_get(rq->app->db, rq->arena, config, FIRST_CLIENT, "bland_webhook_secret", e);
	if (!secret)
		return NULL;
	/* A header that came twice reads as empty, and with a secret that is bad. */
	struct str header = request_header(rq, SIGNATURE);
	switch (bland_signature(rq->arena, secret, header, rq->raw)) {
	case BLAND_GOOD:
		return "good";
	case BLAND_UNSIGNED:
		return config->bland_webhook_allow_unsigned || config->sandbox ? "unsigned" : "bad";
	case BLAND_BAD:
		break;
	}
	return "bad";
}

/* What seems bad may be signed with a secret that was set a moment ago: it is read again first. */
static const char *
judge(struct request *rq, struct error *e)
{
	const char *signature = judge_once(rq, e);
	if (!signature || !str_is(str_of(signature), "bad"))
		return signature;
	setting_forget();
	return judge_once(rq, e);
}

/* Who floods us with forged events must not make us write an alert for each. */
static void
tell(struct request *rq)
{
	static int64_t told_at;
	struct error e = {0};
	if (!clock_again(&told_at, ALERT_SECONDS * CLOCK_SECOND))
		return;
	if (!alert_raise(rq->app->db, rq->arena, FIRST_CLIENT, "bad_signature", "webhooks/bland",
		"A webhook came with a wrong or missing signature and was refused. If you changed the "
		"secret at Bland, set the new one in Settings.",
		"/settings", clock_now(), &e))
		log_warn("an alert could not be raised", LOG_TEXT("why", e.message));
}

static bool
answer(struct request *rq, struct response *rs, struct error *e)
{
	const struct event *ev = NULL;
	const char *verdict = NULL;
	if (!batch_verdict(rq, &ev, &verdict, e))
		return false;
	if (str_is(str_of(ev->signature), "bad")) {
		tell(rq);
		return error_code(
		    e, ERR_UNAUTHENTICATED, "bad_signature", "The signature is missing or wrong.");
	}
	if (str_is(str_of(verdict), "unreadable"))
		return error_code(e, ERR_MALFORMED, "unreadable", "The body cannot be read: %.300s",
		    value_strz(rq->arena, ev->report, "error_message"));
	value_set_text(rq->arena, rs->model, "status", "ok");
	value_set_text(rq->arena, rs->model, "verdict", verdict);
	return true;
}

bool
bland_hook(struct request *rq, struct response *rs, struct error *e)
{
	(void)rs;
	const char *signature = judge(rq, e);
	if (!signature)
		return false;
	bool bad = str_is(str_of(signature), "bad");
	rq->then = answer;
	batch_add(rq, &(struct event){.provider = "bland",
			  .body = rq->raw,
			  .signature = signature,
			  .headers = headers_kept(rq),
			  .report = bad ? NULL : bland_report_read(rq->arena, rq->raw)});
	return true;
}
