"""L: how long people and lines wait, with the product and its sandbox, whose ledger says when what arrived.

Start: from the moment the form of the Start button is sent to the POST of the first call, with a dialer that
rests. Slot: with one line, from the end of a call (when its report is sent) to the next POST."""
import json
import random
import statistics
import time

from bench import Bar

SPEED = 10  # calls take 0.2 to 0.8 s
PHONES = "+1212{:07d}"


class Ledger:
    """The sandbox's own book: JSON lines with wall-clock milliseconds."""

    def __init__(self, stack):
        self.path = stack.state / "sandbox-ledger"

    def lines(self):
        """Whole lines only: the last one may be on its way."""
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def wait(self, what, seconds=60):
        end = time.monotonic() + seconds
        while not (found := what(self.lines())):
            if time.monotonic() > end:
                raise RuntimeError("the sandbox waited in vain for a call")
            time.sleep(0.01)
        return found


class Product:
    def __init__(self, stack):
        self.stack, self.api, self.page = stack, stack.api("member"), stack.login("member")
        self.csrf = self.page.csrf()
        self.used, self.phones = 0, set()
        stack.rows("update provider_limits set pace_per_second = 100, concurrency = null")

    def leads(self, n):
        """Ids of so many new leads that may be called; ordinary people all of them."""
        phones = []
        while len(phones) < n:
            self.used += 1
            if self.used % 100 >= 50:  # other endings misbehave
                phones.append(PHONES.format(7000000 + self.used))
        self.phones = set(phones)
        rows = self.stack.rows(
            """with made as (insert into leads (client_id, phone, contact, zones)
                    select 1, p, 'Ada', '{America/New_York}' from unnest(%s) p returning id),
                consent as (insert into consents (client_id, lead_id, channel, granted, source, at)
                    select 1, id, 'call', true, 'bench', now() - interval '1 day' from made)
            select id from made order by id""",
            phones,
        )
        return [row["id"] for row in rows]

    def campaign(self, name, leads, **fields):
        answer = self.api.post(
            "/api/campaigns", json={"name": name, "lead_ids": self.leads(leads), "concurrency": 1, **fields}
        )
        if answer.status_code != 201:
            raise RuntimeError("the campaign could not be made: " + answer.text[:500])
        return answer.json()["campaign"]["id"]

    def press_start(self, campaign):
        """When the form was sent, in milliseconds."""
        sent = time.time() * 1000
        answer = self.page.post(
            f"/campaigns/{campaign}/start", data={"csrf": self.csrf}, allow_redirects=False
        )
        if answer.status_code != 303:
            raise RuntimeError("Start did not work: " + answer.text[:500])
        return sent

    def live(self):
        return self.stack.one("select count(*) as n from calls where state <> 'ended'")["n"]


def starts(house, product, ledger, times):
    lot, waits = random.Random(7), []
    for _ in range(times):
        campaign = product.campaign(f"Start {product.used}", 1)
        before = len(ledger.lines())
        time.sleep(lot.uniform(0.05, 1.05))  # anywhere in the second for which an idle dialer sleeps
        sent = product.press_start(campaign)
        first = ledger.wait(lambda lines: [x for x in lines[before:] if x["what"] == "post"])[0]
        waits.append(first["t"] - sent)
        ledger.wait(lambda lines: [x for x in lines[before:] if x["what"] == "webhook"])
        ledger.wait(lambda lines: product.live() == 0)
    house.say("Start to first POST, ms: " + " ".join(f"{w:.0f}" for w in sorted(waits)))
    return waits


def slots(house, product, ledger, times):
    before = len(ledger.lines())
    campaign = product.campaign("Slots", times + 1, pace_per_second=100)
    product.press_start(campaign)

    def own(lines):
        """Without second tries of the campaigns before, which come whenever they are due."""
        return [x for x in lines[before:] if (x.get("to") or x.get("phone")) in product.phones]

    ledger.wait(lambda lines: sum(x["what"] == "post" for x in own(lines)) > times, 30 + 2 * times)
    waits, freed = [], None
    for line in own(ledger.lines()):
        if line["what"] == "ended":
            freed = line["t"]
        elif line["what"] == "post" and freed is not None:
            waits.append(line["t"] - freed)
            freed = None
    house.say("call ended to next POST, ms: " + " ".join(f"{w:.0f}" for w in sorted(waits)))
    if len(waits) < times:
        raise RuntimeError(f"{len(waits)} slots were seen to be freed, not {times}")
    return waits


def run(house):
    times = (5, 10) if house.quick else (25, 60)
    stack = house.new_stack(SANDBOX_ARGS=f"--speed {SPEED}")
    try:
        product, ledger = Product(stack), Ledger(stack)
        starts(house, product, ledger, 2)  # until everything has been used once
        waits = {
            "Start pressed, first POST": starts(house, product, ledger, times[0]),
            "a slot freed, next POST": slots(house, product, ledger, times[1]),
        }
    finally:
        stack.close()
    made = []
    for (what, ms), needed in zip(waits.items(), (250, 100)):
        house.figure(what + ", the longest", max(ms), "ms")
        made.append(
            Bar("L", what + ", median", statistics.median(ms), "<=", needed, "ms", details={"ms": ms})
        )
    return made
