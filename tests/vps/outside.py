"""The world outside the machine: browsers and a provider, who know it by its name only."""

import hashlib
import hmac
import http.client
import json
import re
import socket
import ssl
import threading
import time

import requests
import urllib3.util.connection as wires

from reports import body_of

CSRF = re.compile(r'name="csrf" value="([^"]+)"')
ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')
addresses = {}  # name: address, as the DNS would say
dial = wires.create_connection


def resolve(address, *more, **named):
    host, port = address
    return dial((addresses.get(host, host), port), *more, **named)


wires.create_connection = resolve


class Visitor(requests.Session):
    """One person's browser, or one program."""

    def __init__(self, domain, certificate):
        super().__init__()
        self.base, self.verify, self.trust_env = f"https://{domain}", certificate, False

    def request(self, method, url, **more):
        more.setdefault("timeout", 30)
        return super().request(method, self.base + url if url.startswith("/") else url, **more)

    def login(self, email, password):
        answer = self.post("/api/login", json={"email": email, "password": password})
        answer.raise_for_status()
        self.headers["Authorization"] = "Bearer " + answer.json()["token"]
        return self


class Load:
    """Pages with all their parts and signed reports of a provider, from many connections, until stopped.
    Every request is counted; whatever is not answered as it should be is a failure, with its time and reason.
    """

    def __init__(self, domain, address, certificate, token, secret, reports):
        self.domain, self.address, self.token, self.secret = domain, address, token, secret
        self.tls = ssl.create_default_context(cafile=certificate)
        self.reports = iter(reports)
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.failures, self.accepted, self.slowest = [], [], 0.0
        self.pages = self.posts = self.assets = 0
        self.threads = [threading.Thread(target=self.browse, args=(n,), daemon=True) for n in range(4)]
        self.threads += [threading.Thread(target=self.report, args=(n,), daemon=True) for n in range(3)]

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        self.seconds = time.monotonic() - self.began

    def connect(self):
        wire = http.client.HTTPSConnection(self.domain, 443, timeout=30, context=self.tls)
        plain = socket.create_connection((self.address, 443), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sock = self.tls.wrap_socket(plain, server_hostname=self.domain)
        return wire

    def ask(self, wire, method, path, body=None, headers=None):
        begin = time.monotonic()
        wire.request(method, path, body, headers or {})
        answer = wire.getresponse()
        said = answer.read()
        with self.lock:
            self.slowest = max(self.slowest, time.monotonic() - begin)
        return answer, said

    def fail(self, what, why):
        with self.lock:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {what}: {why}"[:300])

    def get(self, wire, path, fresh):
        """(wire, body) of a page; a browser sends once more where a kept connection was closed."""
        headers = {"Authorization": "Bearer " + self.token, "Accept": "text/html"}
        if path.startswith("/static/"):
            headers = {}
        for last in (False, True):
            kept = wire is not None
            try:
                wire = wire or self.connect()
                answer, said = self.ask(wire, "GET", path, headers=headers)
            except (OSError, http.client.HTTPException) as e:
                wire = None
                if last or not kept:
                    self.fail("GET " + path, repr(e))
                    return None, b""
                continue
            if answer.status != 200:
                self.fail("GET " + path, f"{answer.status} {said[:120]!r}")
                said = b""
            if fresh or answer.will_close:
                wire.close()
                wire = None
            return wire, said
        return None, b""

    def browse(self, number):
        wire, turn = None, number
        paths = ("/", "/leads", "/calls", "/campaigns", "/api/calls", "/healthz")
        while not self.stopping.is_set():
            path = paths[turn % len(paths)]
            turn += 1
            wire, page = self.get(wire, path, number % 2 == 0)
            with self.lock:
                self.pages += 1
            for asset in set(ASSET.findall(page.decode(errors="replace"))) if turn % 5 == 0 else ():
                wire, _ = self.get(wire, asset, False)
                with self.lock:
                    self.assets += 1
            self.stopping.wait(0.12)  # within what one address may ask for: nginx/trunkline.conf

    def report(self, _number):
        while not self.stopping.is_set():
            with self.lock:
                one = next(self.reports, None)
            if one is None:
                self.fail("reports", "there were not enough of them for so long a load")
                return
            raw = json.dumps(one).encode()
            headers = {"Content-Type": "application/json", "X-Webhook-Signature": sign(self.secret, raw)}
            try:
                wire = self.connect()
                answer, said = self.ask(wire, "POST", "/webhooks/bland", raw, headers)
                wire.close()
                if answer.status == 200:
                    with self.lock:
                        self.accepted.append(one["call_id"])
                else:
                    self.fail("POST /webhooks/bland", f"{answer.status} {said[:120]!r}")
            except (OSError, http.client.HTTPException) as e:
                self.fail("POST /webhooks/bland", repr(e))
            with self.lock:
                self.posts += 1
            self.stopping.wait(0.01)

    def total(self):
        return self.pages + self.posts + self.assets


def sign(secret, raw):
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


# Calls under way of a client of their own, whose campaign is paused: what ends them is our reports alone.
CALLS = """
with c as (insert into clients (name) values ('Load') returning id),
l as (insert into provider_limits (client_id, provider, concurrency) select id, 'bland', 1000000 from c),
k as (insert into campaigns (client_id, name, state, max_attempts) select id, 'Load', 'paused', 1 from c
	returning id, client_id),
p as (insert into leads (client_id, phone, contact, status)
	select id, '+1415' || (2000000 + n), 'Person ' || n, 'pending' from c, generate_series(1, {n}) n
	returning id, client_id, phone),
e as (insert into enrollments (client_id, campaign_id, lead_id, state, tries)
	select p.client_id, k.id, p.id, 'under_way', 1 from p, k returning id, lead_id, campaign_id),
m as (insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step, try, state,
		provider_call_id, created_at, placed_at, deadline_at)
	select md5('call ' || right(p.phone, 7)::int - 2000000)::uuid, p.client_id, e.campaign_id, e.id, p.id,
		p.phone, 1, 1, 'placed', md5('bland ' || right(p.phone, 7)::int - 2000000)::uuid::text, now(), now(),
		now() + interval '1 day'
	from p join e on e.lead_id = p.id returning id, provider_call_id)
insert into provider_ids (provider, provider_call_id, call_id) select 'bland', provider_call_id, id from m;
"""


def reports(first, last):
    """What the provider says about those calls, each once."""
    return map(body_of, range(first, last))
