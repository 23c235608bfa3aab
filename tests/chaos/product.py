"""The running product as the faults see it: its processes, wall clock and disk, and a person who presses
its buttons. Only processes of this very run are ever touched."""

import mmap
import os
import queue
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg2
import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from conftest_stack import BUILD, CSRF, Stack  # noqa: E402

PG_BIN = "/usr/lib/postgresql/15/bin"
HTTP_TIMEOUT = 6  # more than the 5 s of a slow provider
LEASE = HTTP_TIMEOUT + 15  # of a claimed call; see engine/dialer.h
CONCURRENCY, PACE = 40, 60


def words(pid):
    """A process's command line as a list; [] where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def send(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


class Machine:
    """The wall clock and the disk of every program of the run, this one included; see shim.c."""

    def __init__(self):
        control = os.environ["CHAOS_SHIM"]
        self.dir = Path(control).parent
        self.file = open(control, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 24)
        self.offset, self.moves = 0, [(0.0, 0)]  # (monotonic time, offset from then on)
        self.epoch = time.time() - time.monotonic()  # of the clock that never jumps

    def set_offset(self, seconds):
        self.offset = int(seconds)
        self.map[0:8] = struct.pack("=q", self.offset)
        self.moves.append((time.monotonic(), self.offset))

    def set_provider(self, seconds):
        """The provider has a clock of its own, and nobody moves that."""
        self.map[8:16] = struct.pack("=q", int(seconds))

    def disk_full(self, full):
        self.map[16:24] = struct.pack("=q", int(full))

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Product:
    def __init__(self, machine):
        self.machine = machine
        self.stack = Stack(
            SANDBOX_ARGS="--speed 100 --remember",
            HTTP_TIMEOUT=HTTP_TIMEOUT,
            CALL_DEADLINE=5,
            LOOKUP_FIRST=1,
            DIALER_BUDGET=45,
            PG_FAST="",
            # A build with sanitizers works too: what they find goes to the logs, which are read at the end.
            ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0",
            UBSAN_OPTIONS="print_stacktrace=1",
        )
        self.data = self.stack.state
        self.extra = []
        self.ledger_path = self.data / "sandbox-ledger"
        end = time.monotonic() + 10
        while not self.dialers():
            if time.monotonic() > end:
                raise RuntimeError("there is no dialer")
            time.sleep(0.05)
        # What the dialer was started with; another one starts the same way.
        raw = Path(f"/proc/{self.dialers()[0]}/environ").read_bytes().decode().rstrip("\0")
        self.dialer_env = dict(pair.split("=", 1) for pair in raw.split("\0"))

    # -- processes -------------------------------------------------------------------------------
    def children(self, root):
        """All descendants of a process."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found, ask = [], [root]
        while ask:
            below = parents.get(ask.pop(), [])
            found += below
            ask += below
        return sorted(found)

    def dialers(self):
        return sorted(self.stack.pids("trunkline-dialer"))

    def jobs(self):
        return sorted(p for p in self.stack.pids("trunkline") if "jobs" in words(p))

    def pool(self, name):
        return sorted(p for p in self.stack.pids("trunkline-web") if words(p)[-2:] == ["--pool", name])

    def sandboxes(self):
        return sorted(self.stack.pids("trunkline-sandbox"))

    def nginx(self, word):
        """Its "master" or its "worker" processes."""
        below = self.children(self.stack.process.pid)
        return [p for p in below if " ".join(words(p)).startswith(f"nginx: {word} process")]

    def backends(self):
        try:
            postmaster = int((self.data / "pg" / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        if str(self.data / "pg") not in " ".join(words(postmaster)):
            return []
        return [p for p in self.children(postmaster) if "trunkline trunkline [local]" in " ".join(words(p))]

    def as_owner(self, *command):
        if os.geteuid() == 0:
            return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        return list(command)

    def one_more_dialer(self):
        self.extra = [p for p in self.extra if p.poll() is None]
        with open(self.data / "log" / "dialer-extra.log", "ab") as log:
            made = subprocess.Popen(
                self.as_owner(str(self.data / "app" / "trunkline-dialer")),
                env=self.dialer_env,
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.extra.append(made)

    def restart_postgres(self):
        command = [f"{PG_BIN}/pg_ctl", "-D", str(self.data / "pg"), "-s", "-w", "-m", "immediate"]
        command += ["-l", str(self.data / "log" / "postgresql.log"), "restart"]
        subprocess.run(
            self.as_owner(*command),
            cwd=self.data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,  # where it is still starting after another fault, that will do
        )

    def wait_for_postgres(self, seconds=60):
        """The last fault may have been one of its: it comes back by itself, or the run fails."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.stack.rows("select")
            except psycopg2.OperationalError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def provider(self, mode, for_ms):
        try:
            self.stack.faults(mode, for_ms)
        except requests.RequestException:
            pass  # its process was just killed

    def live_calls(self):
        """Calls that the provider has not ended yet."""
        return requests.get(self.stack.sandbox_url + "/sandbox/ledger", timeout=10).json()["live"]

    def close(self, keep):
        for p in self.dialers():
            send(p, signal.SIGCONT)
        for p in self.extra:
            send(p.pid, signal.SIGTERM)
        for p in self.extra:
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if keep:
            self.stack.stop()
        else:
            self.stack.close()


class Person(threading.Thread):
    """Somebody with a browser: presses one button after the other, and again where the page failed."""

    def __init__(self, product):
        super().__init__(daemon=True)
        self.product, self.stack = product, product.stack
        self.wishes = queue.Queue()
        self.session, self.troubles, self.refusals = None, 0, {}
        self.start()

    def run(self):
        while True:
            wish = self.wishes.get()
            try:
                if wish:
                    wish()
            except Exception as e:  # pylint: disable=broad-except
                key = f"{type(e).__name__}: {e}"[:200]
                self.refusals[key] = self.refusals.get(key, 0) + 1
            self.wishes.task_done()
            if not wish:
                return

    def soon(self, wish):
        self.wishes.put(wish)

    def wait(self, seconds=60):
        """Until all buttons were pressed, or their time is over: what they left undone shows later."""
        end = time.monotonic() + seconds
        while self.wishes.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.05)

    def insist(self, act, seconds=60):
        """The answer of act(session, csrf token), tried again while the product is away."""
        end = time.monotonic() + seconds
        while True:
            try:
                if not self.session:
                    self.session = self.stack.login("admin")
                    self.session.headers["Accept"] = "text/html"
                page = self.session.get("/account", allow_redirects=False, timeout=15)
                token = CSRF.search(page.text)
                if page.status_code < 500 and not token:
                    self.session = None  # signed out
                elif token:
                    answer = act(self.session, token.group(1))
                    if answer.status_code < 500:
                        return answer
            except (requests.RequestException, AssertionError):
                self.session = None
            self.troubles += 1
            if time.monotonic() > end:
                raise RuntimeError(f"no good answer for {seconds} s")
            time.sleep(0.3)

    def press(self, path, **fields):
        """A button, pressed for a while. What the product refuses with a reason (409) is noted."""
        answer = self.insist(
            lambda s, token: s.post(path, data={"csrf": token, **fields}, allow_redirects=False, timeout=30)
        )
        if answer.status_code >= 400:
            key = f"{path.rsplit('/', 1)[-1]} {answer.status_code}"
            self.refusals[key] = self.refusals.get(key, 0) + 1
        return answer

    def upload(self, text, name, seconds=120):
        """The file's counts, once the product took it."""

        def act(session, token):
            return session.post(
                "/api/upload-leads",
                files={"file": (name, text.encode(), "text/csv")},
                data={"consent": "attested", "consent_source": "chaos", "csrf": token},
                headers={"Accept": "application/json", "X-CSRF-Token": token},
                timeout=seconds,
            )

        return self.insist(act, seconds)
