"""FastAPI, asyncpg and Jinja2: the leads page with the same statements, cookie and markup as the
product's."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import time
from pathlib import Path

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader

HERE = Path(__file__).resolve().parent
SECRET = os.environ["SECRET_KEY"].encode()
WORDS = json.loads((HERE / "page_words.json").read_text())
STATEMENTS = json.loads(Path(os.environ["STATEMENTS"]).read_text())
page = Environment(loader=FileSystemLoader(HERE), autoescape=True, auto_reload=False).get_template(
    "page_leads.html"
)
app = FastAPI()
UTC = datetime.timezone.utc
# A parameter of the log is text; asyncpg wants the statement's own types.
READ = {
    "int8": int,
    "int4": int,
    "bool": lambda text: text == "t",
    "timestamptz": lambda text: None,
    "numeric": float,
}


async def prepare(connection):
    for s in STATEMENTS:
        types = [t.name for t in (await connection.prepare(s["sql"])).get_parameters()]
        s["types"] = types
        s["values"] = [
            None if text is None else READ.get(kind, str)(text) for kind, text in zip(types, s["params"])
        ]


@app.on_event("startup")
async def connect():
    app.state.pool = await asyncpg.create_pool(
        host=os.environ["PGHOST"],
        user=os.environ["PGUSER"],
        database=os.environ["PGDATABASE"],
        min_size=8,
        max_size=8,
    )
    async with app.state.pool.acquire() as connection:
        await prepare(connection)


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def session(token):
    """The claims of a signed cookie, None where it is none of ours."""
    parts = (token or "").split(".")
    if len(parts) != 3:
        return None
    good = hmac.new(SECRET, f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(good, unpadded(parts[2])):
        return None
    claims = json.loads(unpadded(parts[1]))
    return claims if claims["exp"] > time.time() else None


async def ask(claims):
    found, now = {}, datetime.datetime.now(UTC)
    async with app.state.pool.acquire() as connection:
        for s in STATEMENTS:
            values = [now if kind == "timestamptz" else v for kind, v in zip(s["types"], s["values"])]
            if s["name"] == "user_visit":
                values = [claims["uid"], claims["epoch"], now]
            found[s["name"]] = await connection.fetch(s["sql"], *values)
            if s["name"] == "user_visit" and not found[s["name"]]:
                return None
    return found


def label(word):
    return word.replace("_", " ").capitalize()


def pretty(phone):
    if phone.startswith("+1"):
        return f"+1 {phone[2:5]} {phone[5:8]} {phone[8:]}"
    return phone


def ago(at, now):
    seconds = int((now - at).total_seconds())
    text = next(
        (
            f"{abs(seconds) // size} {unit}"
            for size, unit in ((86400, "d"), (3600, "h"), (60, "min"))
            if abs(seconds) >= size
        ),
        "now",
    )
    return text if text == "now" else f"{text} ago" if seconds > 0 else f"in {text}"


def moment(at, now):
    return at and {
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "local": at.strftime("%a %d %b %Y, %H:%M"),
        "ago": ago(at, now),
    }


def row(r, now):
    return {
        **r,
        "pretty": pretty(r["phone"]),
        "status_label": label(r["status"]),
        "outcome_label": label(r["outcome"] or ""),
        "next": moment(r["next_at"], now),
        "last": moment(r["last_call_at"], now),
        "why": r["reason"]
        if r["enrollment_state"] in ("waiting", "blocked") and r["reason"] != "new"
        else "",
    }


def chips(name, pairs):
    first = {"label": "All", "href": "/leads", "current": True}
    return [first, *({"value": v, "label": text, "href": f"/leads?{name}={v}"} for v, text in pairs)]


def model(found, claims):
    now = datetime.datetime.now(UTC)
    frame = viewer = found["user_visit"][0]
    choices = found["lead_choices"][0]
    badges = {"home": frame["alerts"], "calls": frame["ambiguous"]}
    matches, rows = choices["few"], found["lead_list"][:50]
    return {
        "now": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "nav": [
            {
                "href": h,
                "label": text,
                "icon": i,
                "more": m,
                "current": h == "/leads",
                "badge": badges.get(i),
            }
            for h, text, i, m in WORDS["nav"]
        ],
        "viewer": {
            "email": viewer["email"],
            "role": label(viewer["role"]),
            "initials": viewer["email"][:1],
        },
        "csrf": hmac.new(SECRET, f"csrf {claims['sid']}".encode(), hashlib.sha256).hexdigest(),
        "running": json.loads(frame["running"]),
        "sentence": f"{matches:,} leads",
        "statuses": chips("status", ((s, label(s)) for s in WORDS["statuses"])),
        "outcomes": chips("outcome", ((s, label(s)) for s in WORDS["outcomes"])),
        "consents": chips("consent", WORDS["consents"]),
        "lists": chips("list", ((name, name) for name in json.loads(choices["lists"]))),
        "campaigns": json.loads(choices["campaigns"]),
        "leads": [row(r, now) for r in rows],
        "next_url": f"/leads?cursor={rows[-1]['id']}" if len(found["lead_list"]) > 50 else "",
    }


@app.get("/leads", response_class=HTMLResponse)
async def leads(request: Request):
    claims = session(request.cookies.get("__Host-trunkline"))
    found = claims and await ask(claims)
    if not found:
        return RedirectResponse("/login", 303)
    return HTMLResponse(page.render(model(found, claims)))
