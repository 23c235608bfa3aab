"""What probes share: the running product, its PostgreSQL, peers' packages, processes, a load generator."""
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg2

import usage
from bench import HERE, Figure, Rounds

ROOT = HERE.parents[1]
NODE = 20  # fastify's and pg-boss's own demand
WORKERS = {"WEB_WORKERS": "4", "HOOK_WORKERS": "2"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def version(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "0 (none)"


def about_machine(house):
    """What a reader must know to judge the absolute figures."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return {
        "machine": f"{os.cpu_count()} cores ({cpu[0].split(':')[1].strip() if cpu else '?'}), {memory} MB",
        "system": f"Linux {platform.release()}, {version('psql', '--version')}, "
        f"{version('nginx', '-v')}, node {version('node', '--version')}, {sys.version.split()[0]}",
        "load before": " ".join(f"{n:.2f}" for n in os.getloadavg()),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "program": version("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "form": "quick: one short pair each"
        if house.quick
        else f"{house.pairs} pairs of {house.seconds} s",
    }


class Process:
    """Something that was started; `stop` ends it and its children."""

    def __init__(self, popen, log):
        self.popen, self.log, self.pid = popen, log, popen.pid

    def alive(self):
        return self.popen.poll() is None

    def stop(self):
        if self.alive():
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.popen.wait()


class House:
    """quick, pairs (rounds to take), seconds (of one measurement), build (the programs' folder), out (where
    the bench's own files go), figures (absolute figures so far)."""

    def __init__(self):
        self.quick = os.environ.get("QUICK", "") not in ("", "0")
        self.pairs = 1 if self.quick else int(os.environ.get("PAIRS", "5"))
        self.seconds = float(os.environ.get("SECONDS_EACH", "2" if self.quick else "6"))
        self.build = Path(os.environ.get("BUILD") or ROOT / "build").resolve()
        self.out = self.build / "bench"
        self.out.mkdir(parents=True, exist_ok=True)
        self.figures = []
        self.pgbench_done = 0
        self._letter = "?"
        self._stack = None
        self._started = []
        self._compiling = threading.Lock()
        for program in ("trunkline-web", "trunkline-dialer", "trunkline"):
            if not (self.build / program).exists():
                sys.exit(f"{self.build / program} is missing: run make first")

    # -- telling ---------------------------------------------------------------------------------
    def begin(self, letter):
        self._letter = letter

    def figure(self, what, value, unit):
        """An absolute figure of the running probe, for information."""
        self.figures.append(Figure(self._letter, what, float(value), unit))

    def say(self, text):
        print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)

    # -- the product and its PostgreSQL ------------------------------------------------------------
    def stack(self):
        """The real product as `make run` starts it, with fsync on; one for all probes. Start another one of
        your own with `house.new_stack(**settings)` where yours must differ."""
        if not self._stack:
            self._stack = self.new_stack()
            durable = self.sql("select current_setting('fsync'), current_setting('synchronous_commit')")
            if durable != [("on", "on")]:
                raise RuntimeError(f"PostgreSQL is not durable here: fsync, synchronous_commit = {durable}")
        return self._stack

    def new_stack(self, **settings):
        """The caller closes it."""
        os.environ["BUILD"] = str(self.build)
        sys.path.insert(0, str(ROOT / "tests" / "system"))
        from conftest_stack import Stack

        return Stack(**{"PG_FAST": "", **WORKERS, **settings})

    @property
    def pg(self):
        """Connection parameters, as psycopg2.connect(**house.pg) takes them; `host` is a folder of a
        socket."""
        return {"host": str(self.stack().state / "run"), "user": "trunkline", "dbname": "trunkline"}

    def pg_env(self, database="trunkline"):
        """The same for programs: psql, pgbench, node's pg, libpq."""
        return {"PGHOST": self.pg["host"], "PGUSER": "trunkline", "PGDATABASE": database}

    def url(self, database="trunkline", stack=None):
        """The same as libpq's words, as the product takes them in DATABASE_URL."""
        host = (stack or self.stack()).state / "run"
        return f"host={host} dbname={database} user=trunkline"

    def connect(self, database="trunkline"):
        c = psycopg2.connect(**{**self.pg, "dbname": database})
        c.autocommit = True
        return c

    def connect_to(self, stack):
        """The same to another stack than the shared one."""
        c = psycopg2.connect(host=str(stack.state / "run"), user="trunkline", dbname="trunkline")
        c.autocommit = True
        return c

    def sql(self, text, params=None, database="trunkline"):
        """Runs statements; the rows of the last one as tuples."""
        c = self.connect(database)
        with c.cursor() as cursor:
            cursor.execute(text, params)
            rows = cursor.fetchall() if cursor.description else []
        c.close()
        return rows

    def database(self, name):
        """A fresh database with the product's schema on the same server; answers its DATABASE_URL."""
        self.sql(f'drop database if exists "{name}" with (force)', database="postgres")
        self.sql(f'create database "{name}"', database="postgres")
        env = {**self.product_env(), "DATABASE_URL": self.url(name)}
        subprocess.run(
            [self.build / "trunkline", "migrate"], env=env, check=True, capture_output=True, timeout=120
        )
        return env["DATABASE_URL"]

    def product_env(self):
        """What the product's programs read, for running one of them beside the stack."""
        s = self.stack()
        return {
            **s.env,
            "SECRET_KEY": s.secret("secret-key"),
            "STATE": str(s.state),
            "DATABASE_URL": self.url(),
            "TEMPLATE_DIR": f"{s.state}/app/templates",
            "STATIC_DIR": f"{s.state}/app/static",
            "PROMPT_DIR": f"{s.state}/app/templates/prompts",
            "SQL_DIR": f"{s.state}/app/sql",
            "BASE_URL": s.url,
        }

    def pgbench(
        self, script, *words, clients=8, seconds=None, transactions=None, database="trunkline", env=None
    ):
        """Transactions per second (without connecting) of `pgbench -M prepared`; words are more options.
        `transactions` is the number per client. pgbench_done: how many there were."""
        path = self.out / f"pgbench-{self._letter}.sql"
        path.write_text(script)
        limit = (
            ["-t", str(transactions)]
            if transactions
            else ["-T", str(max(1, round(seconds or self.seconds)))]
        )
        done = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", *limit, *words, "-f", path],
            env={**os.environ, **self.pg_env(database), **(env or {})},
            capture_output=True,
            text=True,
            timeout=900,
        )
        if done.returncode:
            raise RuntimeError("pgbench: " + done.stderr[-2000:])
        for line in done.stdout.splitlines():
            if line.startswith("number of transactions actually processed:"):
                self.pgbench_done = int(line.split(":")[1].split("/")[0])
            if line.startswith("tps = "):
                return float(line.split()[2])
        raise RuntimeError("pgbench told no tps: " + done.stdout[-500:])

    # -- peers -----------------------------------------------------------------------------------
    def npm(self):
        """The node_modules of tests/bench/package.json, installed once at exactly the locked versions."""
        if int(version("node", "--version").lstrip("v").split(".")[0].split()[0]) < NODE:
            raise RuntimeError(f"the peers need node {NODE} or newer, and npm")
        home = self.out / "npm"
        lock = (HERE / "package-lock.json").read_text()
        stamp = home / "installed.json"
        if not stamp.exists() or stamp.read_text() != lock:
            home.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, home / name)
            self.say("npm ci (once)")
            words = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
            subprocess.run(words, cwd=home, check=True, timeout=600)
            stamp.write_text(lock)
        return home / "node_modules"

    def node(self, script, *words, **more):
        """Starts peers/<script> (CommonJS) where it finds the packages; see `start`."""
        env = {"NODE_PATH": str(self.npm()), "NODE_ENV": "production", **more.pop("env", {})}
        return self.start(["node", str(HERE / "peers" / script), *map(str, words)], env=env, **more)

    # -- processes ---------------------------------------------------------------------------------
    def start(self, cmd, env=None, ready=None, seconds=60, name=None):
        """Starts a process (its output goes to a log) and waits until ready: a function, a TCP port, or the
        path of a socket. It ends with the probe, or by its `stop`."""
        log = self.out / f"{name or Path(str(cmd[0])).name}.log"
        with open(log, "ab") as out:
            popen = subprocess.Popen(
                [str(word) for word in cmd],
                env={**os.environ, **{k: str(v) for k, v in (env or {}).items()}},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = Process(popen, log)
        self._started.append(process)
        end = time.monotonic() + seconds
        while ready is not None and not is_ready(ready):
            if not process.alive() or time.monotonic() > end:
                tail = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{cmd[0]} did not become ready:\n{tail}")
            time.sleep(0.02)
        return process

    def stop_started(self):
        for process in reversed(self._started):
            process.stop()
        self._started = []

    def close(self):
        self.stop_started()
        if self._stack:
            self._stack.close()
            self._stack = None

    # -- measuring ---------------------------------------------------------------------------------
    def alternate(self, subjects, pairs=None):
        """Takes turns: every function of {"name": function} once per round, `pairs` rounds. Each answers
        one number (a rate or a time). Answers Rounds: median(name), ratio(above, below)."""
        values = {name: [] for name in subjects}
        rounds = pairs or self.pairs
        for i in range(rounds):
            for name, function in subjects.items():
                value = float(function())
                values[name].append(value)
                self.say(f"round {i + 1} of {rounds}: {name} {value:,.2f}")
        return Rounds(values)

    def load(
        self,
        url,
        requests,
        connections=16,
        seconds=None,
        repeat=False,
        rate=0,
        most=0,
        name="",
        secret=None,
    ):
        """Sends ready-made HTTP/1.1 requests (bytes each) over kept connections; url is
        https://localhost:port, http://127.0.0.1:port or unix:/path. Each request is sent once, in order,
        unless repeat. rate: so many per second whatever the answers take (0: one after the other on each
        connection). secret: the only request is a pattern (reports.pattern) for reports about call 1, 2,
        ... name: so that several may run at once. Answers
        {"sent","ok","other","errors","rate","p50_ms","p99_ms","max_ms","seconds", "statuses", "cpu_us":
        {program: microseconds for each answer}}; latencies of an open loop count from when a request was
        due."""
        path = self.out / f"requests-{self._letter}{name}.bin"
        with open(path, "wb") as f:
            for r in requests:
                f.write(len(r).to_bytes(4, "little"))
                f.write(r)
        words = [self.hammer(), "-u", url, "-c", str(connections), "-s", str(seconds or self.seconds)]
        words += ["-r"] if repeat else []
        words += ["-R", str(rate)] if rate else []
        words += ["-n", str(most)] if most else []
        words += ["-g", "1"] if secret else []
        env = {**os.environ, "HAMMER_SECRET": secret or ""}
        before = usage.spent()
        done = subprocess.run([*words, path], env=env, capture_output=True, text=True, timeout=7200)
        if done.returncode:
            raise RuntimeError("hammer: " + done.stderr[-2000:])
        said = json.loads(done.stdout)
        said["cpu_us"] = usage.each(before, usage.spent(), said["ok"])
        return said

    def compiled(self, source, *libraries):
        """A program of the bench's own, anew where its files (of that name) are newer."""
        program = self.out / source.stem
        newest = max(path.stat().st_mtime for path in source.parent.glob(source.stem + "*.[ch]"))
        words = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]
        # Several threads may want it at once.
        with self._compiling:
            if not program.exists() or program.stat().st_mtime < newest:
                subprocess.run([*words, program, source, *libraries], check=True)
        return program

    def hammer(self):
        """The load generator."""
        return self.compiled(HERE / "hammer.c", "-lssl", "-lcrypto")


def is_ready(ready):
    if callable(ready):
        return ready()
    try:
        if isinstance(ready, int):
            socket.create_connection(("127.0.0.1", ready), 1).close()
        else:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(ready))
        return True
    except OSError:
        return False
