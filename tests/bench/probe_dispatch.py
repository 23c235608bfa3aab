"""D: due leads → each call written down durably → POST to a stub that answers at once → the result
recorded.

The product's dialer works on a database of its own on the running PostgreSQL, with one campaign whose
limits are far away; leads are called under the customary hours, in a zone where it is noon. Timed from
its first claim until the last call is recorded as placed. Peers POST the same body to the same stub and
record call id and state in the same PostgreSQL (BullMQ: in its redis). How many POSTs the stub got is
compared with what was recorded: one each.

ONLY="product" (or "product full graphile-worker …") measures those alone and judges what can be judged."""
import json
import os
import subprocess
import time
import urllib.request

import due
import usage
from bench import HERE, Bar
from house import free_port

PRODUCT, FULL = "trunkline", "trunkline, finished rows beside"
CURL, CLAIMS = "libcurl-multi alone", "claim + complete alone"
PEERS = {
    "graphile-worker": "dispatch_graphile.js",
    "pg-boss": "dispatch_pgboss.js",
    "bullmq": "dispatch_bullmq.js",
}
LOOP = "asyncio + httpx + asyncpg"
SHORT = {"product": PRODUCT, "full": FULL, "curl": CURL, "claims": CLAIMS, "asyncio": LOOP}
BATCH = 200  # calls in one claim of pgbench
CLAIM = f"""select claim_calls(1, {BATCH}, '00000000-0000-4000-8000-000000000001', 60, clock_timestamp())
	as claimed \\gset
select settle_calls((select jsonb_agg(jsonb_build_object('call_id', x, 'verdict', 'placed',
	'provider_call_id', gen_random_uuid()::text, 'deadline_ms', 36000000))
	from jsonb_array_elements_text(:claimed::jsonb->'calls') x), clock_timestamp());
"""


class Void(Exception):
    """What was measured is not what was to be measured."""


class Dispatch:
    """The stub, the databases, and one function for each subject; each answers calls per second."""

    def __init__(self, house):
        self.house = house
        self.n = 5000 if house.quick else 50000
        self.finished = 200_000 if house.quick else 2_000_000
        self.slice = 1000 if house.quick else 5000  # of what a slow peer is given
        port = free_port()
        house.start([house.compiled(HERE / "answer.c"), port], ready=port, name="answer")
        self.stub = f"http://127.0.0.1:{port}"
        self.body = house.out / "dispatch-body.json"
        self.databases = {}
        self.peak = 0
        self.shares = usage.Shares()

    def ask(self, path, method="GET"):
        request = urllib.request.Request(self.stub + path, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def posts(self):
        return json.loads(self.ask("/stats"))["posts"]

    def database(self, name):
        """The product's schema with the campaign; made on first use."""
        if name not in self.databases:
            self.house.database(name)
            if name.endswith("_full"):
                self.house.say(f"{self.finished:,} finished leads are made")
                due.finish(self.house, name, self.finished)
            due.campaign(self.house, name)
            self.databases[name] = True
        return name

    # -- the product -----------------------------------------------------------------------------------
    def dialer(self, database):
        env = {
            **self.house.product_env(),
            "DATABASE_URL": self.house.url(database),
            "BLAND_BASE_URL": self.stub,
            "BLAND_API_KEY": "bench",
            "SANDBOX": "0",
            "DIALER_BUDGET": "3600",
            "CALL_DEADLINE": "36000",
        }
        seen = "select count(*) from dialer_runs where ended_at is null"
        self.house.sql("delete from dialer_runs", None, database)
        return self.house.start(
            [self.house.build / "trunkline-dialer"],
            env=env,
            ready=lambda: self.house.sql(seen, None, database)[0][0] == 1,
            name="dialer",
        )

    def product(self, name, n=None):
        n = n or self.n
        database = self.database(name)
        due.refill(self.house, database, n)
        self.ask("/reset", "POST")
        dialer = self.dialer(database)
        before = usage.spent()
        try:
            self.house.sql(
                "update campaigns set state = 'running' where name = %s; select pg_notify('dialer', '')",
                (due.CAMPAIGN,),
                database,
            )
            seconds = self.wait(database, n, dialer)
            self.shares.add(name, usage.each(before, usage.spent(), n))
            status = open(f"/proc/{dialer.pid}/status").read()
            self.peak = max(self.peak, int(status.split("VmHWM:")[1].split()[0]))
        finally:
            dialer.stop()
        return n / seconds

    def wait(self, database, n, dialer, most=600):
        """From the first claim until the database shows all calls placed, by one clock. The stub is asked
        first and seldom while there is much to come, so that asking hinders nobody."""
        begun = time.monotonic()
        end = begun + most
        live = (
            "select count(placed_at), count(distinct provider_call_id),"
            " extract(epoch from min(created_at))::float from calls where ended_at is null"
        )
        connection = self.house.connect(database)
        all_sent = False
        with connection.cursor() as cursor:
            row = (0, 0, 0)
            while time.monotonic() < end and dialer.alive():
                sent = self.posts()
                if sent < n:
                    left = (n - sent) * (time.monotonic() - begun) / max(sent, 1)
                    time.sleep(min(max(left / 2, 0.01), 0.2))
                    continue
                if not all_sent:
                    # What is left is the recording of a batch or two.
                    all_sent, end = True, min(end, time.monotonic() + 30)
                cursor.execute(live)
                row = cursor.fetchone()
                if row[0] >= n:
                    break
                time.sleep(0.005)
            now = time.time()
        connection.close()
        if row[:2] != (n, n) or self.posts() != n:
            raise Void(f"{n} due, {self.posts()} POSTs, {row[0]} placed with {row[1]} ids")
        return now - row[2]

    # -- limits ----------------------------------------------------------------------------------------
    def curl(self):
        program = self.house.compiled(HERE / "peers" / "dispatch_curl.c", "-lcurl")
        done = subprocess.run(
            [program, self.stub + "/v1/calls", self.body, str(self.n * 2), "100"],
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return self.n * 2 / json.loads(done.stdout)["seconds"]

    def claims(self):
        """The product's two functions in turn, by one connection."""
        database = self.database("dispatch")
        due.refill(self.house, database, self.n)
        self.house.sql("update campaigns set state = 'running' where name = %s", (due.CAMPAIGN,), database)
        # Nobody is waited for: the dialer before has ended.
        self.house.sql("update provider_limits set claimed_by = null", None, database)
        rate = self.house.pgbench(CLAIM, clients=1, transactions=self.n // BATCH, database=database)
        placed = self.house.sql("select count(*) from calls where state = 'placed'", None, database)[0][0]
        if placed != self.n:
            raise Void(f"claims: {placed} of {self.n} placed")
        return rate * BATCH

    # -- peers -----------------------------------------------------------------------------------------
    def peer(self, command, n, env=None):
        """A peer prepares n leads, dispatches them, and prints {"seconds", "recorded"}."""
        self.house.sql('drop database if exists "dispatch_peer" with (force)', database="postgres")
        self.house.sql('create database "dispatch_peer"', database="postgres")
        self.house.sql("checkpoint", database="postgres")
        self.ask("/reset", "POST")
        words = {
            **os.environ,
            **self.house.pg_env("dispatch_peer"),
            "STUB": self.stub + "/v1/calls",
            "BODY": str(self.body),
            "NODE_PATH": str(self.house.npm()),
            "NODE_ENV": "production",
            **(env or {}),
        }
        log = self.house.out / "dispatch-peer.log"
        with open(log, "w") as errors:
            done = subprocess.run(
                [*command, str(n)], env=words, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=900
            )
        if done.returncode:
            raise Void(f"{command[-1]}: {log.read_text()[-2000:]}")
        said = json.loads(done.stdout.splitlines()[-1])
        if said["recorded"] != n or self.posts() != n:
            raise Void(f"{command[-1]}: {n} due, {self.posts()} POSTs, {said['recorded']} recorded")
        return n / said["seconds"]

    def node(self, script, env=None):
        return self.peer(["node", str(HERE / "peers" / script)], self.n, env)

    def loop(self):
        return self.peer(["/usr/bin/python3", str(HERE / "peers" / "dispatch_asyncio.py")], self.slice)

    def bullmq(self):
        """redis anew, with its log of writes; appendfsync everysec is its customary durability."""
        home = self.house.out / "redis"
        subprocess.run(["rm", "-rf", home], check=True)
        home.mkdir()
        socket = self.house.stack().dir / "redis.sock"
        words = ["--port", "0", "--unixsocket", socket, "--dir", home, "--save", ""]
        words += ["--appendonly", "yes", "--appendfsync", "everysec"]
        redis = self.house.start(["redis-server", *words], ready=socket, name="redis")
        try:
            return self.node(PEERS["bullmq"], {"REDIS": str(socket)})
        finally:
            redis.stop()


def subjects_of(d):
    every = {
        PRODUCT: lambda: d.product("dispatch"),
        FULL: lambda: d.product("dispatch_full"),
        CURL: d.curl,
        CLAIMS: d.claims,
        "graphile-worker": lambda: d.node(PEERS["graphile-worker"]),
        "pg-boss": lambda: d.node(PEERS["pg-boss"]),
        "bullmq": d.bullmq,
        LOOP: d.loop,
    }
    only = [SHORT.get(word, word) for word in os.environ.get("ONLY", "").replace(",", " ").split()]
    return {name: every[name] for name in every if name in only} if only else every


def run(house):
    d = Dispatch(house)
    # The body that peers send is the one that the product sends.
    d.product("dispatch", 1)
    d.shares = usage.Shares()
    d.body.write_bytes(d.ask("/last"))
    house.figure("the body of a POST", d.body.stat().st_size, "bytes")
    rounds = house.alternate(subjects_of(d))
    # Gigabytes that the next probe need not have beside it.
    for name in (*d.databases, "dispatch_peer"):
        house.sql(f'drop database if exists "{name}" with (force)', database="postgres")
    there = rounds.values
    for name in there:
        house.figure(name, rounds.median(name), "calls/s")
    house.figure("the dialer's peak of memory", d.peak / 1024, "MB")
    d.shares.figures(house, "a call")
    bars = []
    rivals = [name for name in (*PEERS, LOOP) if name in there]
    if PRODUCT in there and rivals:
        fastest = max(rivals, key=rounds.median)
        bars.append(
            Bar(
                "D",
                f"÷ the fastest peer ({fastest})",
                rounds.ratio(PRODUCT, fastest),
                ">=",
                1.5,
                "×",
                details=there,
            )
        )
    if PRODUCT in there and FULL in there:
        what = f"none ÷ with {d.finished:,} finished rows in the tables"
        bars.append(Bar("D", what, rounds.ratio(PRODUCT, FULL), "<=", 1.2, "×", details=there))
    return bars
