"""FastAPI and asyncpg, with the very same SQL function as the product."""
import datetime
import json
import os

import asyncpg
from fastapi import FastAPI, HTTPException, Request

from webhook_report import digest, report, signed

app = FastAPI()


@app.on_event("startup")
async def connect():
    app.state.pool = await asyncpg.create_pool(
        host=os.environ["PGHOST"],
        user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"],
        min_size=8,
        max_size=8,
    )


@app.post("/webhooks/bland")
async def webhook(request: Request):
    raw = await request.body()
    if not signed(raw, request.headers.get("x-webhook-signature")):
        raise HTTPException(401, "The signature is missing or wrong.")
    r = report(json.loads(raw))
    headers = {"Content-Type": request.headers.get("content-type"), "signed": True}
    verdict = await app.state.pool.fetchval(
        "select event_receive($1, $2, $3, $4, $5, $6, $7)",
        "bland",
        digest(raw),
        "good",
        raw.decode(),
        json.dumps(headers),
        json.dumps(r),
        datetime.datetime.now(datetime.timezone.utc),
    )
    return {"status": "ok", "verdict": verdict}
