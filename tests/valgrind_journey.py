"""The journey of tests/valgrind.sh: everything that a worker and a dialer do in a day, a little of each."""
import json
import os
import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parent / "system"))
from conftest_stack import Stack, wait_for  # noqa: E402

LEADS = 20
PAGES = """
    / /leads /leads?q=ada&state=pending /calls /campaigns /campaigns/new /imports /imports/new /prompts
    /prompts/default /suppressions /settings /account /users /audit /alerts /event-log /leads.csv
    /leads/1 /api/leads
    /api/calls?limit=5 /no-such-page /leads?limit=x""".split()


def patient(ask, what, seconds=120):
    """Under valgrind everything takes its time."""

    def fine():
        try:
            return ask()
        except requests.RequestException:
            return None

    fine.__name__ = what
    return wait_for(fine, seconds, 0.2)


def pages(stack):
    session = patient(stack.login, "signing in")
    for page in PAGES:
        answer = session.get(page, timeout=120)
        assert answer.status_code < 500, f"{page}: {answer.status_code} {answer.text[:300]}"
    assert session.post("/leads", data={"phone": "1"}).status_code in (403, 404, 405, 422)
    return session


def webhooks(stack):
    """What a stranger may send."""
    http = stack.http()
    for body, headers in (
        (b"{}", {}),
        (b"x" * 5000, {"X-Webhook-Signature": "0" * 64}),
        (b'{"call_id":"x"', {"X-Webhook-Signature": "bad"}),
    ):
        assert http.post("/webhooks/bland", data=body, headers=headers, timeout=60).status_code == 401


def campaign(stack, api):
    rows = "".join(f"+1415200{n:04},Ada {n}\n" for n in range(1, LEADS + 1))
    answer = stack.upload("phone,name\n" + rows, api=api)
    assert answer.status_code in (200, 201, 202), answer.text
    patient(lambda: stack.one("select count(*) as n from leads")["n"] == LEADS, "the import")
    started = api.post("/api/start", json={"concurrency": 10}, timeout=120)
    assert started.json().get("queued") == LEADS, started.text
    patient(
        lambda: stack.one("select count(*) as n from calls where state = 'ended'")["n"] >= LEADS,
        "the calls",
        240,
    )
    print(json.dumps(stack.rows("select outcome, count(*) as n from calls group by 1"), default=str))


def main():
    began = time.monotonic()
    stack = Stack(
        WEB_WORKERS=1, HOOK_WORKERS=1, SANDBOX_ARGS="--speed 20", HTTP_TIMEOUT=30, DIALER_BUDGET=20
    )
    try:
        pages(stack)
        webhooks(stack)
        campaign(stack, stack.api())
    except BaseException:
        print(stack.output()[-6000:])
        raise
    finally:
        stack.close()
    print(f"journey: {time.monotonic() - began:.0f} s, build {os.environ['BUILD']}")


if __name__ == "__main__":
    main()
