"""Watching: what /metrics tells and whom, alerts that open, are told and close, the pages of them, status and
doctor, and what a line of the log holds."""
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg2
import pytest
import requests
from conftest_stack import ROOT, Stack, wait_for

TOKEN = "metrics-token-0123456789abcdef"
SAMPLE = re.compile(
    r'^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?P<labels>\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? '
    r"(?P<value>[0-9.e+-]+|NaN|\+Inf)$"
)
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Receiver:
    """A webhook's other side; answers with `status`."""

    def __init__(self):
        self.got, self.status = [], 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(json.loads(body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def alerts(self, state=None):
        return [a for m in self.got for a in m["alerts"] if state in (None, a["state"])]


@pytest.fixture(scope="module")
def receiver():
    r = Receiver()
    yield r
    r.server.shutdown()


@pytest.fixture(scope="module")
def house(receiver):
    """A product that tells a webhook and a sendmail of this test's own."""
    mails = Path(tempfile.mkdtemp(prefix="trunkline-mails-", dir="/tmp"))
    mails.chmod(0o777)
    command = mails / "sendmail"
    command.write_text(
        f'#!/bin/sh\ncat > "{mails}/$$.mail.new" && mv "{mails}/$$.mail.new" "{mails}/$$.mail"\n'
    )
    command.chmod(0o755)
    s = Stack(
        METRICS_TOKEN=TOKEN,
        ALERT_WEBHOOK=receiver.url,
        ALERT_EMAIL="boss@example.test",
        SENDMAIL=command,
        PRIVATE_WEBHOOKS=1,
        DISK_LOW_MB=1,
    )
    s.mails = mails
    yield s
    s.close()
    shutil.rmtree(mails, ignore_errors=True)


@pytest.fixture
def quiet(house, receiver):
    """No alerts, nothing told yet."""
    house.rows("truncate alerts, alert_messages, maintenance_runs")
    receiver.got.clear()
    receiver.status = 200
    for path in house.mails.glob("*.mail"):
        path.unlink()
    return house


def watch(stack, minutes=0, check=True, **env):
    """`trunkline watch`, as it would run so many minutes from now."""
    before = dict(stack.env)
    stack.env.update({k: str(v) for k, v in env.items()}, TRUNKLINE_CLOCK_OFFSET=str(int(minutes * 60)))
    try:
        return stack.run("watch", check=check)
    finally:
        stack.env = before


def mails(stack):
    return [p.read_text() for p in sorted(stack.mails.glob("*.mail"))]


def open_kinds(stack):
    return {r["kind"] for r in stack.rows("select kind from alerts where resolved_at is null")}


def read_metrics(text):
    """{(name, labels): value}; every line, every family's order and every histogram is checked."""
    values, kinds, done, current = {}, {}, set(), None
    assert text.endswith("\n") and "\r" not in text
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split()[2]
            assert current not in done, f"{current} is told twice"
            done.add(current)
            assert len(line.split(None, 3)) == 4
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == current and kind in ("counter", "gauge", "histogram")
            kinds[name] = kind
        else:
            found = SAMPLE.match(line)
            assert found, line
            labels = tuple(sorted(LABEL.findall(found["labels"] or "")))
            family = (
                re.sub(r"_(bucket|sum|count)$", "", found["name"])
                if kinds.get(current) == "histogram"
                else None
            )
            assert (family or found["name"]) == current, line
            assert (found["name"], labels) not in values, f"twice: {line}"
            values[found["name"], labels] = float(found["value"])
    for (name, labels), value in values.items():
        if name.endswith("_bucket"):
            rest = tuple(l for l in labels if l[0] != "le")
            if dict(labels)["le"] == "+Inf":
                assert value == values[name.replace("_bucket", "_count"), rest]
                steps = [
                    v
                    for (n, l), v in values.items()
                    if n == name and tuple(x for x in l if x[0] != "le") == rest
                ]
                assert steps == sorted(steps), "a histogram goes down"
    return values


def counted(values, route, pool="web", **more):
    wanted = {"route": route, "pool": pool, **more}
    return sum(
        v
        for (name, labels), v in values.items()
        if name == "trunkline_http_requests_total" and wanted.items() <= dict(labels).items()
    )


# -- metrics -----------------------------------------------------------------------------------------


def metrics(stack):
    answer = stack.http().get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def test_metrics_are_well_formed(house):
    s = house.login()
    for page in ("/", "/leads", "/leads/999999", "/nothing/here", "/metrics"):
        s.get(page)
    house.http().post("/webhooks/bland", data=b"{}")
    text = metrics(house)
    values = read_metrics(text)
    assert counted(values, "/leads/{id}", status="4xx") >= 1
    assert counted(values, "", status="4xx") >= 1, "what is no route"
    assert "/nothing" not in text, "a path of a stranger became a label"
    assert counted(values, "/webhooks/bland", pool="hook") >= 1
    assert values["trunkline_database_up", ()] == 1
    assert values["trunkline_dialer_seen_timestamp_seconds", ()] > time.time() - 60
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_every_request_is_counted_once_by_whichever_worker(house):
    before = counted(read_metrics(metrics(house)), "/health", status="2xx")
    s = house.http()
    for _ in range(60):
        assert s.get("/health").status_code == 200
    for pid in house.pids("trunkline-web")[:1]:
        os.kill(pid, 9)
    for _ in range(20):
        assert s.get("/health").status_code == 200
    after = counted(read_metrics(metrics(house)), "/health", status="2xx")
    # run.sh itself asks until it is ready; here nobody else does.
    assert after - before == 80


def test_metrics_tell_of_the_queue(house):
    house.upload("phone,company\n" + "\n".join(f"+1212555{n:04},C{n}" for n in range(100, 120)))
    answer = house.api("member").post("/api/start", json={"concurrency": 5})
    assert answer.status_code == 200, answer.text

    def done():
        # A run says every few seconds how many it has placed.
        ended = house.one("select count(*) as n from calls where ended_at is not null")["n"]
        return ended >= 20 and read_metrics(metrics(house))["trunkline_dialer_placed_last_hour", ()] >= 20

    wait_for(done, seconds=90, pause=1)
    # What a worker keeps for a minute, a new one asks anew.
    for pid in house.pids("trunkline-web"):
        os.kill(pid, 9)
    values = read_metrics(metrics(house))
    assert sum(v for (n, _), v in values.items() if n == "trunkline_calls_last_day") >= 20
    most = values["trunkline_webhook_lag_seconds_max", ()]
    assert most >= values["trunkline_webhook_lag_seconds_avg", ()] >= 0
    assert values["trunkline_webhooks_last_hour", (("verdict", "applied"),)] >= 1


def test_metrics_are_for_this_machine_and_for_the_token(house):
    s = house.http()
    assert s.get("/metrics").status_code == 200
    # Through a proxy on this machine somebody else may ask.
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        refused = s.get("/metrics", headers={header: "203.0.113.9"})
        assert refused.status_code == 401 and "trunkline_" not in refused.text
        assert refused.headers["www-authenticate"] == "Bearer"
    for word in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
    ):
        answer = s.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9", "Authorization": word})
        assert answer.status_code == 401, word
    answer = s.get(
        "/metrics", headers={"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200
    assert TOKEN not in answer.text


def test_without_a_token_none_is_good(stack):
    for word in ("Bearer ", "Bearer", "Bearer \t"):
        answer = stack.http().get("/metrics", headers={"Via": "1.1 x", "Authorization": word})
        assert answer.status_code == 401


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            return s.getsockname()[0]
        except OSError:
            return None


def test_nginx_hands_no_stranger_on(house):
    address = own_address()
    if not address or address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    ask = lambda **more: requests.get(
        f"https://{address}:{house.port}/metrics", verify=False, timeout=10, **more
    )
    before = counted(read_metrics(metrics(house)), "/metrics")
    assert ask().status_code == 404
    assert (
        counted(read_metrics(metrics(house)), "/metrics") == before + 1
    ), "the stranger's request came through"
    assert ask(headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert ask(headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_without_a_database(new_stack, receiver):
    s = new_stack()
    pg = next(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    subprocess.run(
        [*owner, str(pg), "-D", str(s.state / "pg"), "-m", "immediate", "stop"], check=True, cwd="/"
    )
    values = read_metrics(metrics(s))
    assert values["trunkline_database_up", ()] == 0
    assert counted(values, "/healthz") >= 1
    for command, code in (("status", 3), ("doctor", 1), ("watch", 3)):
        done = s.run(command, check=False)
        assert done.returncode == code, (command, done)
    assert "does not answer" not in s.run("status", check=False).stdout.split("nginx")[1].splitlines()[0]
    # Somebody is told without it, once an hour.
    receiver.got.clear()
    receiver.status = 200
    s.env.update(ALERT_WEBHOOK=receiver.url, PRIVATE_WEBHOOKS="1")
    for _ in range(2):
        assert s.run("watch", check=False).returncode == 3
    told = [json.dumps(body) for body in receiver.got]
    assert len(told) == 1 and "database does not answer" in told[0]


@pytest.fixture
def report(house):
    """A report that was applied to a call a moment ago."""
    call = house.one(
        "insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step, try, state,"
        " created_at, ended_at)"
        " values (gen_random_uuid(), 1, 0, 0, 0, '+12025550198', 1, 1, 'ended', now(), now()) returning id"
    )["id"]
    house.rows(
        "insert into events"
        " (provider, dedupe_key, kind, call_id, signature, verdict, received_at, applied_at)"
        " values ('bland', %s, 'post_call', %s, 'good', 'applied', now(), now())",
        call,
        call,
    )
    yield call
    house.rows("delete from events where call_id = %s", call)
    house.rows("delete from calls where id = %s", call)


def test_rules_are_good_and_ask_for_what_there_is(house, report):
    path = ROOT / "systemd" / "trunkline.rules.yml"
    text = path.read_text()
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "rules", str(path)], text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
    rules = re.findall(r"^      - alert: (\w+)$", text, re.M)
    assert len(rules) >= 12 and len(set(rules)) == len(rules)
    for block in text.split("      - alert: ")[1:]:
        for part in ("expr:", "labels: { severity: ", "summary:", "mend:"):
            assert part in block, f"{block.split()[0]} lacks {part}"
    asked = {re.sub(r"_bucket$", "", n) for n in re.findall(r"\btrunkline_[a-z_]+", text)}

    def told():
        lines = metrics(house).splitlines()
        return asked <= {line.split()[2] for line in lines if line.startswith("# TYPE")}

    wait_for(told)  # a worker keeps its answer for five seconds


# -- alerts that open and close -------------------------------------------------------------------------


def test_an_alert_opens_once_is_told_and_closes(quiet, receiver):
    assert "0 alerts open" in watch(quiet).stdout
    assert receiver.got == []
    assert "1 new" in watch(quiet, minutes=20).stdout
    assert open_kinds(quiet) == {"dialer_silent"}
    assert "0 new" in watch(quiet, minutes=21).stdout, "the same is no news"
    assert quiet.one("select count(*) as n from alerts")["n"] == 1
    (told,) = receiver.alerts()
    assert told["state"] == "open" and told["kind"] == "dialer_silent" and told["urgent"]
    assert "systemctl" in told["mend"] and told["link"].startswith(quiet.url)
    assert "20 minutes" in told["message"]
    (mail,) = mails(quiet)
    assert "To: boss@example.test\n" in mail and "Subject: Trunkline: The dialer is silent\n" in mail
    assert told["message"] in mail and told["mend"] in mail
    # It is over, but not at once: what comes and goes each minute would be told each minute.
    watch(quiet)
    assert open_kinds(quiet) == {"dialer_silent"}
    watch(quiet, minutes=2.5)
    assert open_kinds(quiet) == set()
    assert [a["state"] for a in receiver.alerts()] == ["open", "closed"]
    assert "Subject: Trunkline: over: The dialer is silent\n" in "".join(mails(quiet))
    watch(quiet, minutes=3)
    assert len(receiver.got) == 2 and len(mails(quiet)) == 2


def test_telling_is_tried_again_and_then_given_up(quiet, receiver):
    receiver.status = 500
    watch(quiet, minutes=20)
    assert len(receiver.got) == 1 and len(mails(quiet)) == 1
    watch(quiet, minutes=20.5)
    assert len(receiver.got) == 1, "there is a pause before the next try"
    for minutes in range(22, 120, 2):
        watch(quiet, minutes=minutes)
    assert len([a for a in receiver.alerts("open") if a["kind"] == "dialer_silent"]) == 6
    assert (
        sum("Subject: Trunkline: The dialer is silent" in m for m in mails(quiet)) == 1
    ), "the other way had it"
    row = quiet.one(
        "select m.* from alert_messages m join alerts a on a.id = m.alert_id"
        " where m.channel = 'webhook' and a.kind = 'dialer_silent'"
    )
    assert row["sent_at"] is None and row["next_at"] is None and "500" in row["error"]


def test_a_receiver_that_comes_back_is_told(quiet, receiver):
    receiver.status = 503
    watch(quiet, minutes=20)
    receiver.status = 204
    watch(quiet, minutes=22)
    assert len(receiver.got) == 2
    assert quiet.one("select sent_at from alert_messages where channel = 'webhook'")["sent_at"]
    assert "error" not in "".join(r["error"] or "" for r in quiet.rows("select error from alert_messages"))


def test_the_disk_and_the_certificate(quiet):
    watch(quiet, DISK_LOW_MB=10**9)
    assert open_kinds(quiet) == {"disk_low"}
    row = quiet.one("select subject, message from alerts")
    assert "GB" in row["message"] or "TB" in row["message"] or "MB" in row["message"]
    quiet.rows("truncate alerts, alert_messages")
    # The certificate of the tests is good for 825 days.
    watch(quiet, minutes=(825 - 5) * 24 * 60)
    assert "certificate" in open_kinds(quiet)
    message = quiet.one("select message from alerts where kind = 'certificate'")["message"]
    assert re.search(r"good for [45] more days", message), message
    watch(quiet, minutes=830 * 24 * 60)
    assert "has run out" in quiet.one("select message from alerts where kind = 'certificate'")["message"]


def test_a_site_that_does_not_answer(quiet):
    pid = int((quiet.state / "run" / "nginx.pid").read_text())
    os.kill(pid, signal.SIGSTOP)  # it listens, and is silent
    for child in children(pid):
        os.kill(child, signal.SIGSTOP)
    try:
        watch(quiet)
        assert open_kinds(quiet) == {"site_away"}
        done = quiet.run("status", check=False)
        assert done.returncode == 1 and "MEND  nginx" in done.stdout
    finally:
        for process in [*children(pid), pid]:
            os.kill(process, signal.SIGCONT)


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_old_alerts_are_swept(quiet):
    quiet.rows(
        "insert into alerts (kind, subject, message, first_at, last_at, resolved_at)"
        " select 'x', 'x' || i, 'x', t, t, t"
        " from (select i, now() - i * interval '100 days' as t from generate_series(1, 6) i) s"
    )
    watch(quiet)
    assert quiet.one("select count(*) as n from alerts")["n"] == 3


def test_backups(quiet):
    watch(quiet, minutes=48 * 60)
    assert "backup_old" not in open_kinds(quiet), "the sandbox asks for none"
    quiet.rows("truncate alerts, alert_messages")
    watch(quiet, minutes=48 * 60, SANDBOX=0)
    assert "backup_old" in open_kinds(quiet)
    quiet.rows("truncate alerts, alert_messages")
    quiet.rows(
        "insert into maintenance_runs (name, started_at, finished_at, ok, detail) values"
        " ('backup', now() - interval '1 hour', now() - interval '1 hour', true, '{}'),"
        " ('backup_check', now() - interval '1 hour', now(), false, '{\"error\": \"leads: 5 rows, not 6\"}'),"
        " ('retention', now() - interval '1 hour', now(), false, '{}'),"
        " ('backup', now(), null, null, '{}')"
    )
    watch(quiet)
    assert open_kinds(quiet) == {"backup_failed", "upkeep_failed"}
    assert (
        "5 rows, not 6" in quiet.one("select message from alerts where kind = 'backup_failed'")["message"]
    )
    quiet.rows(
        "insert into maintenance_runs (name, started_at, finished_at, ok)"
        " values ('backup_check', now(), now(), true)"
    )
    watch(quiet)
    watch(quiet, minutes=2.5)
    assert open_kinds(quiet) == {"upkeep_failed"}


@pytest.fixture
def draft(house):
    """A connection whose transaction is never committed: nobody else sees what is prepared in it."""
    c = psycopg2.connect(host=str(house.state / "run"), dbname="trunkline", user="trunkline")
    with c.cursor() as cursor:
        # As if there had never been a call.
        cursor.execute("delete from calls; delete from enrollments; delete from alerts")
        cursor.execute("update campaigns set state = 'done' where state = 'running'")
        cursor.execute(
            "insert into campaigns (client_id, name, state) values (1, 'watched', 'running') returning id"
        )
        campaign = cursor.fetchone()[0]
        cursor.execute("insert into leads (client_id, phone) values (1, '+12025550199') returning id")
        yield cursor, campaign, cursor.fetchone()[0]
    c.rollback()
    c.close()


def a_call(cursor, campaign, lead, state, age, **more):
    row = {"state": f"'{state}'", "created_at": f"now() - interval '{age}'", **more}
    names, values = ", ".join(row), ", ".join(row.values())
    cursor.execute(
        f"insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step, try, {names})"
        f" values (gen_random_uuid(), 1, {campaign}, (random() * 1e9)::int, {lead},"
        f" '+12025550199', 1, 1, {values})"
        " returning id"
    )
    return cursor.fetchone()[0]


def facts(cursor, function, *more):
    cursor.execute(f"select kind, message from {function}({', '.join(['now()', *more])})")
    return dict(cursor.fetchall())


def test_calls_that_do_not_end(draft):
    cursor, campaign, lead = draft
    a_call(cursor, campaign, lead, "under_way", "1 hour", deadline_at="now() - interval '10 minutes'")
    a_call(cursor, campaign, lead, "placing", "4 minutes", lease_until="now() - interval '4 minutes'")
    assert facts(cursor, "watch_calls") == {}
    a_call(cursor, campaign, lead, "under_way", "1 hour", deadline_at="now() - interval '20 minutes'")
    a_call(cursor, campaign, lead, "placing", "9 minutes", lease_until="now() - interval '8 minutes'")
    assert "2 calls are" in facts(cursor, "watch_calls")["stuck_calls"]


def test_ambiguous_calls(draft):
    cursor, campaign, lead = draft
    a_call(cursor, campaign, lead, "ambiguous", "10 minutes")
    assert facts(cursor, "watch_calls") == {}
    one = a_call(cursor, campaign, lead, "ambiguous", "20 minutes")
    assert "1 call " in facts(cursor, "watch_calls")["ambiguous_calls"]
    cursor.execute(f"select raise_alert(1, 'ambiguous_call', 'call {one}', 'x', '', now())")
    assert facts(cursor, "watch_calls") == {}, "it has an alert of its own"


def test_a_queue_that_does_not_move(draft):
    cursor, campaign, lead = draft
    cursor.execute(
        "insert into dialer_runs (id, host, pid, started_at, seen_at)"
        " values (gen_random_uuid(), 'x', 1, now(), now())"
    )
    cursor.execute(
        "insert into enrollments (client_id, campaign_id, lead_id, due_at)"
        " values (1, %s, %s, now() - interval '15 minutes')",
        (campaign, lead),
    )
    stuck = lambda: facts(cursor, "watch_queue", "true")
    assert "15 minutes" in stuck()["queue_stuck"]
    cursor.execute("savepoint before")
    for excuse in (
        "update provider_limits set stopped_reason = 'unauthorized'",
        "update provider_limits set hold_until = now() + interval '1 minute'",
        "update campaigns set state = 'paused'",
        "update enrollments set due_at = now() - interval '5 minutes'",
        "update dialer_runs set seen_at = now() - interval '6 minutes'",
    ):
        cursor.execute(excuse)
        assert stuck() == {}, excuse
        cursor.execute("rollback to before")
    a_call(cursor, campaign, lead, "under_way", "1 hour")
    assert stuck() == {}, "a call is under way"
    cursor.execute("rollback to before")
    a_call(cursor, campaign, lead, "ended", "5 minutes", ended_at="now()")
    assert stuck() == {}, "somebody was called just now"
    cursor.execute("rollback to before; update provider_limits set per_day = 1")
    a_call(cursor, campaign, lead, "ended", "30 minutes", ended_at="now()")
    assert stuck() == {}, "a limit of ours holds it"


def test_imports_that_nobody_works_on(draft):
    cursor, _, _ = draft
    cursor.execute(
        "insert into imports (client_id, state, file_name, sha256, created_at, lease_until) values"
        " (1, 'running', 'x', 'x', now(), now() - interval '4 minutes')"
    )
    assert "jobs_silent" not in facts(cursor, "watch_programs")
    cursor.execute("update imports set lease_until = now() - interval '6 minutes' where file_name = 'x'")
    assert "1 import waits" in facts(cursor, "watch_programs")["jobs_silent"]


def test_large_changes_that_nobody_works_on(draft):
    cursor, campaign, _ = draft
    for minutes in (4, 9):
        cursor.execute(
            "insert into jobs (client_id, kind, campaign_id, after_lead, looked_at, total, changed,"
            " created_at, worked_at) values"
            " (1, 'enrol', %s, 1, 1, 2, 1, now(), now() - %s * interval '1 minute')",
            (campaign, minutes),
        )
    assert "jobs_silent" not in facts(cursor, "watch_programs"), "the second waits for the first"
    cursor.execute("update jobs set worked_at = now() - interval '6 minutes'")
    assert "nothing has come of it for 6 minutes" in facts(cursor, "watch_programs")["jobs_silent"]


def test_forged_webhooks_are_over_after_a_day(quiet):
    api = quiet.api()

    def told():
        # Who was told of one has five seconds before the next is an alert.
        forged = quiet.http().post(
            "/webhooks/bland", data=b'{"call_id":"x"}', headers={"X-Webhook-Signature": "00"}
        )
        assert forged.status_code == 401, forged.text
        return quiet.rows("select id from alerts where kind = 'bad_signature'")

    (alert,) = wait_for(told, pause=0.5)
    assert api.post(f"/api/alerts/{alert['id']}/acknowledge").status_code == 200
    watch(quiet)
    assert quiet.one("select acknowledged_at from alerts where id = %s", alert["id"])["acknowledged_at"]
    # Again, after a pause: it is news.
    quiet.rows("update alerts set last_at = now() + interval '2 hours' where id = %s", alert["id"])
    watch(quiet)
    assert not quiet.one("select acknowledged_at from alerts where id = %s", alert["id"])["acknowledged_at"]
    watch(quiet, minutes=27 * 60)
    assert "bad_signature" not in open_kinds(quiet)


def test_every_kind_has_a_title_and_a_mend():
    table = (ROOT / "fcgi/rules/alert.c").read_text()
    known = set(re.findall(r'^    \{"([a-z_]+)",', table, re.M))
    sources = [*ROOT.glob("sql/functions/*.sql"), *ROOT.glob("fcgi/**/*.c")]
    text = "\n".join(p.read_text() for p in sources)
    raised = set(re.findall(r"raise_alert\([^,]+, '([a-z_]+)'", text))
    raised |= set(re.findall(r"select (?:null(?:::bigint)?|[ck]\.[a-z_]+), '([a-z_]+)', '", text))
    raised |= set(re.findall(r'fact\(a, facts, "([a-z_]+)"', text))
    assert len(raised) >= 10 and raised <= known, raised - known


# -- where alerts may be sent ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.1.2.3",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]:8443/",
        "https://0x7f.1/",
        "https://u:p@example.com/",
        "nonsense",
    ],
)
def test_no_alert_goes_into_the_private_network(stack, url):
    answer = stack.api().post("/api/settings/alerts", json={"alert_webhook": url})
    assert answer.status_code == 422, answer.text
    assert "alert_webhook" in answer.json()["error"]["fields"]
    page = stack.login().form(
        "/settings/alerts", {"alert_webhook": url, "alert_email": "a@example.test"}, page="/settings"
    )
    assert page.status_code == 422 and 'class="error"' in page.text
    assert 'value="a@example.test"' in page.text, "what was typed is lost"


def test_a_webhook_is_sealed_and_never_shown(stack):
    api, s = stack.api(), stack.login()
    secret = "https://hooks.example.test/services/T000/B000/verysecretpart1"
    assert s.form(
        "/settings/alerts", {"alert_webhook": secret, "alert_email": "x@example.test"}, page="/settings"
    ).ok
    page = s.get("/settings").text
    assert "verysecret" not in page and "art1" in page and "x@example.test" in page
    assert "verysecret" not in json.dumps(
        stack.rows("select value, sealed, hint from settings"), default=str
    )
    assert s.form("/settings/alerts", {"alert_email": "", "forget_webhook": "1"}, page="/settings").ok
    assert stack.one("select count(*) as n from settings where name like 'alert%%'")["n"] == 0
    assert api.post("/api/settings/alerts", json={"alert_email": "a b"}).status_code == 422
    assert stack.api("member").post("/api/settings/alerts", json={"alert_email": ""}).status_code == 403


def test_a_test_message(quiet, receiver):
    answer = quiet.login().form("/settings/alerts", {"test": "1"}, page="/settings")
    assert "The test was sent." in answer.text, re.findall(r'class="error">([^<]*)', answer.text)
    assert "This is a test" in receiver.got[0]["text"] and "This is a test" in mails(quiet)[0]
    receiver.status = 404
    answer = quiet.login().form("/settings/alerts", {"test": "1"}, page="/settings")
    assert answer.status_code == 422 and "status 404" in answer.text


# -- pages ----------------------------------------------------------------------------------------------


def raise_alerts(stack, n, kind="campaign_paused"):
    stack.rows(
        "select raise_alert(1, %s, 'campaign ' || i, 'Why number ' || i || '.', '/campaigns', now())"
        " from generate_series(1, %s) i",
        kind,
        n,
    )


def bell(text):
    found = re.search(r'id="bell".*?</a>', text, re.S).group(0)
    number = re.search(r'class="badge">(\d+)', found)
    return int(number.group(1)) if number else 0


def test_the_bell_and_the_list(quiet):
    s = quiet.login("member")
    assert bell(s.get("/leads").text) == 0
    assert "Nothing needs you." in s.get("/alerts").text
    assert "No alert was ever closed." in s.get("/alerts?state=past").text
    raise_alerts(quiet, 3)
    assert bell(s.get("/leads").text) == 3
    page = s.get("/alerts").text
    assert "A campaign was paused" in page and "Why number 2." in page and "press Resume" in page
    one = quiet.one("select min(id) as id from alerts")["id"]
    done = s.form(f"/alerts/{one}/acknowledge", page="/alerts")
    assert (
        done.url.endswith("/alerts") and "Acknowledged" in done.text and "member@example.test" in done.text
    )
    assert bell(done.text) == 2
    assert s.form(f"/alerts/{one}/acknowledge", page="/alerts").ok, "twice does no harm"
    assert quiet.one("select count(*) as n from audit where action = 'alert.acknowledge'")["n"] >= 1
    dashboard = s.get("/").text
    assert "Why number 2." in dashboard and "Why number 1." not in dashboard
    quiet.rows("update alerts set resolved_at = now() where id = %s", one)
    past = s.get("/alerts?state=past").text
    assert "Why number 1." in past and "Why number 2." not in past and "Acknowledge</button>" not in past


def test_a_viewer_may_look_but_not_acknowledge(quiet):
    raise_alerts(quiet, 1)
    one = quiet.one("select id from alerts")["id"]
    viewer = quiet.login("viewer")
    assert "Acknowledge</button>" not in viewer.get("/alerts").text
    assert viewer.form(f"/alerts/{one}/acknowledge").status_code == 403
    assert quiet.http().post(f"/api/alerts/{one}/acknowledge").status_code == 401
    assert quiet.api("member").post("/api/alerts/999999999/acknowledge").json()["acknowledged"] is False


def test_pages_of_alerts(quiet):
    raise_alerts(quiet, 120)
    api, seen, cursor = quiet.api("viewer"), [], ""
    while True:
        answer = api.get(f"/api/alerts?limit=50{cursor}").json()
        seen += [a["id"] for a in answer["alerts"]]
        if not answer["next"]:
            break
        cursor = f"&cursor={answer['next']}"
    assert len(seen) == len(set(seen)) == 120 and seen == sorted(seen, reverse=True)
    assert {"title", "mend", "urgent", "message", "acknowledged_at"} <= set(answer["alerts"][0])
    page = quiet.login().get("/alerts").text
    assert 'rel="next"' in page
    assert api.get("/api/alerts?state=nonsense").status_code == 422


def test_what_an_alert_says_is_text(quiet):
    quiet.rows("select raise_alert(1, 'campaign_paused', 'x', '<script>alert(1)</script>', '/x', now())")
    for path in ("/", "/alerts"):
        text = quiet.login().get(path).text
        assert "<script>alert" not in text and "&lt;script&gt;alert" in text


# -- status and doctor ------------------------------------------------------------------------------------


def test_status_on_one_screen(quiet):
    done = quiet.run("status", check=False)
    assert done.returncode == 0, done.stdout
    for word in ("database", "dialer", "nginx", "pools", "queue", "backup", "alerts     0 open", "sandbox"):
        assert word in done.stdout
    assert len(done.stdout.splitlines()) < 25
    raise_alerts(quiet, 1)
    done = quiet.run("status", check=False)
    assert done.returncode == 1 and "Why number 1." in done.stdout and "press Resume" in done.stdout
    told = json.loads(quiet.run("status", "--json", check=False).stdout)
    assert told["well"] is False and told["alerts"][0]["title"] == "A campaign was paused"
    assert {p["name"] for p in told["programs"]} == {"database", "dialer", "nginx", "pools"}


def test_doctor_names_each_fault_and_its_mend(quiet):
    told = json.loads(quiet.run("doctor", "--json", check=False).stdout)
    checks = {f["name"]: f for f in told["findings"]}
    # Those that a test's machine cannot have: a safe disk (PG_FAST) and a time server.
    bad = {n for n, f in checks.items() if not f["ok"]} - {"clock is set"}
    assert bad == {"postgresql"}, bad
    assert "fsync is off" in checks["postgresql"]["finding"]
    assert told["to_mend"] == sum(not f["ok"] for f in told["findings"])
    assert all(bool(f["finding"]) == bool(f["mend"]) == (not f["ok"]) for f in told["findings"])
    assert len(checks) >= 18
    (quiet.state / "secret-key").chmod(0o644)
    try:
        text = quiet.run("doctor", check=False)
    finally:
        (quiet.state / "secret-key").chmod(0o600)
    assert text.returncode == 1 and "can be read by others" in text.stdout and "chmod go=" in text.stdout


def test_help_tells_the_exit_codes(house):
    for name in ("status", "doctor", "watch"):
        text = house.run(name, "--help").stdout
        assert "exit status: 0" in text, name


# -- the log ------------------------------------------------------------------------------------------------


def test_lines_of_the_log(house):
    s = house.login()
    answer = s.get("/leads/999999")
    request = answer.headers["x-request-id"]

    def line():
        for path in house.state.glob("log/web-*.log"):
            for text in path.read_text().splitlines():
                if f'"request":"{request}"' in text:
                    return json.loads(text)
        return None

    told = wait_for(line)
    assert told["route"] == "/leads/{id}" and told["status"] == 404 and told["method"] == "GET"
    assert told["level"] == "info" and told["program"] == "web" and told["ms"] >= 0 and told["user"] >= 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told["time"])


def test_no_number_and_no_secret_is_logged(house):
    api = house.api("member")
    house.upload("phone,company\n+12125550177,Secretive Ltd\n", api)
    lead = house.one("select id from leads where phone = '+12125550177'")["id"]
    api.get(f"/api/leads/{lead}")
    api.get("/api/leads?q=%2B12125550177")
    api.post("/api/suppressions", json={"phone": "+12125550177", "reason": "test"})
    house.http().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    secrets = [
        TOKEN,
        house.admin_password,
        house.admin_token,
        house.secret("secret-key"),
        house.bland_secret,
    ]
    secrets.append(house.env["ALERT_WEBHOOK"])
    for path in house.state.glob("log/*.log"):
        if path.name in ("sandbox.log", "postgresql.log"):
            continue
        text = path.read_text(errors="replace")
        assert not re.search(r"\+\d{9,}|12125550177", text), path.name
        for secret in secrets:
            assert secret not in text, path.name
        if not path.name.startswith(("nginx", "migrate", "initdb", "access", "watch")):
            for text in path.read_text().splitlines():
                if re.match(r"(Child|Spawning child)\[", text):  # multiwatch, of a worker that was killed
                    continue
                assert {"time", "level", "program", "pid", "msg"} <= set(json.loads(text)), path.name
