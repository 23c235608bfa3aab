"""`trunkline backup` and `trunkline restore`: what was saved comes back row by row; a bad day
gets no worse."""
import json
import os
import subprocess
import threading

import psycopg2
import pytest

from cluster import KEY, Cluster
from conftest_stack import BUILD, wait_for


@pytest.fixture
def cluster(server):
    """Its database and its folder of backups as new."""
    for path in server.backups.iterdir():
        path.unlink()
    server.renew()
    return server


def newest(cluster):
    return sorted(cluster.backups.glob("*.dump"))[-1]


def last_run(cluster, name):
    return cluster.one("select * from maintenance_runs where name = %s order by id desc limit 1", name)


def without_runs(everything):
    return {t: rows for t, rows in everything.items() if t != "maintenance_runs"}


# -- there and back --------------------------------------------------------------------------------
def test_what_was_saved_comes_back_row_by_row(cluster):
    cluster.rows("update campaigns set state = 'paused'")
    before = cluster.everything()
    out = cluster.run("backup").stdout
    assert "SECRET_KEY is not in it" in out
    cluster.rows(
        "delete from leads where id % 2 = 0; update calls set transcript = 'wrong'; delete from events"
    )
    assert cluster.everything() != before
    refused = cluster.run("restore", newest(cluster), check=False)
    assert refused.returncode == 1 and "holds data" in refused.stderr
    assert cluster.one("select count(*) as n from events") == {"n": 0}
    out = cluster.run("restore", newest(cluster), "--yes").stdout
    assert "rows are as they were" in out
    after = cluster.everything()
    assert without_runs(after) == without_runs(before)
    run = last_run(cluster, "restore")
    assert run["ok"] and run["detail"]["kept_as"] in cluster.databases()
    # What was there stays under another name.
    kept = cluster.everything(run["detail"]["kept_as"])
    assert len(kept["leads"]) == 150 and not kept["events"]


def test_rights_settings_and_sequences_come_back(cluster):
    cluster.run("backup")
    settings = (
        "select setconfig from pg_db_role_setting r join pg_database d on d.oid = setdatabase"
        " where datname = %s"
    )
    before = cluster.one(settings, "trunkline")
    cluster.run("restore", newest(cluster), "--yes")
    assert cluster.one(settings, "trunkline") == before and "jit=off" in before["setconfig"]
    owners = cluster.rows("select distinct tableowner from pg_tables where schemaname = 'public'")
    assert owners == [{"tableowner": "trunkline_owner"}]
    new = cluster.one(
        "insert into leads (client_id, phone) values (1, '+14155550000') returning id", user="trunkline"
    )
    assert new["id"] == 301
    with pytest.raises(Exception, match="permission denied|must be owner"):
        cluster.rows("drop table leads", user="trunkline")


def test_second_server(cluster):
    """A fresh server that was set up: nothing is in the way, so that nothing is asked."""
    cluster.rows("update campaigns set state = 'paused'")
    cluster.run("backup")
    before = cluster.everything()
    second = Cluster()
    try:
        second.run("database", "init")
        second.run("migrate")
        out = second.run("restore", newest(cluster)).stdout
        assert "another SECRET_KEY" not in out
        after = second.everything()
        assert without_runs(after) == without_runs(before)
    finally:
        second.close()


def test_another_key_is_told(cluster):
    cluster.run("backup")
    out = cluster.run("restore", newest(cluster), "--yes", SECRET_KEY="another " + KEY).stdout
    assert "another SECRET_KEY" in out


def test_into_another_database(cluster):
    cluster.rows("update campaigns set state = 'paused'")
    before = cluster.everything()
    cluster.run("backup")
    cluster.run("restore", newest(cluster), "--into", "copy")
    assert without_runs(cluster.everything("copy")) == without_runs(before)
    assert without_runs(cluster.everything()) == without_runs(before)


def test_backup_while_rows_come_and_go(cluster):
    """Dump and manifest show the same moment, whatever is written meanwhile."""
    stop = threading.Event()

    def write():
        c = cluster.connect(user="trunkline")
        with c.cursor() as cursor:
            n = 0
            while not stop.is_set():
                n += 1
                cursor.execute(
                    "insert into login_failures (key, at) select 'x', now() from generate_series(1, 50)"
                )
                cursor.execute("update leads set notes = %s where id %% 7 = %s", (str(n), n % 7))
        c.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        cluster.run("backup")
    finally:
        stop.set()
        writer.join()
    out = cluster.run("backup", "--check").stdout
    assert "can be restored" in out
    assert last_run(cluster, "backup_check")["ok"]
    assert "trunkline_check" not in cluster.databases()


# -- nobody is contacted on yesterday's word ---------------------------------------------------------
def test_restore_pauses_and_keeps_newer_orders(cluster):
    cluster.run("backup")
    cluster.rows("insert into suppressions (client_id, phone, reason) values (1, '+14155550007', 'asked')")
    cluster.run("erase", "+14155550009", "--yes")
    cluster.run("restore", newest(cluster), "--yes")
    campaign = cluster.one("select state, state_reason from campaigns")
    assert campaign["state"] == "paused" and campaign["state_reason"].startswith(
        "Restored from a backup of "
    )
    assert cluster.one("select count(*) as n from alerts where kind = 'campaign_paused'") == {"n": 1}
    phones = {r["phone"] for r in cluster.rows("select phone from suppressions")}
    assert {"+14155559999", "+14155550007", "+14155550009"} <= phones
    assert not cluster.rows("select 1 from leads where phone = '+14155550009'")
    assert not cluster.rows("select 1 from events where body like '%%14155550009%%'", "")


# -- a bad day ---------------------------------------------------------------------------------------
def test_damaged_backup_is_refused_and_nothing_lost(cluster):
    cluster.run("backup")
    before = cluster.everything()
    path = newest(cluster)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = cluster.run("restore", path, "--yes", check=False)
    assert done.returncode == 1 and "is damaged" in done.stderr
    assert cluster.run("backup", "--check", check=False).returncode == 1
    run = last_run(cluster, "backup_check")
    assert run["ok"] is False and "is damaged" in run["detail"]["error"] and run["finished_at"]
    assert without_runs(cluster.everything()) == without_runs(before)


def test_wrong_rows_are_found_and_nothing_lost(cluster):
    """The digest of the file is right, but one row is not what the manifest says."""
    cluster.run("backup")
    manifest = newest(cluster).with_suffix(".json")
    m = json.loads(manifest.read_text())
    table = next(t for t in m["tables"] if t["name"] == "calls")
    assert table["rows"] == 300
    table["digest"] = str(int(table["digest"]) + 1)
    manifest.write_text(json.dumps(m))
    for words in (("restore", newest(cluster), "--yes"), ("backup", "--check")):
        done = cluster.run(*words, check=False)
        assert done.returncode == 1 and "The rows of calls are not as they were" in done.stderr
    assert sorted(d for d in cluster.databases() if d.startswith("trunkline")) == ["trunkline"]
    assert last_run(cluster, "backup_check")["ok"] is False


def test_no_room_to_restore_is_found_before_the_disk_is_full(cluster):
    cluster.run("backup")
    manifest = newest(cluster).with_suffix(".json")
    m = json.loads(manifest.read_text())
    assert 1 << 20 < m["database_bytes"] < 1 << 30
    m["database_bytes"] = 1 << 60
    manifest.write_text(json.dumps(m))
    done = cluster.run("backup", "--check", check=False)
    assert done.returncode == 1 and "There is no room to restore into" in done.stderr
    assert "no room" in last_run(cluster, "backup_check")["detail"]["error"]
    assert "trunkline_check" not in cluster.databases()


def test_backup_of_a_newer_program_is_refused(cluster):
    cluster.rows("insert into schema_migrations values ('9001_later.sql', 9001, 'x', now())")
    cluster.run("backup")
    before = cluster.everything()
    done = cluster.run("restore", newest(cluster), "--yes", check=False)
    assert done.returncode == 1 and "newer Trunkline" in done.stderr
    assert cluster.everything() == before
    assert sorted(d for d in cluster.databases() if d.startswith("trunkline")) == ["trunkline"]


def test_what_a_killed_restore_left_is_in_nobodys_way(cluster):
    cluster.run("backup")
    cluster.rows("create database trunkline_restoring", database="postgres")
    cluster.rows("create database trunkline_check", database="postgres")
    cluster.run("backup", "--check")
    cluster.run("restore", newest(cluster), "--yes")
    left = [d for d in cluster.databases() if d.startswith("trunkline")]
    assert len(left) == 2 and all(d == "trunkline" or "_before_" in d for d in left), left


@pytest.mark.parametrize("tables", [0, 20])
def test_restore_that_is_killed_loses_nothing(cluster, tables):
    """Killed when the new database is there, and when most of it is filled; then once more, whole."""
    cluster.run("backup")
    cluster.rows("delete from events")
    before = cluster.everything()

    def so_far():
        if "trunkline_restoring" not in cluster.databases():
            return None
        try:
            found = cluster.one("select count(*) as n from pg_tables", database="trunkline_restoring")
        except psycopg2.OperationalError:
            return None
        return found["n"] - 60 >= tables or (tables == 0)

    words = [str(BUILD / "trunkline"), "restore", str(newest(cluster)), "--yes"]
    process = subprocess.Popen(words, env=cluster.environment(), stdout=subprocess.DEVNULL)
    wait_for(so_far, pause=0.01)
    process.kill()
    process.wait()
    assert cluster.everything() == before
    cluster.run("restore", newest(cluster), "--yes")
    assert cluster.one("select count(*) as n from events") == {"n": 300}


def test_run_time_role_may_save_but_not_replace(cluster):
    """For a database on another server, where nobody is its superuser."""
    cluster.run("backup", user="trunkline")
    for words in (("backup", "--check"), ("restore", newest(cluster), "--yes")):
        done = cluster.run(*words, user="trunkline", check=False)
        assert done.returncode == 1 and "permission denied to create database" in done.stderr


def test_two_at_once(cluster):
    c = cluster.connect()
    with c.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(7412302)")
        done = cluster.run("backup", check=False)
    c.close()
    assert done.returncode == 1 and "under way" in done.stderr
    assert not list(cluster.backups.iterdir())


def test_manifest_is_needed(cluster):
    cluster.run("backup")
    newest(cluster).with_suffix(".json").unlink()
    done = cluster.run("restore", newest(cluster), "--yes", check=False)
    assert done.returncode == 1 and "copy both" in done.stderr


def test_what_cannot_be_written_leaves_nothing(cluster):
    cluster.run("backup")
    before = sorted(os.listdir(cluster.backups))
    closed = cluster.dir / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    done = cluster.run("backup", "--to", closed, check=False)
    assert done.returncode == 1 and "pg_dump" in done.stderr and os.listdir(closed) == []
    run = last_run(cluster, "backup")
    assert run["ok"] is False and "pg_dump" in run["detail"]["error"]
    assert before == sorted(os.listdir(cluster.backups))
    closed.rmdir()


def test_full_disk_is_not_made_fuller(cluster):
    full = cluster.dir / "full"
    full.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", full]):
        pytest.skip("nothing may be mounted here")
    try:
        done = cluster.run("backup", "--to", full, check=False)
        assert done.returncode == 1 and "There is no room for a backup" in done.stderr
        assert os.listdir(full) == []
    finally:
        subprocess.check_call(["umount", full])
    assert "no room" in last_run(cluster, "backup")["detail"]["error"]


# -- keeping -----------------------------------------------------------------------------------------
def test_rotation_and_leftovers(cluster):
    def made(day, hour=2):
        for end in ("dump", "json"):
            (cluster.backups / f"trunkline-202601{day:02d}T{hour:02d}0000Z.{end}").write_text("x")

    for day in range(1, 32):
        made(day)
    made(31, 3)
    (cluster.backups / "trunkline-20260101T000000Z.dump.part").write_text("half")
    (cluster.backups / "somebody-else.dump").write_text("mine")
    out = cluster.run("backup", BACKUP_DAILY=3, BACKUP_WEEKLY=2, BACKUP_MONTHLY=2).stdout
    left = sorted(p.name[10:18] for p in cluster.backups.glob("trunkline-*.dump"))
    # Days: today's, the 31st, the 30th. Weeks: today's and the 31st's. Months: today's and January's newest.
    assert left[:2] == ["20260130", "20260131"] and len(left) == 3, (left, out)
    assert not list(cluster.backups.glob("*.part")) and (cluster.backups / "somebody-else.dump").exists()
    assert len(list(cluster.backups.glob("trunkline-*.json"))) == 3
    assert last_run(cluster, "backup")["detail"]["removed"] == 30
    assert "trunkline-20260131T030000Z" in cluster.run("backup", "--list").stdout


def test_files_are_for_their_owner_alone(cluster):
    cluster.run("backup", "--secret-key")
    keys = list(cluster.backups.glob("secret-key-*"))
    assert len(keys) == 1 and keys[0].read_text() == KEY
    for path in cluster.backups.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert KEY not in newest(cluster).with_suffix(".json").read_text()
    assert KEY.encode() not in newest(cluster).read_bytes()


def test_check_without_a_backup(cluster):
    done = cluster.run("backup", "--check", check=False)
    assert done.returncode == 1 and "There is no backup" in done.stderr
    assert last_run(cluster, "backup_check")["ok"] is False


# -- while the product runs --------------------------------------------------------------------------
def test_restore_under_a_running_product(new_stack):
    """Everybody finds the new database by themselves; nobody sees more than one error."""
    stack = new_stack()
    stack.upload("phone,contact\n+14155550101,Ann\n+14155550102,Ben\n")
    wait_for(lambda: len(stack.rows("select id from leads")) == 2)
    stack.run("backup", "--to", str(stack.state / "backups"))
    path = sorted((stack.state / "backups").glob("*.dump"))[-1]
    stack.upload("phone,contact\n+14155550103,Cem\n")
    wait_for(lambda: len(stack.rows("select id from leads")) == 3)
    admin = stack.api("admin")
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            seen.append(admin.get("/api/leads").status_code)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        out = stack.run("restore", str(path), "--yes").stdout
        assert "rows are as they were" in out
        n = len(seen)
        wait_for(lambda: len(seen) > n + 40)
    finally:
        stop.set()
        watcher.join()
    assert len([s for s in seen if s != 200]) <= 2, seen  # one for each of the two workers at most
    assert set(seen[-20:]) == {200}
    names = {lead["contact"] for lead in admin.get("/api/leads").json()["leads"]}
    assert names == {"Ann", "Ben"}
    # Jobs and the dialer have found it, too.
    stack.upload("phone,contact\n+14155550104,Dea\n")
    wait_for(lambda: len(stack.rows("select id from leads")) == 3)
    newest = stack.one("select max(seen_at) as at from dialer_runs")["at"]
    wait_for(lambda: stack.one("select max(seen_at) as at from dialer_runs")["at"] > newest)
