"""Bland's webhook: what may come early, late, twice, out of order, forged, huge or broken."""
import concurrent.futures
import hashlib
import hmac
import http.client
import itertools
import json
import ssl
import subprocess
import uuid

import pytest
from conftest_stack import wait_for

numbers = itertools.count(2600001)


class Case:
    """A lead whose call is under way, as the dialer leaves it; reports about it are posted signed."""

    def __init__(self, stack, state="placed", with_id=True, attempts=3):
        self.stack, self.http = stack, stack.http()
        self.bland_id, self.call = str(uuid.uuid4()), str(uuid.uuid4())
        self.phone = f"+1415{next(numbers)}"
        self.lead = stack.one(
            """insert into leads (client_id, phone, contact, status)
            values (1, %s, 'Ada', 'pending') returning id""",
            self.phone,
        )["id"]
        policy = {
            k: {"retries": 2, "delay": 3600, "factor": 2}
            for k in ("no_answer", "busy", "voicemail", "hangup", "failed")
        }
        self.campaign = stack.one(
            """insert into campaigns
            (client_id, name, state, max_attempts, retry_policy) values (1, %s, 'paused', %s, %s)
            returning id""",
            "webhook " + self.call,
            attempts,
            json.dumps(policy),
        )["id"]
        self.journey = stack.one(
            """insert into enrollments (client_id, campaign_id, lead_id, state, tries)
            values (1, %s, %s, 'under_way', 1) returning id""",
            self.campaign,
            self.lead,
        )["id"]
        stack.rows(
            """with new as (insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone,
                step, try, state, provider_call_id, created_at)
                values (%s, 1, %s, %s, %s, %s, 1, 1, %s, %s, now()) returning *)
            insert into provider_ids select provider, provider_call_id, id from new
            where provider_call_id is not null""",
            self.call,
            self.campaign,
            self.journey,
            self.lead,
            self.phone,
            state,
            self.bland_id if with_id else None,
        )

    def body(self, **more):
        """A report as Bland sends it; None removes a member."""
        said = {
            "call_id": self.bland_id,
            "c_id": self.bland_id,
            "status": "completed",
            "completed": True,
            "queue_status": "complete",
            "answered_by": "human",
            "call_length": 0.65,
            "corrected_duration": "39",
            "to": self.phone,
            "from": "+15550100001",
            "error_message": None,
            "started_at": "2026-01-05T15:00:04.000Z",
            "end_at": "2026-01-05T15:00:43.000Z",
            "metadata": {"attempt_id": self.call},
            "price": 0.078,
            "call_ended_by": "USER",
            "concatenated_transcript": "user: Hello? \n assistant: Hi Ada. \n user: Tell me more. \n ",
            "transcripts": [
                {"id": 1, "user": "user", "text": "Hello?", "created_at": "2026-01-05T15:00:06Z"},
                {"id": 2, "user": "assistant", "text": "Hi Ada."},
                {"id": 3, "user": "user", "text": "Tell me more."},
            ],
            "summary": "Ada wants a demo.",
            "disposition_tag": "INTERESTED",
            "is_proxy_agent_call": False,
            **more,
        }
        return {k: v for k, v in said.items() if v is not None or k in ("error_message", "answered_by")}

    def post(self, body, path="/webhooks/bland", signature=None, headers=None):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        signature = sign(self.stack, raw) if signature is None else signature
        if signature:
            sent["X-Webhook-Signature"] = signature
        return self.http.post(path, data=raw, headers=sent)

    def said(self, **more):
        """Posts a report; answers the verdict."""
        answer = self.post(self.body(**more))
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "ok"
        return answer.json()["verdict"]

    def row(self):
        return self.stack.one("select * from calls where id = %s", self.call)

    def lead_row(self):
        return self.stack.one("select * from leads where id = %s", self.lead)

    def journey_row(self):
        return self.stack.one("select * from enrollments where id = %s", self.journey)

    def events(self):
        return self.stack.rows(
            "select * from events where provider_call_id = %s or call_id = %s order by id",
            self.bland_id,
            self.call,
        )


def sign(stack, raw, secret=None):
    return hmac.new((secret or stack.bland_secret).encode(), raw, hashlib.sha256).hexdigest()


@pytest.fixture
def case(stack):
    return Case(stack)


# --- the good one -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/webhook", "/webhooks/bland"])
def test_a_report_ends_the_call_and_the_lead_is_done(stack, path):
    case = Case(stack)
    answer = case.post(case.body(), path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "verdict": "applied"})
    call, lead, journey = case.row(), case.lead_row(), case.journey_row()
    assert (call["state"], call["outcome"]) == ("ended", "interested")
    assert (call["rule"], call["rule_version"]) == ("7", 1)
    assert (call["duration_seconds"], call["cost_usd"]) == (39, 78000)
    assert [t["speaker"] for t in call["turns"]] == ["person", "agent", "person"]
    assert "Tell me more." in call["transcript"] and call["summary"] == "Ada wants a demo."
    assert (lead["status"], lead["outcome"], str(lead["last_call_id"])) == ("done", "interested", case.call)
    assert (journey["state"], journey["attempts"]) == ("done", 1)
    event = case.events()[0]
    assert (event["verdict"], event["signature"], str(event["call_id"])) == ("applied", "good", case.call)
    assert json.loads(event["body"]) == case.body()


@pytest.mark.parametrize(
    "type_",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "application/json; charset=utf-16",
        "nonsense",
    ],
)
def test_a_wrong_content_type_costs_nothing(stack, type_):
    case = Case(stack)
    assert case.post(case.body(), headers={"Content-Type": type_}).json()["verdict"] == "applied"
    assert case.row()["outcome"] == "interested"


def test_it_takes_no_session_and_no_other_method(stack, case):
    for method in ("GET", "PUT", "DELETE"):
        assert case.http.request(method, "/webhooks/bland").status_code == 405
    assert stack.http().get("/webhook").status_code == 405


# --- twice, early, late, out of order -----------------------------------------------------------------


def test_what_cannot_be_taken_together_is_taken_one_by_one(stack, case):
    """One report that the statement for many cannot take must not cost the others theirs."""
    name = "events_receive(text, text[], text[], text[], text[], text[], text[], timestamptz)"
    stack.rows(f"alter function {name} rename to events_receive_away")
    try:
        assert case.said() == "applied"
        assert case.said() == "duplicate"
    finally:
        stack.rows(f"alter function {name.replace('receive(', 'receive_away(')} rename to events_receive")
    assert (case.row()["state"], case.lead_row()["status"]) == ("ended", "done")
    assert [(v["verdict"], v["deliveries"]) for v in case.events()] == [("applied", 2)]


def test_ten_copies_at_once_are_applied_once(stack, case):
    body = json.dumps(case.body()).encode()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        verdicts = sorted(pool.map(lambda _: Case.post(case_copy(case), body).json()["verdict"], range(10)))
    assert verdicts == ["applied"] + ["duplicate"] * 9
    events = case.events()
    assert len(events) == 1 and events[0]["deliveries"] == 10
    assert case.journey_row()["attempts"] == 1
    assert stack.one("select count(*) as n from decisions where enrollment_id = %s", case.journey)["n"] == 1


def case_copy(case):
    """The same case with a connection of its own."""
    copy = object.__new__(Case)
    copy.__dict__ = {**case.__dict__, "http": case.stack.http()}
    return copy


def test_different_reports_at_once_leave_one_truth(stack, case):
    bodies = [
        case.body(disposition_tag=tag, answered_by="human")
        for tag in ("INTERESTED", "NO_CONTACT_MADE", "NEEDS_MORE_INFO", "DO_NOT_CONTACT")
    ] * 2
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda b: Case.post(case_copy(case), b), bodies))
    assert {a.status_code for a in answers} == {200}
    assert (case.row()["outcome"], case.row()["rule"]) == ("do_not_contact", "1")
    assert case.journey_row()["attempts"] == 1
    assert stack.one("select count(*) as n from suppressions where phone = %s", case.phone)["n"] == 1


@pytest.mark.parametrize("state", ["placing", "ambiguous"])
def test_before_the_post_was_answered_it_is_known_by_its_attempt(stack, state):
    case = Case(stack, state=state, with_id=False)
    assert case.said() == "applied"
    assert (case.row()["state"], case.row()["provider_call_id"]) == ("ended", case.bland_id)
    assert case.lead_row()["status"] == "done"


def test_one_without_the_attempt_waits_until_the_call_is_known(stack):
    case = Case(stack, state="placing", with_id=False)
    assert case.said(metadata=None) == "unknown_call"
    assert case.row()["state"] == "placing"
    stack.rows(
        "select settle_calls(%s, now())",
        json.dumps(
            [
                {
                    "call_id": case.call,
                    "verdict": "placed",
                    "reason": "",
                    "message": "",
                    "provider_call_id": case.bland_id,
                    "deadline_ms": 60000,
                    "lookup_ms": 1000,
                    "wait_ms": 0,
                    "suppress": False,
                }
            ]
        ),
    )
    assert (case.row()["state"], case.row()["outcome"]) == ("ended", "interested")
    assert [e["verdict"] for e in case.events()] == ["applied"]
    assert case.said(metadata=None) == "duplicate"


def test_a_call_nobody_knows_is_kept_and_changes_nothing(stack, case):
    stranger = case.body(call_id=str(uuid.uuid4()), c_id=None, metadata={"attempt_id": str(uuid.uuid4())})
    count = (
        "select count(*) as calls, (select count(*) from leads where status = 'done') as done from calls"
    )
    before = stack.one(count)
    for _ in range(3):
        answer = case.post(stranger)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "unknown_call")
    assert stack.one(count) == before
    kept = stack.rows("select * from events where provider_call_id = %s", stranger["call_id"])
    assert len(kept) == 1 and (kept[0]["verdict"], kept[0]["deliveries"]) == ("unknown_call", 3)


def test_a_later_report_knows_more(stack, case):
    silent = {
        "answered_by": None,
        "disposition_tag": None,
        "transcripts": [],
        "concatenated_transcript": None,
        "summary": None,
    }
    assert case.said(**silent) == "applied"
    assert (case.row()["outcome"], case.row()["rule"]) == ("hangup", "10")
    assert (case.journey_row()["state"], case.journey_row()["reason"]) == ("waiting", "retry:hangup")
    assert case.said(**silent, price=0.09) == "noted"  # no better, yet its price is
    assert case.row()["cost_usd"] == 90000
    assert case.said() == "applied"
    assert (case.row()["outcome"], case.row()["rule"]) == ("interested", "7")
    journey = case.journey_row()
    assert (journey["state"], journey["outcome"], journey["attempts"]) == ("done", "interested", 1)
    assert case.lead_row()["status"] == "done"


def test_a_later_emptier_report_takes_nothing_back(stack, case):
    assert case.said() == "applied"
    for less in (
        {"disposition_tag": None},
        {"disposition_tag": "NO_CONTACT_MADE"},
        {"answered_by": "voicemail"},
        {"status": "failed", "disposition_tag": "FAILED", "error_message": "Call failed."},
        {"disposition_tag": "NOT_INTERESTED"},
        {"transcripts": None, "concatenated_transcript": None, "summary": None, "disposition_tag": None},
    ):
        assert case.said(**less) == "noted", less
        assert (case.row()["outcome"], case.row()["rule"]) == ("interested", "7"), less
    assert case.row()["transcript"] and case.row()["summary"] == "Ada wants a demo."
    assert len(case.row()["turns"]) == 3
    assert (case.journey_row()["state"], case.journey_row()["attempts"]) == ("done", 1)


def test_who_asks_late_not_to_be_called_is_not_called(stack, case):
    assert case.said() == "applied"
    assert case.said(disposition_tag="DO_NOT_CONTACT") == "applied"
    assert (case.row()["outcome"], case.lead_row()["status_reason"]) == ("do_not_contact", "do_not_contact")
    assert stack.one("select reason from suppressions where phone = %s and channel is null", case.phone)
    withdrawn = stack.rows("select channel from consents where lead_id = %s and not granted", case.lead)
    assert {w["channel"] for w in withdrawn} == {"call", "sms", "whatsapp", "email"}
    allowed = stack.one("select * from contactability(%s, 'call', null, now())", case.lead)
    assert not allowed["allowed"] and allowed["permanent"]


def test_in_call_events_come_in_any_order(stack, case):
    event = {"message": "Call connected", "call_id": case.bland_id, "category": "call", "log_level": "info"}
    assert case.post(event).json()["verdict"] == "applied"
    assert case.row()["state"] == "under_way" and case.row()["started_at"]
    assert case.said() == "applied"
    assert case.post({**event, "message": "Call connected again"}).json()["verdict"] == "noted"
    assert case.post({**event, "category": "latency"}).json()["verdict"] == "noted"
    assert (case.row()["state"], case.row()["outcome"]) == ("ended", "interested")


def test_an_event_behind_the_report_does_not_wake_the_call(stack):
    case = Case(stack)
    assert case.said() == "applied"
    event = {"message": "Call connected", "call_id": case.bland_id, "category": "call", "log_level": "info"}
    assert case.post(event).json()["verdict"] == "noted"
    assert case.row()["state"] == "ended"
    assert case.said(completed=False, status=None, queue_status="started") == "noted"
    assert case.row()["state"] == "ended"


def test_what_comes_beside_the_report_is_kept(stack, case):
    for more in (
        {"event_type": "citations", "citations": [{"a": 1}]},
        {"event_type": "evals"},
        {"is_proxy_agent_call": True},
    ):
        assert case.said(**more) == "noted"
        assert case.row()["state"] == "placed"
    assert {e["kind"] for e in case.events()} == {"enrichment"}
    assert case.said() == "applied"


# --- outcomes and what follows --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members, outcome, rule, journey, lead",
    [
        ({"answered_by": "voicemail"}, "voicemail", "6", ("waiting", "retry:voicemail"), "pending"),
        (
            {"status": "no-answer", "answered_by": "no-answer", "transcripts": []},
            "no_answer",
            "4",
            ("waiting", "retry:no_answer"),
            "pending",
        ),
        ({"status": "busy"}, "busy", "3", ("waiting", "retry:busy"), "pending"),
        (
            {"status": "failed", "error_message": "The number you dialed is not found."},
            "failed",
            "5a",
            ("error", "invalid_number"),
            "error",
        ),
        (
            {"status": "failed", "error_message": "temporarily unavailable"},
            "failed",
            "5b",
            ("waiting", "retry:failed"),
            "pending",
        ),
        ({"disposition_tag": "NOT_INTERESTED"}, "not_interested", "8", ("done", None), "done"),
        ({"disposition_tag": "NEEDS_MORE_INFO"}, "follow_up", "9", ("done", None), "done"),
        ({"disposition_tag": "WRONG_NUMBER"}, "invalid_number", "11", ("error", "invalid_number"), "error"),
        (
            {"disposition_tag": "DO_NOT_CONTACT"},
            "do_not_contact",
            "1",
            ("error", "do_not_contact"),
            "error",
        ),
        ({"disposition_tag": "SOMETHING"}, "unknown", "12", ("done", None), "done"),
    ],
)
def test_what_follows_from_an_outcome(stack, members, outcome, rule, journey, lead):
    case = Case(stack)
    assert case.said(**members) == "applied"
    call, now = case.row(), case.journey_row()
    assert (call["outcome"], call["rule"]) == (outcome, rule)
    assert (now["state"], now["reason"]) == journey
    assert (case.lead_row()["status"], case.lead_row()["outcome"]) == (lead, outcome)
    assert case.lead_row()["number_state"] == ("invalid" if journey[1] == "invalid_number" else "unknown")


def test_the_last_attempt_is_the_last(stack):
    case = Case(stack, attempts=1)
    assert case.said(answered_by="voicemail") == "applied"
    assert (case.journey_row()["state"], case.lead_row()["status"]) == ("done", "done")


def test_the_older_smaller_shape(stack):
    case = Case(stack)
    body = {
        "event": "call_ended",
        "call_id": case.bland_id,
        "status": "voicemail",
        "transcript": "assistant: Hello?\nuser: Leave a message after the tone.",
        "duration": 12,
    }
    assert case.post(body, "/webhook").json() == {"status": "ok", "verdict": "applied"}
    call = case.row()
    assert (call["outcome"], call["rule"], call["duration_seconds"]) == ("voicemail", "6", 12)
    assert [t["speaker"] for t in call["turns"]] == ["agent", "person"]


# --- signatures -----------------------------------------------------------------------------------------


def post_raw(stack, body, headers, path="/webhooks/bland"):
    """Headers exactly as given, also twice."""
    trust = ssl.create_default_context(cafile=stack.ca)
    c = http.client.HTTPSConnection("localhost", stack.port, context=trust)
    c.putrequest("POST", path)
    for name, value in [("Content-Length", str(len(body))), *headers]:
        c.putheader(name, value)
    c.endheaders(body)
    answer = c.getresponse()
    text = answer.read()
    c.close()
    return answer.status, text


def test_what_is_not_signed_is_refused(stack, case):
    raw = json.dumps(case.body()).encode()
    good = sign(stack, raw)
    for wrong in (
        "0" * 64,
        good.upper(),
        good[:-1],
        good + "0",
        "",
        f"{good},{good}",
        "sha256=" + good,
        sign(stack, raw + b" "),
        sign(stack, raw, "another secret"),
    ):
        answer = case.post(raw, signature=wrong)
        assert answer.status_code == 401, wrong
        assert answer.json()["error"]["code"] == "bad_signature"
    for twice in (
        [("X-Webhook-Signature", good)] * 2,
        [("X-Webhook-Signature", good), ("X-Webhook-Signature", "x")],
        [("x-webhook-signature", "x"), ("X-Webhook-Signature", good)],
    ):
        assert post_raw(stack, raw, twice)[0] == 401
    assert case.row()["state"] == "placed"
    # the very same bytes, well signed, are another thing
    assert case.post(raw).json()["verdict"] == "applied"


def test_a_new_secret_counts_from_its_first_report(stack, case):
    """A worker that has just read the old one reads again before it refuses what the new one signed."""
    admin = stack.login("admin")

    def keep(secret):
        form = {"name": "bland_webhook_secret", "value": secret}
        assert admin.form("/settings/keys", form, page="/settings").ok

    def refused(secret):
        raws = [json.dumps({"n": str(uuid.uuid4())}).encode() for _ in range(8)]
        return [case.post(raw, signature=sign(stack, raw, secret)).status_code for raw in raws].count(401)

    try:
        for secret in (f"secret-{uuid.uuid4()}" for _ in range(3)):
            assert refused(None) == 0
            keep(secret)
            assert refused(secret) == 0
            keep("")
    finally:
        keep("")


def test_refused_ones_are_kept_short_and_told_once(stack, case):
    stack.rows("update alerts set resolved_at = now() where kind = 'bad_signature'")
    known = stack.one("select coalesce(max(id), 0) as id from events")["id"]

    def told():
        case.post({"call_id": "x", "pad": "p" * 100000, "n": str(uuid.uuid4())}, signature="0" * 64)
        return stack.rows("select * from alerts where kind = 'bad_signature' and resolved_at is null")

    alerts = wait_for(told, seconds=15, pause=0.5)
    assert len(alerts) == 1 and alerts[0]["link"] == "/settings"
    for _ in range(5):
        told()
    assert len(told()) == 1
    kept = stack.rows("select * from events where id > %s and verdict = 'refused'", known)
    assert kept
    for event in kept:
        assert len(event["body"]) <= 4096 and event["signature"] == "bad" and event["call_id"] is None
        assert event["headers"]["signed"] is True


def test_a_flood_of_forged_ones_leaves_few_rows(stack, case):
    for _ in range(600):
        assert case.post({"n": str(uuid.uuid4())}, signature="0" * 64).status_code == 401
    kept = stack.one("select count(*) as n, sum(deliveries) as told from events where verdict = 'refused'")
    assert kept["n"] <= 2 * 256 and kept["told"] >= 600  # 256 an hour


# --- broken and huge --------------------------------------------------------------------------------------


UNREADABLE = [
    b"",
    b"{",
    b"not json",
    b"[]",
    b"null",
    b"7",
    b'"text"',
    b"{}",
    b'{"call_id":"x"}',
    b'{"status":"completed"}',
    b'{"call_id":{},"status":"completed"}',
    b'{"call_id":"x","status":"completed"',
    b"\xff\xfe{\x00",
    b"[" * 5000,
    b'{"a":' * 5000,
    b"\x00" * 100,
]


@pytest.mark.parametrize("raw", UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_is_refused_and_kept(stack, case, raw):
    answer = case.post(raw)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "unreadable"
    event = stack.one("select * from events where dedupe_key = %s", hashlib.sha256(raw).hexdigest())
    assert (event["kind"], event["verdict"], event["signature"]) == ("unreadable", "unreadable", "good")
    assert case.post(raw).status_code in (200, 400)


def test_broken_first_then_good(stack, case):
    raw = json.dumps(case.body()).encode()
    assert case.post(raw[:-40]).status_code == 400
    assert case.row()["state"] == "placed"
    assert case.post(raw).json()["verdict"] == "applied"


@pytest.mark.parametrize(
    "old, new, shown",
    [
        (b"Ada wants a demo.", b"caf\xe9", "caf\ufffd"),
        (b"Ada wants a demo.", b"a\\u0000b", "a\ufffdb"),
        (b"Ada wants a demo.", b"cut \\ud83d", "cut \ufffd"),
        (b"Ada wants a demo.", b"a\x00b", "a\ufffdb"),
    ],
)
def test_a_bad_byte_does_not_cost_the_outcome(stack, old, new, shown):
    case = Case(stack)
    answer = case.post(json.dumps(case.body()).encode().replace(old, new))
    assert (answer.status_code, answer.json()["verdict"]) == (200, "applied")
    assert case.row()["summary"] == shown


def test_five_megabytes(stack, case):
    logs = [{"role": "node", "text": f"line {i} of a long log " + "x" * 80} for i in range(42000)]
    raw = json.dumps(case.body(pathway_logs=logs)).encode()
    assert 4_500_000 < len(raw) < 6_000_000
    answer = case.post(raw)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "applied")
    assert case.row()["outcome"] == "interested"
    assert len(case.events()[0]["body"]) == len(raw)
    assert case.post(raw).json()["verdict"] == "duplicate"


def test_what_is_larger_is_refused_at_the_door(stack, case):
    assert case.post(b'{"a":"' + b"x" * (8 << 20) + b'"}').status_code == 413
    assert case.post(case.body()).status_code == 200


def test_odd_values_do_no_harm(stack):
    case = Case(stack)
    verdict = case.said(
        corrected_duration="1e99",
        price="free",
        started_at="0000-00-00",
        end_at="99999999",
        recording_url="javascript:alert(1)",
        summary={"a": 1},
        transcripts={"a": 1},
        call_ended_by=[1],
        answered_by=7,
        concatenated_transcript="user: '; drop table calls; --",
    )
    assert verdict == "applied"
    call = case.row()
    assert call["outcome"] == "interested" and call["ended_at"]
    assert call["recording_url"] is None and call["cost_usd"] is None and call["summary"] is None


# --- the database away, no secret -----------------------------------------------------------------------


def postgres(stack, *words):
    words = ["/usr/lib/postgresql/15/bin/pg_ctl", "-D", str(stack.state / "pg"), "-s", "-w", *words]
    if (stack.state / "pg").stat().st_uid != 0:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *words]
    quiet = subprocess.DEVNULL
    subprocess.run(words, check=True, timeout=60, cwd="/", stdin=quiet, stdout=quiet, stderr=quiet)


def test_while_the_database_is_away_they_are_asked_to_come_again(new_stack):
    stack = new_stack()
    case, secret = Case(stack), stack.bland_secret
    raw = json.dumps(case.body()).encode()
    assert case.post(b"{}").status_code == 400  # the worker knows the secret by now
    postgres(stack, "-m", "fast", "stop")
    answer = case.post(raw, signature=sign(stack, raw, secret))
    assert answer.status_code == 503 and answer.headers.get("Retry-After")
    postgres(stack, "-l", str(stack.state / "log" / "postgresql.log"), "start")
    answer = wait_for(lambda: (a := case.post(raw)).status_code == 200 and a, seconds=20, pause=0.3)
    assert answer.json()["verdict"] == "applied"
    assert case.row()["outcome"] == "interested"


def test_without_a_secret_nothing_is_believed(new_stack):
    stack = new_stack(
        SANDBOX="0", BLAND_API_KEY="none", BLAND_WEBHOOK_SECRET="", BLAND_BASE_URL="http://127.0.0.1:9"
    )
    case = Case(stack)
    for signature in ("", "0" * 64):
        assert case.post(case.body(), signature=signature).status_code == 401
    assert case.row()["state"] == "placed"
    assert stack.one("select count(*) as n from alerts where kind = 'bad_signature'")["n"] == 1
    stack.stop()
    stack.env["BLAND_WEBHOOK_ALLOW_UNSIGNED"] = "1"
    stack.restart()
    case.http = stack.http()
    assert case.post(case.body(), signature="").json()["verdict"] == "applied"
    assert case.events()[-1]["signature"] == "unsigned"


# --- through the sandbox: its own reports, with its own faults ---------------------------------------------


def test_reports_with_faults_arrive_all_the_same(new_stack):
    """Endings: twice 30, first 31, never 32, late upgrade 33, event behind 34, forged 35, 5 MB 36, bare 37,
    broken 38, small 39, stranger 45."""
    stack = new_stack(SANDBOX_ARGS="--speed 20", CALL_DEADLINE=3, LOOKUP_FIRST=1)
    api = stack.api("member")
    endings = [30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 45]
    phones = {ending: f"+14155552{1}{ending}" for ending in endings}
    answer = stack.upload("phone,contact\n" + "".join(f"{p},Ada\n" for p in phones.values()), api)
    assert answer.json()["inserted"] == len(phones), answer.text
    assert api.post("/api/start", json={"concurrency": 5}).json()["queued"] == len(phones)
    still = "select count(*) as n from leads where status = 'pending'"
    wait_for(lambda: stack.one(still)["n"] == 0, seconds=120, pause=0.5)
    assert stack.rows("select phone, status_reason from leads where status = 'error'") == []
    assert stack.ledger()["duplicate_attempt_ids"] == []
    verdicts = {r["verdict"] for r in stack.rows("select distinct verdict from events")}
    assert {"applied", "refused", "unreadable", "unknown_call"} <= verdicts
