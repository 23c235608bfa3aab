"""The faults: which comes when is drawn from a seed alone, so that a run can be done again."""

import datetime
import heapq
import random
import signal
import time
import zoneinfo
from collections import Counter

from product import LEASE, send

# Area codes of the leads, and where they are. Arizona and Hawaii do not change their clocks.
ZONES = {
    "212": "America/New_York",
    "312": "America/Chicago",
    "303": "America/Denver",
    "415": "America/Los_Angeles",
    "206": "America/Los_Angeles",
    "602": "America/Phoenix",
    "808": "Pacific/Honolulu",
    "617": "America/New_York",
}
HOUR = 3600


def offset_of(zone, at):
    return datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone)).utcoffset()


def next_change(zone, at, most):
    """When the zone's clocks change next within so many seconds; None where they do not."""
    if offset_of(zone, at) == offset_of(zone, at + most):
        return None
    low, high = at, at + most
    while high - low > 1:
        middle = (low + high) / 2
        if offset_of(zone, middle) == offset_of(zone, low):
            low = middle
        else:
            high = middle
    return int(high)


# (weight, name in the table, method); a larger weight comes more often.
KINDS = [
    (5, "dialer killed", "kill_dialer"),
    (4, "web worker killed", "kill_web"),
    (4, "hook worker killed", "kill_hook"),
    (2, "nginx killed", "kill_nginx"),
    (2, "jobs killed", "kill_jobs"),
    (3, "PostgreSQL backend killed", "kill_backend"),
    (2, "PostgreSQL restarted at once", "restart_postgres"),
    (2, "dialer stopped past its lease", "stop_dialer"),
    (2, "dialer stopped for a moment", "stop_briefly"),
    (2, "two more dialers", "two_dialers"),
    (2, "provider: process killed", "kill_provider"),
    (2, "provider: down", "mode:down"),
    (2, "provider: slow", "mode:slow"),
    (2, "provider: storm of 429", "mode:rate_limit"),
    (2, "provider: 500", "mode:error"),
    (2, "provider: sockets half closed", "mode:half_closed"),
    (2, "provider: answers lost", "mode:lost"),
    (2, "webhooks before the answer", "mode:report_first"),
    (2, "webhooks tenfold", "mode:tenfold"),
    (2, "webhooks late", "mode:late"),
    (2, "webhooks shuffled", "mode:shuffled"),
    (2, "disk full on the spool", "disk_full"),
    (2, "clock ahead by an hour", "clock_ahead"),
    (2, "clock back by an hour, then right", "clock_back"),
    (2, "clock over a DST change", "clock_dst"),
    (2, "pause, resume pressed", "pause"),
    (1, "stop, start pressed", "stop"),
]


def sequence(seed):
    """(name, method, two numbers from [0, 1), seconds until the next one), without end. Every kind comes
    once before any comes again by lot, so that a short run has them all."""
    lot = random.Random(seed)
    first = KINDS[:]
    lot.shuffle(first)
    weights = [kind[0] for kind in KINDS]
    while True:
        kind = first.pop() if first else lot.choices(KINDS, weights)[0]
        yield kind[1], kind[2], lot.random(), lot.random(), lot.uniform(0.5, 1.4)


class Faults:
    def __init__(self, product, machine, person, campaign, more_leads):
        self.product, self.machine, self.person = product, machine, person
        self.campaign, self.more_leads = campaign, more_leads
        self.done, self.idle, self.due, self.n = Counter(), Counter(), [], 0
        self.began = time.monotonic()
        self.log = open(product.stack.dir / "faults.log", "w", encoding="utf-8")

    # -- time ------------------------------------------------------------------------------------
    def later(self, seconds, act):
        self.n += 1
        heapq.heappush(self.due, (time.monotonic() + seconds, self.n, act))

    def run_due(self, all_of_them=False):
        while self.due and (all_of_them or self.due[0][0] <= time.monotonic()):
            heapq.heappop(self.due)[2]()

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self.run_due()
            now = time.monotonic()
            if now >= end:
                return
            time.sleep(min([end - now, 0.2, *[max(0, d[0] - now) for d in self.due[:1]]]))

    def run(self, seed, seconds, least):
        for name, method, u, v, pause in sequence(seed):
            if time.monotonic() - self.began >= seconds and sum(self.done.values()) >= least:
                break
            now = time.monotonic()  # the second number is the ledger's m
            self.log.write(f"{now - self.began:8.2f} {now * 1000:.0f} {name} {u:.3f} {v:.3f}\n")
            self.log.flush()
            what, _, mode = method.partition(":")
            did = self.mode(mode, u) if mode else getattr(self, what)(u, v)
            # One that found nothing to break (no such process at this moment) does not count.
            (self.idle if did is False else self.done)[name] += 1
            self.wait(pause)
        self.run_due(all_of_them=True)
        self.machine.disk_full(False)
        self.product.provider("ok", 0)
        self.log.close()

    # -- processes -------------------------------------------------------------------------------
    @staticmethod
    def kill_one(pids, u):
        return bool(pids) and send(pids[int(u * len(pids))], signal.SIGKILL)

    def kill_dialer(self, u, _):
        return self.kill_one(self.product.dialers(), u)

    def kill_web(self, u, _):
        return self.kill_one(self.product.pool("web"), u)

    def kill_hook(self, u, _):
        return self.kill_one(self.product.pool("hook"), u)

    def kill_nginx(self, u, v):
        return self.kill_one(self.product.nginx("master" if v < 0.5 else "worker"), u)

    def kill_jobs(self, u, _):
        return self.kill_one(self.product.jobs(), u)

    def kill_backend(self, u, _):
        return self.kill_one(self.product.backends(), u)

    def kill_provider(self, u, _):
        return self.kill_one(self.product.sandboxes(), u)

    def restart_postgres(self, _u, _v):
        self.product.restart_postgres()

    def stop_one(self, u, seconds):
        pids = self.product.dialers()
        if not pids:
            return False
        pid = pids[int(u * len(pids))]
        self.later(seconds, lambda: pid in self.product.dialers() and send(pid, signal.SIGCONT))
        return send(pid, signal.SIGSTOP)

    def stop_dialer(self, u, v):
        self.product.one_more_dialer()  # that sees the leases run out
        return self.stop_one(u, LEASE + 1 + 4 * v)

    def stop_briefly(self, u, v):
        return self.stop_one(u, 0.5 + 11 * v)

    def two_dialers(self, _u, _v):
        self.product.one_more_dialer()
        self.product.one_more_dialer()

    # -- the world -------------------------------------------------------------------------------
    def mode(self, mode, u):
        self.product.provider(mode, int(1000 + 2500 * u))

    def disk_full(self, u, _):
        """People upload meanwhile; the file counts once it was taken."""
        self.machine.disk_full(True)
        self.later(1 + 3 * u, lambda: self.machine.disk_full(False))
        self.person.soon(self.more_leads)

    def shift(self, seconds):
        self.machine.set_offset(self.machine.offset + seconds)

    def clock_ahead(self, _u, _v):
        self.shift(HOUR)

    def clock_back(self, u, _):
        self.shift(-HOUR)
        self.later(1 + 3 * u, lambda: self.shift(HOUR))

    def clock_dst(self, _u, _v):
        """To just before the next change of a lead's zone, which then comes by itself; an hour where
        they are all over."""
        now = time.time()
        changes = [next_change(zone, now + 3, 12 * HOUR) for zone in set(ZONES.values())]
        ahead = [at for at in changes if at]
        self.shift(min(ahead) - now - 2 if ahead else HOUR)

    # -- people ----------------------------------------------------------------------------------
    def press(self, *buttons):
        for button in buttons:
            self.person.soon(lambda b=button: self.person.press(f"/campaigns/{self.campaign}/{b}"))

    def pause(self, u, v):
        self.press("pause", *(["pause"] if v < 0.3 else []))
        self.later(0.3 + 2 * u, lambda: self.press("resume", *(["resume"] if v > 0.7 else [])))

    def stop(self, u, _):
        """Stop takes everybody off who waits; Start puts them on again."""
        self.press("stop")
        start = {"campaign_id": self.campaign}
        self.later(0.5 + 2 * u, lambda: self.person.soon(lambda: self.person.press("/start", **start)))
