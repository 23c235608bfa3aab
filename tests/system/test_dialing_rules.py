"""The statements that decide who is called when, against a database of their own: no dialer runs here."""
import threading
import uuid
from datetime import datetime, timedelta, timezone

import psycopg2
import psycopg2.extras
import pytest
from scratch import NOON, RUN

# --- contactability ----------------------------------------------------------------------------


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "phone, region, zone, at, allowed, next_at",
    [
        ("+12125552000", "", "", "2026-11-20T17:00", True, None),
        ("+12125552000", "", "", "2026-11-20T12:59", False, "2026-11-20T13:00"),  # 07:59 in New York
        ("+12125552000", "", "", "2026-11-21T02:00", False, "2026-11-21T13:00"),  # 21:00 is too late
        ("+12125552000", "", "", "2026-11-21T01:59", True, None),
        (
            "+14155552000",
            "",
            "",
            "2026-11-20T16:30",
            False,
            "2026-11-20T17:00",
        ),  # California begins at 09:00
        (
            "+12125552000",
            "CA",
            "",
            "2026-11-20T13:30",
            False,
            "2026-11-20T17:00",
        ),  # moved: both must be open
        ("+12125552000", "", "Asia/Tokyo", "2026-11-20T17:00", False, "2026-11-20T23:00"),
        # The clocks go forward at 02:00 on 8 March 2026: 08:00 comes an hour earlier in UTC.
        ("+12125552000", "", "", "2026-03-08T03:00", False, "2026-03-08T12:00"),
        ("+12125552000", "", "", "2026-11-01T02:00", False, "2026-11-01T13:00"),  # and back on 1 November
    ],
)
def test_the_hours_hold_where_the_lead_is(db, phone, region, zone, at, allowed, next_at):
    may = db.may(db.lead(phone, region, zone), utc(at))
    assert may["allowed"] is allowed, may
    if next_at:
        assert (may["reason"], may["permanent"]) == ("outside_window", False)
        assert may["next_at"] == utc(next_at)


def test_what_only_a_person_can_change(db):
    assert db.may(db.lead("+12125552001", consent=None))["reason"] == "no_consent"
    assert db.may(db.lead("+12125552002", consent=False))["reason"] == "consent_withdrawn"
    assert db.may(db.lead("+12125552003", number_state="invalid"))["reason"] == "invalid_number"
    assert db.may(db.lead("+12125552004", archived_at=NOON))["reason"] == "archived"
    db.rows("insert into suppressions (phone, reason) values ('+12125552005', 'all clients')")
    assert db.may(db.lead("+12125552005"))["reason"] == "suppressed"
    assert db.may(db.lead("+99955520066", zones=[]))["reason"] == "unknown_zone"
    missing = db.may(123456)
    assert not missing["allowed"] and missing["permanent"]
    for row in db.rows("select id from leads"):
        may = db.may(row["id"])
        assert not may["allowed"] and may["permanent"] and may["next_at"] is None


def test_the_newest_consent_counts(db):
    lead = db.lead()
    db.rows(
        "insert into consents (client_id, lead_id, channel, granted, source, at)"
        " values (1, %s, 'call', false, 't',"
        " '2026-06-01')",
        lead,
    )
    assert db.may(lead)["reason"] == "consent_withdrawn"
    db.rows(
        "insert into consents (client_id, lead_id, channel, granted, source, at)"
        " values (1, %s, 'call', true, 't',"
        " '2026-07-01')",
        lead,
    )
    assert db.may(lead)["allowed"]
    db.rows(
        "insert into consents (client_id, lead_id, channel, granted, source, at)"
        " values (1, %s, 'sms', false, 't',"
        " '2026-08-01')",
        lead,
    )
    assert db.may(lead)["allowed"], "a word about text messages says nothing about calls"


def test_rules_per_person_hold_over_all_campaigns(db):
    lead, other = db.lead(), db.campaign()
    campaign = db.campaign()
    db.enrol(other, [lead])
    call = db.claim()["calls"][0]
    db.settle(call_id=call, verdict="placed", provider_call_id="p1")
    may = db.may(lead, NOON + timedelta(minutes=5), campaign)
    assert (may["allowed"], may["reason"]) == (False, "called_recently")
    assert may["next_at"] == NOON + timedelta(minutes=10)
    assert db.may(lead, NOON + timedelta(minutes=11), campaign)["allowed"]
    db.rows("update campaigns set settings = '{\"per_day\": 1}' where id = %s", campaign)
    assert db.may(lead, NOON + timedelta(minutes=11), campaign)["reason"] == "daily_cap"


def test_due_in_two_campaigns_at_once_is_called_once(db):
    lead, other = db.lead(), db.lead("+12125552001")
    campaigns = [db.campaign() for _ in range(2)]
    for campaign in campaigns:
        db.enrol(campaign, [lead, other])
    assert len(db.claim()["calls"]) == 2
    called = db.rows("select lead_id, count(*) as n from calls group by 1 order by 1")
    assert [(row["lead_id"], row["n"]) for row in called] == [(lead, 1), (other, 1)]
    # The others are judged when their turn comes, and find the calls of just now.
    assert db.claim(at=NOON + timedelta(seconds=2)) == {"calls": [], "moved": 2}
    left = db.rows("select reason, due_at from enrollments where state = 'waiting'")
    assert {row["reason"] for row in left} == {"called_recently"} and len(left) == 2
    assert all(row["due_at"] == NOON + timedelta(seconds=600) for row in left)


def test_a_wide_window_is_the_campaigns_own(db):
    lead = db.lead()
    night = utc("2026-11-21T05:00")
    assert not db.may(lead, night, db.campaign(window_start="00:00", window_end="24:00"))["allowed"]
    assert db.may(lead, night, db.campaign(window_start="00:00", window_end="24:00", window_wide=True))[
        "allowed"
    ]


# --- claiming ----------------------------------------------------------------------------------


def test_limits_hold_for_many_dialers_at_once(db):
    leads = [db.lead(f"+1212555{2000 + n}") for n in range(120)]
    campaign = db.campaign(concurrency=30)
    db.enrol(campaign, leads)
    taken, lock = [], threading.Lock()

    def dialer():
        connection = db.open()
        for _ in range(10):
            claimed = db.claim(50, on=connection)["calls"]
            with lock:
                taken.extend(claimed)
        connection.close()

    threads = [threading.Thread(target=dialer) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(taken) == len(set(taken)) == 30
    assert db.one("select count(*) as n from calls")["n"] == 30


@pytest.mark.parametrize(
    "limit, most",
    [
        ("concurrency = 4", 4),
        ("pace_per_second = 3", 3),
        ("per_hour = 5", 5),
        ("per_day = 6", 6),
        ("stopped_reason = 'unauthorized'", 0),
        ("hold_until = '2026-11-20 17:00:30+00'", 0),
    ],
)
def test_each_limit_of_the_provider(db, limit, most):
    db.rows(f"update provider_limits set {limit}")
    db.enrol(db.campaign(), [db.lead(f"+1212555{2000 + n}") for n in range(12)])
    assert len(db.claim()["calls"]) == most
    assert len(db.claim()["calls"]) == 0


def test_pace_is_a_sliding_window(db):
    db.rows("update provider_limits set pace_per_second = 3")
    db.enrol(db.campaign(), [db.lead(f"+1212555{2000 + n}") for n in range(30)])
    stamps = []
    for tenth in range(40):
        at = NOON + timedelta(milliseconds=100 * tenth)
        stamps += [at] * len(db.claim(at=at)["calls"])
    for stamp in stamps:
        assert sum(1 for s in stamps if stamp <= s < stamp + timedelta(seconds=1)) <= 3
    assert len(stamps) >= 9


def test_campaigns_share_the_lines(db):
    big, small = db.campaign(), db.campaign()
    db.enrol(big, [db.lead(f"+1212555{2000 + n}") for n in range(40)])
    db.enrol(small, [db.lead(f"+1212555{3000 + n}") for n in range(4)])
    db.rows("update provider_limits set concurrency = 8")
    db.claim()
    shares = {
        r["campaign_id"]: r["n"] for r in db.rows("select campaign_id, count(*) as n from calls group by 1")
    }
    assert shares == {big: 4, small: 4}


def test_who_may_not_be_called_makes_room(db):
    quiet = [db.lead(f"+1212555{2000 + n}", consent=None) for n in range(60)]
    loud = db.lead("+12125553000")
    campaign = db.campaign(concurrency=5)
    db.enrol(campaign, quiet)
    db.enrol(campaign, [loud], NOON + timedelta(seconds=0))
    for _ in range(5):
        if not db.claim()["moved"]:
            break
    assert db.state(loud)["state"] == "under_way"
    assert (
        db.one("select count(*) as n from enrollments where state = 'blocked' and reason = 'no_consent'")[
            "n"
        ]
        == 60
    )
    db.rows(
        "insert into consents (client_id, lead_id, channel, granted, source, at)"
        " values (1, %s, 'call', true, 't',"
        " '2026-11-01')",
        quiet[0],
    )
    assert db.one("select recheck_leads(%s, %s) as n", [quiet[0]], NOON)["n"] == 1
    db.claim()
    assert db.state(quiet[0])["state"] == "under_way"


# --- answers and reports -----------------------------------------------------------------------


@pytest.fixture
def call(db):
    lead = db.lead()
    db.enrol(db.campaign(max_attempts=3), [lead])
    return lead, db.claim()["calls"][0]


def test_an_interested_lead_is_done(db, call):
    lead, id = call
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    assert (
        db.report(attempt_id=id, provider_call_id="p1", outcome="interested", rank=80, rule="7")
        == "applied"
    )
    assert (db.state(lead)["state"], db.state(lead)["status"]) == ("done", "done")
    assert db.one("select state from campaigns")["state"] == "done"


def test_the_same_event_ten_times_at_once(db, call):
    lead, id = call
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    verdicts = []

    def send():
        c = db.open()
        verdicts.append(
            db.one(
                "select event_receive('bland', 'k', 'good', '{}', '{}', %s, %s) as v",
                psycopg2.extras.Json(
                    {
                        "kind": "post_call",
                        "final": True,
                        "attempt_id": id,
                        "rank": 40,
                        "outcome": "no_answer",
                    }
                ),
                NOON,
                on=c,
            )["v"]
        )
        c.close()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(verdicts) == ["applied"] + ["duplicate"] * 9
    assert db.state(lead)["attempts"] == 1
    assert db.one("select deliveries from events")["deliveries"] == 10


def test_a_report_before_the_answer_is_kept_and_never_thrown_back(db, call):
    lead, id = call
    assert db.report(provider_call_id="p1", outcome="interested", rank=80) == "unknown_call"
    assert db.state(lead)["state"] == "under_way"
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    assert db.state(lead)["state"] == "done"
    assert db.settle(call_id=id, verdict="unknown", reason="late") == 0
    assert db.one("select state, outcome from calls")["state"] == "ended"


def test_a_late_report_may_only_know_more(db, call):
    lead, id = call
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    assert db.report(attempt_id=id, outcome="unknown", rank=20, error_message="line noise") == "applied"
    assert db.report(attempt_id=id, outcome="interested", rank=80) == "applied"
    assert db.report(attempt_id=id, outcome="hangup", rank=30) == "noted"
    row = db.one("select outcome, error_message from calls")
    assert (row["outcome"], row["error_message"]) == ("interested", "line noise")


def test_an_upgrade_after_the_retry_was_dialled_does_not_undo_it(db, call):
    lead, id = call
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    db.report(attempt_id=id, outcome="hangup", rank=30)
    due = db.state(lead)["due_at"]
    again = db.claim(at=due)["calls"]
    assert len(again) == 1
    db.report(at=due, attempt_id=id, outcome="interested", rank=80)
    assert db.state(lead)["state"] == "under_way", "the second call is still under way"
    assert db.one("select outcome from calls where id = %s", id)["outcome"] == "interested"


def test_retries_end_and_the_waits_grow(db, call):
    lead, id = call
    at, waits = NOON, []
    for n in range(3):
        db.settle(at=at, call_id=id, verdict="placed", provider_call_id=f"p{n}")
        db.report(at=at, attempt_id=id, outcome="no_answer", rank=40)
        state = db.state(lead)
        if state["state"] != "waiting":
            break
        waits.append((state["due_at"] - at).total_seconds())
        at = max(state["due_at"], at + timedelta(seconds=1))
        # The window may move it further; the retry itself is what is looked at here.
        db.rows("update campaigns set window_wide = true, window_start = '00:00', window_end = '24:00'")
        id = db.claim(at=at)["calls"][0]
    assert db.state(lead)["status"] == "done" and db.state(lead)["outcome"] == "no_answer"
    assert len(waits) == 2 and 0.8 * 3600 <= waits[0] <= 1.2 * 3600 and 0.8 * 7200 <= waits[1] <= 1.2 * 7200


@pytest.mark.parametrize(
    "answer, state, status, campaign",
    [
        (dict(verdict="lead", reason="invalid_number"), "error", "error", "done"),
        (dict(verdict="lead", reason="do_not_contact", suppress=True), "error", "error", "done"),
        (
            dict(verdict="config", reason="bad_request", message="webhook must be https"),
            "waiting",
            "pending",
            "paused",
        ),
        (
            dict(verdict="stop", reason="unauthorized", message="Unauthorized"),
            "waiting",
            "pending",
            "running",
        ),
        (dict(verdict="wait_lead", reason="rate_limited", wait_ms=10000), "waiting", "pending", "running"),
        (dict(verdict="back_off", reason="rate_limited", wait_ms=2000), "waiting", "pending", "running"),
        (dict(verdict="transient", reason="unavailable"), "waiting", "pending", "running"),
        (dict(verdict="unknown", reason="no_answer"), "ambiguous", "pending", "running"),
    ],
)
def test_what_a_refusal_means(db, call, answer, state, status, campaign):
    lead, id = call
    db.settle(call_id=id, **answer)
    now = db.state(lead)
    assert (now["state"], now["status"], now["attempts"]) == (state, status, 0)
    assert db.one("select state from campaigns")["state"] == campaign
    suppressed = db.one("select count(*) as n from suppressions")["n"]
    assert suppressed == (1 if answer.get("suppress") else 0)
    alerts = {r["kind"] for r in db.rows("select kind from alerts")}
    assert alerts == (
        {"campaign_paused"}
        if campaign == "paused"
        else {"provider_refused"}
        if answer["verdict"] == "stop"
        else set()
    )
    if answer["verdict"] == "back_off":
        assert db.one("select hold_until from provider_limits")["hold_until"] == NOON + timedelta(seconds=2)


def test_one_run_at_a_time_claims(db):
    leads = [db.lead(f"+1212555200{n}") for n in range(4)]
    db.enrol(db.campaign(max_attempts=3), leads)
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    for run in (first, second):
        db.rows(
            "insert into dialer_runs (id, host, pid, started_at, seen_at) values (%s, 'here', 7, %s, %s)"
            " returning 1",
            run,
            NOON,
            NOON,
        )
    assert len(db.claim(most=1, run=first)["calls"]) == 1
    soon, late = NOON + timedelta(seconds=2), NOON + timedelta(seconds=5)
    assert db.claim(at=soon, run=second)["holder"]["run"] == first, "the first one is still there"
    assert len(db.claim(most=1, at=late, run=second)["calls"]) == 1, "it has been quiet for long"
    db.rows("update dialer_runs set ended_at = %s where id = %s returning 1", late, second)
    later = late + timedelta(seconds=1)
    taken = db.claim(most=1, at=later, run=first)
    assert taken["took_over"] and not taken["calls"], "requests of the second may still arrive"
    assert len(db.claim(most=1, at=later + timedelta(seconds=1), run=first)["calls"]) == 1


def test_a_lost_process_is_asked_about_and_only_a_thrice_absent_call_is_dialled_again(db, call):
    lead, id = call
    later = NOON + timedelta(seconds=61)
    assert db.one("select expire_leases(%s, 5000, 'boot 1') as n", later)["n"] == 1
    assert db.state(lead)["state"] == "ambiguous"
    assert db.claim(at=later)["calls"] == [], "an ambiguous call is never dialled again"
    at = later
    for n in range(3):
        at = db.one("select deadline_at from calls")["deadline_at"]
        assert [str(r["id"]) for r in db.rows("select * from lookups_due(1, 10, 60, %s)", at)] == [id]
        assert db.rows("select * from lookups_due(1, 10, 60, %s)", at) == [], "one dialer asks, not two"
        assert db.state(lead)["state"] == "ambiguous"
        db.rows("select lookup_done(%s, 'absent', null, 5000, %s)", id, at)
    assert (at - NOON).total_seconds() > 90
    assert db.state(lead)["state"] == "waiting" and db.state(lead)["reason"] == "retry:never_placed"
    assert db.one("select reason from calls")["reason"] == "never_placed"


def test_a_call_that_is_found_goes_on(db, call):
    lead, id = call
    db.settle(call_id=id, verdict="unknown", reason="no_answer")
    db.rows("select lookup_done(%s, 'found', 'p9', 5000, %s)", id, NOON + timedelta(seconds=6))
    assert db.state(lead)["state"] == "under_way"
    assert db.one("select state, provider_call_id from calls")["provider_call_id"] == "p9"


def test_do_not_contact_is_for_ever_and_everywhere(db, call):
    lead, id = call
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    db.report(attempt_id=id, outcome="do_not_contact", rank=90, suppress=True)
    assert db.may(lead, NOON + timedelta(days=400))["reason"] == "suppressed"
    assert {r["channel"] for r in db.rows("select channel from consents where not granted")} == {
        "call",
        "sms",
        "whatsapp",
        "email",
    }


# --- buttons -----------------------------------------------------------------------------------


def test_counts_are_conserved_in_every_state(db):
    leads = [db.lead(f"+1212555{2000 + n}", consent=None if n % 5 == 0 else True) for n in range(40)]
    campaign = db.campaign(concurrency=10)
    db.enrol(campaign, leads)

    def check():
        t = db.one("select tally_campaign(%s, %s) as t", campaign, NOON)["t"]
        assert (
            t["total"]
            == 40
            == sum(
                t[k] for k in ("done", "error", "canceled", "waiting", "under_way", "ambiguous", "blocked")
            )
        )
        return t

    check()
    calls = db.claim()["calls"]
    check()
    for n, id in enumerate(calls):
        db.settle(call_id=id, verdict=("placed", "unknown", "transient")[n % 3], provider_call_id=f"p{n}")
        check()
    db.rows("select campaign_pause(1, %s, null, %s)", campaign, NOON)
    assert db.claim()["calls"] == []
    db.rows("select campaign_pause(1, %s, null, %s)", campaign, NOON)
    db.rows("select campaign_start(1, %s, null, %s)", campaign, NOON)
    db.rows("select campaign_stop(1, %s, null, %s)", campaign, NOON)
    t = check()
    assert t["waiting"] == t["blocked"] == 0 and t["canceled"] > 0
    assert db.one("select campaign_stop(1, %s, null, %s) as n", campaign, NOON)["n"] == 0


ASTRAY = """select l.id, l.status, l.outcome, s.status as found_as, s.outcome as with_outcome
	from leads l full join lead_statuses s on s.lead_id = l.id
	where (l.client_id, l.status, l.outcome) is distinct from (s.client_id, s.status, s.outcome)"""


def test_leads_are_found_by_what_they_are(db, call):
    lead, id = call
    others = [db.lead(f"+1212555{3000 + n}") for n in range(5)]
    assert db.rows(ASTRAY) == []
    db.report(attempt_id=id, provider_call_id="p1", outcome="interested", rank=80)
    assert db.rows(ASTRAY) == []
    found = db.rows("select id from lead_page(1, %s, 1000000, false, 10)", '{"outcome": "interested"}')
    assert [row["id"] for row in found] == [lead]
    pending = '{"status": "pending"}'
    newest = db.rows("select id from lead_page(1, %s, 1000000, false, 3)", pending)
    assert [row["id"] for row in newest] == others[:1:-1]
    older = db.rows("select id from lead_page(1, %s, %s, false, 3)", pending, others[2])
    assert [row["id"] for row in older] == others[1::-1]
    newer = db.rows("select id from lead_page(1, %s, %s, true, 3)", pending, others[1])
    assert [row["id"] for row in newer] == others[:1:-1]
    assert db.one("select lead_matches(1, %s, 1001) as n", pending)["n"] == 5
    db.rows("update leads set archived_at = now() where id = %s", others[0])
    assert db.one("select lead_matches(1, %s, 1001) as n", pending)["n"] == 4
    assert db.one("select tally_leads(1) as t")["t"]["pending"] == 4
    db.rows("delete from leads where id = any (%s)", others)
    assert db.rows(ASTRAY) == [] and db.one("select count(*) as n from lead_statuses")["n"] == 1
    db.rows("truncate leads cascade")
    assert db.rows(ASTRAY) == []


def test_no_index_of_leads_knows_what_a_call_changes(db):
    """Else each report would write them all anew: the largest part of its cost."""
    known = db.rows(
        "select pg_get_indexdef(indexrelid) as text from pg_index where indrelid = 'leads'::regclass"
    )
    changed = ("status", "outcome", "last_call", "updated_at")
    assert len(known) > 4
    assert not [row["text"] for row in known if any(word in row["text"] for word in changed)]


def test_a_stopped_campaign_tries_nobody_again(db, call):
    lead, id = call
    campaign = db.one("select id from campaigns")["id"]
    db.settle(call_id=id, verdict="placed", provider_call_id="p1")
    db.rows("select campaign_stop(1, %s, null, %s)", campaign, NOON)
    assert db.report(attempt_id=id, outcome="no_answer", rank=40) == "applied"
    assert db.state(lead)["state"] == "done"
    assert db.one("select state from campaigns")["state"] == "done"
    assert db.claim(at=NOON + timedelta(hours=3))["calls"] == []


def test_a_campaign_of_blocked_leads_is_not_running_for_ever(db):
    campaign = db.campaign()
    db.enrol(campaign, [db.lead(f"+1212555{2000 + n}", consent=None) for n in range(5)])
    while db.claim()["moved"]:
        pass
    assert db.one("select state from campaigns")["state"] == "done"


def test_what_was_made_in_the_sandbox_calls_nobody_real(db):
    lead, campaign = db.lead(), db.campaign(settings='{"sandbox": true}')
    db.enrol(campaign, [lead])
    assert db.claim()["calls"] == []
    db.rows("select campaigns_leave_sandbox(%s)", NOON)
    assert db.one("select state from campaigns")["state"] == "paused"
    db.rows("update campaigns set state = 'running'")
    assert (
        len(
            db.one("select claim_calls(1, 5, %s, 60, %s, true) as c", str(uuid.uuid4()), NOON)["c"]["calls"]
        )
        == 1
    )


# --- into a campaign ----------------------------------------------------------------------------
def test_many_new_leads_are_enrolled_at_once(db):
    """Start right after an import: what the planner knows of the tables is older than the leads."""
    campaign = db.campaign()
    c = db.open()
    c.autocommit = False  # nobody else sees them, so nobody counts them for the planner
    db.rows("set local statement_timeout = '5s'", on=c)  # a page's; they take 0.3 s, as a join it was 30
    db.rows(
        "insert into leads (client_id, phone)"
        " select 1, '+1212' || 2000000 + n from generate_series(1, 20000) n",
        on=c,
    )
    free = db.one("select leads_free(1, null, 100000) as n", on=c)
    first = db.one("select campaign_enrol(%s, null, null, %s) as n", campaign, NOON, on=c)
    second = db.one("select job_step(%s) as worked", NOON, on=c)
    rest = db.one("select leads_free(1, null, 100000) as n", on=c)
    c.rollback()
    c.close()
    assert (free["n"], first["n"], second["worked"], rest["n"]) == (20000, 10000, True, 0)


def test_leads_are_enrolled_all_by_import_or_by_name(db):
    campaign = db.campaign()
    made = db.one(
        "insert into imports (client_id, state, file_name, sha256) values (1, 'done', 'f', 'x') returning id"
    )["id"]
    plain, named, brought = (db.lead(f"+1212555200{i}") for i in range(3))
    gone, over = (db.lead(f"+1212555201{i}") for i in range(2))
    db.rows("update leads set import_id = %s where id in (%s, %s)", made, brought, gone)
    db.rows("update leads set archived_at = now() where id = %s", gone)
    db.rows("update leads set status = 'done' where id = %s", over)

    def enrol(an_import, leads):
        n = db.one("select campaign_enrol(%s, %s, %s, %s) as n", campaign, an_import, leads, NOON)["n"]
        return n, {row["lead_id"] for row in db.rows("select lead_id from enrollments")}

    assert db.one("select leads_free(1, %s, 10) as n", made)["n"] == 1
    assert enrol(made, None) == (1, {brought})
    assert enrol(None, [named, named, over, gone]) == (1, {brought, named})
    assert db.one("select leads_free(1, null, 10) as n")["n"] == 1
    assert enrol(None, None) == (1, {brought, named, plain})
    # Blocked in a campaign that is over: it moves.
    db.rows("update campaigns set state = 'done' where id = %s", campaign)
    db.rows("update enrollments set state = 'blocked'")
    other = db.campaign()
    assert db.one("select campaign_enrol(%s, null, array[%s], %s) as n", other, plain, NOON)["n"] == 1
    states = db.rows("select campaign_id, state from enrollments where lead_id = %s order by 1", plain)
    assert [tuple(row.values()) for row in states] == [(campaign, "canceled"), (other, "waiting")]
