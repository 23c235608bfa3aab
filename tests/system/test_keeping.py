"""What is old goes and what must stay stays; who asks for it is erased."""
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest_stack import wait_for


@pytest.fixture
def cluster(server):
    """A database with the data of an installation: calls and events of the last 50 days, one each 4 hours."""
    server.renew()
    return server


def count(cluster, what):
    return cluster.one(f"select count(*) as n from {what}")["n"]


def setting(cluster, name, days):
    cluster.rows(
        "insert into settings (client_id, name, value) values (1, %s, to_jsonb(%s::text))"
        " on conflict (client_id, name) do update set value = excluded.value",
        name,
        str(days),
    )


def dated(cluster):
    """The newest and the oldest call, event and decision that are left, in days."""
    return cluster.one(
        "select (select count(*) from calls where transcript is not null) as transcripts,"
        " (select count(*) from events) as events, (select count(*) from decisions) as decisions"
    )


# -- days --------------------------------------------------------------------------------------------
def days(cluster):
    return cluster.rows(
        "select day::text, calls, ended, answered, cost_usd, outcomes from call_days order by day"
    )


def test_days_that_are_over_are_counted_once(cluster):
    cluster.run("rollup", "--all")
    counted = days(cluster)
    wanted = cluster.rows(
        "select (created_at at time zone 'UTC')::date::text as day, count(*) as calls,"
        " count(*) filter (where state = 'ended') as ended, coalesce(sum(cost_usd), 0)::bigint as cost_usd"
        " from calls where created_at < date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'"
        " group by 1 order by 1"
    )
    assert len(counted) > 30
    same = ("day", "calls", "ended", "cost_usd")
    assert [[r[k] for k in same] for r in counted] == [[r[k] for k in same] for r in wanted]
    assert all(sum(r["outcomes"].values()) <= r["ended"] for r in counted)
    cluster.run("rollup")
    assert days(cluster) == counted


def test_a_late_outcome_counts_and_an_erased_call_stays_counted(cluster):
    cluster.run("rollup", "--all")
    before = days(cluster)
    last = cluster.one(
        "select id from calls where created_at >= (now() at time zone 'UTC')::date - 1"
        " and created_at < (now() at time zone 'UTC')::date order by created_at limit 1"
    )["id"]
    cluster.rows("update calls set outcome = 'callback', started_at = created_at where id = %s", last)
    cluster.run("rollup")
    assert days(cluster)[-1]["outcomes"]["callback"] == before[-1]["outcomes"].get("callback", 0) + 1
    assert days(cluster)[:-4] == before[:-4]
    counted = days(cluster)
    cluster.rows("delete from enrollments")
    cluster.run("rollup", "--all")
    assert days(cluster) == counted


# -- the commands ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "words, said",
    [
        (["retention", "--seconds", "soon"], "--seconds takes a whole number"),
        (["retention", "--seconds", "0"], "--seconds takes a whole number"),
        (["erase"], "Which number? trunkline erase PHONE --yes"),
        (["erase", "--yes"], "Which number? trunkline erase PHONE --yes"),
        (["erase", "12", "--yes"], "12: "),
        (["erase", "+14155550101"], "cannot be taken back"),
        (["restore"], "Which backup? trunkline restore FILE"),
        (["restore", "--yes"], "Which backup? trunkline restore FILE"),
        (["restore", "leads.csv", "--yes"], "a backup's name ends in .dump"),
        (["restore", "nowhere.dump", "--yes"], "nowhere.dump: No such file"),
        (["backup", "--to", "/dev/null/here"], "/dev/null/here: "),
    ],
)
def test_words_that_mean_nothing_name_the_mend_and_do_nothing(cluster, words, said):
    before = cluster.everything()
    done = cluster.run(*words, check=False)
    assert done.returncode == 1 and said in done.stderr, done.stdout + done.stderr
    assert cluster.everything() == before


# -- retention ---------------------------------------------------------------------------------------
def test_each_kind_goes_by_its_days_and_the_rest_stays(cluster):
    setting(cluster, "keep_events", 40)
    setting(cluster, "keep_decisions", 10)
    untouched = (
        "leads",
        "consents",
        "suppressions",
        "audit",
        "enrollments",
        "campaigns",
        "imports",
        "users",
    )
    before = {t: cluster.rows(f"select x::text from {t} x order by 1") for t in untouched}
    sums = "select count(*) as n, sum(cost_usd) as cost from calls where outcome = 'voicemail'"
    totals = cluster.one(sums)
    out = cluster.run("retention").stdout
    assert dated(cluster) == {"transcripts": 179, "events": 239, "decisions": 59}
    assert {t: cluster.rows(f"select x::text from {t} x order by 1") for t in untouched} == before
    assert cluster.one(sums) == totals
    assert not cluster.rows(
        "select 1 from calls where created_at < now() - interval '30 days'"
        " and (transcript is not null or turns is not null or summary is not null"
        " or recording_url is not null)"
    )
    assert count(cluster, "login_failures") == 2 and count(cluster, "import_lines") == 1
    assert "transcripts      121" in out and "events           61" in out
    run = cluster.one("select * from maintenance_runs where name = 'retention'")
    assert run["ok"] and run["detail"]["decisions"] == 241 and run["detail"]["login_failures"] == 1


def test_again_does_nothing_and_fewer_days_do_more(cluster):
    cluster.run("retention")
    once = cluster.everything()
    out = cluster.run("retention").stdout
    assert all(line.split()[1] == "0" for line in out.splitlines()), out
    again = cluster.everything()
    for table in once:
        if table not in ("maintenance_runs", "retention_marks"):
            assert once[table] == again[table], table
    for kind in ("events", "transcripts", "decisions", "import_lines"):
        setting(cluster, "keep_" + kind, 1)
    cluster.run("retention")
    assert dated(cluster) == {"transcripts": 5, "events": 5, "decisions": 5}
    assert count(cluster, "import_lines") == 0
    # More days bring nothing back and trouble nobody.
    setting(cluster, "keep_transcripts", 3000)
    assert "transcripts      0" in cluster.run("retention").stdout


def test_many_rows_go_in_bounded_pieces(cluster):
    cluster.rows(
        "insert into events (provider, dedupe_key, kind, signature, verdict, received_at, body)"
        " select 'bland', 'k' || n, 'post_call', 'good', 'noted', now() - interval '40 days', 'x'"
        " from generate_series(1, 7000) n"
    )
    setting(cluster, "keep_events", 30)
    seen = cluster.rows("select retention_step('events', 2000, now()) as n from generate_series(1, 5)")
    assert [r["n"] for r in seen] == [2000, 2000, 2000, 1121, 0]


def test_run_time_role_may_run_it(cluster):
    cluster.run("retention", user="trunkline")
    assert cluster.one("select ok from maintenance_runs where name = 'retention'")["ok"]


def test_two_at_once(cluster):
    c = cluster.connect()
    with c.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(7412303)")
        done = cluster.run("retention", check=False)
    c.close()
    assert done.returncode == 1 and "under way" in done.stderr


def test_files_that_nobody_needs(cluster):
    spool = cluster.state / "spool"

    def file(name, days):
        path = spool / name
        path.write_text("x")
        at = time.time() - days * 86400
        os.utime(path, (at, at))
        if cluster.user:
            os.chown(path, spool.stat().st_uid, -1)
        return path

    crowd = [file(f"crowd{i}.upload", 2) for i in range(450)]
    left = file("left.upload", 2)
    sheet = file("trunkline-sheet-AbCdEf", 2)
    fresh, other = file("fresh.upload", 0), file("notes.txt", 90)
    queued, mapping, old_mapping = file("q.upload", 50), file("m.upload", 5), file("o.upload", 50)
    add = (
        "insert into imports (client_id, state, file_name, sha256, spool_path, created_at)"
        " values (1, %s, 'f', 'x', %s, now() - %s * interval '1 day')"
    )
    cluster.rows(add, "queued", str(queued), 50)
    cluster.rows(add, "mapping", str(mapping), 5)
    cluster.rows(add, "mapping", str(old_mapping), 50)
    out = cluster.run("retention").stdout
    assert "files            453" in out and not any(p.exists() for p in crowd)
    assert [p.exists() for p in (left, sheet, old_mapping)] == [False] * 3
    assert [p.exists() for p in (fresh, other, queued, mapping)] == [True] * 4
    assert cluster.one(
        "select state, finished_at is not null as over from imports where spool_path is null"
        " and file_name = 'f'"
    ) == {"state": "canceled", "over": True}
    for path in (fresh, other, queued, mapping):
        path.unlink()
    # Without the folder there is nothing to do.
    spool.rename(spool.with_name("elsewhere"))
    assert "files            0" in cluster.run("retention").stdout
    spool.with_name("elsewhere").rename(spool)


# -- erasure -----------------------------------------------------------------------------------------
WHOM = "+14155550042"


def traces(cluster, *words):
    """The tables in which any of these words stands."""
    found = set()
    for table, rows in cluster.everything().items():
        if any(word in row for row in rows for word in words):
            found.add(table)
    return found


def test_person_is_gone_but_for_the_order(cluster):
    cluster.rows(
        "insert into import_lines (import_id, line, verdict, reason, raw) values"
        " (1, 7, 'skipped', 'twice in this file', '[\"Person 42\", \"(415) 555-0042\"]'),"
        " (1, 8, 'rejected', 'no phone', '[\"p42@example.test\"]')"
    )
    cluster.rows(
        "insert into events (provider, dedupe_key, kind, signature, verdict, received_at, body) values"
        " ('bland', 'unknown', 'post_call', 'good', 'unknown_call', now(), '{\"to\": \"+14155550042\"}')"
    )
    others = cluster.rows("select x::text from calls x where phone <> %s order by 1", WHOM)
    assert traces(cluster, "4155550042", "Person 42") == {
        "calls",
        "events",
        "leads",
        "import_lines",
        "consents",
    }
    refused = cluster.run("erase", WHOM, check=False)
    assert refused.returncode == 1 and "--yes" in refused.stderr and count(cluster, "leads") == 300
    out = cluster.run("erase", "(415) 555-0042", "--yes").stdout
    assert "1 leads, 1 calls, 2 events, 2 import_lines, 1 consents" in out
    assert traces(cluster, "4155550042", "Person 42", "555-0042", "p42@example.test") == {"suppressions"}
    assert cluster.one("select reason, evidence from suppressions where phone = %s", WHOM) == {
        "reason": "Asked to be erased",
        "evidence": "",
    }
    assert cluster.rows("select x::text from calls x order by 1") == others
    # The import still adds up, and events are known again by their digest.
    assert count(cluster, "import_lines") == 3 and count(cluster, "events") == 301
    erasure = cluster.one("select * from erasures")
    assert len(erasure["phone_hash"]) == 64 and erasure["consents"][0]["granted"] is True
    assert "source" not in erasure["consents"][0]
    audit = cluster.one("select who, action, object from audit where action = 'person.erase'")
    assert audit == {
        "who": "trunkline",
        "action": "person.erase",
        "object": "person " + erasure["phone_hash"][:12],
    }


def test_erasing_again_and_strangers(cluster):
    cluster.run("erase", WHOM, "--yes")
    assert "0 leads, 0 calls" in cluster.run("erase", WHOM, "--yes").stdout
    assert count(cluster, f"suppressions where phone = '{WHOM}'") == 1
    cluster.run("erase", "+442079460000", "--yes")
    assert count(cluster, "suppressions where phone = '+442079460000'") == 1
    assert "too few digits" in cluster.run("erase", "12", "--yes", check=False).stderr


def test_run_time_role_may_erase(cluster):
    assert "1 leads, 1 calls" in cluster.run("erase", WHOM, "--yes", user="trunkline").stdout


def test_not_while_a_call_is_under_way(cluster):
    cluster.rows(
        "update calls set state = 'under_way', ended_at = null, outcome = null where phone = %s", WHOM
    )
    done = cluster.run("erase", WHOM, "--yes", check=False)
    assert done.returncode == 1 and "under way" in done.stderr
    assert count(cluster, f"leads where phone = '{WHOM}'") == 1
    # But nobody calls any more.
    assert count(cluster, f"suppressions where phone = '{WHOM}'") == 1


# -- in the browser ----------------------------------------------------------------------------------
def one_lead(stack, phone):
    answer = stack.upload(f"phone,contact\n{phone},Erica\n")
    assert answer.status_code < 300, answer.text
    return wait_for(lambda: stack.one("select id from leads where phone = %s", phone))["id"]


def test_admin_erases_by_the_button(stack):
    lead = one_lead(stack, "+14155550177")
    page = f"/leads/{lead}"
    member, admin = stack.login("member"), stack.login("admin")
    assert f"{page}/erase" not in member.get(page).text
    assert member.form(f"{page}/erase", {"digits": "0177"}).status_code == 403
    assert f"{page}/erase" in admin.get(page).text
    assert admin.post(f"{page}/erase", data={"digits": "0177"}).status_code == 403  # no token of the form
    wrong = admin.form(f"{page}/erase", {"digits": "0178"})
    assert wrong.status_code == 422 and "last four digits" in wrong.text and "Erica" in wrong.text
    assert stack.one("select 1 from leads where id = %s", lead) is not None
    done = admin.form(f"{page}/erase", {"digits": "0177"})
    assert done.status_code == 200 and done.url.endswith("/leads") and "Erased." in done.text
    assert not stack.rows("select 1 from leads where id = %s", lead)
    assert stack.one("select reason from suppressions where phone = '+14155550177'") == {
        "reason": "Asked to be erased"
    }
    audit = stack.one(
        "select who, address, detail from audit where action = 'person.erase' order by id desc"
    )
    assert audit["who"] == "admin@localhost" and "0177" not in str(audit)
    assert admin.get(page).status_code == 404


def test_admin_sets_how_long_data_is_kept(stack):
    admin = stack.login("admin")
    assert "Keeping data" in admin.get("/settings").text
    saved = admin.form("/settings/keeping", {"keep_events": "90", "keep_transcripts": ""})
    assert saved.status_code == 200 and 'value="90"' in saved.text
    assert stack.one("select keep_days('events') as e, keep_days('transcripts') as t") == {"e": 90, "t": 30}
    for wrong in ("0", "4000", "-1", "soon"):
        answer = admin.form("/settings/keeping", {"keep_events": wrong})
        assert answer.status_code == 422, wrong
    assert stack.one("select keep_days('events') as e")["e"] == 90
    admin.form("/settings/keeping", {"keep_events": ""})
    assert stack.one("select keep_days('events') as e")["e"] == 30
    assert stack.login("member").form("/settings/keeping", {"keep_events": "1"}).status_code == 403


def test_what_is_saved_shows_at_once_by_whichever_worker(stack):
    """Each of the two workers has read the settings just before: none may answer from what it read."""
    admin = stack.login("admin")
    with ThreadPoolExecutor(8) as people:
        for days in range(41, 46):
            seen = list(people.map(lambda _: admin.get("/settings").text, range(16)))
            assert all("Keeping data" in page for page in seen)
            admin.form("/settings/keeping", {"keep_files": str(days)})
            seen = list(people.map(lambda _: admin.get("/settings").text, range(16)))
            assert all(f'value="{days}"' in page for page in seen)
    admin.form("/settings/keeping", {"keep_files": ""})
