"""Who gets in, as what, and what strangers can send without harm. Through nginx and the real workers."""
import base64
import http.client
import json
import os
import re
import signal
import socket
import ssl
import threading
import time

import pytest
import requests

from conftest_stack import wait_for

PASSWORD = "correct horse battery"


def raw(stack, text, seconds=10):
    """Bytes as they are over TLS; the status of the answer, 0 where the connection was closed without one."""
    context = ssl._create_unverified_context()
    plain = socket.create_connection(("localhost", stack.port), seconds)
    with context.wrap_socket(plain, server_hostname="localhost") as s:
        s.settimeout(seconds)
        s.sendall(text)
        try:
            head = s.recv(4096).split(b"\r\n")[0].split()
        except ConnectionError:
            return 0
        return int(head[1]) if len(head) > 1 else 0


def make_user(stack, role, name):
    email = f"{name}@example.test"
    stack.run("user", "add", email, "--role", role, "--password-stdin", stdin=PASSWORD + "\n", check=False)
    stack.run("user", "passwd", email, "--password-stdin", stdin=PASSWORD + "\n")
    return email


def token(stack, email, password=PASSWORD):
    answer = stack.http().post("/api/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return {"Authorization": "Bearer " + answer.json()["token"]}


# -- signing in --------------------------------------------------------------------------------------
def test_browser_comes_back_to_where_it_wanted(stack):
    s = stack.http()
    answer = s.get("/users?x=1")
    assert answer.url.endswith("/login?next=%2Fusers%3Fx%3D1")
    email, password = stack.user("admin")
    answer = s.post(
        "/login", data={"email": email, "password": password, "next": "/users?x=1"}, allow_redirects=False
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/users?x=1")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-trunkline=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert s.get("/users").status_code == 200


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example"]
)
def test_sign_in_leads_to_no_other_site(stack, there):
    email, password = stack.user("admin")
    answer = stack.http().post(
        "/login", data={"email": email, "password": password, "next": there}, allow_redirects=False
    )
    assert answer.headers["Location"] == "/"


def test_wrong_password_and_unknown_user_read_the_same(stack):
    make_user(stack, "viewer", "same")
    stack.rows("delete from login_failures returning 1")
    answers = [
        stack.http().post("/api/login", json={"email": e, "password": "x" * 12})
        for e in ("same@example.test", "nobody@example.test")
    ]
    assert len({a.json()["error"]["message"] for a in answers}) == 1


def test_guessing_is_slowed_down_also_at_once(stack):
    stack.rows("delete from login_failures returning 1")
    answers = []

    def guess():
        answers.append(stack.http().post("/login", data={"email": "Victim@example.test", "password": "no"}))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    codes = sorted(a.status_code for a in answers)
    assert set(codes) == {401, 429} and codes.count(401) <= 5
    refused = next(a for a in answers if a.status_code == 429)
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    again = stack.http().post("/login", data={"email": "victim@example.test", "password": "x"})
    assert again.status_code == 429
    stack.rows("delete from login_failures returning 1")


def test_sessions_end_by_epoch_and_by_deactivation(stack):
    email = make_user(stack, "member", "ending")
    old, other = token(stack, email), token(stack, email)
    answer = stack.http().post("/api/account/sign-out-everywhere", headers=old)
    assert answer.status_code == 200
    fresh = {"Authorization": "Bearer " + answer.json()["token"]}
    codes = [stack.http().get("/api/account", headers=h).status_code for h in (old, other, fresh)]
    assert codes == [401, 401, 200]
    admin = stack.api("admin")
    user = next(u for u in admin.get("/api/users").json()["users"] if u["email"] == email)
    assert admin.patch(f"/api/users/{user['id']}", json={"active": False}).status_code == 200
    assert stack.http().get("/api/account", headers=fresh).status_code == 401
    assert stack.http().post("/api/login", json={"email": email, "password": PASSWORD}).status_code == 401


def test_forged_tokens(stack):
    def part(data):
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"uid": 1, "epoch": 1, "sid": "x", "iss": "trunkline", "iat": now, "exp": now + 999}
    good = stack.api("viewer").headers["Authorization"].split()[1]
    head, body, sign = good.split(".")
    for forged in (
        part({"alg": "none", "typ": "JWT"}) + "." + part(claims) + ".",
        f"{head}.{part(claims)}.{sign}",
        f"{head}.{body}.",
        f"{head}.{body}",
        "",
        "x",
        "." * 2,
        good + "x",
        "A" * 5000,
    ):
        answer = stack.http().get("/api/account", headers={"Authorization": "Bearer " + forged})
        assert answer.status_code == 401, forged


def test_admin_token(stack):
    s = stack.http()
    for sent, status in ((stack.admin_token, 200), (stack.admin_token[:-1], 401)):
        assert s.get("/api/users", headers={"Authorization": "Bearer " + sent}).status_code == status


# -- roles and forms ---------------------------------------------------------------------------------
def test_roles(stack):
    codes = [stack.api(r).get("/api/users").status_code for r in ("viewer", "member", "admin")]
    assert codes == [403, 403, 200]
    assert stack.http().get("/api/users").status_code == 401


def test_the_last_admin_stays(stack):
    admin = stack.api("admin")
    others = [u for u in admin.get("/api/users").json()["users"] if u["role"] == "admin" and u["active"]]
    assert len(others) == 1
    for change in ({"role": "member"}, {"active": False}):
        answer = admin.patch(f"/api/users/{others[0]['id']}", json=change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_admin")


def test_forms_of_other_sites_do_nothing(stack):
    s = stack.login("member")
    csrf = s.csrf()
    assert s.post("/account", data={"name": "no token"}).status_code == 403
    assert s.post("/account", data={"name": "x", "csrf": "0" * 64}).status_code == 403
    form = {"name": "Own", "csrf": csrf}
    for headers, status in (
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": stack.url}, 200),
    ):
        assert s.post("/account", data=form, headers=headers).status_code == status
    assert 'value="Own"' in s.get("/account").text


def test_what_was_typed_is_not_lost(stack):
    s = stack.login("admin")
    answer = s.form("/users", {"email": "no address", "name": "Typed <b>", "role": "member"})
    assert answer.status_code == 422
    for part in ('value="no address"', "Typed &lt;b&gt;", "email-error"):
        assert part in answer.text


def test_a_made_password_is_shown_once_and_works(stack):
    admin = stack.api("admin")
    answer = admin.post("/api/users", json={"email": f"made{time.time()}@example.test", "role": "viewer"})
    assert answer.status_code == 201
    user = answer.json()
    assert token(stack, user["user"]["email"], user["password"])
    assert "password" not in admin.get(f"/api/users/{user['user']['id']}").json()


# -- bad input: nothing of it may be a 5xx or a hang -------------------------------------------------
BAD_TARGETS = [
    "/%zz",
    "/%",
    "/%00",
    "/%ff",
    "/login?a=%f",
    "/login?a=%ed%a0%80",
    "/leads/99999999999999999999",
    "/leads/0",
    "/leads/-1",
    "/leads/1%0a",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/static/../../etc/passwd",
    "//",
    "/api",
    "/api/",
    "/leads?limit=0",
    "/leads?limit=x",
    "/leads?cursor=%27%22%3Cscript%3E",
    "/calls?status=%00",
    "/login?" + "&".join(f"a{i}=1" for i in range(1500)),
    "/login?next=" + "x" * 6000,
]


@pytest.mark.parametrize("target", BAD_TARGETS, ids=lambda t: t[:40])
def test_bad_targets(stack, target):
    head = (
        f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {stack.admin_token}\r\n\r\n"
    )
    assert 200 <= raw(stack, head.encode()) < 500


BAD_BODIES = {
    "array": ("application/json", b"[1]", 400),
    "text": ("application/json", b'"x"', 400),
    "cut": ("application/json", b'{"a":', 400),
    "deep": ("application/json", b"[" * 100000, 400),
    "bytes": ("application/json", b'{"email":"\xff"}', 400),
    "nul": ("application/json", b'{"email":"\\u0000"}', 400),
    "twice": ("application/json", b'{"email":"a","email":"b"}', 400),
    "numbers": ("application/json", b'{"email":5}', 422),
    "long": ("application/json", json.dumps({"email": "x" * 300000, "password": "y"}).encode(), 422),
    "xml": ("text/xml", b"<a/>", 415),
    "none": ("", b"a=1", 415),
    "latin": ("application/json; charset=latin1", b"{}", 415),
    "percent": ("application/x-www-form-urlencoded", b"email=%4", 400),
    "many": ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % i for i in range(3000)), 400),
    "too large": ("application/json", b"x" * 1_100_000, 413),
    "no boundary": ("multipart/form-data", b"x", 400),
    "torn": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
        400,
    ),
    "file": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n1\r\n--b--',
        400,
    ),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_bodies(stack, name):
    kind, body, status = BAD_BODIES[name]
    answer = stack.http().post("/api/login", data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: -5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: x\r\n",
        "Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Cookie: " + "a=b;" * 2500 + "\r\n",
    ],
    ids=range(6),
)
def test_bad_heads(stack, headers):
    head = f"POST /api/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n{{}}"
    assert raw(stack, head.encode()) in (0, 400)


def test_other_methods(stack):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        assert stack.http().request(method, "/login").status_code in (400, 405, 501)
    answer = stack.http().delete("/api/login")
    assert answer.status_code == 405 and "POST" in answer.headers["Allow"]


def test_headers_of_every_answer(stack):
    for path in ("/login", "/health", "/nothing", "/api/nothing"):
        answer = stack.http().get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Request-Id"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_assets_are_named_by_their_content(stack):
    page = stack.http().get("/login").text
    for path in re.findall(r'(?:href|src)="(/static/app[^"]+)"', page):
        assert re.fullmatch(r"/static/app\.[0-9a-f]{10}\.(css|js)", path)
        answer = stack.http().get(path)
        assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]


def test_no_secret_in_the_logs(stack):
    email, password = stack.user("admin")
    stack.login("admin")
    stack.api("admin")
    logs = "".join(p.read_text(errors="replace") for p in stack.state.glob("log/*.log"))
    for secret in (
        password,
        stack.secret("secret-key"),
        stack.admin_token,
        stack.bland_secret,
        "eyJhbGciOi",
    ):
        assert secret not in logs


# -- processes ---------------------------------------------------------------------------------------
class Load:
    """Requests without pause in some threads; counts what went wrong."""

    def __init__(self, stack, path="/api/users", threads=4):
        self.stack, self.path, self.bad, self.count, self.over = stack, path, [], 0, False
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]

    def work(self):
        s = self.stack.http()
        s.headers["Authorization"] = "Bearer " + self.stack.admin_token
        while not self.over:
            try:
                answer = s.get(self.path)
                if answer.status_code != 200:
                    self.bad.append(answer.status_code)
            except requests.RequestException as problem:
                self.bad.append(repr(problem))
            self.count += 1

    def __enter__(self):
        [t.start() for t in self.threads]
        return self

    def __exit__(self, *_):
        self.over = True
        [t.join() for t in self.threads]


def test_killed_and_reloaded_workers_cost_no_request(stack):
    with Load(stack) as load:
        for i in range(10):
            time.sleep(0.3)
            pids = stack.pids("trunkline-web")
            os.kill(pids[i % len(pids)], signal.SIGKILL if i % 2 else signal.SIGUSR2)
    assert load.count > 100 and not load.bad
    wait_for(lambda: stack.http().get("/healthz").status_code == 200)


def test_a_restarted_database_costs_no_request(stack):
    stack.http().get("/healthz")
    stack.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity" " where application_name = 'trunkline-web'"
    )
    admin = {"Authorization": "Bearer " + stack.admin_token}
    for _ in range(10):
        assert stack.http().get("/api/users", headers=admin).status_code == 200


def resident(pid):
    """Kilobytes of memory of a process."""
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def hammer(stack, count, paths):
    """That many requests over two kept connections."""

    def work():
        context = ssl._create_unverified_context()
        c = http.client.HTTPSConnection("localhost", stack.port, context=context, timeout=20)
        for i in range(count // 2):
            c.request(
                "GET", paths[i % len(paths)], headers={"Authorization": "Bearer " + stack.admin_token}
            )
            c.getresponse().read()
        c.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads]
    [t.join() for t in threads]


def test_ten_thousand_requests_do_not_grow_a_worker(new_stack):
    stack = new_stack(MAX_REQUESTS="0", ASAN_OPTIONS="detect_leaks=0:quarantine_size_mb=1")
    paths = ["/leads", "/account", "/api/users", "/nothing", "/login?next=/leads", "/calls"]
    hammer(stack, 2000, paths)
    before = {pid: resident(pid) for pid in stack.pids("trunkline-web")}
    hammer(stack, 10000, paths)
    after = {pid: resident(pid) for pid in before}
    assert before.keys() == set(stack.pids("trunkline-web"))
    assert all(after[pid] < before[pid] + 4096 for pid in before), (before, after)


def test_workers_renew_themselves_unnoticed(new_stack):
    stack = new_stack(MAX_REQUESTS="40")
    before = set(stack.pids("trunkline-web"))
    with Load(stack) as load:
        time.sleep(3)
    assert load.count > 200 and not load.bad
    assert len(before - set(stack.pids("trunkline-web"))) >= 2


def test_events_are_pushed(stack):
    answer = stack.api("viewer").get("/events", stream=True, timeout=20)
    assert answer.headers["Content-Type"] == "text/event-stream"
    lines = answer.iter_lines(chunk_size=1)
    assert next(lines) == b"retry: 2000"
    stack.rows("select pg_notify('live', '')")
    assert any(line == b"event: live" for _, line in zip(range(10), lines))
    answer.close()
    assert stack.http().get("/events").status_code == 401
