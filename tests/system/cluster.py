"""A PostgreSQL of its own for tests of the admin command: as after an installation, roles apart, no product
running. BUILD names the programs' folder."""
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg2
import psycopg2.extras

from conftest_stack import BUILD, ROOT

PG = Path("/usr/lib/postgresql/15/bin")
OLDER = (ROOT / "tests/system/files/older_release.sql").read_text()
KEY = "a key for tests, 0123456789abcdef0123456789"


class Cluster:
    def __init__(self):
        self.user = "postgres" if os.getuid() == 0 else None
        self.dir = Path(tempfile.mkdtemp(prefix="trunkline-cluster-", dir="/tmp"))
        self.backups, self.state = self.dir / "backups", self.dir / "state"
        for folder in (self.dir, self.backups, self.state, self.state / "spool"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
            if self.user:
                os.chown(folder, pwd.getpwnam(self.user).pw_uid, -1)
        self.tool("initdb", "-D", self.dir / "pg", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        self.start()

    def tool(self, name, *words):
        subprocess.run([PG / name, *words], check=True, capture_output=True, cwd="/", user=self.user)

    def start(self):
        options = f"-k {self.dir} -c listen_addresses='' -c fsync=off -c timezone=UTC"
        self.tool(
            "pg_ctl", "-D", self.dir / "pg", "-s", "-w", "-l", self.dir / "log", "-o", options, "start"
        )

    def close(self):
        self.tool("pg_ctl", "-D", self.dir / "pg", "-s", "-m", "immediate", "stop")
        findings = [p.read_text(errors="replace")[:3000] for p in self.dir.glob("asan*")]
        shutil.rmtree(self.dir, ignore_errors=True)
        assert not findings, "\n".join(findings)

    def environment(self, database="trunkline", user=None, **settings):
        env = {
            **os.environ,
            "DATABASE_URL": f"host={self.dir} dbname={database}" + (f" user={user}" if user else ""),
            "SECRET_KEY": KEY,
            "STATE": str(self.state),
            "BACKUP_DIR": str(self.backups),
            "SQL_DIR": str(ROOT / "sql"),
            "PROMPT_DIR": str(ROOT / "templates/prompts"),
            "ASAN_OPTIONS": f"log_path={self.dir}/asan:detect_leaks=1",
            "UBSAN_OPTIONS": f"log_path={self.dir}/asan-ub:print_stacktrace=1",
            **{name: str(value) for name, value in settings.items()},
        }
        env.pop("PGUSER", None)
        if not self.user and not user:
            env["PGUSER"] = "postgres"
        return env

    def run(self, *words, database="trunkline", user=None, check=True, **settings):
        """The admin command, as root on a server: no user in the address unless one is given."""
        env = self.environment(database, user, **settings)
        done = subprocess.run(
            [str(BUILD / "trunkline"), *map(str, words)],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def renew(self):
        """The database trunkline with the data of an older release, and no other; made once, then copied."""
        for name in self.databases():
            if name not in ("postgres", "template0", "template1", "seed"):
                self.rows(f'drop database "{name}" with (force)', database="postgres")
        if "seed" not in self.databases():
            self.run("database", "init", database="seed")
            self.run("migrate", database="seed")
            self.rows("truncate prompts restart identity cascade", database="seed")
            self.rows(OLDER, database="seed")
        self.rows("create database trunkline template seed owner trunkline_owner", database="postgres")
        for setting in ("jit = off", "random_page_cost = 1.1"):
            self.rows(f"alter database trunkline set {setting}", database="postgres")
        self.run("database", "init")

    def connect(self, database="trunkline", user="postgres"):
        c = psycopg2.connect(
            host=str(self.dir), dbname=database, user=user, cursor_factory=psycopg2.extras.RealDictCursor
        )
        c.autocommit = True
        return c

    def rows(self, sql, *params, database="trunkline", user="postgres"):
        c = self.connect(database, user)
        with c.cursor() as cursor:
            cursor.execute(sql, params or None)
            found = [dict(r) for r in cursor.fetchall()] if cursor.description else []
        c.close()
        return found

    def one(self, sql, *params, **more):
        found = self.rows(sql, *params, **more)
        return found[0] if found else None

    def databases(self):
        return [r["datname"] for r in self.rows("select datname from pg_database", database="postgres")]

    def everything(self, database="trunkline"):
        """Every row of every table, as text."""
        tables = self.rows(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
            " and relpersistence = 'p' order by relname",
            database=database,
        )
        return {
            t["relname"]: sorted(
                r["x"] for r in self.rows(f"select x::text from {t['relname']} x", database=database)
            )
            for t in tables
        }
