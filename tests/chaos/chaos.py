"""One run: the product, a campaign, faults by the second, the books at the end. Settings: see run.sh."""

import os
import random
import signal
import sys
import time
from datetime import time as clock

from faults import HOUR, KINDS, ZONES, Faults, next_change
from ledgers import Ledgers
from product import CONCURRENCY, PACE, Machine, Person, Product

WINDOW = (clock(1, 0), clock(23, 0))  # in the lead's zone: it closes for each zone during the run
EXCHANGES = [e for e in range(220, 990) if e % 100 != 11 and e not in (555, 950, 958, 959, 976)]
HUGE = 36  # reports of 5 MB: a few are enough
MOST_HUGE = 5
BATCH = 20  # leads of one upload while the disk is full


def setting(name, default):
    return int(os.environ.get(name) or default)


def phones(n, skip=0):
    """Numbers of all zones; their last two digits, which decide what the sandbox does, go round."""
    areas, made, huge = list(ZONES), [], 0
    for i in range(skip, skip + n):
        ending = (i // len(areas)) % 100
        if ending == HUGE:
            huge += 1
            ending = ending if huge <= MOST_HUGE else 99
        exchange = EXCHANGES[i // len(areas) // 100 % len(EXCHANGES)]
        made.append(f"+1{areas[i % len(areas)]}{exchange}{20 + i // len(areas) // 100 % 79}{ending:02d}")
    return made


def csv_of(numbers):
    return "phone,contact,company\n" + "".join(f"{p},Person {p[-7:]},Company\n" for p in numbers)


class Run:
    def __init__(self):
        self.seconds = setting("CHAOS_SECONDS", 300)
        self.leads = setting("LEADS", 10000 if self.seconds >= 240 else 12 * self.seconds)
        self.seed = setting("SEED", random.SystemRandom().randrange(1, 1000000))
        # A fault every second and what it takes itself: over 200 in the full form.
        self.least = 200 if self.seconds >= 240 else 0
        self.machine, self.product, self.person, self.phones = Machine(), None, None, []
        self.campaign, self.uploads, self.bad = None, 0, True
        self.seen = (0.0, -1)  # when the provider's ledger was last seen to grow, and its size

    def say(self, text):
        sys.stdout.write(f"{time.monotonic() - self.began:6.1f} s  {text}\n")
        sys.stdout.flush()

    # -- before ----------------------------------------------------------------------------------
    def prepare(self):
        self.began = time.monotonic()
        print(f"chaos: SEED={self.seed} CHAOS_SECONDS={self.seconds} LEADS={self.leads}", flush=True)
        # An hour and a half before the clocks change in New York, so that they change during the run; the
        # product was started some hours before (its certificate stays good when the clock goes back).
        now = int(time.time())
        change = next(
            at
            for day in range(1, 400)
            if (at := next_change("America/New_York", now + day * 24 * HOUR, 24 * HOUR))
        )
        start = change - 3 * HOUR // 2 - now
        self.machine.set_offset(start - 3 * HOUR)
        self.machine.set_provider(start)
        self.product = Product(self.machine)
        self.machine.set_offset(start)
        self.person = Person(self.product)
        self.stack = self.product.stack
        self.say("the product is up")
        api = self.stack.api("admin")
        answer = api.patch("/api/settings", json={"limit_pace": 100, "limit_concurrency": 1000})
        assert answer.status_code < 400, answer.text[:500]
        # So that adding and taking off are large changes, done by `jobs` in many pieces.
        size = max(20, self.leads // 10)
        self.stack.rows(
            f"create or replace function job_size() returns integer language sql immutable as 'select {size}'"
        )
        self.add_leads(self.leads)
        wish = {
            "name": "Chaos",
            "concurrency": CONCURRENCY,
            "pace_per_second": PACE,
            "calling_window": {"start": WINDOW[0].strftime("%H:%M"), "end": WINDOW[1].strftime("%H:%M")},
            "retry_policy": {
                name: {"retries": 1, "delay": 4}
                for name in ("no_answer", "busy", "voicemail", "hangup", "failed")
            },
        }
        answer = api.post("/api/campaigns", json=wish)
        assert answer.status_code < 300, answer.text[:500]
        made = answer.json()
        self.campaign = made.get("id") or made["campaign"]["id"]
        answer = api.post("/api/start", json={"campaign_id": self.campaign}, timeout=60)
        end = time.monotonic() + 60
        while self.stack.rows("select id from jobs") and time.monotonic() < end:
            time.sleep(0.1)
        s = self.state()
        # What counts is that it runs; an answer that fails after that is shown.
        assert s["state"] == "running" and s["open"] > 0.9 * self.leads, answer.text[:500]
        self.say(f"{len(self.phones)} leads, started: {answer.status_code} {answer.text[:150]}")

    def add_leads(self, n=BATCH):
        """One file; uploaded again until the product says that it has it."""
        numbers = phones(n, skip=0 if not self.uploads else 20000 + BATCH * self.uploads)
        self.uploads += 1
        end = time.monotonic() + 120
        while True:
            answer = self.person.upload(csv_of(numbers), f"leads-{self.uploads}.csv")
            if answer.status_code == 200:
                break
            key = f"upload {answer.status_code}"
            self.person.refusals[key] = self.person.refusals.get(key, 0) + 1
            if time.monotonic() > end:
                raise RuntimeError(f"a file was refused for two minutes: {answer.text[:300]}")
            time.sleep(0.3)
        self.phones += numbers

    def press_start(self):
        self.person.press("/start", campaign_id=self.campaign)

    # -- after -----------------------------------------------------------------------------------
    def state(self):
        return self.stack.one(
            """select (select count(*) from enrollments
                where state not in ('done', 'error', 'canceled')) as open,
            (select count(*) from leads where status not in ('done', 'error')) as leads,
            (select count(*) from leads where status = 'pending') as pending,
            (select count(*) from calls where state <> 'ended') as live, c.state, c.stopped_at,
            extract(epoch from now()) as now, (select extract(epoch from min(at)) from (
                select greatest(e.due_at, l.hold_until) as at from enrollments e, provider_limits l
                    where e.state = 'waiting'
                union all select hold_until from provider_limits
                union all select coalesce(lease_until, deadline_at) from calls where state <> 'ended'
            ) times where at > now() + interval '1 second') as next
            from campaigns c where c.id = %s""",
            self.campaign,
        )

    def quiet(self, seconds=2.5):
        """Whether the provider has written nothing down for a while."""
        size = self.product.ledger_path.stat().st_size
        if size != self.seen[1]:
            self.seen = (time.monotonic(), size)
        return time.monotonic() > self.seen[0] + seconds

    def finish(self):
        """Faults are over: the campaign must come to its end. Where nothing is due, time passes."""
        self.person.wait()
        self.product.wait_for_postgres()
        end = time.monotonic() + 45 + self.leads / 15
        pressed, done_since, hours, told = 0.0, None, 0.0, 0.0
        while time.monotonic() < end:
            s = self.state()
            if time.monotonic() > told + 5:
                told = time.monotonic()
                self.say("{open} open, {pending} pending, {live} live, {state}".format(**s))
            if not s["open"] and not s["leads"] and not s["live"]:
                done_since = done_since or time.monotonic()
                if s["state"] == "done" or time.monotonic() > done_since + 5:
                    break
            elif (
                s["pending"]
                and time.monotonic() > pressed + 8
                or ((s["state"] != "running" or s["stopped_at"]) and time.monotonic() > pressed + 2)
            ):
                pressed = time.monotonic()
                if not self.person.wishes.unfinished_tasks:
                    self.person.soon(self.press_start)
            elif s["next"] and self.quiet() and not self.product.live_calls():
                hours += float(s["next"] - s["now"]) / HOUR
                self.machine.set_offset(self.machine.offset + int(s["next"] - s["now"]) + 1)
                self.seen = (time.monotonic(), self.seen[1])
            time.sleep(0.3)
        self.say(f"faults over, campaign {s['state']}; {hours:.1f} hours passed in the meantime")
        # Webhooks that are still under way (late, or tried again) are waited for: as long as one was sent.
        self.seen = (time.monotonic(), -1)
        while not self.quiet(3) and time.monotonic() < end + 30:
            time.sleep(0.2)

    def count(self, faults):
        print(f"\n{'fault':<36} times  nothing there")
        for name in [kind[1] for kind in KINDS]:
            print(f"  {name:<34} {faults.done[name]:>5}  {faults.idle[name] or '':>13}")
        print(f"  {'all':<34} {sum(faults.done.values()):>5}\n")
        ledgers = Ledgers(self.stack, self.machine, WINDOW, self.phones)
        findings = ledgers.compare()
        ledgers.facts["pages tried again"] = self.person.troubles
        ledgers.show(sys.stdout.write)
        for what, n in self.person.refusals.items():
            print(f"  refused: {what:<27} {n:>7}")
        counts = {name: len(found.rows) for name, found in findings.items()}
        self.bad = any(counts.values()) or sum(faults.done.values()) < self.least
        return ", ".join(f"{n} {name}" for name, n in counts.items())

    def run(self):
        try:
            self.prepare()
            faults = Faults(self.product, self.machine, self.person, self.campaign, self.add_leads)
            faults.run(self.seed, self.seconds, self.least)
            self.say(f"{sum(faults.done.values())} faults done")
            self.finish()
            last = self.count(faults)
        finally:
            self.close()
        print(f"{last} ({sum(faults.done.values())} faults, {len(self.phones)} leads, SEED={self.seed})")
        return 1 if self.bad else 0

    def close(self):
        keep = self.bad or bool(os.environ.get("KEEP_STATE"))
        self.machine.disk_full(False)
        if self.product:
            self.product.close(keep)
            if keep:
                print(f"\nkept: {self.stack.dir} (faults.log is the order of faults)")
        self.machine.close()


def stop(*_):
    raise SystemExit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    sys.exit(Run().run())
