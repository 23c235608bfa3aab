"""The pages people look at and their JSON twins: dashboard, leads, one lead, calls, do-not-contact list."""
import csv
import html
import io
import itertools
import re
import uuid

import pytest

HOSTILE = "<script>alert(1)</script>\"'&{{csrf}} \u202egnp.exe"
numbers = itertools.count(4150001)


def add_leads(stack, n, name="Ada", **columns):
    """n leads straight into the table, in one list of their own; answers (list, ids ascending)."""
    mine = columns.setdefault("list", "list " + uuid.uuid4().hex[:8])
    ids = []
    for _ in range(n):
        row = {"client_id": 1, "phone": f"+1415{next(numbers)}", "contact": name, **columns}
        names = ", ".join(row)
        holes = ", ".join(["%s"] * len(row))
        ids.append(
            stack.one(f"insert into leads ({names}) values ({holes}) returning id", *row.values())["id"]
        )
    return mine, ids


def phone_of(stack, lead):
    return stack.one("select phone from leads where id = %s", lead)["phone"]


def why_not(api, lead):
    return api.get(f"/api/leads/{lead}/contactability").json()["channels"]["call"]["reasons"]


def add_campaign(stack, state="paused"):
    return stack.one(
        "insert into campaigns (client_id, name, state) values (1, %s, %s) returning id",
        "campaign " + uuid.uuid4().hex[:8],
        state,
    )["id"]


def add_call(stack, lead, campaign, state="ended", outcome="interested", minutes=0, **more):
    """A call as the dialer would have left it behind."""
    enrolled = "done" if state == "ended" else "ambiguous" if state == "ambiguous" else "under_way"
    journey = stack.one(
        "insert into enrollments (client_id, campaign_id, lead_id, state, tries)"
        " values (1, %s, %s, %s, 1)"
        " on conflict (campaign_id, lead_id) do update set tries = enrollments.tries + 1"
        " returning id, tries",
        campaign,
        lead,
        enrolled,
    )
    row = {
        "id": str(uuid.uuid4()),
        "client_id": 1,
        "campaign_id": campaign,
        "enrollment_id": journey["id"],
        "lead_id": lead,
        "phone": phone_of(stack, lead),
        "step": 1,
        "try": journey["tries"],
        "state": state,
        "outcome": outcome if state == "ended" else None,
        **more,
    }
    names = ", ".join(row)
    holes = ", ".join(["%s"] * len(row))
    stack.rows(
        f"insert into calls ({names}, created_at, ended_at) values ({holes},"
        " now() - %s * interval '1 minute',"
        " case when %s then now() end)",
        *row.values(),
        minutes,
        state == "ended",
    )
    return row["id"]


@pytest.fixture(scope="module")
def viewer(stack):
    return stack.login("viewer")


@pytest.fixture(scope="module")
def member(stack):
    return stack.login("member")


@pytest.fixture(scope="module")
def api(stack):
    return stack.api("member")


def walk(session, url, member):
    """All rows of a JSON list, page after page."""
    found, cursor, pages = [], None, 0
    while True:
        answer = session.get(url + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        found += answer.json()[member]
        cursor, pages = answer.json()["next"], pages + 1
        assert pages < 100
        if cursor is None:
            return found, pages


# --- who may see what ------------------------------------------------------------------------------
PAGES = ["/", "/leads", "/calls", "/suppressions", "/leads.csv"]


@pytest.mark.parametrize("path", PAGES)
def test_everybody_signed_in_reads_and_nobody_else(stack, path):
    for role in ("viewer", "member", "admin"):
        assert stack.login(role).get(path).status_code == 200
    stranger = stack.http()
    answer = stranger.get(path, allow_redirects=False)
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/login")
    assert stranger.get("/api" + (path if path != "/" else "/dashboard")).status_code == 401


def test_a_viewer_changes_nothing(stack, viewer):
    _, (lead,) = add_leads(stack, 1)
    viewer_api = stack.api("viewer")
    tries = [
        ("POST", "/api/leads", {"phone": "+14155550199"}),
        ("PATCH", f"/api/leads/{lead}", {"contact": "x"}),
        ("DELETE", f"/api/leads/{lead}", None),
        ("POST", f"/api/leads/{lead}/consents", {"source": "x"}),
        ("POST", f"/api/leads/{lead}/suppress", {}),
        ("POST", f"/api/leads/{lead}/notes", {"note": "x"}),
        ("POST", "/api/leads/bulk", {"ids": [lead], "action": "archive"}),
        ("POST", "/api/suppressions", {"phone": "+14155550198", "reason": "x"}),
    ]
    for method, path, body in tries:
        answer = viewer_api.request(method, path, json=body)
        assert answer.status_code == 403, (path, answer.text)
        assert answer.json()["error"]["code"] == "forbidden"
    row = stack.one("select contact, archived_at, notes from leads where id = %s", lead)
    assert row == {"contact": "Ada", "archived_at": None, "notes": ""}
    assert "Archive this lead" not in viewer.get(f"/leads/{lead}").text
    assert viewer.get("/leads/new").status_code == 403


def test_only_an_admin_decides_on_a_call_in_doubt_and_sees_raw_events(stack, member):
    _, (lead,) = add_leads(stack, 1)
    call = add_call(stack, lead, add_campaign(stack), state="ambiguous")
    stack.rows(
        "insert into events (provider, dedupe_key, kind, call_id, signature, verdict, received_at,"
        " body) values ('bland', %s, 'post_call', %s, 'good', 'applied', now(),"
        ' \'{"x": "raw body"}\')',
        call,
        call,
    )
    assert member.form(f"/calls/{call}/resolve", {"placed": "true"}).status_code == 403
    assert "raw body" not in member.get(f"/calls/{call}").text
    assert "events" not in stack.api("member").get(f"/api/calls/{call}").json()
    admin = stack.login("admin")
    assert "raw body" in admin.get(f"/calls/{call}").text
    assert admin.form(f"/calls/{call}/resolve", {"placed": "true"}).status_code == 200
    row = stack.one("select state, outcome from calls where id = %s", call)
    assert row == {"state": "ended", "outcome": "unknown"}
    assert admin.form(f"/calls/{call}/resolve", {"placed": "false"}).status_code == 409
    assert stack.one("select count(*) as n from audit where object = %s", "call " + call)["n"] == 1


def test_never_placed_frees_the_lead(stack):
    _, (lead,) = add_leads(stack, 1)
    campaign = add_campaign(stack)
    call = add_call(stack, lead, campaign, state="ambiguous")
    answer = stack.api("admin").post(f"/api/calls/{call}/resolve", json={"placed": False})
    assert answer.status_code == 200, answer.text
    row = stack.one("select state from enrollments where campaign_id = %s", campaign)
    assert row["state"] == "waiting"


def test_asking_the_provider_again(stack, api):
    _, (lead,) = add_leads(stack, 1)
    campaign = add_campaign(stack)
    doubt, ended = add_call(stack, lead, campaign, state="ambiguous"), add_call(stack, lead, campaign)
    assert api.post(f"/api/calls/{doubt}/ask").status_code == 200
    assert api.post(f"/api/calls/{ended}/ask").status_code == 409
    # The dialer may have asked already, and put the next time off.
    assert stack.one("select deadline_at from calls where id = %s", doubt)["deadline_at"]


# --- lists ---------------------------------------------------------------------------------------------
def test_leads_page_through_without_loss_or_duplicate(stack, api, viewer):
    mine, ids = add_leads(stack, 23)
    found, pages = walk(api, f"/api/leads?list={mine}&limit=5", "leads")
    assert [lead["id"] for lead in found] == ids[::-1] and pages == 5
    # On the page: Older to the end, Newer back to the start.
    seen, url = [], f"/leads?list={mine}&limit=5"
    first = viewer.get(url).text
    older = html.unescape(re.search(r'rel="next"\s+href="([^"]+)"', first).group(1))
    second = viewer.get(older + "&limit=5").text
    newer = html.unescape(re.search(r'rel="prev"\s+href="([^"]+)"', second).group(1))
    seen = [int(n) for n in re.findall(r'data-href="/leads/(\d+)"', viewer.get(newer + "&limit=5").text)]
    assert seen == ids[::-1][:5]


def test_new_rows_do_not_shift_a_page(stack, api):
    mine, ids = add_leads(stack, 6)
    first = api.get(f"/api/leads?list={mine}&limit=3").json()
    add_leads(stack, 4, list=mine)
    second = api.get(f"/api/leads?list={mine}&limit=3&cursor={first['next']}").json()
    assert [lead["id"] for lead in first["leads"] + second["leads"]] == ids[::-1]


def test_filters(stack, api):
    mine, ids = add_leads(stack, 2)
    _, (other,) = add_leads(
        stack,
        1,
        list=mine,
        status="done",
        outcome="interested",
        contact="Grace Hopper",
        company="Navy Yard",
        email="grace@navy.test",
    )
    _, (gone,) = add_leads(stack, 1, list=mine)
    stack.rows("update leads set archived_at = now() where id = %s", gone)
    stack.rows(
        "insert into consents (client_id, lead_id, channel, granted, source, at) values"
        " (1, %s, 'call', true, 'x',"
        " now())",
        ids[0],
    )

    def got(query):
        return {lead["id"] for lead in api.get(f"/api/leads?list={mine}&{query}").json()["leads"]}

    assert got("") == {*ids, other}
    for query in ("status=done", "outcome=interested", "q=hopper+navy", "q=grace%40NAVY"):
        assert got(query) == {other}, query
    assert got("status=archived") == {gone}
    assert got("consent=granted") == {ids[0]} and got("consent=missing") == {ids[1], other}
    phone = phone_of(stack, other)
    assert got(f"q=({phone[2:5]})+{phone[5:8]}-{phone[8:]}") == {other}
    assert got("q=100%25") == set() == got("q=_") == got("q=%5C")
    for query, field in (("status=nonsense", "status"), ("outcome=x", "outcome"), ("import=x", "import")):
        answer = api.get(f"/api/leads?{query}")
        assert answer.status_code == 422 and field in answer.json()["error"]["fields"]
    assert api.get("/api/leads?cursor=x").status_code == 400
    assert api.get("/api/leads?limit=500").status_code == 422


def test_shapes(stack, api):
    mine, (lead,) = add_leads(stack, 1)
    row = api.get(f"/api/leads?list={mine}").json()
    assert set(row) == {"leads", "next"} and row["next"] is None
    one = api.get(f"/api/leads/{lead}").json()
    assert one["id"] == lead and one["attributes"] == {} and one["calls"] == []
    assert "csrf" not in one and "nav" not in one
    channels = api.get(f"/api/leads/{lead}/contactability").json()["channels"]
    assert channels["call"]["allowed"] is False and channels["call"]["reasons"] == ["no_consent"]
    assert set(channels) == {"call", "sms", "whatsapp", "email"}
    assert all(set(c) == {"allowed", "reasons", "next_at"} for c in channels.values())
    assert channels["sms"] == {"allowed": False, "reasons": ["not_available"], "next_at": None}
    assert api.get("/api/leads/999999999").status_code == 404
    assert api.get("/api/calls/nonsense").status_code == 404


def test_calls_as_programs_know_them(stack, api):
    campaign = add_campaign(stack)
    _, leads = add_leads(stack, 4)
    ended = [
        add_call(stack, lead, campaign, minutes=m, transcript="Agent: Hi", duration_seconds=12)
        for m, lead in enumerate(leads[:2])
    ]
    live = add_call(stack, leads[2], campaign, state="placed")
    found, _ = walk(api, f"/api/calls?campaign={campaign}&limit=1", "calls")
    assert {c["id"] for c in found} == {live, *ended} and len(found) == 3
    want = {
        "id",
        "lead_id",
        "phone",
        "company",
        "contact",
        "status",
        "outcome",
        "transcript",
        "duration",
        "attempt",
        "created_at",
        "ended_at",
    }
    assert want <= set(found[0])
    by_id = {c["id"]: c for c in found}
    assert by_id[ended[0]]["status"] == "done" and by_id[ended[0]]["transcript"] == "Agent: Hi"
    assert by_id[ended[0]]["duration"] == 12 and by_id[live]["status"] == "dialing"
    everything, _ = walk(api, "/api/calls?status=all&limit=200", "calls")
    waiting = [c for c in everything if c["lead_id"] == leads[3]]
    assert len(waiting) == 1 and waiting[0]["id"] is None and waiting[0]["status"] == "pending"
    seen = [(c["id"], c["lead_id"]) for c in everything]
    assert len(seen) == len(set(seen))
    pending, _ = walk(api, "/api/calls?status=pending&limit=200", "calls")
    assert leads[3] in {c["lead_id"] for c in pending} and not set(ended) & {c["id"] for c in pending}
    done, _ = walk(api, "/api/calls?status=done&limit=200", "calls")
    assert set(ended) <= {c["id"] for c in done} and None not in {c["id"] for c in done}


def test_calls_filters_on_the_page(stack, viewer):
    campaign = add_campaign(stack)
    _, leads = add_leads(stack, 2)
    one = add_call(stack, leads[0], campaign, outcome="voicemail")
    two = add_call(stack, leads[1], campaign, outcome="busy")

    def got(query):
        text = viewer.get(f"/calls?campaign={campaign}&{query}").text
        return set(re.findall(r'data-href="/calls/([0-9a-f-]{36})"', text))

    assert got("") == {one, two} and got("outcome=busy") == {two} and got("state=live") == set()
    assert got("from=2000-01-01&to=2000-01-02") == set() and got("from=2000-01-01") == {one, two}
    assert viewer.get("/calls?from=yesterday").status_code == 422


# --- one lead --------------------------------------------------------------------------------------------
def test_a_lead_by_hand(stack, api):
    number = f"(415) 415-{next(numbers) % 10000:04d}"
    made = api.post("/api/leads", json={"phone": number, "name": "Ada", "attributes": {"plan": "gold"}})
    assert made.status_code == 201, made.text
    lead = made.json()
    assert lead["contact"] == "Ada" and lead["phone"].startswith("+1415415")
    assert lead["attributes"] == {"plan": "gold"}
    again = api.post("/api/leads", json={"phone": number})
    assert again.status_code == 409 and again.json()["error"]["code"] == "duplicate_phone"
    bad = api.post("/api/leads", json={"phone": "12"})
    assert bad.status_code == 422 and "phone" in bad.json()["error"]["fields"]
    for field, value in (("email", "nobody"), ("time_zone", "CET+1"), ("contact", "x" * 201)):
        answer = api.patch(f"/api/leads/{lead['id']}", json={field: value})
        assert answer.status_code == 422 and field in answer.json()["error"]["fields"], field
    changed = api.patch(f"/api/leads/{lead['id']}", json={"company": "Acme"}).json()
    assert changed["company"] == "Acme" and changed["contact"] == "Ada"
    assert api.delete(f"/api/leads/{lead['id']}").json()["archived"] is True
    assert api.get(f"/api/leads/{lead['id']}").json()["archived_at"]


def test_what_was_typed_is_not_lost(stack, member):
    answer = member.form(
        "/leads",
        {"phone": "no number", "contact": "Typed Name", "company": "Typed & Co"},
        page="/leads/new",
    )
    assert answer.status_code == 422
    assert 'value="Typed Name"' in answer.text and "Typed &amp; Co" in answer.text
    assert "Write it like" in answer.text and 'href="#phone"' in answer.text


def test_consent_and_numbers_wake_blocked_journeys(stack, api):
    _, (lead,) = add_leads(stack, 1)
    campaign = add_campaign(stack)
    stack.rows(
        "insert into enrollments (client_id, campaign_id, lead_id, state, reason, due_at) values"
        " (1, %s, %s, 'blocked', 'no_consent', now() + interval '1 day')",
        campaign,
        lead,
    )
    url = f"/api/leads/{lead}/consents"
    answer = api.post(url, json={"channel": "call", "source": "said so", "at": "2026-01-05"})
    assert answer.status_code == 201, answer.text
    assert stack.one("select state from enrollments where lead_id = %s", lead)["state"] == "waiting"
    log = api.get(url).json()["consents"]
    assert len(log) == 1 and log[0]["granted"] is True and log[0]["recorded_by"] == "member@example.test"
    assert api.post(url, json={"source": "", "channel": "call"}).status_code == 422
    assert api.post(url, json={"source": "x", "channel": "fax"}).status_code == 422
    assert api.post(url, json={"source": "x", "at": "2999-01-01"}).status_code == 422
    assert api.post(url, json={"source": "x", "granted": False}).status_code == 201
    assert why_not(api, lead) == ["consent_withdrawn"]


def test_bulk(stack, member, api):
    mine, ids = add_leads(stack, 3)
    campaign = add_campaign(stack, "draft")
    form = {f"id_{i}": "on" for i in ids[:2]}
    wanted = {**form, "action": "enrol", "campaign_id": campaign, "back": f"/leads?list={mine}"}
    answer = member.form("/leads/bulk", wanted)
    assert answer.status_code == 200 and mine.split()[1] in answer.url, answer.text[:500]
    assert stack.one("select count(*) as n from enrollments where campaign_id = %s", campaign)["n"] == 2
    assert api.post("/api/leads/bulk", json={"ids": ids[:1], "action": "suppress"}).json()["changed"] == 1
    assert api.post("/api/leads/bulk", json={"ids": ids, "action": "archive"}).json()["changed"] == 3
    assert api.get(f"/api/leads?list={mine}").json()["leads"] == []
    assert api.post("/api/leads/bulk", json={"ids": [], "action": "archive"}).status_code == 422
    assert api.post("/api/leads/bulk", json={"ids": ids, "action": "explode"}).status_code == 422
    away = member.form(
        "/leads/bulk", {**form, "action": "restore", "back": "//evil.test/"}, allow_redirects=False
    )
    assert away.headers["Location"] == "/leads"


def test_the_do_not_contact_list(stack, api, member):
    _, (lead,) = add_leads(stack, 1)
    phone = phone_of(stack, lead)
    made = api.post("/api/suppressions", json={"phone": phone, "reason": "asked us"})
    assert made.status_code == 201
    assert api.post("/api/suppressions", json={"phone": phone, "reason": "again"}).status_code == 200
    listed = api.get(f"/api/suppressions?q={phone[2:]}").json()["suppressions"]
    assert [s["id"] for s in listed] == [made.json()["id"]]
    assert why_not(api, lead) == ["suppressed"]
    assert "do-not-contact list" in member.get(f"/leads/{lead}").text
    assert "asked us" in member.get(f"/suppressions?q={phone[2:]}").text
    assert api.delete(f"/api/suppressions/{made.json()['id']}").status_code == 200
    assert api.delete(f"/api/suppressions/{made.json()['id']}").status_code == 404
    for body, field in (
        ({"reason": "x"}, "phone"),
        ({"phone": phone}, "reason"),
        ({"phone": "1", "reason": "x"}, "phone"),
        ({"phone": phone, "reason": "x", "channel": "fax"}, "channel"),
    ):
        answer = api.post("/api/suppressions", json=body)
        assert answer.status_code == 422 and field in answer.json()["error"]["fields"], body


# --- what strangers wrote -----------------------------------------------------------------------------------
def test_hostile_text_stays_text(stack, viewer):
    mine, (lead,) = add_leads(
        stack,
        1,
        name=HOSTILE,
        company=HOSTILE,
        notes=HOSTILE,
        location=HOSTILE,
        source=HOSTILE,
        email=HOSTILE,
    )
    campaign = add_campaign(stack)
    call = add_call(
        stack,
        lead,
        campaign,
        transcript=HOSTILE,
        summary=HOSTILE,
        error_message=HOSTILE,
        disposition=HOSTILE,
        recording_url="javascript:alert(1)",
    )
    stack.rows("update campaigns set name = name || %s where id = %s", HOSTILE, campaign)
    for path in (
        f"/leads?list={mine}",
        f"/leads/{lead}",
        "/calls",
        f"/calls/{call}",
        "/",
        f"/leads?q={HOSTILE}",
    ):
        text = viewer.get(path).text
        assert "<script>alert" not in text, path
        assert 'href="javascript:' not in text, path
        assert "Content-Security-Policy" in viewer.get(path).headers
    assert html.escape("<script>alert(1)</script>") in viewer.get(f"/leads/{lead}").text


def test_csv_export(stack, viewer):
    mine, ids = add_leads(
        stack, 2, name="=cmd|' /C calc'!A0", company='Müller, "Söhne"\nGmbH', attributes='{"a": 1}'
    )
    answer = viewer.get(f"/leads.csv?list={mine}")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[0]["contact"].startswith("'=") and rows[0]["company"] == 'Müller, "Söhne"\nGmbH'
    assert rows[0]["phone"].startswith("+1415") and rows[0]["attributes"] == '{"a":1}'
    assert viewer.get("/leads.csv?status=nonsense").status_code == 422


# --- the frame and the dashboard ---------------------------------------------------------------------------
def test_the_frame_shows_what_runs_and_what_needs_a_person(stack, viewer, member):
    campaign = add_campaign(stack, "paused")
    name = stack.one("select name from campaigns where id = %s", campaign)["name"]
    assert name in viewer.get("/leads").text
    assert f'action="/campaigns/{campaign}/resume"' in member.get("/leads").text
    assert f'action="/campaigns/{campaign}/resume"' not in viewer.get("/leads").text
    assert "Sandbox" in viewer.get("/leads").text
    assert 'href="/users"' not in member.get("/").text
    assert 'href="/users"' in stack.login("admin").get("/").text
    assert 'aria-current="page"' in viewer.get("/calls").text
    stack.rows("update campaigns set state = 'archived' where id = %s", campaign)


def test_the_dashboard_counts(stack, viewer, api):
    campaign = add_campaign(stack)  # runs once it has somebody: else the dialer may find it done
    _, leads = add_leads(stack, 3)
    add_call(stack, leads[0], campaign, outcome="interested", cost_usd=140000, transcript="Agent: Hi")
    live = add_call(stack, leads[1], campaign, state="under_way", outcome=None)
    stack.rows("update campaigns set state = 'running' where id = %s", campaign)
    stack.rows("delete from tallies")
    model = api.get("/api/dashboard").json()
    assert model["state"] == "running" and model["today"]["interested"] >= 1
    assert live in {c["id"] for c in model["live"]}
    assert sum(s["count"] for s in model["segments"]) == model["progress"]["total"]
    text = viewer.get("/").text
    assert "<svg" in text and "<desc" in text and "Newest outcomes" in text
    assert len(text) < 60_000
    stack.rows("update campaigns set state = 'archived' where id = %s", campaign)
    stack.rows(
        "update calls set state = 'ended', outcome = 'unknown', ended_at = now() where id = %s", live
    )


def test_what_a_campaign_has_cost(stack, viewer, api):
    campaign = add_campaign(stack, "paused")
    _, leads = add_leads(stack, 1)

    def shown():
        stack.rows("delete from tallies")
        row = next(c for c in api.get("/api/campaigns").json()["campaigns"] if c["id"] == campaign)
        one = api.get(f"/api/campaigns/{campaign}").json()["campaign"]
        assert row["cost_usd"] == one["cost_usd"]
        return one["cost_usd"], re.search(r"(\S+)\s+spent", viewer.get(f"/campaigns/{campaign}").text)[1]

    cost, text = shown()
    assert cost == 0 and text.endswith("$0.00")
    add_call(stack, leads[0], campaign, outcome="interested", cost_usd=1234140000)
    cost, text = shown()
    assert cost == 1234.14 and text.endswith("$1,234.14")


def test_no_inline_style_or_script(stack, viewer):
    for path in PAGES[:4]:
        text = viewer.get(path).text
        assert " style=" not in text and "<script>" not in text and " onclick" not in text


def test_counts_are_kept_not_maintained(stack):
    """A tally is the query's own answer, as old as it may be."""
    add_leads(stack, 2)
    stack.rows("delete from tallies")
    first = stack.one("select tally(1, 'leads', now()) as t")["t"]["total"]
    assert first == stack.one("select count(*) as n from leads where archived_at is null")["n"]
    add_leads(stack, 1)
    assert stack.one("select tally(1, 'leads', now()) as t")["t"]["total"] == first
    assert (
        stack.one("select tally(1, 'leads', now() + interval '5 minutes') as t")["t"]["total"] == first + 1
    )
