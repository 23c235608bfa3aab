"""What touches more leads than a page has time for: a first piece at once, the others by `trunkline jobs`."""
import contextlib
import os
import signal

import psycopg2
import pytest
from conftest_stack import wait_for
from scratch import NOON

PIECE = 3


@pytest.fixture(autouse=True)
def small_pieces(request):
    """So that seven leads are a large job."""
    if "db" not in request.fixturenames:
        yield
        return
    db = request.getfixturevalue("db")
    size = "create or replace function job_size() returns integer language sql immutable as 'select %s'"
    whole = db.one("select job_size() as n")["n"]
    db.rows(size, PIECE)
    yield
    db.rows(size, whole)


def people(db, n, **columns):
    return [db.lead(f"+121255530{i:02}", **columns) for i in range(n)]


def enrol(db, campaign, an_import=None, leads=None, a_list=None, known=False):
    return db.one(
        "select campaign_enrol(%s, %s, %s, %s, %s, %s) as n", campaign, an_import, leads, NOON, a_list, known
    )["n"]


def step(db, on=None):
    return db.one("select job_step(%s) as worked", NOON, on=on)["worked"]


def finish(db):
    steps = 0
    while step(db):
        steps += 1
        assert steps < 50, db.rows("select * from jobs")
    assert db.rows("select * from jobs") == []
    return steps


def jobs(db):
    return [tuple(r.values()) for r in db.rows("select kind, looked_at, total from jobs order by id")]


def states(db, campaign):
    rows = db.rows(
        "select state, count(*) as n from enrollments where campaign_id = %s group by 1", campaign
    )
    return {r["state"]: r["n"] for r in rows}


def start(db, campaign):
    return db.one("select campaign_start(1, %s, null, %s) as changed", campaign, NOON)["changed"]


def stop(db, campaign):
    return db.one("select campaign_stop(1, %s, null, %s) as n", campaign, NOON)["n"]


def state(db, campaign):
    return db.one("select state from campaigns where id = %s", campaign)["state"]


def refusal(db, sql, *params):
    with pytest.raises(psycopg2.Error) as e:
        db.rows(sql, *params)
    return e.value.pgcode, e.value.diag.message_hint


# --- adding ---------------------------------------------------------------------------------------


def test_the_first_piece_is_there_at_once_and_the_others_follow(db):
    leads, campaign = people(db, 8), db.campaign()
    assert enrol(db, campaign) == PIECE
    assert jobs(db) == [("enrol", 3, 8)]
    assert len(db.claim()["calls"]) == PIECE, "calls need not wait for the rest"
    assert step(db) and jobs(db) == [("enrol", 6, 8)]
    assert finish(db) == 1
    rows = db.rows("select lead_id from enrollments where campaign_id = %s", campaign)
    assert sorted(r["lead_id"] for r in rows) == leads
    assert not step(db)


def test_what_is_small_leaves_nothing_behind(db):
    people(db, PIECE - 1)
    assert enrol(db, db.campaign()) == PIECE - 1
    assert jobs(db) == []


def test_an_interrupted_piece_is_done_again(db):
    people(db, 7)
    campaign = db.campaign()
    enrol(db, campaign)
    c = db.open()
    c.autocommit = False
    assert step(db, on=c)
    c.close()  # as by kill -9: nothing was committed
    assert jobs(db) == [("enrol", 3, 7)] and states(db, campaign) == {"waiting": 3}
    finish(db)
    assert states(db, campaign) == {"waiting": 7}


def test_a_campaign_is_not_done_while_leads_are_being_added(db):
    people(db, 7)
    campaign = db.campaign()
    enrol(db, campaign)
    db.rows("update enrollments set state = 'done'")
    db.rows("select campaign_finish_if_done(%s, %s)", campaign, NOON)
    assert state(db, campaign) == "running"
    finish(db)
    db.rows("update enrollments set state = 'done'")
    db.rows("select campaign_finish_if_done(%s, %s)", campaign, NOON)
    assert state(db, campaign) == "done"


def test_one_that_gets_nobody_ends_by_itself(db):
    """Everybody was taken by another campaign since the first piece."""
    leads, first, second = people(db, 7), db.campaign(), db.campaign(state="draft")
    db.enrol(first, leads[:3])
    assert enrol(db, second) == 0
    assert start(db, second)
    db.enrol(first, leads[3:])
    finish(db)
    assert states(db, second) == {} and state(db, second) == "done"


@pytest.mark.parametrize("source", ["all", "named", "list", "brought", "met"])
def test_all_sources_in_pieces(db, source):
    made = db.one(
        "insert into imports (client_id, state, file_name, sha256) values (1, 'done', 'f', 'x') returning id"
    )["id"]
    mine = people(db, 8)
    others = [db.lead(f"+121255540{i:02}") for i in range(4)]
    db.rows("update leads set list = 'spring' where id = any(%s)", mine)
    if source == "brought":
        db.rows("update leads set import_id = %s where id = any(%s)", made, mine)
    for line, lead in enumerate(mine + mine[:2], 2):
        db.rows(
            "insert into import_lines (import_id, line, verdict, reason, lead_id)"
            " values (%s, %s, 'skipped', '', %s)",
            made,
            line,
            lead,
        )
    gone, called = mine.pop(1), mine.pop(5)
    db.rows("update leads set archived_at = now() where id = %s", gone)
    db.rows("update leads set status = 'done' where id = %s", called)
    how = {
        "all": {},
        "named": {"leads": [*reversed(mine), gone, called, *mine]},
        "list": {"a_list": "spring"},
        "brought": {"an_import": made},
        "met": {"an_import": made, "known": True},
    }[source]
    campaign = db.campaign()
    enrol(db, campaign, **how)
    assert jobs(db), "larger than a piece"
    finish(db)
    rows = db.rows("select lead_id from enrollments where campaign_id = %s", campaign)
    assert {r["lead_id"] for r in rows} == {*mine, *(others if source == "all" else ())}


# --- taking off -----------------------------------------------------------------------------------


def test_stop_is_at_once_however_long_the_taking_off_takes(db):
    leads, campaign = people(db, 9), db.campaign()
    enrol(db, campaign)
    step(db)
    db.rows("update enrollments set attempts = 1 where lead_id = %s", leads[4])
    assert jobs(db) == [("enrol", 6, 9)]
    assert stop(db, campaign) == 6, "how many it loses, not only the first piece"
    assert jobs(db) == [("cancel", 3, 6)], "nobody is added any more"
    assert states(db, campaign) == {"canceled": 3, "waiting": 3}
    assert db.claim() == {"calls": [], "moved": 0}
    assert stop(db, campaign) == 0 and len(jobs(db)) == 1, "pressed twice"
    conflict = ("TL409", "campaign_stopping")
    assert refusal(db, "select campaign_start(1, %s, null, now())", campaign) == conflict
    assert refusal(db, "select campaign_enrol(%s, null, null, now())", campaign) == conflict
    # Another campaign need not wait for those that nobody has called.
    other = db.campaign()
    enrol(db, other)
    finish(db)
    assert states(db, campaign) == {"canceled": 6} and state(db, campaign) == "done"
    rows = db.rows("select lead_id from enrollments where campaign_id = %s and state = 'waiting'", other)
    assert sorted(r["lead_id"] for r in rows) == [x for x in leads if x != leads[4]]
    assert db.one("select status from leads where id = %s", leads[4])["status"] == "done"
    noted = db.rows("select * from decisions where reason = 'the campaign was stopped'")
    assert len(noted) == 6


def test_calls_under_way_end_a_stopped_campaign(db):
    people(db, 8)
    campaign = db.campaign(concurrency=2)
    enrol(db, campaign)
    calls = db.claim()["calls"]
    assert len(calls) == 2
    stop(db, campaign)
    for call in calls:
        db.settle(call_id=call, verdict="lead", reason="invalid_number")
    assert state(db, campaign) == "running", "leads still wait to be taken off"
    finish(db)
    assert state(db, campaign) == "done"
    assert states(db, campaign) == {"canceled": 1, "error": 2}


def test_an_archived_campaign_holds_nobody(db):
    leads, campaign = people(db, 8), db.campaign(state="draft")
    enrol(db, campaign)
    finish(db)
    assert db.one("select campaign_archive(1, %s, null, %s) as changed", campaign, NOON)["changed"]
    assert jobs(db) == [("cancel", 3, 8)]
    other = db.campaign()
    enrol(db, other)
    finish(db)
    assert states(db, campaign) == {"canceled": 8} and states(db, other) == {"waiting": len(leads)}
    assert {r["status"] for r in db.rows("select status from leads")} == {"pending"}


# --- judged anew, consent -------------------------------------------------------------------------


def test_start_looks_at_all_blocked_ones_again(db):
    people(db, 8, consent=None)
    campaign = db.campaign()
    enrol(db, campaign)
    finish(db)
    assert db.claim()["moved"] == 8 and states(db, campaign) == {"blocked": 8}
    assert state(db, campaign) == "done", "nobody is left who could be called"
    assert start(db, campaign)
    assert jobs(db) == [("requeue", 3, 8)]
    db.rows("select campaign_pause(1, %s, null, %s)", campaign, NOON)
    assert start(db, campaign)
    assert [kind for kind, _, _ in jobs(db)] == ["requeue"], "pressed twice"
    # Those that are blocked anew meanwhile are not looked at for ever.
    assert db.claim()["moved"] > 0
    finish(db)
    assert set(states(db, campaign)) <= {"blocked", "waiting"} and sum(states(db, campaign).values()) == 8


def test_consent_for_a_large_import(db):
    made = db.one(
        "insert into imports (client_id, state, file_name, sha256, options)"
        " values (1, 'done', 'f', 'y', '{\"consent\": \"none\"}') returning id"
    )["id"]
    leads = people(db, 8, consent=None, import_id=made)
    refused = leads[6]
    db.rows(
        "insert into consents (client_id, lead_id, channel, granted, source, at)"
        " values (1, %s, 'call', false, 'test', '2026-01-01')",
        refused,
    )
    campaign = db.campaign()
    enrol(db, campaign)
    finish(db)
    assert db.claim()["moved"] == 8
    assert db.one("select import_attest(1, %s, 'a form', null, %s) as n", made, NOON)["n"] == PIECE
    assert jobs(db) == [("attest", 3, 8)]
    assert len(db.claim()["calls"]) == PIECE
    finish(db)
    said = db.rows("select lead_id, source from consents where granted")
    assert sorted(r["lead_id"] for r in said) == [x for x in leads if x != refused]
    assert {r["source"] for r in said} == {"a form"}
    assert len(db.claim()["calls"]) == 4


def test_undoing_an_import_ends_what_was_under_way_for_it(db):
    token = "11111111-1111-1111-1111-111111111111"
    made = db.one(
        "insert into imports (client_id, state, file_name, sha256, lease_token) values"
        " (1, 'done', 'f', 'z', %s) returning id",
        token,
    )["id"]
    people(db, 8, consent=None, import_id=made)
    db.rows("select import_attest(1, %s, 'a form', null, %s)", made, NOON)
    enrol(db, db.campaign(), an_import=made)
    assert len(jobs(db)) == 2
    db.rows("select import_undo(%s, %s, %s)", made, token, NOON)
    assert db.one("select state from imports where id = %s", made)["state"] == "undone"
    assert jobs(db) == [] and not step(db)


@pytest.mark.parametrize("kind", ["enrol", "requeue", "cancel", "attest"])
def test_a_person_does_not_wait_for_what_holds_the_leads(db, kind):
    """The undoing of a large import holds its leads for half a minute; Stop must not end in an error."""
    made = db.one(
        "insert into imports (client_id, state, file_name, sha256) values (1, 'done', 'f', 'h') returning id"
    )["id"]
    leads = people(db, 8, consent=kind != "attest" or None, import_id=made)
    campaign = db.campaign(state="paused")
    if kind != "enrol":
        db.enrol(campaign, leads)
    if kind in ("requeue", "attest"):
        db.rows("update enrollments set state = 'blocked', reason = 'no_consent'")
    press = {
        "enrol": ("select campaign_enrol(%s, null, null, %s)", campaign, NOON),
        "requeue": ("select campaign_start(1, %s, null, %s)", campaign, NOON),
        "cancel": ("select campaign_stop(1, %s, null, %s)", campaign, NOON),
        "attest": ("select import_attest(1, %s, 'a form', null, %s)", made, NOON),
    }[kind]
    held = "leads" if kind == "enrol" else "enrollments"
    with contextlib.closing(db.open()) as holder, contextlib.closing(db.open()) as person:
        holder.autocommit = False
        db.rows(f"select from {held} order by id limit 1 for update", on=holder)
        db.rows("set statement_timeout = '3s'", on=person)  # a page has five
        db.rows(*press, on=person)
        assert jobs(db) == [(kind, 0, 8)]
        if kind == "cancel":
            assert db.claim()["calls"] == [], "a stopped campaign calls nobody"
    finish(db)
    assert states(db, campaign) == {"canceled" if kind == "cancel" else "waiting": 8}
    assert db.one("select count(*) as n from consents where granted")["n"] == 8


# --- as a user meets it ---------------------------------------------------------------------------
CROWD = 25000


@pytest.fixture
def crowd(new_stack):
    """A stack with leads for three pieces, who have consented to nothing."""
    stack = new_stack()
    stack.rows(
        "insert into leads (client_id, phone, zones) select 1, '+1212' || 2000000 + n, '{America/New_York}'"
        " from generate_series(1, %s) n",
        CROWD,
    )
    return stack


def quiet(stack):
    return wait_for(lambda: not stack.rows("select id from jobs"), seconds=60)


def left(stack):
    return stack.one("select count(*) as n from enrollments where state in ('waiting', 'blocked')")["n"]


def test_start_and_stop_with_many_leads(crowd):
    api, web = crowd.api(), crowd.login("member")
    [worker] = wait_for(lambda: crowd.pids("trunkline"))
    os.kill(worker, signal.SIGSTOP)  # so that there is time to look
    begun = api.post("/api/start", json={"concurrency": 1})
    assert begun.status_code == 200, begun.text
    campaign = begun.json()["campaign_id"]
    assert begun.json()["queued"] + sum(begun.json()["blocked"].values()) == CROWD, begun.text
    shown = api.get(f"/api/campaigns/{campaign}").json()["campaign"]["jobs"]
    assert shown == [{"kind": "enrol", "done": 10000, "total": CROWD}]
    for page in (f"/campaigns/{campaign}", f"/campaigns/{campaign}/review"):
        text = web.get(page).text
        assert "Leads are being added: 10,000 of 25,000 looked at." in text and 'value="40"' in text
    os.kill(worker, signal.SIGCONT)
    quiet(crowd)
    n = crowd.one("select count(*) as n, count(distinct lead_id) as leads from enrollments")
    assert (n["n"], n["leads"]) == (CROWD, CROWD)
    assert "being added" not in web.get(f"/campaigns/{campaign}").text

    os.kill(worker, signal.SIGSTOP)
    answer = web.post(
        f"/campaigns/{campaign}/stop", data={"csrf": web.csrf(f"/campaigns/{campaign}")}
    )
    assert "Stopped. 25,000 leads are taken off" in answer.text
    assert "Waiting leads are being taken off: 10,000 of 25,000 looked at." in answer.text
    assert '<span class="chip stopping">' in answer.text
    assert f'action="/campaigns/{campaign}/stop"' not in answer.text
    again = api.post(f"/api/campaigns/{campaign}/start")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "campaign_stopping"), again.text
    os.kill(worker, signal.SIGCONT)
    quiet(crowd)
    assert left(crowd) == 0
    assert api.get(f"/api/campaigns/{campaign}").json()["campaign"]["state"] == "done"


def test_a_draft_and_consent_for_many(crowd):
    api = crowd.api()
    made = crowd.one(
        "insert into imports (client_id, state, file_name, sha256, options, rows_total, rows_created)"
        " values (1, 'done', 'many.csv', 'x', '{\"consent\": \"none\"}', %s, %s) returning id",
        CROWD,
        CROWD,
    )["id"]
    crowd.rows("update leads set import_id = %s", made)
    [worker] = wait_for(lambda: crowd.pids("trunkline"))
    os.kill(worker, signal.SIGSTOP)
    saved = api.post("/api/campaigns", json={"name": "many", "import_id": made})
    assert saved.status_code == 201 and saved.json()["enrolled"] == 10000, saved.text
    said = api.post(f"/api/imports/{made}/consent", json={"consent_source": "a form"}).json()
    assert (said["recorded"], said["left"]) == (10000, 15000)
    text = crowd.login("member").get(f"/imports/{made}").text
    assert "Consent is being recorded: 10,000 of 25,000 looked at." in text
    os.kill(worker, signal.SIGCONT)
    quiet(crowd)
    assert left(crowd) == CROWD
    assert crowd.one("select count(distinct lead_id) as n from consents where granted")["n"] == CROWD


def test_an_import_does_not_hold_them_up(crowd):
    lines = "".join(f"+1415{2000000 + n},Person {n}\n" for n in range(120000))
    web = crowd.login("member")
    page = web.post(
        "/imports",
        data={"csrf": web.csrf("/imports/new")},
        files={"file": ("l.csv", "phone,name\n" + lines)},
    )
    number = int(page.url.rstrip("/").split("/")[-1])

    def find():
        return crowd.one("select state, line_done from imports where id = %s", number)

    wait_for(lambda: find()["line_done"] > 0, seconds=60)
    ids = list(range(1, CROWD + 1))
    answer = crowd.api().post("/api/campaigns", json={"name": "beside", "lead_ids": ids})
    assert answer.status_code == 201, answer.text
    quiet(crowd)
    assert find()["state"] == "running", "the pieces were done beside it, not after it"
    assert left(crowd) == CROWD
    wait_for(lambda: find()["state"] == "done", seconds=120)
