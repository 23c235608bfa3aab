"""Fills the product's tables as months of work would have, in one go: leads with consent, and for the
newest of them a campaign that is done, with calls and outcomes."""
from reports import EMPTY, insert

AREAS = "{212,312,646,602,713,206,305,404,503,617}"
FIRST = "{Ada,Grace,Alan,Edsger,Barbara,Donald,Radia,Ken,Niklaus,Frances}"
LAST = "{Hopper,Turing,Liskov,Knuth,Perlman,Thompson,Wirth,Allen,Dijkstra,Lovelace,Müller}"
OUTCOMES = "{interested,not_interested,voicemail,no_answer,busy,callback,follow_up}"
TRANSCRIPT = "user: Hello?\nassistant: Hi, this is about your request.\nuser: Tell me more.\n"
INDEXES = """
select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index i
where indrelid = any ('{leads,enrollments,calls,consents}'::regclass[])
	and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
"""
LEAD = {
    "client_id": "1",
    "phone": f"'+1' || ('{AREAS}'::text[])[n %% 10 + 1] || 2000000 + n",
    "contact": f"('{FIRST}'::text[])[n %% 10 + 1] || ' ' || ('{LAST}'::text[])[n / 10 %% 11 + 1]",
    "company": "'Company ' || n %% 5000 || ' & Sons'",
    "email": "'person' || n || '@example.test'",
    "location": "'New York'",
    "region": "'NY'",
    "zones": "'{America/New_York}'",
    "source": "'a file'",
    "list": "'List ' || n %% 5",
    "status": "case when n > %(first)s then 'done' else 'pending' end",
    "outcome": f"case when n > %(first)s then ('{OUTCOMES}'::text[])[n %% 7 + 1] end",
    "last_call_id": "case when n > %(first)s then md5('done call ' || n)::uuid end",
    "last_call_at": "case when n > %(first)s then now() - n %% 100000 * interval '1 second' end",
    "created_at": "now() - interval '30 days'",
}
LEADS_FROM = " from generate_series(1, %(n)s) n"
BESIDE = f"""
insert into consents (client_id, lead_id, channel, granted, source, at)
	select 1, n, 'call', n %% 50 <> 0, 'a form', now() - interval '30 days' from generate_series(1, %(n)s) n;
insert into campaigns (client_id, name, state, started_at, finished_at)
	values (1, 'Spring', 'done', now() - interval '9 days', now() - interval '1 day') on conflict do nothing;
insert into enrollments (client_id, campaign_id, lead_id, state, tries, attempts, outcome)
	select 1, c.id, n, 'done', 1, 1, ('{OUTCOMES}'::text[])[n %% 7 + 1]
	from campaigns c, generate_series(%(first)s + 1, %(n)s) n where c.name = 'Spring';
"""
MADE = "now() - l.id %% 100000 * interval '1 second'"
CALL = {
    "id": "md5('done call ' || l.id)::uuid",
    "client_id": "1",
    "campaign_id": "e.campaign_id",
    "enrollment_id": "e.id",
    "lead_id": "l.id",
    "phone": "l.phone",
    "step": "1",
    "try": "1",
    "state": "'ended'",
    "provider_call_id": "md5('done bland ' || l.id)::uuid::text",
    "created_at": MADE,
    "placed_at": MADE,
    "started_at": MADE + " + interval '4 seconds'",
    "ended_at": MADE + " + interval '43 seconds'",
    "outcome": "e.outcome",
    "rule": "'7'",
    "rule_version": "1",
    "outcome_rank": "60",
    "answered_by": "'human'",
    "duration_seconds": "39",
    "cost_usd": "78000",
    "transcript": "%(transcript)s",
    "summary": "'Asked for more.'",
}
CALLS_FROM = " from enrollments e join leads l on l.id = e.lead_id where e.state = 'done' order by e.id"


def fill(connection, leads, called, more=None):
    """So many leads, the newest `called` of which were called. What was there is gone. Indexes are made
    at the end, foreign keys are not looked up: the rows are known to be right, and it is ten times as
    fast. more(connection) adds rows before the indexes are made."""
    words = {"n": leads, "first": leads - called, "transcript": TRANSCRIPT}
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica; set maintenance_work_mem = '256MB'")
        cursor.execute("set synchronous_commit = off")
        cursor.execute(EMPTY)
        cursor.execute("truncate lead_statuses")  # which triggers keep otherwise
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"drop index {name}")
        insert(cursor, "leads", LEAD, LEADS_FROM, words)
        cursor.execute("insert into lead_statuses select id, client_id, status, outcome from leads")
        cursor.execute(BESIDE, words)
        insert(cursor, "calls", CALL, CALLS_FROM, words)
        if more:
            more(connection)
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("vacuum analyze leads, lead_statuses, enrollments, calls, consents")
        cursor.execute("reset session_replication_role; reset synchronous_commit; checkpoint")


def empty(connection):
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)
