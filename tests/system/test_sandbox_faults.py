"""The faults of the voice provider's stand-in that `make chaos` turns on, and its memory over kill -9."""

import hashlib
import json
import time

import pytest
import requests
from test_sandbox import KEY, Hook, Sandbox, request_for

ORDINARY = "+15550100099"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    started = Sandbox(tmp_path_factory.mktemp("sandbox"), "--allow-http-webhook")
    yield started
    started.stop()


@pytest.fixture
def hook():
    started = Hook()
    yield started
    started.shutdown()


@pytest.fixture(autouse=True)
def clean(request):
    if "box" in request.fixturenames:
        request.getfixturevalue("box").reset()


def faulty(box, mode, **more):
    assert box.post("/sandbox/faults", {"mode": mode, **more}).status_code == 200


def lines(box, what, wanted=0, seconds=10):
    """The ledger's lines of that kind since the last reset, once there are so many."""
    until = time.monotonic() + seconds
    while True:
        found = []
        for line in box.lines():
            found = [] if line["what"] == "reset" else found + [line]
        found = [line for line in found if line["what"] == what]
        if len(found) >= wanted:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.02)


def test_lost_answers_were_taken(box):
    faulty(box, "lost")
    with pytest.raises(requests.ConnectionError):
        box.call(request_for(ORDINARY))
    assert box.summary()["accepted"] == 1


def test_half_closed_sockets(box):
    faulty(box, "half_closed")
    began = time.monotonic()
    answer = requests.post(box.url + "/v1/calls", json=request_for(ORDINARY), headers=KEY, timeout=10)
    assert time.monotonic() - began < 2, "the end of the stream came with the half answer"
    assert len(answer.content) < int(answer.headers["Content-Length"])
    assert box.summary()["accepted"] == 1


def test_the_report_before_the_answer(box, hook):
    faulty(box, "report_first")
    call_id = box.call(request_for(ORDINARY, hook)).json()["call_id"]
    assert [json.loads(body)["call_id"] for _, body, _ in hook.got] == [call_id]


def test_tenfold_reports_are_the_same(box, hook):
    faulty(box, "tenfold")
    box.call(request_for(ORDINARY, hook))
    got = hook.wait(lambda got: len(got) == 10)
    assert len({body for _, body, _ in got}) == 1
    digests = {line["digest"] for line in lines(box, "webhook", 10)}
    assert digests == {hashlib.sha256(got[0][1]).hexdigest()}


def test_late_reports(box, hook):
    faulty(box, "late")
    box.call(request_for(ORDINARY, hook))
    got = hook.wait(lambda got: got, 15)
    ended = [line["m"] for line in lines(box, "ended", 1)]
    assert got[0][0] * 1000 - ended[0] >= 4000


def test_shuffled_reports(box, hook):
    faulty(box, "shuffled")
    numbers = [f"+155501{n:03d}99" for n in range(20)]
    for number in numbers:
        box.call(request_for(number, hook))
    got = hook.wait(lambda got: len(got) == 20, 20)
    ended = [line["to"] for line in lines(box, "ended", 20)]
    assert sorted(json.loads(body)["to"] for _, body, _ in got) == sorted(ended)
    assert [json.loads(body)["to"] for _, body, _ in got] != ended


def test_faults_of_both_kinds_at_once(box, hook):
    faulty(box, "tenfold")
    faulty(box, "lost")
    with pytest.raises(requests.ConnectionError):
        box.call(request_for(ORDINARY, hook))
    hook.wait(lambda got: len(got) == 10)
    faulty(box, "ok")
    box.call(request_for("+15550100098", hook))
    hook.wait(lambda got: len(got) == 11)


def test_the_ledger_says_what_came_of_it(box):
    box.ended(box.call(request_for("+15550100012")).json()["call_id"])
    assert [line["why"] for line in lines(box, "ended", 1)] == ["busy"]


class Reborn(Sandbox):
    """A sandbox that goes on with the ledger of an earlier one."""

    def kill(self):
        self.process.kill()
        self.process.wait(10)


def test_it_remembers_over_kill_9(tmp_path, hook):
    first = Reborn(tmp_path, "--allow-http-webhook", "--remember")
    assert first.call(request_for("+15550200021", hook)).status_code == 500
    told = first.call(request_for("+15550200099", hook)).json()["call_id"]
    hook.wait(lambda got: got)
    lines(first, "webhook", 1)
    hook.statuses = [503] * 100
    untold = first.call(request_for("+15550200098", hook)).json()["call_id"]
    hook.wait(lambda got: len(got) > 1)
    live = first.call(request_for("+15550200097", hook, max_duration=5)).json()["call_id"]
    first.kill()
    with open(first.ledger_path, "a", encoding="utf-8") as ledger:
        ledger.write('{"t":1,"what":"acce')  # it died in the middle of a line
    hook.statuses, before = [], len(hook.got)
    second = Reborn(tmp_path, "--allow-http-webhook", "--remember")
    got = hook.wait(lambda got: len({json.loads(g[1])["call_id"] for g in got[before:]}) == 2)
    assert {json.loads(body)["call_id"] for _, body, _ in got[before:]} == {untold, live}
    summary = second.summary(numbers=1)
    assert summary["accepted"] == 3 and summary["live"] == 0
    assert summary["numbers"] == {f"+155502000{n}": 1 for n in (97, 98, 99)}
    assert second.object(told)["completed"] and second.object(told)["metadata"]["lead_id"] == "345"
    # A number whose first POST suffers does not suffer again.
    again = second.call(request_for("+15550200021", hook))
    assert again.status_code == 200
    second.stop()
