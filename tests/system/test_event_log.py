"""The black box of webhooks: everything that came is kept as it came, and can be read again."""
import hashlib
import hmac
import json
import uuid


def send(stack, body, good=True):
    raw = json.dumps(body).encode()
    signature = hmac.new(stack.bland_secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Webhook-Signature": signature if good else "0" * 64, "Content-Type": "application/json"}
    return stack.http().post("/webhooks/bland", data=raw, headers=headers)


def event_of(stack, api, id):
    return next(e for e in api.get("/api/event-log").json()["events"] if e["provider_call_id"] == id)


def test_an_unknown_call_is_kept_and_read_again_when_it_is_known(stack):
    api, id = stack.api("admin"), str(uuid.uuid4())
    body = {"call_id": id, "status": "completed", "completed": True, "answered_by": "voicemail"}
    assert send(stack, body).json()["verdict"] == "unknown_call"
    event = event_of(stack, api, id)
    assert (event["verdict"], event["signature"]) == ("unknown_call", "good")
    whole = api.get(f"/api/event-log/{event['id']}").json()["event"]
    assert json.loads(whole["body"]) == body
    assert api.post(f"/api/event-log/{event['id']}/replay").json()["verdict"] == "unknown_call"

    lead = stack.one(
        "insert into leads (client_id, phone) values (1, %s) returning id",
        "+1302555" + id[:4].translate(str.maketrans("abcdef", "234567")),
    )["id"]
    campaign = stack.one(
        "insert into campaigns (client_id, name, state) values (1, %s, 'paused') returning id", id
    )["id"]
    enrollment = stack.one(
        "insert into enrollments (client_id, campaign_id, lead_id, state, tries) values (1, %s, %s,"
        " 'under_way', 1) returning id",
        campaign,
        lead,
    )["id"]
    call = stack.one(
        "with new as (insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step,"
        " try, state, provider_call_id, created_at)"
        " values (%s, 1, %s, %s, %s, '+13025550000', 1, 1, 'placed', %s, now()) returning *)"
        " insert into provider_ids select provider, provider_call_id, id from new"
        " on conflict (provider, provider_call_id) do update set call_id = excluded.call_id"
        " returning call_id::text as id",
        str(uuid.uuid4()),
        campaign,
        enrollment,
        lead,
        id,
    )["id"]
    for verdict in ("applied", "noted", "noted"):
        assert api.post(f"/api/event-log/{event['id']}/replay").json()["verdict"] == verdict
    assert stack.one("select outcome from calls where id = %s", call)["outcome"] == "voicemail"
    assert event_of(stack, api, id)["verdict"] == "applied"
    assert stack.one("select attempts from enrollments where id = %s", enrollment)["attempts"] == 1


def test_a_refused_event_stays_refused(stack):
    api = stack.api("admin")
    assert send(stack, {"call_id": str(uuid.uuid4()), "status": "completed"}, good=False).status_code == 401
    event = api.get("/api/event-log?verdict=refused").json()["events"][0]
    answer = api.post(f"/api/event-log/{event['id']}/replay")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")


def test_only_administrators_see_it(stack):
    assert stack.api("member").get("/api/event-log").status_code == 403
    page = stack.login("admin")
    assert page.get("/event-log").status_code == 200
    assert page.get("/event-log/999999999").status_code == 404
    assert page.get("/event-log?verdict=nonsense").status_code == 422
