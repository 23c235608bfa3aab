"""The provider's ledger against the database: what really happened, and what the product believes."""

import bisect
import datetime
import json
import zoneinfo
from collections import Counter, defaultdict

from faults import ZONES
from product import CONCURRENCY, PACE

# Outcomes after which the rules allow another call.
RETRIED = {"no_answer", "busy", "voicemail", "hangup"}
RETRIED_FAILURES = {"unavailable", "other", "transient"}
# What the provider knows to be the end of the matter.
FINAL = {
    *("interested", "not_interested", "callback", "follow_up", "do_not_contact", "wrong_number"),
    *("not_found", "blocked", "canceled", "not_permitted"),
}
SEND_WITHIN = 12.0  # seconds from claim to POST: PLACE_SECONDS of engine/dialer.h, and a little
SHOWN = 12


class Finding:
    """One thing that must be 0, with the rows concerned."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, **row):
        self.rows.append(row)


class Ledgers:
    def __init__(self, stack, machine, window, phones):
        self.stack, self.machine, self.window, self.phones = stack, machine, window, phones
        self.findings, self.facts = {}, {}
        self.lines = []
        with open(stack.state / "sandbox-ledger", encoding="utf-8", errors="replace") as ledger:
            for text in ledger:
                try:
                    line = json.loads(text)
                except ValueError:
                    continue  # the process was killed in the middle of it
                line.pop("body", None)
                self.lines.append(line)
        self.accepted = [line for line in self.lines if line["what"] == "accepted"]
        self.calls = {
            str(r["id"]): r
            for r in stack.rows(
                """select c.id, c.enrollment_id, c.try, c.state, c.provider_call_id, c.outcome, c.reason,
                c.created_at, c.placed_at, c.ended_at from calls c"""
            )
        }

    def finding(self, name):
        return self.findings.setdefault(name, Finding(name))

    def compare(self):
        self.lost()
        self.twice()
        self.limits()
        self.hours()
        self.events()
        self.stuck()
        self.crashes()
        return self.findings

    # -- leads and attempts ----------------------------------------------------------------------
    def lost(self):
        """A lead that was taken, is no longer there, or came to an end without a call or a reason; a call
        that one side knows and the other does not."""
        lost, tried = self.finding("lost"), {line["to"] for line in self.accepted}
        leads = {
            r["phone"]: r
            for r in self.stack.rows("select phone, status, status_reason, outcome from leads")
        }
        for phone in self.phones:
            lead = leads.get(phone)
            if not lead:
                lost.add(phone=phone, why="not in the database")
            elif lead["status"] == "done" and phone not in tried:
                lost.add(why="done without a call", **lead)
            elif lead["status"] == "error" and not lead["status_reason"]:
                lost.add(why="error without a reason", **lead)
        self.facts["leads"] = len(self.phones)
        self.facts["leads reached"] = len(tried)
        self.facts["leads given up: provider"] = sum(
            r["status_reason"] == "provider_error" for r in leads.values()
        )
        known = {r["provider_call_id"]: r for r in self.calls.values() if r["provider_call_id"]}
        theirs = {line["call_id"] for line in self.accepted}
        for line in self.accepted:
            call = self.calls.get(line.get("attempt_id"))
            if not call:
                lost.add(why="a call without a row", **line)
            elif line["call_id"] not in known:
                lost.add(why="the row does not know that it was placed", **line, **self.brief(call))
        for call in known.values():
            if call["provider_call_id"] not in theirs:
                lost.add(why="the provider does not know it", **self.brief(call))

    @staticmethod
    def brief(call):
        keys = ("id", "try", "state", "outcome", "reason", "created_at", "placed_at", "ended_at")
        return {f"row_{key}": call[key] for key in keys}

    def twice(self):
        twice, attempts, leads = self.finding("twice"), Counter(), defaultdict(list)
        ends = {line["call_id"]: line.get("why", "") for line in self.lines if line["what"] == "ended"}
        for line in self.accepted:
            attempts[line.get("attempt_id")] += 1
            if attempts[line.get("attempt_id")] > 1:
                twice.add(why="the same attempt again", **line)
            leads[line["to"]].append(line)
        for lines in leads.values():
            for before, line in zip(lines, lines[1:]):
                call = self.calls.get(before.get("attempt_id"))
                if not call or before.get("attempt_id") == line.get("attempt_id"):
                    continue
                allowed = call["outcome"] in RETRIED or (
                    call["outcome"] == "failed" and call["reason"] in RETRIED_FAILURES
                )
                truth = ends.get(before["call_id"], "")
                if not allowed or truth in FINAL:
                    twice.add(
                        why="called again without a rule",
                        truth=truth,
                        seconds=(line["m"] - before["m"]) / 1000,
                        **before,
                        **self.brief(call),
                    )
        self.facts["calls accepted"] = len(self.accepted)
        self.facts["calls refused or cut"] = sum(
            line["what"] in ("refused", "dropped") for line in self.lines
        )

    # -- limits ----------------------------------------------------------------------------------
    def limits(self):
        over, live, most = self.finding("over limits"), 0, 0
        moves = [(line["m"], 1, line) for line in self.accepted]
        moves += [(line["m"], -1, line) for line in self.lines if line["what"] == "ended"]
        # Where both are in the same millisecond, the end comes first.
        for _, step, line in sorted(moves, key=lambda move: move[:2]):
            live += step
            most = max(most, live)
            if step > 0 and live > CONCURRENCY:
                over.add(why="concurrency", at_once=live, **line)
        self.facts[f"most calls at once (of {CONCURRENCY})"] = most
        posts = sorted(line["m"] for line in self.lines if line["what"] == "post")
        first, worst = 0, 0
        for i, at in enumerate(posts):
            while posts[first] <= at - 1000:
                first += 1
            worst = max(worst, i - first + 1)
            if i - first + 1 > PACE:
                moved = [t for t, _ in self.machine.moves if t <= at / 1000][-1]
                over.add(
                    why="pace",
                    in_a_second=i - first + 1,
                    m=at,
                    seconds_since_the_clock_moved=round(at / 1000 - moved, 2),
                )
        self.facts[f"most POSTs in a second (of {PACE})"] = worst

    # -- the calling window ----------------------------------------------------------------------
    def open_at(self, phone, at):
        zone = zoneinfo.ZoneInfo(ZONES[phone[2:5]])
        local = datetime.datetime.fromtimestamp(at, zone).time()
        return self.window[0] <= local < self.window[1]

    def hours(self):
        """By the row's own time of the claim, and by every wall clock that was in force between the claim
        and the POST: one of them must have been inside."""
        outside = self.finding("outside the window")
        times = [at for at, _ in self.machine.moves]
        # CLOCK_MONOTONIC of the ledger's m is that of time.monotonic; so is the real time's distance to it.
        epoch = self.machine.epoch
        for line in self.accepted:
            call, at = self.calls.get(line.get("attempt_id")), line["m"] / 1000
            if call and not self.open_at(line["to"], call["created_at"].timestamp()):
                outside.add(why="claimed outside", **line, **self.brief(call))
                continue
            low = bisect.bisect_right(times, at - SEND_WITHIN) - 1
            high = bisect.bisect_right(times, at)
            inside = False
            for i in range(max(low, 0), high):
                begin = max(at - SEND_WITHIN, times[i])
                end = min(at, times[i + 1]) if i + 1 < len(times) else at
                offset = self.machine.moves[i][1]
                inside = inside or any(self.open_at(line["to"], epoch + t + offset) for t in (begin, end))
            if not inside:
                outside.add(why="placed outside", **line)

    # -- events ----------------------------------------------------------------------------------
    def events(self):
        lost, twice = self.finding("events lost"), self.finding("events twice")
        stored = Counter(r["dedupe_key"] for r in self.stack.rows("select dedupe_key from events"))
        taken = {
            line["digest"]: line for line in self.lines if line["what"] == "webhook" and line.get("digest")
        }
        for digest, line in taken.items():
            if stored[digest] == 0:
                lost.add(why="answered 2xx, not stored", **line)
            elif stored[digest] > 1:
                twice.add(why="stored more than once", **line)
        for row in self.stack.rows(
            """select v.id, v.kind, v.verdict, v.provider_call_id, v.received_at, c.id as call from events v
            join calls c on c.provider = v.provider and c.provider_call_id = v.provider_call_id
            where v.verdict = 'unknown_call'"""
        ):
            lost.add(why="kept, never applied, though its call is known", **row)
        # An attempt counts once for its enrollment, and a withdrawal is written once for each channel.
        for row in self.stack.rows(
            """select e.id, e.tries, e.attempts, e.state, e.outcome, count(c.*) as rows,
            count(c.*) filter (where c.state = 'ended' and not (c.outcome = 'failed' and
                c.provider_call_id is null)) as reached
            from enrollments e left join calls c on c.enrollment_id = e.id group by e.id
            having e.tries <> count(c.*) or e.attempts <> count(c.*) filter (where c.state = 'ended'
                and not (c.outcome = 'failed' and c.provider_call_id is null))"""
        ):
            twice.add(why="attempts counted wrongly", **row)
        for row in self.stack.rows(
            """select call_id, channel, count(*) from consents where call_id is not null
            group by 1, 2 having count(*) > 1"""
        ):
            twice.add(why="a withdrawal written twice", **row)
        self.facts["webhooks taken"] = sum(line["what"] == "webhook" for line in self.lines)
        self.facts["… different ones"] = len(taken)
        self.facts["webhooks failed"] = sum(line["what"] == "webhook_failed" for line in self.lines)
        self.facts["events stored"] = sum(stored.values())

    # -- what is left ----------------------------------------------------------------------------
    def stuck(self):
        stuck = self.finding("stuck")
        for why, sql in {
            "call": """select id, try, state, created_at, deadline_at, lookups from calls
                where state <> 'ended'""",
            "enrollment": """select id, lead_id, state, tries, due_at, reason, outcome from enrollments
                where state not in ('done', 'error', 'canceled')""",
            "lead": "select id, phone, status, outcome from leads where status not in ('done', 'error')",
            "lead that is not found by its status": """select l.id, l.status, l.outcome from leads l
                full join lead_statuses s on s.lead_id = l.id
                where (l.client_id, l.status, l.outcome)
                    is distinct from (s.client_id, s.status, s.outcome)""",
            "campaign": "select id, state, state_reason from campaigns where state <> 'done'",
            "import": "select id, state, error, tries from imports where state not in ('done', 'failed')",
            "large change": "select id, kind, looked_at, total from jobs",
            "alert about a call that is settled": """select a.subject, a.message, a.last_at from alerts a
                join calls c on a.subject = 'call ' || c.id
                where a.resolved_at is null and a.kind = 'ambiguous_call' and c.state = 'ended'""",
            "provider": "select stopped_reason from provider_limits where stopped_reason is not null",
        }.items():
            for row in self.stack.rows(sql):
                stuck.add(why=why, **row)
        spool = [p for p in (self.stack.state / "spool").iterdir() if p.is_file()]
        for path in spool:
            stuck.add(why="a file in the spool", name=path.name, bytes=path.stat().st_size)

    def crashes(self):
        """Programs that went by themselves, which kill -9 of ours does not look like."""
        crashed = self.finding("crashed")
        signs = ("AddressSanitizer", "runtime error:", "Segmentation fault", "terminated by signal 11")
        for path in sorted(self.stack.state.glob("log/*.log")):
            with open(path, encoding="utf-8", errors="replace") as log:
                for line in log:
                    if any(sign in line for sign in signs):
                        crashed.add(why="in a log", file=path.name, line=line.strip()[:300])

    # -- printing --------------------------------------------------------------------------------
    def show(self, write):
        for name, number in self.facts.items():
            write(f"  {name:<36} {number:>7}\n")
        for finding in self.findings.values():
            whys = Counter(row["why"] for row in finding.rows)
            for why, n in whys.items():
                write(f"\n{finding.name}: {why}: {n}\n")
                for row in [r for r in finding.rows if r["why"] == why][:SHOWN]:
                    shown = {k: v for k, v in row.items() if v is not None and k != "why"}
                    write("  " + json.dumps(shown, default=str) + "\n")
