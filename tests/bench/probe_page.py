"""P: the leads page with 50 rows, signed in, out of a million leads.

What the page asks the database is read from PostgreSQL's log; pgbench runs exactly that (the limit), and
so do the peers, which check the very same signed cookie and render the same table. The same page out of
1,000 leads is measured in between on a second stack."""
import json

import filler
import peers
import statements
import usage
from bench import Bar

ROW = b'<tr data-href="/leads/'
CONNECTIONS = 16
CLIENTS = 8


class Void(Exception):
    """What was measured is not what was to be measured."""


def ask(stack, url, cookie):
    answer = stack.http().get(url + "/leads", headers={"Cookie": cookie})
    if answer.status_code != 200 or answer.content.count(ROW) != 50:
        raise Void(f"{url}: {answer.status_code} with {answer.content.count(ROW)} rows")
    return answer.content


def refuses(stack, url, cookie):
    """A page that shows itself to anybody, or to a forged cookie, would be less work."""
    for words in ("", cookie[:-6] + "AAAAAA"):
        answer = stack.http().get(url + "/leads", headers={"Cookie": words}, allow_redirects=False)
        if answer.status_code == 200:
            raise Void(f"{url} answers without a good cookie")


class Pages:
    def __init__(self, house):
        self.house = house
        self.shares = usage.Shares()

    def cookie(self, stack):
        return "; ".join(f"{c.name}={c.value}" for c in stack.login("member").cookies)

    def filled(self, stack, leads):
        connection = self.house.connect_to(stack)
        filler.fill(connection, leads, min(leads, 200_000))
        connection.close()
        return self.cookie(stack)

    def rate(self, name, url, cookie):
        request = f"GET /leads HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nCookie: {cookie}\r\n\r\n"
        done = self.house.load(url, [request.encode()], CONNECTIONS, repeat=True)
        if done["other"] or done["errors"]:
            raise Void(f"{name}: {done}")
        if name == "trunkline":
            self.shares.add(name, done["cpu_us"])
        return done["rate"]


def same_work(house, stack, addresses, cookie):
    """Every page has fifty rows, wants the cookie, and is about as large as ours."""
    sizes = {name: len(ask(stack, url, cookie)) for name, url in addresses.items()}
    for name, url in addresses.items():
        refuses(stack, url, cookie)
        house.figure(f"size of the page, {name}", sizes[name], "bytes")
        if not 0.85 < sizes[name] / sizes["trunkline"] < 1.15:
            raise Void(f"pages of {sizes}: not the same work")


def measure(house, pages, small):
    stack = house.stack()
    leads = 100_000 if house.quick else 1_000_000
    house.say(f"filling in {leads:,} leads")
    cookie, few_cookie = pages.filled(stack, leads), pages.filled(small, 1_000)
    for _ in range(20):  # every worker has prepared its statements
        ask(stack, stack.url, cookie)
    work = statements.of_page(house, stack, lambda: ask(stack, stack.url, cookie))
    house.say("the page runs " + ", ".join(s.name for s in work))
    (house.out / "page-statements.json").write_text(json.dumps([s.plain() for s in work], indent=1))
    script, options = statements.as_pgbench(work)
    env = {"STATEMENTS": house.out / "page-statements.json", "SECRET_KEY": stack.secret("secret-key")}
    fastapi = peers.uvicorn(house, "page_fastapi", 2, env)
    fastify = peers.node(house, "page_fastify.js", 2, env)
    same_work(house, stack, {"trunkline": stack.url, "fastapi": fastapi, "fastify": fastify}, cookie)
    return house.alternate(
        {
            "limit": lambda: house.pgbench(script, *options, clients=CLIENTS),
            "trunkline": lambda: pages.rate("trunkline", stack.url, cookie),
            "trunkline, 1,000 leads": lambda: pages.rate("1,000 leads", small.url, few_cookie),
            "fastify+mustache": lambda: pages.rate("fastify", fastify, cookie),
            "fastapi+jinja2": lambda: pages.rate("fastapi", fastapi, cookie),
        }
    )


def run(house):
    small, pages = house.new_stack(), Pages(house)
    try:
        rounds = measure(house, pages, small)
    finally:
        small.close()
        connection = house.connect()
        filler.empty(connection)
        connection.close()
    for name in rounds.values:
        house.figure(name, rounds.median(name), "pages/s")
    pages.shares.figures(house, "a page")

    def bar(what, above, below, op, needed):
        return Bar("P", what, rounds.ratio(above, below), op, needed, "×", details=rounds.values)

    return [
        bar("trunkline ÷ limit", "trunkline", "limit", ">=", 0.5),
        bar("trunkline ÷ FastAPI + Jinja2", "trunkline", "fastapi+jinja2", ">=", 15),
        bar("trunkline ÷ Fastify + mustache", "trunkline", "fastify+mustache", ">=", 1.7),
        bar("1,000 leads ÷ all of them", "trunkline, 1,000 leads", "trunkline", "<=", 1.2),
    ]
