"""`make load`: everything at once for ten minutes, and nothing may go wrong.

Webhooks at RATE (1,000) a second, due at fixed times whatever the answers take; twenty signed-in people,
each asking for a page every second or so with the live stream open beside it; an import of a million rows
through the web's own form, all of them put into a campaign that is started and stopped; another
campaign calling people in the sandbox. At the end everything is counted:
answers that were no success, events that were not applied, rows and calls that are not accounted for.
SECONDS (600), RATE, ROWS (1,000,000) and QUICK=1 (20 s) come from the environment."""
import os
import random
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import filler  # noqa: E402
import reports  # noqa: E402
from house import House  # noqa: E402
from probe_latency import Product  # noqa: E402

LEADS = 100_000
PEOPLE = 20
AHEAD = 10  # seconds of calls that are live before their reports come
OTHER = (
    2  # the client whose calls the webhooks are about: limits of the campaign's client do not count them
)
AREAS = ("213", "310", "469", "516", "646", "702", "813", "904", "917", "954")


class Counts:
    """Errors by what they are, from several threads."""

    def __init__(self):
        self.lock, self.errors, self.rows = threading.Lock(), {}, []

    def wrong(self, what, n=1):
        with self.lock:
            self.errors[what] = self.errors.get(what, 0) + n

    def row(self, *cells):
        with self.lock:
            self.rows.append(cells)

    def total(self):
        return sum(self.errors.values())


class Load:
    def __init__(self, house, stack, seconds, rate, rows):
        self.house, self.stack = house, stack
        self.seconds, self.rate, self.rows = seconds, rate, rows
        self.counts, self.over, self.events = Counts(), threading.Event(), 0
        self.sent, self.wanted = 0, int(rate * seconds) + 1

    def connect(self):
        return self.house.connect_to(self.stack)

    def prepare(self):
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute("insert into clients (name) values ('Other') returning id")
            if cursor.fetchone()[0] != OTHER:
                raise RuntimeError("this database is not new")
        filler.fill(connection, LEADS, LEADS // 2, lambda c: reports.add_leads(c, self.wanted, 1, OTHER))
        reports.add_calls(connection, min(self.wanted, self.rate * AHEAD), 1, OTHER)
        connection.close()
        self.cookies = []
        for _ in range(PEOPLE):
            session = self.stack.login("member")
            self.cookies.append("; ".join(f"{c.name}={c.value}" for c in session.cookies))
        self.product = Product(self.stack)
        self.campaign = self.product.campaign("Load", int(self.seconds * 25 + 100), concurrency=20)

    # -- what goes on at once ------------------------------------------------------------------------
    def calls(self):
        """As many new live calls every second as reports will come; their leads are there already."""
        connection, made = self.connect(), self.rate * AHEAD
        began, step = time.monotonic(), max(1, self.rate // 4)
        while made < self.wanted and not self.over.is_set():
            reports.add_calls(connection, min(made + step, self.wanted), made + 1, OTHER)
            made += step
            ahead = (made - self.rate * AHEAD) / self.rate - (time.monotonic() - began)
            self.over.wait(max(0, ahead))
        connection.close()

    def webhooks(self):
        done = self.load("webhooks", [reports.pattern()], 64, self.rate, secret=self.stack.bland_secret)
        self.sent = done["ok"]

    def load(self, name, requests, connections, rate, **more):
        done = self.house.load(
            self.stack.url,
            requests,
            connections,
            seconds=self.seconds,
            rate=rate,
            name="-" + name.replace(" ", "-"),
            **more,
        )
        wrong = done["other"] + done["errors"]
        if wrong:
            self.counts.wrong(f"{name}: {done['statuses']}, {done['errors']} connections lost", wrong)
        self.counts.row(name, done["sent"], done["p50_ms"], done["p99_ms"], done["max_ms"], wrong)
        return done

    def people(self, name, paths, share):
        """That share of the people, each asking for a page once a second."""
        lot, requests = random.Random(name), []
        for i in range(4000):
            path = lot.choice(paths).format(lead=lot.randrange(1, LEADS))
            cookie = self.cookies[i % PEOPLE]
            requests.append(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\n"
                f"Cookie: {cookie}\r\n\r\n".encode()
            )
        n = round(PEOPLE * share)
        self.load(name, requests, n, n, repeat=True)

    def stream(self, cookie):
        """The live stream that a page keeps open; a browser opens it again where it ends."""
        while not self.over.is_set():
            try:
                answer = self.stack.http().get(
                    "/events", headers={"Cookie": cookie}, stream=True, timeout=60
                )
                if answer.status_code != 200:
                    self.counts.wrong(f"live stream: {answer.status_code}")
                    return
                for line in answer.iter_lines():
                    self.events += line.startswith(b"event:")
                    if self.over.is_set():
                        break
                answer.close()
            except OSError as e:
                if not self.over.is_set():
                    self.counts.wrong(f"live stream: {type(e).__name__}")

    def file(self):
        """(path, rows of each kind): eight columns; some numbers are none, some come twice."""
        path, lot = self.house.out / "load.csv", random.Random(11)
        kinds = {"created": 0, "rejected": 0, "skipped": 0}
        with open(path, "w", encoding="utf-8") as f:
            f.write("Name,Company,Phone,E-mail,City,State,Consent,Product\r\n")
            for i in range(self.rows):
                kind = (
                    "created" if i < 10 or i % 50 not in (17, 33) else ("rejected", "skipped")[i % 50 == 33]
                )
                known = kinds["created"] - 1 if kind == "skipped" else kinds["created"]
                number = AREAS[known % 10] + str(3_200_000 + known // 10)
                phone = "n/a" if kind == "rejected" else f"({number[:3]}) {number[3:6]}-{number[6:]}"
                kinds[kind] += 1
                name = lot.choice(("Ada Hopper", '"O\'Brien, Pat"', "Zoë Müller", "Łukasz Żak"))
                f.write(f"{name},Company {i},{phone},p{i}@example.test,Austin,TX,yes,Plan {i % 3}\r\n")
        return path, kinds

    def imports(self):
        path, wanted = self.file()
        session, began = self.stack.login("member"), time.monotonic()
        with open(path, "rb") as f:
            answer = session.post(
                "/imports",
                data={"csrf": session.csrf(), "consent": "column", "list": "Load"},
                files={"file": ("load.csv", f.read(), "text/csv")},
                allow_redirects=False,
                timeout=300,
            )
        if answer.status_code != 303 or "/imports/" not in answer.headers["Location"]:
            self.counts.wrong(f"upload: {answer.status_code} {answer.text[:200]}")
            return
        uploaded = time.monotonic() - began
        found = self.await_import(answer.headers["Location"])
        took = time.monotonic() - began
        self.counts.row("import, seconds", self.rows, None, None, took * 1000, 0)
        got = {kind: found["rows_" + kind] for kind in wanted}
        print(f"import: {uploaded:.1f} s upload, {took:.1f} s until done, {got}", flush=True)
        lost = self.rows - found["rows_total"]
        if found["state"] != "done" or lost or got != wanted:
            self.counts.wrong(f"import: {found['state']}, {got} instead of {wanted}", max(1, abs(lost)))
            return
        wish = {"name": "Large", "import_id": found["id"], "concurrency": 1}
        made = self.large_change("new campaign", wanted["created"], "/api/campaigns", wish)
        for what in ("start", "stop"):
            address = f"/api/campaigns/{made['campaign']['id']}/{what}"
            self.large_change(what, wanted["created"], address, {})
        left = "select count(*) as n from enrollments e join leads l on l.id = e.lead_id"
        left += " where l.import_id = %s"
        kept = self.stack.one(left, found["id"])["n"]
        waiting = self.stack.one(left + " and e.state in ('waiting', 'blocked')", found["id"])["n"]
        if kept != wanted["created"] or waiting:
            self.counts.wrong(f"large changes: {kept} of {wanted['created']} were added, {waiting} left")

    def large_change(self, what, leads, address, wish):
        """One whose work goes on after its answer."""
        began = time.monotonic()
        answer = self.product.api.post(address, json=wish, timeout=60)
        answered = time.monotonic() - began
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{what}: {answer.status_code} {answer.text[:200]}")
        while self.stack.one("select count(*) as n from jobs")["n"] and not self.gave_up():
            time.sleep(0.2)
        took = time.monotonic() - began
        print(f"{what}: {leads:,} leads, answered {answered:.1f} s, through {took:.1f} s", flush=True)
        self.counts.row(f"{what}, answered", leads, None, None, answered * 1000, 0)
        self.counts.row(f"{what}, through", leads, None, None, took * 1000, 0)
        return answer.json()

    def await_import(self, address):
        number = int(address.split("/")[2])
        while True:
            found = self.stack.one("select * from imports where id = %s", number)
            if found["state"] not in ("queued", "running") or self.gave_up():
                return found
            time.sleep(0.5)

    def gave_up(self):
        return time.monotonic() > self.began + self.seconds + 600

    # -- the whole -------------------------------------------------------------------------------------
    def guarded(self, function, *words):
        def body():
            try:
                function(*words)
            except Exception as e:  # a thread's death is an error of the load, not of the counting
                self.counts.wrong(f"{function.__name__}: {type(e).__name__}: {e}")

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    def run(self):
        self.prepare()
        self.began = time.monotonic()
        self.product.press_start(self.campaign)
        streams = [self.guarded(self.stream, cookie) for cookie in self.cookies]
        leads = ["/leads", "/leads/{lead}", "/leads?cursor={lead}", "/leads?status=done", "/leads/{lead}"]
        work = [
            self.guarded(self.calls),
            self.guarded(self.webhooks),
            self.guarded(self.people, "dashboards", ["/"], 0.35),
            self.guarded(self.people, "lead pages", leads, 0.35),
            self.guarded(
                self.people, "calls and alerts", ["/calls", "/alerts", "/calls?outcome=callback"], 0.3
            ),
            self.guarded(self.imports),
        ]
        for thread in work:
            thread.join()
        self.over.set()
        self.settle()
        for thread in streams:
            thread.join(5)
        print(f"live streams: {len(streams)}, {self.events} events", flush=True)

    def settle(self):
        """The campaign is paused, its last calls end, and the books are compared."""
        self.product.api.post(f"/api/campaigns/{self.campaign}/pause")
        end = time.monotonic() + 60
        ours = "select count(*) as n from calls c join campaigns g on g.id = c.campaign_id"
        ours += " where g.name in ('Load', 'Large')"
        open_calls = ours + " and c.state <> 'ended'"
        while self.stack.one(open_calls)["n"] and time.monotonic() < end:
            time.sleep(0.2)
        stuck = self.stack.one(open_calls)["n"]
        if stuck:
            self.counts.wrong("calls that did not end", stuck)
        connection = self.connect()
        applied = reports.applied(connection)
        connection.close()
        if applied != self.sent:
            self.counts.wrong(f"events: {self.sent} accepted, {applied} applied", abs(self.sent - applied))
        ledger = self.stack.ledger()
        ours = self.stack.one(ours + " and c.provider_call_id is not null")["n"]
        if ledger["duplicate_attempt_ids"] or ledger["accepted"] != ours:
            self.counts.wrong(f"calls: the sandbox has {ledger['accepted']}, we {ours}")
        print(f"campaigns: {ours} calls, {applied} events applied", flush=True)


def main():
    house = House()
    quick = house.quick
    seconds = float(os.environ.get("SECONDS") or (20 if quick else 600))
    rate = int(os.environ.get("RATE") or (200 if quick else 1000))
    rows = int(os.environ.get("ROWS") or (50_000 if quick else 1_000_000))
    stack = house.new_stack(SANDBOX_ARGS="--speed 5")
    try:
        load = Load(house, stack, seconds, rate, rows)
        load.run()
    finally:
        stack.close()
        house.close()
    print("| kind | requests | p50 ms | p99 ms | longest ms | errors |\n|---|---:|---:|---:|---:|---:|")
    for name, n, p50, p99, longest, wrong in sorted(load.counts.rows):
        middle = f"{p50:.1f} | {p99:.1f}" if p50 is not None else "  |  "
        print(f"| {name} | {n:,} | {middle} | {longest:,.0f} | {wrong} |")
    for what, n in load.counts.errors.items():
        print(f"{n} × {what}")
    print(f"{load.counts.total()} errors")
    return 1 if load.counts.total() else 0


if __name__ == "__main__":
    sys.exit(main())
