"""The data that dispatch is measured with: due leads, and finished ones beside them."""
import datetime

CAMPAIGN = "dispatch bench"
FAR = 1_000_000  # a limit that is never reached
LEADS = """
insert into leads (client_id, phone, contact, company, zones, list)
	select 1, '+1415' || 2000000 + n, 'Person ' || n, 'Company ' || n %% 977, array[%(zone)s], 'due'
	from generate_series(1, %(n)s) n;
insert into consents (client_id, lead_id, channel, granted, source, at)
	select 1, id, 'call', true, 'bench', now() - interval '1 day' from leads
	where client_id = 1 and list = 'due' order by id;
insert into enrollments (client_id, campaign_id, lead_id, due_at)
	select 1, c.id, l.id, now() - interval '1 hour' from leads l, campaigns c
	where c.name = %(campaign)s and l.client_id = 1 and l.list = 'due' order by l.id;
"""
# Whether or not one going takes the others with it.
CLEAR = """
create temp table old_leads as select id from leads where client_id = 1 and list = 'due';
create temp table old_enrollments as select id from enrollments
	where campaign_id = (select id from campaigns where name = %(campaign)s);
{ids}
delete from calls where enrollment_id in (select id from old_enrollments);
delete from decisions where enrollment_id in (select id from old_enrollments);
delete from enrollments where id in (select id from old_enrollments);
delete from consents where lead_id in (select id from old_leads);
delete from leads where id in (select id from old_leads);
"""
IDS = """
delete from provider_ids where call_id in
	(select c.id from calls c join old_enrollments e on e.id = c.enrollment_id);
"""
# What finished rows say in the columns that the tables have.
FINISHED = {
    "leads": {
        "client_id": "1",
        "phone": "'+1212' || 2000000 + n",
        "contact": "'Former ' || n",
        "company": "'Company ' || n % 977",
        "zones": "array['America/New_York']",
        "status": "'done'",
        "outcome": "'not_interested'",
        "last_call_id": "md5('call ' || n)::uuid",
        "last_call_at": "now() - interval '60 days' + n * interval '1 second'",
    },
    "enrollments": {
        "client_id": "1",
        "campaign_id": "(select id from campaigns where name = 'finished')",
        "lead_id": "n",
        "state": "'done'",
        "tries": "1",
        "attempts": "1",
        "outcome": "'not_interested'",
        "due_at": "now() - interval '61 days'",
    },
    "consents": {
        "client_id": "1",
        "lead_id": "n",
        "channel": "'call'",
        "granted": "true",
        "source": "'bench'",
        "at": "now() - interval '90 days'",
    },
    "calls": {
        "id": "md5('call ' || n)::uuid",
        "client_id": "1",
        "campaign_id": "(select id from campaigns where name = 'finished')",
        "enrollment_id": "n",
        "lead_id": "n",
        "phone": "'+1212' || 2000000 + n",
        "step": "1",
        "try": "1",
        "state": "'ended'",
        "provider_call_id": "md5('bland ' || n)::uuid::text",
        "created_at": "now() - interval '60 days' + n * interval '1 second'",
        "placed_at": "now() - interval '60 days' + n * interval '1 second'",
        "started_at": "now() - interval '60 days' + n * interval '1 second'",
        "ended_at": "now() - interval '60 days' + n * interval '1 second'",
        "outcome": "'not_interested'",
        "rule": "'7'",
        "outcome_rank": "60",
        "duration_seconds": "39",
        "transcript": "'assistant: Hello, this is about your request. user: No, thank you.'",
    },
    "provider_ids": {
        "provider": "'bland'",
        "provider_call_id": "md5('bland ' || n)::uuid::text",
        "call_id": "md5('call ' || n)::uuid",
    },
}


def zone_of_noon():
    """Where it is noon now: there the customary hours of calling hold, whenever the bench runs."""
    ahead = 12 - datetime.datetime.now(datetime.timezone.utc).hour
    # POSIX counts westward.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def campaign(house, database):
    """A campaign that waits; its limits are set far away."""
    house.sql(
        "insert into campaigns (client_id, name, state, started_at) values (1, %s, 'paused', now())",
        (CAMPAIGN,),
        database,
    )
    for table, where in (("campaigns", f"name = '{CAMPAIGN}'"), ("provider_limits", "client_id = 1")):
        widen(house, database, table, where)


def widen(house, database, table, where):
    """As far as the schema lets. Where its checks are narrower than what is measured, they go: otherwise a
    limit would be measured and not the dialer."""
    checks = house.sql(
        "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass"
        " and contype = 'c' and pg_get_constraintdef(oid) ~ '(concurrency|pace_per_second)'",
        (table,),
        database,
    )
    for value in (FAR, None):
        try:
            house.sql(
                f"update {table} set concurrency = {FAR}, pace_per_second = {FAR} where {where}",
                None,
                database,
            )
            return
        except Exception as e:
            if value is None or "check constraint" not in str(e):
                raise
            house.say(f"{table}: checks on limits are lifted for the measurement")
            for name, _ in checks:
                house.sql(f'alter table {table} drop constraint "{name}"', None, database)


def refill(house, database, n):
    """n due leads, and nothing left of the last measurement."""
    values = {"campaign": CAMPAIGN, "zone": zone_of_noon(), "n": n}
    house.sql("update campaigns set state = 'paused' where name = %(campaign)s", values, database)
    ids = house.sql("select to_regclass('provider_ids')", None, database)[0][0]
    house.sql(CLEAR.format(ids=IDS if ids else ""), values, database)
    house.sql(LEADS, values, database)
    for table in ("leads", "enrollments", "calls", "consents", "decisions", *([ids] if ids else [])):
        house.sql(f"vacuum analyze {table}", None, database)
    house.sql("checkpoint", None, database)


def finish(house, database, n):
    """n leads whose one call has ended, in an otherwise new database: ids 1 to n. Indexes are made
    afterwards, keys are right by construction; only the filling is hurried, not what is measured."""
    c = house.connect(database)
    with c.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute("set synchronous_commit = off")
        cursor.execute("set maintenance_work_mem = '512MB'")
        cursor.execute("insert into campaigns (client_id, name, state) values (1, 'finished', 'done')")
        for table, words in FINISHED.items():
            cursor.execute(
                "select column_name from information_schema.columns where table_name = %s", (table,)
            )
            there = {row[0] for row in cursor.fetchall()}
            words = {name: word for name, word in words.items() if name in there}
            if not words:
                continue
            cursor.execute(
                "select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i"
                " where i.indrelid = %s::regclass and not i.indisunique",
                (table,),
            )
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"drop index {name}")
            cursor.execute(
                f"insert into {table} ({', '.join(words)}) select {', '.join(words.values())}"
                f" from generate_series(1, {n}) n"
            )
            for _, definition in indexes:
                cursor.execute(definition)
            cursor.execute(f"vacuum analyze {table}")
        cursor.execute("insert into lead_statuses select id, client_id, status, outcome from leads")
        cursor.execute("vacuum analyze lead_statuses")
        cursor.execute("checkpoint")
    c.close()
