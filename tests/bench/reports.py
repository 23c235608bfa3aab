"""Live calls and the signed reports about them, as W, R and the load test send them: what the n-th call is
follows from n alone, so that database, requests and checks need not be told of each other."""
import hashlib
import hmac
import json
import uuid

BODY = {
    "status": "completed",
    "completed": True,
    "queue_status": "complete",
    "answered_by": "human",
    "call_length": 0.65,
    "corrected_duration": "39",
    "from": "+15550100001",
    "error_message": None,
    "started_at": "2026-01-05T15:00:04.000Z",
    "end_at": "2026-01-05T15:00:43.000Z",
    "price": 0.078,
    "call_ended_by": "USER",
    "concatenated_transcript": "user: Hello? \n assistant: Hi Ada. \n user: Tell me more. \n ",
    "transcripts": [
        {"id": 1, "user": "user", "text": "Hello?", "created_at": "2026-01-05T15:00:06Z"},
        {"id": 2, "user": "assistant", "text": "Hi Ada."},
        {"id": 3, "user": "user", "text": "Tell me more."},
    ],
    "summary": "Ada wants a demo.",
    "disposition_tag": "INTERESTED",
    "is_proxy_agent_call": False,
}
OUTCOMES = ("no_answer", "busy", "voicemail", "hangup", "failed")
POLICY = json.dumps({outcome: {"retries": 2, "delay": 3600, "factor": 2} for outcome in OUTCOMES})
NAME = "webhook bench"
EMPTY = """truncate leads, enrollments, calls, provider_ids, events, decisions, consents, tallies
restart identity cascade"""
LEADS = """
insert into campaigns (client_id, name, state, retry_policy) select %(client)s, %(name)s, 'paused', %(policy)s
	where not exists (select from campaigns where name = %(name)s);
insert into leads (client_id, phone, contact, status)
	select %(client)s, '+1415' || 2000000 + n, 'Ada', 'pending' from generate_series(%(first)s, %(last)s) n;
insert into enrollments (client_id, campaign_id, lead_id, state, tries)
	select %(client)s, c.id, l.id, 'under_way', 1 from leads l, campaigns c
	where c.name = %(name)s and l.client_id = %(client)s
		and l.phone between '+1415' || 2000000 + %(first)s and '+1415' || 2000000 + %(last)s order by l.id;
"""
CALL = {
    "id": "md5('call ' || k.n)::uuid",
    "client_id": "k.client_id",
    "campaign_id": "k.campaign_id",
    "enrollment_id": "k.id",
    "lead_id": "k.lead_id",
    "phone": "k.phone",
    "step": "1",
    "try": "1",
    "state": "'placed'",
    "provider_call_id": "md5('bland ' || k.n)::uuid::text",
    "created_at": "now()",
}
CALLS_FROM = """
	from (select e.id, e.client_id, e.campaign_id, e.lead_id, l.phone, substr(l.phone, 6)::int - 2000000 as n
		from enrollments e join leads l on l.id = e.lead_id join campaigns c on c.id = e.campaign_id
		where c.name = %(name)s and l.client_id = %(client)s
			and l.phone between '+1415' || 2000000 + %(first)s and '+1415' || 2000000 + %(last)s) k
	order by k.id
"""
APPLIED = """
select count(*) from calls c join events v on v.call_id = c.id and v.verdict = 'applied'
	join enrollments e on e.id = c.enrollment_id and e.state = 'done' and e.attempts = 1
	join leads l on l.id = e.lead_id and l.status = 'done' and l.outcome = 'interested'
	join campaigns g on g.id = e.campaign_id and g.name = %(name)s
where c.state = 'ended' and c.outcome = 'interested' and c.duration_seconds = 39
"""


def md5_uuid(text):
    return str(uuid.UUID(hashlib.md5(text.encode()).hexdigest()))


def body_of(n):
    bland = md5_uuid(f"bland {n}")
    attempt = {"attempt_id": md5_uuid(f"call {n}")}
    return {"call_id": bland, "c_id": bland, "to": f"+1415{2000000 + n}", "metadata": attempt, **BODY}


def post(raw, signature):
    head = (
        "POST /webhooks/bland HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"User-Agent: bench\r\nX-Webhook-Signature: {signature}\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


def signature(raw, secret):
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def request_of(n, secret):
    raw = json.dumps(body_of(n)).encode()
    return post(raw, signature(raw, secret))


def pattern():
    """The report of a call that hammer numbers itself (-g): runs of letters as wide as what replaces them."""
    bland, attempt = "b" * 36, {"attempt_id": "c" * 36}
    said = {"call_id": bland, "c_id": bland, "to": "+1415ppppppp", "metadata": attempt, **BODY}
    return post(json.dumps(said).encode(), "s" * 64)


def existing(cursor, table, expressions):
    """Those of {column: expression} whose column the table has."""
    cursor.execute(
        "select column_name from information_schema.columns"
        " where table_schema = 'public' and table_name = %s",
        (table,),
    )
    there = {row[0] for row in cursor.fetchall()}
    return {column: text for column, text in expressions.items() if column in there}


def insert(cursor, table, expressions, source, words):
    """Rows of {column: expression}; a column that the table does not have is left out."""
    row = existing(cursor, table, expressions)
    cursor.execute(
        f"insert into {table} ({', '.join(row)}) select {', '.join(row.values())}{source}", words
    )


def words_of(last, first, client):
    return {"first": first, "last": last, "client": client, "policy": POLICY, "name": NAME}


def add_leads(connection, last, first=1, client=1):
    """The leads of those calls, in one paused campaign; they must not be there yet."""
    with connection.cursor() as cursor:
        cursor.execute(LEADS, words_of(last, first, client))


def add_calls(connection, last, first=1, client=1):
    """The live calls themselves, from the first-th to the last-th."""
    with connection.cursor() as cursor:
        insert(cursor, "calls", CALL, CALLS_FROM, words_of(last, first, client))


def reset(connection, n):
    """Empty tables but for n live calls, as fresh as they can be."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)
    add_leads(connection, n)
    add_calls(connection, n)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze leads, enrollments, calls, events, decisions")
        cursor.execute("checkpoint")


def applied(connection):
    """How many reports were applied in full."""
    with connection.cursor() as cursor:
        cursor.execute(APPLIED, {"name": NAME})
        return cursor.fetchone()[0]
