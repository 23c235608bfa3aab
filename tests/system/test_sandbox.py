"""The stand-in for the voice provider, held against the wire contract it imitates.

Starts $BUILD/trunkline-sandbox (build/ by default) by itself on a free port, with a small receiver
for its webhooks. Shapes and refusals are compared with contracts/bland_voice.handmade.json.
"""
import copy
import hashlib
import hmac
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema
import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve() / "trunkline-sandbox"
SHARED = pathlib.Path(os.environ.get("TRUNKLINE_SHARED", ROOT.parent / "shared"))
SECRET = "trunkline-test-secret"
SPEED = 40
KEY = {"authorization": "some-key"}
TASK = "You are Sam from Acme Ltd, calling {{contact}} at {{company}} about spare parts. Be brief."

SPEC = json.loads((SHARED / "contracts/bland_voice.handmade.json").read_text())
VECTORS = json.loads((SHARED / "contracts/bland_signature_vectors.json").read_text())["vectors"]


def examples(path, method, status):
    content = SPEC["paths"][path][method]["responses"][str(status)]["content"]
    return {k: v["value"] for k, v in content["application/json"]["examples"].items()}


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.note(body, dict(self.headers))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Hook(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), Receiver)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.got, self.statuses, self.changed = [], [], threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        origin = "https://localhost" if tls else "http://127.0.0.1"
        self.url = f"{origin}:{self.server_port}/webhooks/bland"

    def handle_error(self, request, client_address):
        """A sender that was reset in mid-connection is none of our troubles."""

    def note(self, body, headers):
        with self.changed:
            self.got.append((time.monotonic(), body, headers))
            self.changed.notify_all()

    def wait(self, wanted, seconds=10):
        """What came so far, once `wanted` (of the list) is true."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: wanted(self.got), seconds
            ), f"{len(self.got)} webhooks: {[g[1][:200] for g in self.got]}"
            return list(self.got)


class Sandbox:
    def __init__(self, folder, *options, **environment):
        self.ledger_path = folder / "ledger.jsonl"
        self.log_path = folder / "sandbox.log"
        env = {**os.environ, "SANDBOX_WEBHOOK_SECRET": SECRET, **environment}
        arguments = [
            BINARY,
            "--listen",
            "127.0.0.1:0",
            "--ledger",
            self.ledger_path,
            "--speed",
            str(SPEED),
            *options,
        ]
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(arguments, env=env, stderr=log)
        self.url = f"http://127.0.0.1:{self.port()}"
        self.http = requests.Session()

    def port(self):
        for _ in range(200):
            found = re.search(r'"port":(\d+)', self.log_path.read_text())
            if found:
                return int(found.group(1))
            assert self.process.poll() is None, self.log_path.read_text()
            time.sleep(0.02)
        raise AssertionError("did not start")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(10) == 0, self.log_path.read_text()
        assert "ERROR" not in self.log_path.read_text()

    def get(self, path, **query):
        return self.http.get(self.url + path, params=query, headers=KEY, timeout=10)

    def post(self, path, body=None, **kw):
        return self.http.post(self.url + path, json=body, headers=kw.pop("headers", KEY), timeout=10)

    def call(self, body, **kw):
        return self.post("/v1/calls", body, **kw)

    def object(self, call_id):
        return self.get(f"/v1/calls/{call_id}").json()

    def ended(self, call_id, seconds=10):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.object(call_id)
            if found["completed"]:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{call_id} did not end")

    def summary(self, **query):
        return self.get("/sandbox/ledger", **query).json()

    def lines(self):
        return [json.loads(line) for line in self.ledger_path.read_text().splitlines()]

    def reset(self):
        assert self.post("/sandbox/reset").status_code == 200


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    started = Sandbox(tmp_path_factory.mktemp("sandbox"), "--allow-http-webhook")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def hook():
    started = Hook()
    yield started
    started.shutdown()


@pytest.fixture(autouse=True)
def clean(request):
    if "box" in request.fixturenames:
        request.getfixturevalue("box").reset()
    if "hook" in request.fixturenames:
        server = request.getfixturevalue("hook")
        server.got, server.statuses = [], []


def request_for(number, hook=None, **more):
    body = {
        "phone_number": number,
        "task": TASK,
        "max_duration": 5,
        "record": True,
        "request_data": {"contact": "Ada", "company": "Analytical Ltd"},
        "metadata": {"attempt_id": f"a-{number}", "lead_id": "345"},
    }
    if hook:
        body["webhook"] = hook.url
    return {**body, **more}


def ending(n, prefix="+155501001"):
    return f"{prefix}{n:02d}"


def signature(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def reports(got, call_id=None):
    """Parsed post-call reports, in order of arrival."""
    found = []
    for _, body, _ in got:
        try:
            parsed = json.loads(body)
        except ValueError:
            continue
        if "category" not in parsed and (call_id is None or parsed.get("call_id") == call_id):
            found.append(parsed)
    return found


# --- requests: what is refused, and how

SCHEMA = SPEC["components"]["schemas"]["SendCall"]
GOOD = request_for("+15550100001")
MUTATIONS = {
    "good": {},
    "callback_url": {"callback_url": "https://x.test/"},
    "analysis_schema": {"analysis_schema": {}},
    "no task": {"task": None},
    "task number": {"task": 7},
    "phone number": {"phone_number": 15550100001},
    "record text": {"record": "yes"},
    "record null": {"record": "null!"},
    "wait_for_greeting number": {"wait_for_greeting": 1},
    "model enhanced": {"model": "enhanced"},
    "model turbo": {"model": "turbo"},
    "temperature 1.5": {"temperature": 1.5},
    "temperature 0": {"temperature": 0},
    "interruptibility 4": {"interruptibility": 4},
    "http webhook": {"webhook": "http://hooks.example.test/"},
    "https webhook": {"webhook": "https://hooks.invalid/"},
    "webhook number": {"webhook": 1},
    "webhook_events bad": {"webhook_events": ["call", "tea"]},
    "webhook_events good": {"webhook_events": ["call", "queue"]},
    "metadata text": {"metadata": "x"},
    "metadata list": {"metadata": []},
    "request_data list": {"request_data": []},
    "20 keywords": {"keywords": ["k"] * 20},
    "21 keywords": {"keywords": ["k"] * 21},
    "long keyword": {"keywords": ["k" * 100]},
    "keywords text": {"keywords": "k"},
    "max_duration 0": {"max_duration": 0},
    "max_duration 0.5": {"max_duration": 0.5},
    "max_duration 720": {"max_duration": 720},
    "max_duration 721": {"max_duration": 721},
    "max_duration text": {"max_duration": "5"},
    "voicemail action": {"voicemail": {"action": "sing"}},
    "voicemail extra": {"voicemail": {"action": "hangup", "tone": 1}},
    "voicemail message": {"voicemail": {"action": "leave_message", "message": "Hi {{contact}}"}},
    "voicemail sms": {
        "voicemail": {
            "action": "leave_message_and_sms",
            "message": "m",
            "sms": {"to": "1", "from": "2", "message": "3"},
        }
    },
    "voicemail text": {"voicemail": "hangup"},
    "background none": {"background_track": "none"},
    "background disco": {"background_track": "disco"},
    "summary_prompt": {"summary_prompt": "x" * 2001},
    "dispositions": {"dispositions": ["A", "B"]},
    "dispositions numbers": {"dispositions": [1]},
    "dtmf": {"precall_dtmf_sequence": "1w2#"},
    "dtmf bad": {"precall_dtmf_sequence": "1a"},
    "tools": {"tools": []},
    "guard_rails": {"guard_rails": [{}]},
    "guard_rails bad": {"guard_rails": ["x"]},
    "pathway_version bad": {"pathway_version": "beta"},
    "pathway_version 3": {"pathway_version": 3},
    "answered_by_enabled": {"answered_by_enabled": True},
    "dynamic_data": {"dynamic_data": [{}]},
    "noise": {
        "noise_cancellation": False,
        "block_interruptions": False,
        "voice": "maya",
        "first_sentence": "Hello",
        "timezone": "America/Chicago",
        "language": "en-US",
        "from": "+15550100099",
        "interruption_threshold": 500,
    },
}


def test_accepts_and_refuses_as_the_contract_does(box):
    for i, (name, change) in enumerate(MUTATIONS.items()):
        body = copy.deepcopy(GOOD)
        body["phone_number"] = f"+1555020{i:02d}99"
        body.update(change)
        body = {k: v for k, v in body.items() if v is not None}
        allowed = jsonschema.Draft4Validator(SCHEMA).is_valid(body)
        answer = box.call(body)
        assert answer.status_code == (200 if allowed else 400), (name, answer.text)
        assert answer.headers["content-type"].startswith("application/json")
        if not allowed:
            assert answer.json()["status"] == "error"
    assert box.summary()["accepted"] + sum(box.summary()["refused"].values()) == len(MUTATIONS)


@pytest.mark.parametrize(
    "change, example",
    [
        ({"phone_number": None}, "missing_phone"),
        ({"phone_number": "7911123456"}, None),
        ({"phone_number": "0044791112345"}, "bad_phone"),
        ({"webhook": "http://example.test/"}, "bad_webhook"),
        ({"voicemail": {"action": "sing"}}, "bad_voicemail_action"),
        ({"callback_url": "https://x.test"}, "additional_property"),
        ({"max_duration": 0}, "max_duration_low"),
        ({"max_duration": 721}, "max_duration_high"),
        ({"keywords": ["k"] * 21}, "keywords"),
        ({"metadata": []}, "metadata"),
        ({"phone_number": ending(42)}, "sensitive_number"),
        ({"phone_number": ending(41)}, "dnc"),
        ({"phone_number": ending(26)}, "unable_to_queue"),
    ],
)
def test_refusals_word_for_word(box, change, example):
    body = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    answer = box.call(body)
    if example is None:
        assert answer.status_code == 200, answer.text
        return
    assert answer.status_code == 400
    assert answer.json() == examples("/v1/calls", "post", 400)[example]


def test_start_time_too_soon(box):
    soon = time.strftime("%Y-%m-%d %H:%M:%S +00:00", time.gmtime(time.time() + 60))
    answer = box.call({**GOOD, "start_time": soon})
    assert answer.json() == examples("/v1/calls", "post", 400)["start_time_too_soon"]
    later = time.strftime("%Y-%m-%d %H:%M:%S +00:00", time.gmtime(time.time() + 600))
    call_id = box.call({**GOOD, "start_time": later}).json()["call_id"]
    time.sleep(0.3)
    assert box.object(call_id)["queue_status"] == "queued"
    assert box.post(f"/v1/calls/{call_id}/stop").json()["status"] == "success"
    assert box.object(call_id)["status"] == "canceled"


@pytest.mark.parametrize(
    "number, status, text",
    [
        ("+123456", 400, "too short"),
        ("+1234567890123456", 400, "too long"),
        ("+1555x100002", 400, "Invalid phone number format"),
        ("+1 (555) 010-0002", 200, ""),
        ("15550100002", 200, ""),
        ("5550100002", 200, ""),
        ("447911123456", 400, "include a country code"),
        ("+447911123456", 200, ""),
        ("+1555010000", 400, "include a country code"),
        ("+0123456789", 400, "include a country code"),
        ("", 400, "too short"),
    ],
)
def test_telephone_numbers(box, number, status, text):
    answer = box.call({**GOOD, "phone_number": number})
    assert answer.status_code == status and text in answer.text, answer.text


@pytest.mark.parametrize(
    "language, status",
    [
        ("babel-en", 200),
        ("en", 200),
        ("pt-BR", 200),
        ("auto", 200),
        ("fluent", 200),
        ("english", 400),
        ("EN", 400),
        ("", 400),
        ("e", 400),
        ("en-", 400),
    ],
)
def test_languages(box, language, status):
    answer = box.call({**GOOD, "language": language})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["message"] == "Invalid language code"


@pytest.mark.parametrize(
    "sender, status",
    [("+15550100001", 200), ("5550100001", 200), ("+1555", 400), ("555-010-0001", 400), (5, 400)],
)
def test_senders(box, sender, status):
    answer = box.call({**GOOD, "from": sender})
    assert answer.status_code == status, answer.text
    if status == 400:
        assert "Invalid 'from'" in answer.json()["message"]


def test_pathway_is_not_found(box):
    body = {"phone_number": "+15550100001", "pathway_id": "x"}
    answer = box.call(body)
    assert answer.status_code == 404
    assert answer.json() == examples("/v1/calls", "post", 404)["pathway"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"a":1,"a":2}',
        b"[" * 100000,
        b"{}",
        b'{"phone_number":null}',
    ],
)
def test_bodies_that_are_no_request(box, raw):
    answer = requests.post(box.url + "/v1/calls", data=raw, headers=KEY, timeout=10)
    assert answer.status_code == 400 and answer.json()["status"] == "error"


def test_body_too_large(box):
    answer = requests.post(box.url + "/v1/calls", data=b"x" * 1500000, headers=KEY, timeout=10)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "header, status",
    [
        (None, 401),
        ("", 401),
        ("bad", 401),
        ("Bearer bad", 401),
        ("Bearer ", 401),
        ("k", 200),
        ("Bearer k", 200),
    ],
)
def test_any_key_but_a_bad_one(box, header, status):
    headers = {} if header is None else {"authorization": header}
    answer = box.call(GOOD, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == examples("/v1/calls", "post", 401)["auth"]
        assert box.get("/sandbox/ledger").json()["refused"] == {"401": 1}


def test_the_one_key(tmp_path):
    box = Sandbox(tmp_path, SANDBOX_API_KEY="the-key")
    assert box.call(GOOD, headers={"authorization": "the-key"}).status_code == 200
    assert box.call(GOOD, headers={"authorization": "Bearer the-key"}).status_code == 429
    assert box.call(GOOD, headers={"authorization": "other"}).status_code == 401
    assert (
        box.call(
            {**GOOD, "webhook": "http://127.0.0.1:1/"}, headers={"authorization": "the-key"}
        ).status_code
        == 400
    )
    box.stop()


def test_same_number_within_ten_seconds(box):
    assert box.call(GOOD).status_code == 200
    again = box.call(GOOD)
    assert again.status_code == 429
    assert again.json() == examples("/v1/calls", "post", 429)["same_number"]
    time.sleep(10 / SPEED + 0.05)
    assert box.call(GOOD).status_code == 200
    assert box.summary(numbers=1)["numbers"] == {GOOD["phone_number"]: 2}
    assert box.summary()["duplicate_attempt_ids"] == [GOOD["metadata"]["attempt_id"]]


def test_unknown_paths_and_methods(box):
    assert box.get("/v1/nothing").status_code == 404
    assert box.get("/v1/calls/x/y/z").status_code == 404
    assert box.get("/sandbox/reset").status_code == 405
    assert box.http.delete(box.url + "/v1/calls", headers=KEY).status_code == 405


# --- answers: their shapes


def json_type(v):
    return "number" if isinstance(v, (int, float)) and not isinstance(v, bool) else type(v).__name__


def assert_shape(found, models):
    """Each member that all models have is there, with a type that one of the models gives it."""
    types = defaultdict(set)
    for model in models:
        for key, value in model.items():
            types[key].add(json_type(value))
    for key, allowed in types.items():
        assert key in found, key
        if allowed != {"NoneType"}:
            assert json_type(found[key]) in allowed | {"NoneType"}, (key, found[key])


def test_call_object(box):
    models = examples("/v1/calls/{call_id}", "get", 200)
    answer = box.call(GOOD)
    assert_shape(answer.json(), examples("/v1/calls", "post", 200).values())
    call_id = answer.json()["call_id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", call_id)
    early = box.object(call_id)
    assert_shape(early, [models["in_progress"]])
    assert early["completed"] is False and early["status"] is None
    late = box.ended(call_id)
    assert_shape(late, models.values())
    assert_shape(late["transcripts"][0], models["human_interested"]["transcripts"])
    assert late["metadata"] == GOOD["metadata"] and late["request_data"] == GOOD["request_data"]
    assert late["variables"]["contact"] == "Ada"
    assert late["status"] == "completed" and late["queue_status"] == "complete"
    assert late["max_duration"] == 5 and late["record"] is True
    assert abs(late["call_length"] * 60 - int(late["corrected_duration"])) < 1
    assert late["price"] >= 0.015
    assert late["created_at"].endswith("+00:00") and late["end_at"].endswith("Z")
    assert late["created_at"][:19] <= late["started_at"][:19] <= late["end_at"][:19]
    assert late == box.object(call_id)


def test_call_that_nobody_made(box):
    answer = box.get("/v1/calls/11111111-2222-4333-8444-555555555555")
    assert answer.status_code == 404 and answer.json()["errors"]


def test_list_and_its_filters(box):
    ids = [box.call(request_for(f"+1555030{n:02d}99")).json()["call_id"] for n in range(6)]
    busy = box.call(request_for(ending(12, "+155503060"))).json()["call_id"]
    for call_id in ids + [busy]:
        box.ended(call_id)
    page = box.get("/v1/calls").json()
    assert_shape(page, examples("/v1/calls", "get", 200).values())
    assert_shape(page["calls"][0], examples("/v1/calls", "get", 200)["default"]["calls"])
    assert [c["call_id"] for c in page["calls"]] == [busy] + ids[::-1]
    assert page["total_count"] == page["count"] == 7
    assert "transcripts" not in page["calls"][0]

    def listed(**query):
        return [c["call_id"] for c in box.get("/v1/calls", **query).json()["calls"]]

    assert listed(ascending="true") == ids + [busy]
    assert listed(limit=2) == [busy, ids[5]]
    assert listed(limit=2, **{"from": 1}) == [ids[5], ids[4]]
    assert listed(**{"from": 1, "to": 3}) == [ids[5], ids[4]]
    assert listed(to_number="+15550300399") == [ids[3]]
    assert box.http.get(box.url + "/v1/calls?to_number=+15550300399", headers=KEY).json()["count"] == 1
    assert listed(to_number="+15559999999") == []
    assert listed(answered_by="human") != [] and busy not in listed(answered_by="human")
    assert listed(completed="false") == [] and len(listed(completed="true")) == 7
    today, now = time.strftime("%Y-%m-%d", time.gmtime()), time.time()
    stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(t))
    assert len(listed(start_date=today, end_date=today)) == 7
    assert len(listed(start_date=stamp(now - 60))) == 7
    assert listed(start_date=stamp(now + 60)) == [] and listed(end_date=stamp(now - 60)) == []
    assert listed(to_number="+15550300399", start_date=stamp(now + 60)) == []


def test_active_and_stop(box):
    first = box.call(request_for("+15550400199")).json()["call_id"]
    second = box.call(request_for("+15550400299")).json()["call_id"]
    active = box.get("/v1/calls/active").json()
    assert_shape(active["data"][0], examples("/v1/calls/active", "get", 200)["default"]["data"])
    assert {c["call_id"] for c in active["data"]} == {first, second}
    assert active["data"][0]["timestamp"].isdigit()
    stop = examples("/v1/calls/{call_id}/stop", "post", 200)
    assert box.post(f"/v1/calls/{first}/stop").json() == stop["ok"]
    assert box.post(f"/v1/calls/{first}/stop").json() == stop["no_sid"]
    assert box.post("/v1/calls/nobody/stop").json() == stop["no_sid"]
    everything = box.post("/v1/calls/active/stop").json()
    assert everything == examples("/v1/calls/active/stop", "post", 200)["default"]
    assert box.get("/v1/calls/active").json() == {"data": [], "errors": None}
    assert box.object(first)["completed"] and box.object(second)["completed"]
    assert box.summary()["live"] == 0


def test_stop_in_mid_talk(box, hook):
    call_id = box.call(request_for("+15550400399", hook)).json()["call_id"]
    until = time.monotonic() + 5
    while box.object(call_id)["queue_status"] != "started":
        assert time.monotonic() < until
    box.post(f"/v1/calls/{call_id}/stop")
    report = reports(hook.wait(lambda got: reports(got, call_id)))[0]
    assert report["completed"] and report["call_ended_by"] == "ASSISTANT"


def test_account_and_voices(box):
    assert_shape(box.get("/v1/me").json(), examples("/v1/me", "get", 200).values())
    voices = box.get("/v1/voices").json()["voices"]
    model = examples("/v1/voices", "get", 200)["default"]["voices"]
    for voice in voices:
        assert_shape(voice, model)
    assert box.get("/v1/voices/maya").json()["voice"] == voices[0]
    assert box.get(f"/v1/voices/{voices[1]['id']}").json()["voice"]["name"] == "Josh"
    assert box.get("/v1/voices/nobody").status_code == 404


# --- reports


def report_for(box, hook, number, **more):
    call_id = box.call(request_for(number, hook, **more)).json()["call_id"]
    return reports(hook.wait(lambda got: reports(got, call_id)), call_id)[0]


def test_report_and_signature(box, hook):
    report = report_for(box, hook, "+15550500199")
    models = examples("/v1/calls/{call_id}", "get", 200)
    extra = ("request_data", "endpoint_url", "analysis")
    assert_shape(report, [{k: v for k, v in m.items() if k not in extra} for m in models.values()])
    _, body, headers = hook.got[0]
    assert headers["X-Webhook-Signature"] == signature(body)
    assert headers["Content-Type"] == "application/json"
    assert set(report["transcripts"][0]) == {"id", "user", "text", "created_at"}
    assert report["concatenated_transcript"] == "".join(
        f"{t['user']}: {t['text']} \n " for t in report["transcripts"]
    )
    ids = [t["id"] for t in report["transcripts"]]
    assert ids == sorted(ids)
    assert isinstance(report["corrected_duration"], str)
    assert report["metadata"]["lead_id"] == "345"
    object_ = box.object(report["call_id"])
    for key, value in report.items():
        if key != "transcripts":
            assert object_[key] == value, key


def test_our_idea_of_a_signature():
    for vector in VECTORS:
        assert signature(vector["body"].encode(), vector["secret"]) == vector["signature"]


def test_unsigned_without_a_secret(tmp_path, hook):
    box = Sandbox(tmp_path, "--allow-http-webhook", SANDBOX_WEBHOOK_SECRET="")
    report_for(box, hook, "+15550500299")
    assert "X-Webhook-Signature" not in hook.got[0][2]
    box.stop()


def test_report_over_tls(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            key,
            "-out",
            cert,
        ],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    hook = Hook(tls)
    stranger = Sandbox(tmp_path)
    stranger.call(request_for("+15550500999", hook))
    trusting = Sandbox(tmp_path, CA_FILE=str(cert))
    report_for(trusting, hook, "+15550500999")
    assert len(hook.got) == 1 and stranger.summary()["webhooks_failed"] >= 1
    for box in (stranger, trusting):
        box.stop()
    hook.shutdown()


def test_talk_uses_names_of_lead_and_agent(box, hook):
    seen = ""
    for n in range(8):
        report = report_for(box, hook, f"+155505{n:02d}399")
        seen += report["concatenated_transcript"] + (report["summary"] or "")
        assert "{" not in seen
    assert "Sam" in seen and "Acme Ltd" in seen and "Ada" in seen
    assert "Analytical Ltd" in seen and "spare parts" in seen


def test_talk_without_any_name(box, hook):
    seen = ""
    for n in range(8):
        report = report_for(box, hook, f"+155506{n:02d}399", request_data={}, task="Sell.")
        seen += report["concatenated_transcript"] + (report["summary"] or "")
    assert "{" not in seen and "None" not in seen


def test_first_sentence_and_voicemail_message(box, hook):
    report = report_for(box, hook, "+15550500499", first_sentence="Moin {{contact}}!")
    if report["answered_by"] == "human":
        assert report["transcripts"][1]["text"] == "Moin Ada!"
    report = report_for(
        box,
        hook,
        ending(10),
        voicemail={"action": "leave_message", "message": "Hi {{ contact }}, {{nobody}}ring us."},
    )
    assert report["transcripts"][1]["text"] == "Hi Ada, ring us."


def test_own_dispositions(box, hook):
    own = ["won", "Lost", "interested", "not_interested", "other"]
    tags = {
        report_for(box, hook, f"+155507{n:02d}399", dispositions=own)["disposition_tag"] for n in range(20)
    }
    assert tags <= set(own) and {"interested", "not_interested"} <= tags
    assert report_for(box, hook, ending(12), dispositions=own)["disposition_tag"] == "BUSY"


def test_outcomes_are_spread_and_repeatable(box):
    def outcomes():
        ids = [box.call(request_for(f"+15556{n:04d}99")).json()["call_id"] for n in range(300)]
        found = defaultdict(int)
        tags = []
        for call_id in ids:
            o = box.ended(call_id)
            tags.append((o["disposition_tag"], o["summary"], o["corrected_duration"]))
            found[o["answered_by"] + " " + o["disposition_tag"]] += 1
        return tags, found

    first, found = outcomes()
    share = {k: v / 300 for k, v in found.items()}
    assert 0.27 < share["human INTERESTED"] < 0.43, share
    assert 0.27 < share["human NOT_INTERESTED"] < 0.43, share
    for tag in ("human CALL_BACK_SCHEDULED", "human FOLLOW_UP_REQUIRED", "voicemail NO_CONTACT_MADE"):
        assert 0.04 < share[tag] < 0.17, share
    assert len({summary for _, summary, _ in first}) >= 8
    assert len({duration for _, _, duration in first}) >= 30
    box.reset()
    assert outcomes()[0] == first


def test_in_call_events(box, hook):
    call_id = box.call(
        request_for("+15550500599", hook, webhook_events=["queue", "call", "latency"])
    ).json()["call_id"]
    got = hook.wait(lambda got: reports(got) and len(got) >= 5)
    events = [json.loads(b) for _, b, _ in got if b"category" in b]
    assert {(e["category"], e["message"].split(":")[0]) for e in events} == {
        ("queue", "Call queued"),
        ("call", "Call connected"),
        ("latency", "Latency"),
        ("call", "Call ended"),
    }
    for event in events:
        assert event["call_id"] == call_id
        assert event["log_level"] in ("info", "performance", "error")
    for _, body, headers in got:
        assert headers["X-Webhook-Signature"] == signature(body)


def test_no_events_unasked(box, hook):
    report_for(box, hook, "+15550500699")
    time.sleep(0.2)
    assert len(hook.got) == 1


def test_failed_reports_are_sent_again(box, hook):
    hook.statuses = [500, 404]
    call_id = box.call(request_for("+15550500799", hook)).json()["call_id"]
    got = hook.wait(lambda got: len(got) == 3)
    assert 0.4 < got[1][0] - got[0][0] < 1.5 and 0.9 < got[2][0] - got[1][0] < 2
    assert len({body for _, body, _ in got}) == 1
    time.sleep(0.1)
    summary = box.summary()
    assert summary["webhooks_failed"] == 2 and summary["webhooks_sent"] == 1
    failures = [
        l["status"] for l in box.lines() if l["what"] == "webhook_failed" and l["call_id"] == call_id
    ]
    assert failures == [500, 404]


def test_report_to_nobody_does_no_harm(box):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    call_id = box.call(request_for("+15550500899", webhook=url)).json()["call_id"]
    box.ended(call_id)
    time.sleep(0.3)
    assert box.summary()["webhooks_failed"] >= 1
    assert box.get("/sandbox/healthz").json()["ok"]


# --- misbehaviour by the last two digits


@pytest.mark.parametrize(
    "digits, want",
    [
        (10, {"status": "completed", "answered_by": "voicemail", "disposition_tag": "NO_CONTACT_MADE"}),
        (
            11,
            {
                "status": "no-answer",
                "answered_by": "no-answer",
                "disposition_tag": "NO_ANSWER",
                "started_at": None,
                "transcripts": [],
                "summary": None,
            },
        ),
        (
            12,
            {
                "status": "busy",
                "disposition_tag": "BUSY",
                "error_message": "Call failed. The number you dialed is busy. Please try again later.",
            },
        ),
        (
            13,
            {
                "status": "failed",
                "disposition_tag": "FAILED",
                "queue_status": "call_error",
                "error_message": "Call failed. The number you dialed is not found.",
            },
        ),
        (
            14,
            {
                "status": "failed",
                "error_message": "Call failed. The number you dialed is temporarily unavailable.",
            },
        ),
        (
            15,
            {
                "status": "failed",
                "error_message": "Call failed. Service Provider Blocked Call due to "
                "Spam or Number Reputation. Try a different number.",
            },
        ),
        (16, {"status": "canceled", "disposition_tag": "CANCELED", "answered_by": None}),
        (17, {"status": "completed", "corrected_duration": "3", "call_ended_by": "USER"}),
        (18, {"status": "failed", "error_message": f"Account not allowed to call {ending(18)}"}),
        (19, {"status": "completed", "disposition_tag": "AGENT_ENDED_CALL", "transcripts": []}),
        (40, {"status": "completed", "disposition_tag": "DO_NOT_CONTACT", "answered_by": "human"}),
        (46, {"status": "completed", "disposition_tag": "NOT_QUALIFIED", "answered_by": "human"}),
    ],
)
def test_how_calls_end(box, hook, digits, want):
    report = report_for(box, hook, ending(digits))
    assert report["completed"] is True
    assert {k: report[k] for k in want} == want


def test_hangup_has_one_line_of_the_person(box, hook):
    report = report_for(box, hook, ending(17))
    assert [t["user"] for t in report["transcripts"]] == ["user"]


def test_voicemail_when_stop_word_is_said(box, hook):
    assert re.search(r"list|call", report_for(box, hook, ending(40))["concatenated_transcript"])


@pytest.mark.parametrize(
    "digits, status, path", [(20, 429, "general"), (21, 500, "trigger"), (26, 400, "unable_to_queue")]
)
def test_first_post_fails_without_a_call(box, digits, status, path):
    answer = box.call(request_for(ending(digits)))
    assert answer.status_code == status
    assert answer.json() == examples("/v1/calls", "post", status)[path]
    assert answer.headers.get("Retry-After") == ("2" if status == 429 else None)
    assert box.summary()["accepted"] == 0
    assert box.call(request_for(ending(digits))).status_code == 200
    assert box.summary()["accepted"] == 1


def test_error_although_placed(box, hook):
    answer = box.call(request_for(ending(25), hook))
    assert answer.status_code == 500
    found = box.get("/v1/calls", to_number=ending(25)).json()["calls"]
    assert len(found) == 1
    assert box.object(found[0]["call_id"])["metadata"]["attempt_id"] == f"a-{ending(25)}"
    hook.wait(lambda got: reports(got, found[0]["call_id"]))
    time.sleep(10 / SPEED)
    assert box.call(request_for(ending(25), hook)).status_code == 200


def test_answer_lost(box, hook):
    with pytest.raises(requests.ConnectionError):
        box.call(request_for(ending(22), hook))
    found = box.get("/v1/calls", to_number=ending(22)).json()["calls"]
    assert len(found) == 1
    hook.wait(lambda got: reports(got, found[0]["call_id"]))


@pytest.mark.parametrize("digits, placed", [(23, 1), (24, 0)])
def test_never_answered(box, digits, placed):
    with pytest.raises(requests.Timeout):
        requests.post(box.url + "/v1/calls", json=request_for(ending(digits)), headers=KEY, timeout=0.5)
    assert box.get("/v1/calls", to_number=ending(digits)).json()["count"] == placed
    time.sleep(10 / SPEED)
    assert box.call(request_for(ending(digits))).status_code == 200


def test_report_twice(box, hook):
    call_id = box.call(request_for(ending(30), hook)).json()["call_id"]
    got = hook.wait(lambda got: len(reports(got, call_id)) == 2)
    assert got[0][1] == got[1][1]


def test_report_before_the_answer(box, hook):
    answer = box.call(request_for(ending(31), hook))
    answered = time.monotonic()
    call_id = answer.json()["call_id"]
    assert len(reports(hook.got, call_id)) == 1 and hook.got[0][0] < answered


def test_report_before_the_answer_without_anybody_to_report_to(box):
    assert box.call(request_for(ending(31))).status_code == 200


def test_report_never(box, hook):
    call_id = box.call(request_for(ending(32), hook)).json()["call_id"]
    assert box.ended(call_id)["disposition_tag"]
    time.sleep(0.5)
    assert hook.got == []


def test_late_upgrade(box, hook):
    call_id = box.call(request_for(ending(33), hook)).json()["call_id"]
    hook.wait(lambda got: reports(got, call_id))
    assert box.object(call_id)["answered_by"] is None
    early, late = reports(hook.wait(lambda got: len(reports(got, call_id)) == 2))
    assert early["completed"] and early["answered_by"] is None and early["disposition_tag"] is None
    assert late["answered_by"] in ("human", "voicemail") and late["disposition_tag"]
    assert box.object(call_id)["answered_by"] == late["answered_by"]


def test_event_after_the_report(box, hook):
    box.call(request_for(ending(34), hook))
    got = hook.wait(lambda got: len(got) == 2)
    assert "category" not in json.loads(got[0][1]) and json.loads(got[1][1])["category"] == "call"


def test_forged_then_good(box, hook):
    hook.statuses = [403]
    call_id = box.call(request_for(ending(35), hook)).json()["call_id"]
    got = hook.wait(lambda got: len(got) == 2)
    signed = [h["X-Webhook-Signature"] == signature(b) for _, b, h in got]
    assert signed == [False, True] and len(reports(got, call_id)) == 2


def test_huge_report(box, hook):
    report = report_for(box, hook, ending(36))
    assert len(hook.got[0][1]) > 5 * 1024 * 1024
    assert report["pathway_logs"] and report["disposition_tag"]
    assert hook.got[0][2]["X-Webhook-Signature"] == signature(hook.got[0][1])


def test_report_without_transcripts(box, hook):
    report = report_for(box, hook, ending(37))
    assert "transcripts" not in report
    assert box.object(report["call_id"])["transcripts"]


def test_broken_then_good(box, hook):
    hook.statuses = [400]
    box.call(request_for(ending(38), hook))
    got = hook.wait(lambda got: len(got) == 2)
    with pytest.raises(ValueError):
        json.loads(got[0][1])
    assert got[0][2]["X-Webhook-Signature"] == signature(got[0][1])
    assert json.loads(got[1][1])["completed"]


def test_small_report(box, hook):
    report = report_for(box, hook, ending(39))
    assert set(report) == {"event", "call_id", "status", "transcript", "duration"}


def test_stranger_then_good(box, hook):
    call_id = box.call(request_for(ending(45), hook)).json()["call_id"]
    first, second = reports(hook.wait(lambda got: len(got) == 2))
    assert first["call_id"] != call_id and second["call_id"] == call_id
    assert box.get(f"/v1/calls/{first['call_id']}").status_code == 404


@pytest.mark.parametrize(
    "digits, status, text",
    [
        (41, 400, "DNC list"),
        (42, 400, "Cannot dial sensitive numbers"),
        (43, 429, "This number is blacklisted."),
        (44, 400, "Invalid phone number"),
    ],
)
def test_refused_for_ever(box, digits, status, text):
    for _ in range(3):
        answer = box.call(request_for(ending(digits)))
        assert answer.status_code == status and text in answer.json()["message"]
    assert box.summary()["accepted"] == 0 and box.summary()["refused"] == {str(status): 3}
    if digits == 41:
        assert answer.json()["status"] == "DNC Error"
    assert "Retry-After" not in answer.headers


def test_help_lists_every_ending(box):
    told = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
    header = (ROOT / "fcgi/sandbox/behaviour.h").read_text()
    table = re.compile(r"^[ *]+([1-4]\d) +(first)? *(\w.+?)(?: \(pathway_logs\))?$", re.M)
    documented = table.findall(told)
    assert len(documented) == 34 and documented == table.findall(header)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--listen", "127.0.0.1:0"],
        ["--listen", "10.0.0.1:80", "--ledger", "/dev/null"],
        ["--listen", "127.0.0.1:99999", "--ledger", "/dev/null"],
        ["--listen", "127.0.0.1:0", "--ledger", "/dev/null", "--speed", "0"],
        ["--listen", "127.0.0.1:0", "--ledger", "/dev/null", "--nonsense"],
    ],
)
def test_wrong_arguments(arguments):
    assert subprocess.run([BINARY, *arguments], capture_output=True, timeout=10).returncode == 2


def test_ledger_that_cannot_be_written():
    done = subprocess.run(
        [BINARY, "--listen", "127.0.0.1:0", "--ledger", "/nowhere/x"],
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 1 and "/nowhere/x" in done.stderr


# --- ledger, faults, load


def test_ledger_lines(box, hook):
    call_id = box.call(request_for("+15550800199", hook)).json()["call_id"]
    hook.wait(lambda got: reports(got, call_id))
    until = time.monotonic() + 5
    while not [l for l in box.lines() if l["what"] == "webhook" and l["call_id"] == call_id]:
        assert time.monotonic() < until
    mine = [l for l in box.lines() if l.get("to") == "+15550800199"]
    assert [l["what"] for l in mine] == ["post", "accepted", "started", "ended", "webhook"]
    assert [l["concurrent"] for l in mine] == [0, 1, 1, 0, 0]
    assert {l["attempt_id"] for l in mine} == {"a-+15550800199"}
    assert {l["call_id"] for l in mine[1:]} == {call_id}
    assert mine[-1]["status"] == 200 and abs(mine[0]["t"] / 1000 - time.time()) < 10


def test_faults(box):
    def faulty(mode, **more):
        assert box.post("/sandbox/faults", {"mode": mode, **more}).status_code == 200

    faulty("down")
    with pytest.raises(requests.ConnectionError):
        box.call(GOOD)
    assert box.summary()["posts"] == 1 and box.summary()["dropped"] == 1
    faulty("rate_limit")
    answer = box.call(GOOD)
    assert answer.status_code == 429 and answer.json()["message"] == "Rate limit exceeded"
    for mode, status in (("error", 500), ("auth", 401), ("balance", 402), ("flagged", 403)):
        faulty(mode)
        assert box.call(GOOD).status_code == status
        assert box.get("/v1/me").status_code == status
    faulty("down", for_ms=200)
    time.sleep(0.3)
    assert box.get("/v1/me").status_code == 200
    faulty("ok")
    assert box.call(GOOD).status_code == 200
    assert box.post("/sandbox/faults", {"mode": "tea"}).status_code == 400


def test_slow_answers(box):
    box.post("/sandbox/faults", {"mode": "slow"})
    began = time.monotonic()
    assert box.call(GOOD).status_code == 200
    assert 4.5 < time.monotonic() - began < 8
    assert box.summary()["accepted"] == 1


def test_reset_lets_nobody_wait(box):
    answers = []

    def hang():
        try:
            requests.post(box.url + "/v1/calls", json=request_for(ending(24)), headers=KEY, timeout=10)
        except requests.ConnectionError as lost:
            answers.append(lost)

    waiting = threading.Thread(target=hang)
    waiting.start()
    time.sleep(0.3)
    box.reset()
    waiting.join(5)
    assert len(answers) == 1
    summary = box.summary(numbers=1)
    assert summary["posts"] == summary["accepted"] == summary["live"] == 0
    assert summary["numbers"] == {} and summary["duplicate_attempt_ids"] == []


def test_many_calls_at_once(box, hook):
    """2,000 POSTs over kept connections: all placed, all reported once, none lost."""
    numbers = [f"+1557{n:05d}99" for n in range(2000)]

    def send(part):
        with requests.Session() as http:
            for number in part:
                assert (
                    http.post(
                        box.url + "/v1/calls", json=request_for(number, hook), headers=KEY, timeout=30
                    ).status_code
                    == 200
                )

    threads = [threading.Thread(target=send, args=(numbers[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hook.wait(lambda got: len(got) >= 2000, 60)
    until = time.monotonic() + 10
    while (summary := box.summary(numbers=1))["webhooks_sent"] < 2000:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert summary["accepted"] == summary["posts"] == 2000 and summary["live"] == 0
    assert len(summary["numbers"]) == 2000 and set(summary["numbers"].values()) == {1}
    assert summary["duplicate_attempt_ids"] == []
    assert summary["max_concurrent"] > 8 and summary["max_posts_in_one_second"] > 50
    assert len({json.loads(b)["call_id"] for _, b, _ in hook.got}) == 2000


def test_oldest_calls_are_forgotten(tmp_path):
    box = Sandbox(tmp_path, "--keep", "20")
    ids = []
    for n in range(50):
        ids.append(box.call(request_for(f"+1555800{n:02d}99")).json()["call_id"])
        if n % 10 == 9:
            box.ended(ids[-1])
            time.sleep(0.3)
    assert box.get(f"/v1/calls/{ids[0]}").status_code == 404
    assert box.get("/v1/calls", to_number="+15558000099").json()["count"] == 0
    assert box.ended(ids[-1])["completed"]
    assert box.get("/v1/calls").json()["total_count"] <= 31
    assert box.get("/v1/me").json()["total_calls"] == 50
    assert box.summary(numbers=1)["accepted"] == 50
    box.stop()
