"""Roles, `trunkline database init` and `trunkline migrate`: what a server's database goes through."""
import hashlib
import shutil
import subprocess
import threading

import psycopg2
import pytest

from cluster import OLDER
from conftest_stack import BUILD, ROOT


@pytest.fixture
def cluster(server):
    return server


ALL = tuple(sorted(path.name[:4] for path in (ROOT / "sql/migrations").glob("*.sql")))


def folder_with(tmp_path, migrations):
    """A copy of sql/ with only those migrations, as another release would bring."""
    target = tmp_path / "sql"
    shutil.copytree(ROOT / "sql", target)
    for path in (target / "migrations").glob("*.sql"):
        if path.name[:4] not in migrations:
            path.unlink()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    return target


def older_release(cluster, database):
    """An installation of the first release: one role that owned everything, with data."""
    cluster.rows(f"create database {database} template template0 encoding 'UTF8'", database="postgres")
    c = cluster.connect(database)
    with c.cursor() as cursor:
        for name in ("0001_house.sql", "0002_area_codes.sql"):
            text = (ROOT / "sql/migrations" / name).read_text()
            cursor.execute(text)
            cursor.execute(
                "insert into schema_migrations values (%s, %s, encode(sha256(%s), 'hex'), now())",
                (name, int(name[:4]), text.encode()),
            )
        cursor.execute(OLDER)
    c.close()


def test_init_makes_roles_and_database_once(cluster):
    for _ in range(2):
        assert "trunkline_owner owns it" in cluster.run("database", "init").stdout
    assert cluster.one(
        "select pg_get_userbyid(datdba) as o from pg_database where datname = 'trunkline'"
    ) == {"o": "trunkline_owner"}
    roles = cluster.rows(
        "select rolname, rolcanlogin, rolsuper or rolcreatedb or rolcreaterole as might from pg_roles"
        " where rolname like 'trunkline%%' order by 1",
        "",
    )
    assert [tuple(r.values()) for r in roles] == [
        ("trunkline", True, False),
        ("trunkline_owner", False, False),
    ]
    cluster.run("migrate")
    assert cluster.run("migrate").stdout == "0 migrations and 0 function files applied.\n"


def test_run_time_role_reads_and_writes_rows_and_nothing_else(cluster):
    cluster.run("database", "init")
    cluster.run("migrate")
    owners = cluster.rows("select distinct tableowner from pg_tables where schemaname = 'public'")
    assert owners == [{"tableowner": "trunkline_owner"}]
    c = cluster.connect(user="trunkline")
    with c.cursor() as cursor:
        cursor.execute("insert into leads (client_id, phone) values (1, '+14155550100') returning id")
        lead = cursor.fetchone()["id"]
        cursor.execute("update leads set contact = 'x' where id = %s", (lead,))
        cursor.execute("delete from leads where id = %s", (lead,))
        cursor.execute("select import_stage_create()")
        cursor.execute("insert into maintenance_runs (name, started_at) values ('backup', now())")
        for forbidden in (
            "create table x (y int)",
            "drop table leads",
            "alter table leads add z int",
            "create or replace function now2() returns int language sql as 'select 1'",
            "truncate leads",
            "create index x on leads (phone)",
            "update schema_migrations set version = 1",
            "delete from audit",
            "create schema x",
            "alter database trunkline set jit = on",
            "create database x",
            "set role trunkline_owner",
        ):
            with pytest.raises(psycopg2.Error, match="permission|owner|denied"):
                cursor.execute(forbidden)
    c.close()


def test_nobody_else_may_enter(cluster):
    cluster.run("database", "init")
    if not cluster.one("select 1 from pg_roles where rolname = 'stranger'"):
        cluster.rows("create role stranger login", database="postgres")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        cluster.connect(user="stranger")


def test_later_tables_are_granted_too(cluster, tmp_path):
    cluster.run("database", "init")
    cluster.run("migrate")
    folder = folder_with(tmp_path, ALL)
    (folder / "migrations/9001_more.sql").write_text("create table more (id int);")
    cluster.run("migrate", SQL_DIR=folder)
    cluster.rows("insert into more values (1)", user="trunkline")
    # The program as it is does not know that migration.
    older = cluster.run("migrate", check=False)
    assert older.returncode == 1 and "newer Trunkline (it has 9001_more.sql" in older.stderr
    cluster.rows("drop table more; delete from schema_migrations where version = 9001")


def test_migration_is_one_transaction_and_changed_ones_are_refused(cluster, tmp_path):
    cluster.run("database", "init")
    cluster.run("migrate")
    folder = folder_with(tmp_path, ALL)
    broken = folder / "migrations/9002_broken.sql"
    broken.write_text("create table half (id int); select 1/0;")
    done = cluster.run("migrate", check=False, SQL_DIR=folder)
    assert done.returncode == 1 and "9002_broken.sql" in done.stderr
    assert cluster.one("select to_regclass('half') as t") == {"t": None}
    broken.unlink()
    with open(folder / "migrations/0001_house.sql", "a") as f:
        f.write("\n-- edited\n")
    done = cluster.run("migrate", check=False, SQL_DIR=folder)
    assert done.returncode == 1 and "changed after it had been applied" in done.stderr


def test_two_at_once_migrate_once(cluster):
    cluster.run("database", "init", database="twice")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(cluster.run("migrate", database="twice").stdout))
        for _ in range(3)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum(not a.startswith("0 migrations") for a in answers) == 1, answers


def test_released_migrations_stay_as_they_are():
    """Who installed a release has applied them; a change of theirs is a new migration. New ones are added to
    the list when they are released."""
    for line in (ROOT / "tests/system/files/released_migrations.txt").read_text().splitlines():
        digest, name = line.split()
        now = hashlib.sha256((ROOT / "sql/migrations" / name).read_bytes()).hexdigest()
        assert now == digest, name


def test_data_of_an_older_release_survives(cluster):
    older_release(cluster, "older")
    before = cluster.everything("older")
    assert len(before["leads"]) == 300 and len(before["events"]) == 300
    cluster.run("database", "init", database="older")
    cluster.run("migrate", database="older")
    after = cluster.everything("older")
    for table, rows in before.items():
        if table == "schema_migrations":
            assert set(rows) < set(after[table])
        elif table in ("prompts", "prompt_versions"):
            assert set(rows) <= set(after[table])  # the seeded prompts come to those that are there
        else:
            # A newer release may have added columns, which come last.
            assert len(after[table]) == len(rows), table
            assert all(now.startswith(was[:-1]) for was, now in zip(rows, after[table])), table
    assert cluster.rows("select count(*) as n from leads", database="older", user="trunkline") == [
        {"n": 300}
    ]


def test_what_the_run_time_role_owned_goes_to_the_owner(cluster):
    cluster.run("database", "init", database="handed")
    cluster.rows("create table t (id int); alter table t owner to trunkline", database="handed")
    cluster.run("database", "init", database="handed")
    owner = cluster.one("select tableowner as o from pg_tables where tablename = 't'", database="handed")
    assert owner == {"o": "trunkline_owner"}


def test_grant_lets_another_role_in(cluster):
    cluster.run("database", "init")
    cluster.run("migrate")
    if not cluster.one("select 1 from pg_roles where rolname = 'reporter'"):
        cluster.rows("create role reporter login", database="postgres")
    cluster.run("migrate", "--grant", "reporter")
    assert cluster.one("select count(*) as n from clients", user="reporter") == {"n": 1}


def test_help_names_the_commands():
    text = subprocess.run([str(BUILD / "trunkline"), "--help"], capture_output=True, text=True).stdout
    assert "trunkline database init" in text and "trunkline migrate [--grant ROLE]" in text
