"""The usual tutorial: FastAPI and aiosqlite, a connection per request as a dependency."""
import json
import os

import aiosqlite
from fastapi import Depends, FastAPI, HTTPException, Request

from webhook_report import digest, report, signed

app = FastAPI()


async def database():
    async with aiosqlite.connect(os.environ["SQLITE_FILE"], timeout=30) as db:
        db.row_factory = aiosqlite.Row
        yield db


@app.post("/webhooks/bland")
async def webhook(request: Request, db: aiosqlite.Connection = Depends(database)):
    raw = await request.body()
    if not signed(raw, request.headers.get("x-webhook-signature")):
        raise HTTPException(401, "The signature is missing or wrong.")
    r = report(json.loads(raw))
    try:
        await db.execute(
            "insert into events (dedupe_key, kind, provider_call_id, call_id, received_at, body)"
            " values (?, ?, ?, ?, datetime('now'), ?)",
            (digest(raw), r["kind"], r["provider_call_id"], r["attempt_id"], raw.decode()),
        )
    except aiosqlite.IntegrityError:
        return {"status": "ok", "verdict": "duplicate"}
    async with db.execute("select * from calls where id = ?", (r["attempt_id"],)) as cursor:
        call = await cursor.fetchone()
    if call is None:
        await db.commit()
        return {"status": "ok", "verdict": "unknown_call"}
    await db.execute(
        "update calls set state = 'ended', outcome = ?, rule = ?, answered_by = ?, disposition = ?,"
        " ended_by = ?, duration_seconds = ?, cost_usd = ?, transcript = ?, turns = ?, summary = ?,"
        " started_at = ?, ended_at = ? where id = ?",
        (
            r["outcome"],
            r["rule"],
            r["answered_by"],
            r["disposition"],
            r["ended_by"],
            r["duration_seconds"],
            r["cost_micros"],
            r["transcript"],
            json.dumps(r["turns"]),
            r["summary"],
            r["started_at"],
            r["ended_at"],
            call["id"],
        ),
    )
    await db.execute(
        "update enrollments set state = 'done', outcome = ?, attempts = attempts + 1,"
        " changed_at = datetime('now') where id = ?",
        (r["outcome"], call["enrollment_id"]),
    )
    await db.execute(
        "update leads set status = 'done', outcome = ?, last_call_id = ?, updated_at = datetime('now')"
        " where id = ?",
        (r["outcome"], call["id"], call["lead_id"]),
    )
    await db.commit()
    return {"status": "ok", "verdict": "applied"}
