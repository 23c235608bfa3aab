"""The whole product on a file as people have them: upload, start, kill things, count what came of it."""
import os
import random
import signal
import threading
import time

import pytest
from conftest_stack import wait_for

AREAS = ["212", "312", "415", "602", "713", "206", "305", "404", "503", "617"]
NAMES = [
    "Zoë Müller",
    'Anna "Ann" Smith',
    "O'Brien, Pat",
    "José Núñez",
    "Łukasz Żak",
    "Multi\nline Name",
    "<b>Bold</b>",
]


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def ugly_file(lines, seed=7):
    """(bytes, {phone: line}) of a file with so many data lines; about one in ten has a fault."""
    lot = random.Random(seed)
    rows, good = [], {}
    for i in range(lines):
        phone = f"+1{AREAS[i % len(AREAS)]}{200 + i // 100 % 700:03d}{2000 + i * 7 % 8000:04d}"
        shown = lot.choice(
            ["{0}", "({1}) {2}-{3}", "{1}.{2}.{3}", "1-{1}-{2}-{3}", " {1} {2} {3} "]
        ).format(phone, phone[2:5], phone[5:8], phone[8:])
        name = lot.choice(NAMES)
        fault = i % 40
        if fault == 11:
            shown = lot.choice(["", "n/a", "12345", "call me", "555-CALL", "+1 212 555 01234567"])
        elif fault == 23 and good:
            shown = lot.choice(list(good))
        elif phone not in good:
            good[phone] = i
        cells = [
            quoted(name),
            quoted(f"Company {i} & Sons; Ltd"),
            shown,
            f"person{i}@example.test",
            lot.choice(["yes", "Yes", "TRUE", "1"]),
            f"Plan {i % 3}",
        ]
        rows.append(";".join(cells))
        if fault == 31:
            rows.append("")
    text = "Full name;Company Name;Mobile Phone;E-mail;Consent;Product\r\n" + "\r\n".join(rows) + "\r\n"
    return b"\xef\xbb\xbf" + text.encode(), good


class Vandal(threading.Thread):
    """Kills one process of the stack with -9 again and again until stopped."""

    def __init__(self, stack, pause, seed=1):
        super().__init__(daemon=True)
        self.stack, self.pause, self.lot = stack, pause, random.Random(seed)
        self.done, self.kills = threading.Event(), {}

    def run(self):
        while not self.done.wait(self.pause):
            program = self.lot.choice(["trunkline-dialer", "trunkline-web", "trunkline-dialer"])
            pids = self.stack.pids(program)
            if pids:
                try:
                    os.kill(self.lot.choice(pids), signal.SIGKILL)
                    self.kills[program] = self.kills.get(program, 0) + 1
                except ProcessLookupError:
                    pass


def settled(stack):
    return (
        stack.one(
            """select count(*) filter (where status = 'pending') as open_leads,
        count(*) as leads from leads"""
        )["open_leads"]
        == 0
    )


def check_books(stack, concurrency):
    """The sandbox's ledger against the database: nothing twice, nothing too many, nothing stuck."""
    ledger = stack.ledger()
    assert ledger["duplicate_attempt_ids"] == []
    assert ledger["max_concurrent"] <= concurrency
    assert stack.rows("select state, count(*) from calls where state <> 'ended' group by 1") == []
    assert (
        stack.rows("select state, count(*) from enrollments where state not in ('done','error') group by 1")
        == []
    )
    ours = {
        r["phone"]: r["n"]
        for r in stack.rows(
            "select phone, count(*) as n from calls where provider_call_id is not null group by phone"
        )
    }
    theirs = {phone: n for phone, n in ledger["numbers"].items() if n}
    assert ours == theirs
    twice = stack.rows(
        """select enrollment_id, step, try from calls group by 1, 2, 3 having count(*) > 1"""
    )
    assert twice == []
    return ledger


def test_a_thousand_leads_through_kill_9(new_stack):
    stack = new_stack(
        SANDBOX_ARGS="--speed 20", HTTP_TIMEOUT=2, CALL_DEADLINE=5, LOOKUP_FIRST=1, DIALER_BUDGET=20
    )
    text, good = ugly_file(1000)
    api = stack.api("member")
    answer = stack.upload(text, api, consent="column")
    assert answer.status_code == 200, answer.text
    counts = answer.json()
    assert counts["inserted"] == len(good)
    assert counts["inserted"] + counts["duplicates"] + counts["rejected"] == 1000
    assert counts["rejected"] and all(e["line"] > 1 and e["reason"] for e in counts["errors"])

    started = api.post("/api/start", json={"concurrency": 25}).json()
    assert started["queued"] == len(good), started
    vandal = Vandal(stack, pause=1.5)
    vandal.start()
    try:
        wait_for(lambda: settled(stack), seconds=420, pause=1)
    finally:
        vandal.done.set()
        vandal.join()
    assert sum(vandal.kills.values()) >= 10, vandal.kills
    ledger = check_books(stack, 25)
    left = stack.rows(
        """select phone, status, status_reason, outcome from leads
        where status not in ('done', 'error') or (status = 'error' and coalesce(status_reason, '') = '')"""
    )
    assert left == []
    dialled = {phone for phone, n in ledger["numbers"].items() if n}
    assert dialled <= set(good)
    refused = {r["phone"] for r in stack.rows("select phone from leads where status = 'error'")}
    assert set(good) - dialled <= refused
    wait_for(lambda: stack.one("select state from campaigns")["state"] == "done", seconds=10)


def test_five_leads_two_at_once(new_stack):
    """S0-35: real parallelism and never three at once."""
    stack = new_stack(SANDBOX_ARGS="--speed 4")
    api = stack.api("member")
    phones = [f"+1212555{n}" for n in (2350, 2351, 2352, 2353, 2354)]
    answer = stack.upload("phone,company,contact\n" + "".join(f"{p},Acme,Ada\n" for p in phones), api)
    assert answer.json()["inserted"] == 5, answer.text
    assert api.post("/api/start", json={"concurrency": 2}).json()["queued"] == 5
    wait_for(lambda: settled(stack), seconds=60)
    assert check_books(stack, 2)["max_concurrent"] == 2
    calls = api.get("/api/calls?status=done").json()["calls"]
    assert {c["phone"] for c in calls} == set(phones)
    assert all(c["outcome"] and c["status"] == "done" for c in calls)
    assert any(c["transcript"] for c in calls)


def test_it_survives_a_restart_of_everything(new_stack):
    stack = new_stack(SANDBOX_ARGS="--speed 2", CALL_DEADLINE=1)
    api = stack.api("member")
    phones = [f"+1312555{2350 + n}" for n in range(8)]
    stack.upload("phone\n" + "\n".join(phones) + "\n", api)
    api.post("/api/start", json={"concurrency": 3})
    wait_for(
        lambda: stack.one("select count(*) as n from calls where state = 'ended'")["n"] >= 1, seconds=30
    )
    stack.restart()
    wait_for(lambda: settled(stack), seconds=120)
    assert (
        stack.rows(
            """select phone, count(*) from calls where provider_call_id is not null and outcome not in
        ('voicemail', 'no_answer', 'busy', 'hangup', 'failed') group by phone having count(*) > 1"""
        )
        == []
    )


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


@pytest.mark.skipif(
    "asan" in os.environ.get("BUILD", "asan"),
    reason="sanitizers keep freed memory; make test measures the plain build",
)
def test_a_worker_does_not_grow(new_stack):
    measure_growth(new_stack(WEB_WORKERS="1", MAX_REQUESTS="0"), 10000)


def measure_growth(stack, requests):
    http = stack.login("viewer")
    pages = [
        "/",
        "/leads",
        "/campaigns",
        "/calls",
        "/prompts",
        "/imports",
        "/healthz",
        "/api/calls?status=all",
    ]

    def some(n):
        for i in range(n):
            assert http.get(pages[i % len(pages)]).status_code == 200

    def sizes():
        return {pid: rss(pid) for pid in stack.pids("trunkline-web")}

    some(1000)
    before, start = sizes(), time.monotonic()
    some(requests)
    after = sizes()
    assert set(after) == set(before), "a worker died"
    growth = max(after[p] - before[p] for p in before)
    print(f"{requests} requests in {time.monotonic() - start:.0f} s; resident {before} -> {after} kB")
    assert growth <= 512, f"a worker grew by {growth} kB"
