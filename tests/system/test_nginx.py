"""What nginx itself decides, with the files of a server (nginx/): limits, headers, errors, addresses."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from conftest_stack import wait_for

ID = re.compile(r"^[0-9a-f]{32}$")


def own_address():
    """An address of this machine that nginx takes for a stranger's, or None."""
    told = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return next((a for a in told if "." in a and not a.startswith("127.")), None)


def children(pid):
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


@pytest.fixture
def stranger(stack):
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but its own loop")
    s = requests.Session()
    s.verify, s.trust_env, s.base = False, False, f"https://{address}:{stack.port}"
    requests.packages.urllib3.disable_warnings()
    return s


def test_every_answer_has_a_request_id_and_a_given_one_is_kept(stack):
    s = stack.http()
    first, second = s.get("/healthz"), s.get("/static/app.css")
    assert ID.match(first.headers["X-Request-Id"]) and ID.match(second.headers["X-Request-Id"])
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    given = s.get("/healthz", headers={"X-Request-Id": "from-a-proxy.42"})
    assert given.headers["X-Request-Id"] == "from-a-proxy.42"
    for bad in ("short", "x" * 65, "has spaces in it", 'quote"quote"'):
        assert ID.match(s.get("/healthz", headers={"X-Request-Id": bad}).headers["X-Request-Id"])


def test_a_request_id_reaches_the_log(stack):
    stack.http().get("/no-such-page", headers={"X-Request-Id": "find-me-in-the-log"})
    log = stack.state / "log" / "access.log"
    wait_for(lambda: "find-me-in-the-log" in log.read_text(errors="replace"))


def test_headers_hold_on_pages_files_and_errors(stack):
    s = stack.http()
    for path in ("/login", "/static/app.css", "/static/none.css", "/healthz", "/api/leads"):
        h = s.get(path).headers
        assert h["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", path
        assert (
            h["X-Content-Type-Options"] == "nosniff"
            and "default-src 'none'" in h["Content-Security-Policy"]
        )
        assert "/" not in h["Server"], "nginx tells its version"


def test_files_with_a_hash_are_kept_for_a_year_and_come_compressed(stack):
    s = stack.http()
    page = s.get("/login").text
    name = re.search(r"/static/app\.[0-9a-f]{10}\.css", page).group(0)
    kept = s.get(name)
    assert kept.status_code == 200 and "immutable" in kept.headers["Cache-Control"]
    assert "max-age=31536000" in kept.headers["Cache-Control"]
    assert kept.headers["Content-Encoding"] == "gzip"
    plain = s.get("/static/app.css")
    assert plain.status_code == 200 and plain.headers["Cache-Control"] == "public, max-age=3600"
    assert plain.content == kept.content


def test_a_page_of_before_the_upgrade_finds_its_files(stack):
    s = stack.http()
    old = s.get("/static/app.0123456789.css")
    assert old.status_code == 200 and old.content == s.get("/static/app.css").content
    assert "immutable" not in old.headers["Cache-Control"], "another file would be kept under that name"
    none = s.get("/static/none.0123456789.css")
    assert none.status_code == 404 and "There is nothing here" in none.text
    assert "Cache-Control" not in none.headers


def test_errors_of_nginx_are_in_our_looks_or_in_json(stack):
    s = stack.http()
    for method, path, status, words in (
        ("GET", "/static/none.css", 404, "There is nothing here"),
        ("POST", "/static/app.css", 403, "There is nothing here"),
    ):
        answer = s.request(method, path)
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
        assert "errors.css" in answer.text and "nginx" not in answer.text
    with socket.create_connection(("localhost", stack.port)) as raw:
        with ssl.create_default_context(cafile=stack.ca).wrap_socket(raw, server_hostname="localhost") as t:
            t.sendall(b"GET /% HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: t.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ") and "could not be understood" in answer
    big = s.post("/api/leads", data=b"x" * (1 << 21), headers={"Content-Type": "application/json"})
    assert (big.status_code, big.json()["error"]["code"]) == (413, "too_large")


def test_plain_http_leads_to_https(stack):
    port = stack.env["HTTP_PORT"]
    answer = requests.get(f"http://localhost:{port}/leads?q=1", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{stack.url}/leads?q=1")
    # The same by mistake: http spoken to the port of https.
    answer = requests.get(f"http://localhost:{stack.port}/leads", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{stack.url}/leads")


def test_reports_of_the_machine_itself_may_come_without_a_certificate(stack):
    port = stack.env["HTTP_PORT"]
    answer = requests.post(f"http://localhost:{port}/webhooks/bland", data=b"{}", timeout=10)
    assert answer.status_code == 401, "the signature is looked at all the same"
    address = own_address()
    if address:
        answer = requests.post(
            f"http://{address}:{port}/webhooks/bland", data=b"{}", allow_redirects=False, timeout=10
        )
        assert answer.status_code == 301


def test_tls_is_modern_and_speaks_http2_and_ipv6(stack):
    def shake(host, **limits):
        context = ssl.create_default_context(cafile=stack.ca)
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_alpn_protocols(["h2", "http/1.1"])
        for name, value in limits.items():
            setattr(context, name, value)
        with socket.create_connection((host, stack.port), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as tls:
                return tls.version(), tls.selected_alpn_protocol()

    assert shake("127.0.0.1") == ("TLSv1.3", "h2")
    assert shake("127.0.0.1", maximum_version=ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", "h2")
    with pytest.raises(ssl.SSLError):
        shake("127.0.0.1", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    if socket.has_ipv6 and open("/proc/net/if_inet6").read():
        assert shake("::1") == ("TLSv1.3", "h2")


def test_behind_a_proxy_the_client_is_who_the_proxy_says(stack):
    snippet, log = stack.state / "nginx/local-proxies.conf", stack.state / "log/access.log"
    master = int((stack.state / "run/nginx.pid").read_text())

    def reload_nginx():
        before = children(master)
        os.kill(master, signal.SIGHUP)
        wait_for(lambda: not before & children(master))

    def seen_as(mark, forwarded):
        stack.http().get("/healthz", headers={"X-Request-Id": mark, "X-Forwarded-For": forwarded})
        line = wait_for(
            lambda: next((x for x in log.read_text(errors="replace").splitlines() if mark in x), None)
        )
        return json.loads(line)["address"]

    # A stranger's word about himself is nothing.
    assert seen_as("without-a-proxy", "203.0.113.9") in ("127.0.0.1", "::1")
    try:
        snippet.write_text(
            "set_real_ip_from 127.0.0.0/8;\nset_real_ip_from ::1;\nset_real_ip_from 10.0.0.0/8;\n"
            "real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n"
        )
        reload_nginx()
        assert seen_as("behind-a-proxy", "203.0.113.9") == "203.0.113.9"
        assert seen_as("behind-two-proxies", "6.6.6.6, 203.0.113.9, 10.0.0.7") == "203.0.113.9"
    finally:
        snippet.unlink()
        reload_nginx()


def test_too_much_of_one_thing_leaves_the_others_alone(stack, stranger):
    def sign_in(_):
        data = {"email": "nobody@example.test", "password": "a guess"}
        return stranger.post(stranger.base + "/api/login", json=data, timeout=30)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(sign_in, range(40)))
    refused = [a for a in answers if a.status_code == 429]
    assert refused, "40 guesses in a moment were all looked at"
    assert refused[-1].json()["error"]["code"] == "too_many_requests"
    for path in ("/login", "/api/leads", "/healthz"):
        answer = stranger.get(stranger.base + path, timeout=30)
        if path != "/login":
            assert answer.status_code != 429, path
    hook = stranger.post(stranger.base + "/webhooks/bland", data=b"{}", timeout=30)
    assert hook.status_code == 401


def test_a_burst_of_webhooks_is_not_refused_for_its_rate(stack, stranger):
    """As many as 16 connections can bring at once; what they bring is unsigned, so each is answered 401."""

    def many(_):
        s = requests.Session()
        s.verify, s.trust_env = False, False
        return [
            s.post(stranger.base + "/webhooks/bland", data=b"{}", timeout=60).status_code for _ in range(40)
        ]

    with ThreadPoolExecutor(16) as pool:
        statuses = {status for part in pool.map(many, range(16)) for status in part}
    assert statuses == {401}
