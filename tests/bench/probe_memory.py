"""R: resident memory of workers: idle, after 10,000 and after 100,000 requests of each worker: pages, the
API, errors of all kinds for the web pool; reports good, repeated, forged and broken for the hook pool.
Workers do not end themselves meanwhile. The bars hold for the largest worker."""
from pathlib import Path

import filler
import reports
from bench import Bar

WORKERS = 2  # of each pool
LEADS, CALLS = 2_000, 2_000
PAGES = (
    "/leads /leads?status=done /leads?q=ada /leads/7 /leads/1999 / /calls /calls?outcome=interested "
    "/campaigns /campaigns/1 /imports /prompts /suppressions /alerts /leads?cursor=1500 /calls?limit=200"
).split()
API = (
    "/api/leads /api/leads/1998 /api/calls /api/campaigns /api/dashboard /api/imports /api/prompts".split()
)
ERRORS = "/none /leads/999999999 /leads?status=nonsense /api/leads?cursor=x /static/none.css /users".split()


class Void(Exception):
    """What was measured is not what was to be measured."""


def get(path, head):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n{head}\r\n".encode()


def web_requests(stack):
    session, token = stack.login("member"), stack.api("member").headers["Authorization"]
    cookie = "Cookie: " + "; ".join(f"{c.name}={c.value}" for c in session.cookies) + "\r\n"
    bearer = f"Authorization: {token}\r\n"
    broken = "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    return [
        *(get(path, cookie) for path in PAGES),
        *(get(path, bearer) for path in API),
        *(get(path, cookie) for path in ERRORS),
        get("/leads", ""),
        get("/leads", "Cookie: __Host-trunkline=forged\r\n"),
        ("POST /api/leads HTTP/1.1\r\nHost: localhost\r\n" + bearer + broken + '{"phone":').encode(),
        (f"POST /leads/7 HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 0\r\n\r\n").encode(),
    ]


def hook_requests(stack):
    secret = stack.bland_secret
    good = [reports.request_of(n, secret) for n in range(1, CALLS + 1)]
    broken = b'{"call_id": "no end'
    more = [
        reports.request_of(CALLS + 7, secret),  # about a call that nobody knows
        reports.request_of(1, "another secret"),
        reports.post(broken, reports.signature(broken, secret)),
    ]
    mixed = []
    for n, request in enumerate(good):
        mixed.append(request)
        if n % 50 == 0:
            mixed += more
    return mixed


def workers(stack):
    """{pid: pool} of web and hook workers."""
    found = {}
    for pid in stack.pids("trunkline-web"):
        pool = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[2].decode()
        if pool in ("web", "hook"):
            found[pid] = pool
    return found


def resident(pids):
    """MB of each."""
    found = {}
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                found[pid] = int(line.split()[1]) / 1024
    return found


class Pools:
    def __init__(self, house, stack):
        self.house, self.stack = house, stack
        self.pids = workers(stack)
        self.requests = {"web": web_requests(stack), "hook": hook_requests(stack)}
        self.sent = {"web": 0, "hook": 0}

    def send_up_to(self, each):
        """Until each worker had so many, nginx dealing them out in turn."""
        for pool, requests in self.requests.items():
            most = each * WORKERS - self.sent[pool]
            done = self.house.load(self.stack.url, requests, 8, seconds=3600, repeat=True, most=most)
            wrong = {s: n for s, n in done["statuses"].items() if int(s) >= 500}
            if done["errors"] or wrong or done["sent"] < most or not done["ok"]:
                raise Void(f"{pool}: {done}")
            self.sent[pool] = each * WORKERS
            self.house.say(f"{pool}: {self.sent[pool]:,} requests, {done['statuses']}")
        return self.now()

    def now(self):
        if workers(self.stack) != self.pids:
            raise Void("a worker ended meanwhile")
        return resident(self.pids)


def bars(first, second, idle, few, many):
    growth = max((many[pid] / few[pid] - 1) * 100 for pid in many)
    return [
        Bar("R", "a worker, idle", max(idle.values()), "<=", 12, "MB"),
        Bar("R", f"a worker after {second:,} requests", max(many.values()), "<=", 24, "MB"),
        Bar("R", f"growth from {first:,} to {second:,} requests", growth, "<=", 2, "%"),
    ]


def run(house):
    first, second = (500, 5_000) if house.quick else (10_000, 100_000)
    settings = {"MAX_REQUESTS": 0, "WEB_WORKERS": WORKERS, "HOOK_WORKERS": WORKERS}
    stack = house.new_stack(**settings)
    try:
        idle = resident(workers(stack))
        connection = house.connect_to(stack)
        filler.fill(connection, LEADS, LEADS)
        reports.add_leads(connection, CALLS)
        reports.add_calls(connection, CALLS)
        connection.close()
        pools = Pools(house, stack)
        if set(idle) != set(pools.pids):
            raise Void("a worker ended before anything was asked of it")
        few = pools.send_up_to(first)
        many = pools.send_up_to(second)
    finally:
        stack.close()
    for pool in ("web", "hook"):
        for when, mb in (("idle", idle), (f"after {first:,}", few), (f"after {second:,}", many)):
            largest = max(mb[pid] for pid, name in pools.pids.items() if name == pool)
            house.figure(f"the largest {pool} worker, {when}", largest, "MB")
    return bars(first, second, idle, few, many)
