"""A database of its own for the statements that decide: nothing else works on it."""
import uuid
from datetime import datetime, timezone

import psycopg2
import psycopg2.extras
from conftest_stack import ROOT

RUN = str(uuid.uuid4())
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=timezone.utc)  # a Friday, 12:00 in New York


class Scratch:
    def __init__(self, stack, name):
        self.args = dict(
            host=str(stack.state / "run"),
            user="trunkline",
            dbname=name,
            cursor_factory=psycopg2.extras.RealDictCursor,
        )
        self.connection = self.open()

    def open(self):
        c = psycopg2.connect(**self.args)
        c.autocommit = True
        return c

    def rows(self, sql, *params, on=None):
        with (on or self.connection).cursor() as cursor:
            cursor.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, sql, *params, on=None):
        return self.rows(sql, *params, on=on)[0]

    def reset(self):
        self.rows(
            "truncate leads, campaigns, prompts, calls, decisions, provider_ids, events, consents,"
            " suppressions, alerts, settings restart identity cascade"
        )
        self.rows(
            "update provider_limits set concurrency = null, pace_per_second = 100, per_hour = null,"
            " per_day = null,"
            " hold_until = null, stopped_reason = null, failures = 0, claimed_by = null"
        )
        self.rows("insert into prompts (client_id, name) values (1, 'default')")
        self.rows("insert into prompt_versions (prompt_id, version, body) values (1, 1, 'Hello')")

    def lead(self, phone="+12125552000", region="", zone="", consent=True, **columns):
        lead = self.one(
            "insert into leads (client_id, phone, region, zones) values (1, %s, nullif(%s, ''),"
            " zones_of(%s, %s, %s)) returning id",
            phone,
            region,
            phone,
            region,
            zone,
        )["id"]
        if consent is not None:
            self.rows(
                "insert into consents (client_id, lead_id, channel, granted, source, at)"
                " values (1, %s, 'call', %s,"
                " 'test', '2026-01-01')",
                lead,
                consent,
            )
        for name, value in columns.items():
            self.rows(f"update leads set {name} = %s where id = %s", value, lead)
        return lead

    def campaign(self, **columns):
        made = self.one(
            "insert into campaigns (client_id, name, state, pace_per_second, concurrency) values (1, %s,"
            " 'running', 100, 1000) returning id",
            str(uuid.uuid4()),
        )["id"]
        for name, value in columns.items():
            self.rows(f"update campaigns set {name} = %s where id = %s", value, made)
        return made

    def enrol(self, campaign, leads, at=NOON):
        for lead in leads:
            self.rows(
                "insert into enrollments (client_id, campaign_id, lead_id, due_at) values (1, %s, %s, %s)",
                campaign,
                lead,
                at,
            )

    def may(self, lead, at=NOON, campaign=None):
        return self.one("select * from contactability(%s, 'call', %s, %s)", lead, campaign, at)

    def claim(self, most=500, at=NOON, on=None, run=RUN):
        return self.one("select claim_calls(1, %s, %s, 60, %s) as c", most, run, at, on=on)["c"]

    def settle(self, at=NOON, **answer):
        return self.one("select settle_calls(%s, %s) as n", psycopg2.extras.Json([answer]), at)["n"]

    def report(self, at=NOON, key=None, **report):
        report = {"kind": "post_call", "final": True, "rank": 40, "rule": "4", **report}
        return self.one(
            "select event_receive('bland', %s, 'good', '{}', '{}', %s, %s) as v",
            key or str(uuid.uuid4()),
            psycopg2.extras.Json(report),
            at,
        )["v"]

    def state(self, lead):
        return self.one(
            "select e.*, l.status, l.status_reason from enrollments e join leads l on l.id = e.lead_id"
            " where e.lead_id = %s",
            lead,
        )


def scratch_database(stack):
    """Makes it anew, yields it, drops it."""
    admin = stack.db()
    with admin.cursor() as cursor:
        cursor.execute("drop database if exists scratch")
        cursor.execute("create database scratch")
    s = Scratch(stack, "scratch")
    for path in [
        *sorted((ROOT / "sql/migrations").glob("*.sql")),
        *sorted((ROOT / "sql/functions").glob("*.sql")),
    ]:
        s.rows(path.read_text())
    yield s
    s.connection.close()
    with admin.cursor() as cursor:
        cursor.execute("drop database scratch with (force)")
    admin.close()
