"""asyncio + httpx + asyncpg: several loops, each claiming a lead, writing the call down, sending it and
recording the answer. usage: dispatch_asyncio.py N"""
import asyncio
import json
import os
import sys
import time
import uuid

import asyncpg
import httpx

LOOPS = int(os.environ.get("PEER_LOOPS", "32"))
TABLES = """
create table leads (id bigint primary key, phone text not null, contact text not null,
    company text not null, status text not null default 'pending', due_at timestamptz not null default now());
create index leads_due on leads (due_at, id) where status = 'pending';
create table calls (id uuid primary key, lead_id bigint not null, phone text not null, state text not null,
    provider_call_id text unique, placed_at timestamptz);
"""
CLAIM = """
with due as (
    update leads set status = 'dialing' where id = (select id from leads where status = 'pending'
        and due_at <= now() order by due_at, id limit 1 for update skip locked)
    returning id, phone, contact, company
), written as (
    insert into calls (id, lead_id, phone, state) select $1, id, phone, 'placing' from due
)
select * from due
"""
PLACED = "update calls set state = 'placed', provider_call_id = $2, placed_at = now() where id = $1"


def body_of(template, lead, attempt):
    return {
        **template,
        "phone_number": lead["phone"],
        "request_data": {
            **template.get("request_data", {}),
            "contact": lead["contact"],
            "company": lead["company"],
        },
        "metadata": {**template["metadata"], "lead_id": str(lead["id"]), "attempt_id": str(attempt)},
    }


async def loop(pool, client, template):
    while True:
        attempt = uuid.uuid4()
        lead = await pool.fetchrow(CLAIM, attempt)
        if not lead:
            return
        answer = await client.post(os.environ["STUB"], json=body_of(template, lead, attempt))
        answer.raise_for_status()
        await pool.execute(PLACED, attempt, answer.json()["call_id"])


async def main(n):
    with open(os.environ["BODY"]) as f:
        template = json.load(f)
    pool = await asyncpg.create_pool(
        host=os.environ["PGHOST"],
        user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"],
        min_size=16,
        max_size=16,
    )
    await pool.execute(TABLES)
    await pool.execute(
        "insert into leads select n, '+1415' || 2000000 + n, 'Person ' || n, 'Company ' || n % 977"
        " from generate_series(1, $1::int) n",
        n,
    )
    await pool.execute("vacuum analyze leads")
    limits = httpx.Limits(max_connections=LOOPS, max_keepalive_connections=LOOPS)
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:
        began = time.monotonic()
        await asyncio.gather(*[loop(pool, client, template) for _ in range(LOOPS)])
        seconds = time.monotonic() - began
    found = "select count(distinct provider_call_id) from calls where state = 'placed'"
    print(json.dumps({"seconds": seconds, "recorded": await pool.fetchval(found)}))
    await pool.close()


asyncio.run(main(int(sys.argv[1])))
