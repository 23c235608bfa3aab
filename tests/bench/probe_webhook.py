"""W: a signed post-call report of Bland → raw event stored, call, lead and enrollment updated, durable.

Every request is about another live call. Before each measurement the tables are emptied and filled anew,
after it the database is asked whether every accepted report was applied; else the measurement is void.
The campaign is paused, so that the dialer rests. The limit: pgbench calling the same SQL function with
the same data."""
import hashlib
import json
import sqlite3

import psycopg2.extras
import requests

import peers
import reports
import usage
from bench import Bar
from reports import body_of, md5_uuid, request_of

LIMIT_CLIENTS = 8
GENEROUS = 12000  # calls prepared for each second of a measurement
SLOW = 1500  # … of a peer that cannot use as many


class Void(Exception):
    """What was measured is not what was to be measured."""


class Webhooks:
    """The calls, the requests about them, and what is asked of the database afterwards."""

    def __init__(self, house):
        self.house, self.stack = house, house.stack()
        self.most = int(GENEROUS * house.seconds)
        self.secret = self.stack.bland_secret
        self.requests = [request_of(n, self.secret) for n in range(1, self.most + 1)]
        self.p99 = {}
        self.shares = usage.Shares()
        self.sqlite = house.out / "webhook.sqlite"
        self._sample()

    def reset(self, n):
        connection = self.house.connect()
        reports.reset(connection, n)
        connection.close()

    def check(self, wanted, name):
        connection = self.house.connect()
        applied = reports.applied(connection)
        connection.close()
        events = self.house.sql("select count(*) from events")[0][0]
        if (applied, events) != (wanted, wanted):
            raise Void(f"{name}: {wanted} were accepted, {applied} applied, {events} stored")

    def _sample(self):
        """What the product makes of a report, for the limit to send: one about a call that nobody knows
        keeps its normalized form."""
        self.reset(1)
        raw = json.dumps(body_of(7)).encode()
        headers = {
            "X-Webhook-Signature": reports.signature(raw, self.secret),
            "Content-Type": "application/json",
        }
        answer = requests.post(
            self.stack.url + "/webhooks/bland", data=raw, headers=headers, verify=self.stack.ca, timeout=30
        )
        if answer.json().get("verdict") != "unknown_call":
            raise Void("the first report: " + answer.text[:300])
        self.report, self.headers = self.house.sql("select normalized, headers from events")[0]

    # -- the subjects --------------------------------------------------------------------------------
    def limit(self):
        """The same function with the same data, read from a table that is nothing but parameters."""
        self.reset(self.most)
        self._parameters()
        each = self.most // LIMIT_CLIENTS
        script = (
            # A client past its share would find nothing: more of them must be prepared then.
            f"\\set k :k + 1\n\\set n :client_id * {each} + :k\n"
            "select event_receive('bland', b.key, 'good', b.body, b.headers::jsonb, b.report::jsonb,\n"
            "\tclock_timestamp()) from bench_reports b where b.n = :n;\n"
        )
        rate = self.house.pgbench(script, "-D", "k=0", clients=LIMIT_CLIENTS)
        self.check(self.house.pgbench_done, "limit")
        return rate

    def _parameters(self):
        if self.house.sql("select to_regclass('bench_reports')")[0][0]:
            return
        c = self.house.connect()
        with c.cursor() as cursor:
            cursor.execute(
                "create unlogged table bench_reports (n int primary key, key text, body text, headers text,"
                " report text); alter table bench_reports alter body set storage plain,"
                " alter report set storage plain, alter headers set storage plain"
            )
            rows = []
            for n in range(1, self.most + 1):
                raw = json.dumps(body_of(n))
                said = {**self.report, "attempt_id": md5_uuid(f"call {n}"), "to": f"+1415{2000000 + n}"}
                said["provider_call_id"] = md5_uuid(f"bland {n}")
                key = hashlib.sha256(raw.encode()).hexdigest()
                rows.append((n, key, raw, json.dumps(self.headers), json.dumps(said)))
            psycopg2.extras.execute_values(
                cursor, "insert into bench_reports values %s", rows, page_size=1000
            )
            cursor.execute("vacuum analyze bench_reports")
        c.close()

    def send(self, name, url, connections, most=None):
        most = min(most or self.most, self.most)
        self.reset(most)
        done = self.house.load(url, self.requests[:most], connections)
        if done["other"] or done["errors"]:
            raise Void(f"{name}: {done}")
        self.check(done["ok"], name)
        self.p99.setdefault(name, []).append(done["p99_ms"])
        if name.startswith("trunkline"):
            self.shares.add(name, done["cpu_us"])
        return done["rate"]

    def send_sqlite(self, name, url, connections):
        """The tutorial's design keeps its data in a file of its own."""
        most = min(int(SLOW * self.house.seconds), self.most)
        fill_sqlite(self.sqlite, most)
        done = self.house.load(url, self.requests[:most], connections)
        with sqlite3.connect(self.sqlite) as db:
            applied = db.execute("select count(*) from calls where outcome = 'interested'").fetchone()[0]
            stored = db.execute("select count(*) from events").fetchone()[0]
        if done["other"] or done["errors"] or (applied, stored) != (done["ok"], done["ok"]):
            raise Void(f"{name}: {done}, {applied} applied, {stored} stored")
        self.p99.setdefault(name, []).append(done["p99_ms"])
        return done["rate"]


def fill_sqlite(path, n):
    """The same calls, leads and enrollments with the indexes that the tutorial's look-ups need."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with sqlite3.connect(path) as db:
        db.executescript(
            """
            create table leads (id integer primary key, phone text unique, contact text, status text,
                outcome text, last_call_id text, updated_at text);
            create table enrollments (id integer primary key, lead_id integer, state text, attempts integer,
                outcome text, changed_at text);
            create table calls (id text primary key, enrollment_id integer, lead_id integer, phone text,
                state text, provider_call_id text unique, outcome text, rule text, answered_by text,
                disposition text, ended_by text, duration_seconds integer, cost_usd integer, transcript text,
                turns text, summary text, started_at text, ended_at text);
            create table events (id integer primary key, dedupe_key text unique, kind text,
                provider_call_id text, call_id text, received_at text, body text);"""
        )
        for i in range(1, n + 1):
            phone = f"+1415{2000000 + i}"
            db.execute("insert into leads values (?, ?, 'Ada', 'dialing', null, null, null)", (i, phone))
            db.execute("insert into enrollments values (?, ?, 'under_way', 0, null, null)", (i, i))
            db.execute(
                "insert into calls (id, enrollment_id, lead_id, phone, state, provider_call_id)"
                " values (?, ?, ?, ?, 'placed', ?)",
                (md5_uuid(f"call {i}"), i, i, phone, md5_uuid(f"bland {i}")),
            )
    db.close()


def median_p99(webhooks, name):
    ordered = sorted(webhooks.p99[name])
    return ordered[len(ordered) // 2]


def run(house):
    w = Webhooks(house)
    cores = 2
    env = {"WEBHOOK_SECRET": w.secret}
    sqlite = peers.uvicorn(house, "webhook_aiosqlite", env={**env, "SQLITE_FILE": str(w.sqlite)})
    asyncpg = peers.uvicorn(house, "webhook_asyncpg", cores, env)
    fastify = peers.node(house, "webhook_fastify.js", cores, env)
    ours, slow = w.stack.url, int(SLOW * house.seconds)
    rounds = house.alternate(
        {
            "limit": w.limit,
            "trunkline 16": lambda: w.send("trunkline 16", ours, 16),
            "trunkline 64": lambda: w.send("trunkline 64", ours, 64),
            "fastify 16": lambda: w.send("fastify 16", fastify, 16),
            "fastify 64": lambda: w.send("fastify 64", fastify, 64),
            "fastapi+asyncpg 16": lambda: w.send("fastapi+asyncpg 16", asyncpg, 16, slow),
            "fastapi+aiosqlite 16": lambda: w.send_sqlite("fastapi+aiosqlite 16", sqlite, 16),
        }
    )
    house.sql("drop table if exists bench_reports")
    for name in rounds.values:
        house.figure(name, rounds.median(name), "/s")
        if name in w.p99:
            house.figure(f"{name}, 99 of 100 within", median_p99(w, name), "ms")
    house.figure(
        "trunkline 16 ÷ fastapi+asyncpg 16", rounds.ratio("trunkline 16", "fastapi+asyncpg 16"), "×"
    )

    w.shares.figures(house, "a webhook")

    def ratio(what, above, below, needed):
        return Bar("W", what, rounds.ratio(above, below), ">=", needed, "×", details=rounds.values)

    return [
        ratio("16 connections ÷ limit", "trunkline 16", "limit", 0.65),
        Bar("W", "16 connections: 99 of 100 within", median_p99(w, "trunkline 16"), "<=", 8, "ms"),
        ratio("64 connections ÷ limit", "trunkline 64", "limit", 1.20),
        ratio("16 connections ÷ FastAPI + aiosqlite", "trunkline 16", "fastapi+aiosqlite 16", 20),
        ratio("16 connections ÷ Fastify", "trunkline 16", "fastify 16", 2),
        ratio("64 connections ÷ Fastify", "trunkline 64", "fastify 64", 2),
    ]
