"""The real stack for tests: systemd/run.sh on free ports with a state folder of its own.

`stack` is one running product for a whole test session; tests make leads, users and campaigns of their own.
`new_stack(**settings)` starts another one for a test that kills things. BUILD names the programs' folder
(build/asan unless set)."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build" / "asan")).resolve()
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds=20, pause=0.05):
    """The first true answer of what(); fails the test after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s in vain for {getattr(what, '__name__', what)}")
        time.sleep(pause)


class Browserlike(requests.Session):
    """A session that knows the stack's address and sends forms with their CSRF token."""

    def __init__(self, base, ca):
        super().__init__()
        self.base, self.verify, self.trust_env = base, ca, False

    def request(self, method, url, **more):
        if url.startswith("/"):
            url = self.base + url
        more.setdefault("timeout", 30)
        return super().request(method, url, **more)

    def csrf(self, page="/account"):
        return CSRF.search(self.get(page).text).group(1)

    def form(self, url, data=None, page="/account", **more):
        """Posts a form as a browser would, with the token of a page that has one."""
        return self.post(url, data={"csrf": self.csrf(page), **(data or {})}, **more)


class Stack:
    def __init__(self, **settings):
        self.dir = Path(tempfile.mkdtemp(prefix="trunkline-test-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.state = self.dir / "state"
        self.port = free_port()
        self.env = {
            **os.environ,
            "HTTPS_PORT": str(self.port),
            "HTTP_PORT": str(free_port()),
            "WEB_WORKERS": "2",
            "HOOK_WORKERS": "2",
            "SANDBOX": "1",
            "SANDBOX_PORT": str(free_port()),
            "SANDBOX_ARGS": "--speed 5",
            "PG_FAST": "1",
            "ADMIN_TOKEN": "test-admin-token-0123456789abcdef",
            "LOOKUP_FIRST": "1",
            "WATCH": "0",  # tests call it when they want it
            "ASAN_OPTIONS": f"log_path={self.state}/log/asan:detect_leaks=1:abort_on_error=0",
            "UBSAN_OPTIONS": f"log_path={self.state}/log/ubsan:print_stacktrace=1",
            **{name: str(value) for name, value in settings.items()},
        }
        self.url = f"https://localhost:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.env['SANDBOX_PORT']}"
        self.admin_token = self.env["ADMIN_TOKEN"]
        self.process = None
        self.users = {}
        self.start()

    # -- life ------------------------------------------------------------------------------------
    def start(self):
        out = open(self.dir / "run.log", "ab")
        self.process = subprocess.Popen(
            ["bash", str(ROOT / "systemd" / "run.sh"), str(BUILD), str(self.state)],
            env=self.env,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        out.close()
        end = time.monotonic() + 60
        while b"Trunkline is ready" not in (self.dir / "run.log").read_bytes():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError("the stack did not start:\n" + self.output())
            time.sleep(0.05)
        self.ca = str(self.state / "tls" / "cert.pem")

    def output(self):
        parts = []
        for path in [self.dir / "run.log", *sorted(self.state.glob("log/*"))]:
            parts.append(f"--- {path.name}\n" + path.read_text(errors="replace")[-3000:])
        return "\n".join(parts)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        (self.dir / "run.log").touch()

    def restart(self):
        self.stop()
        (self.dir / "run.log").write_bytes(b"")
        self.start()

    def close(self):
        """Stops it; any finding of a sanitizer in any of its processes fails the test."""
        self.stop()
        findings = [
            p.read_text(errors="replace")[:4000]
            for p in [*self.state.glob("log/asan*"), *self.state.glob("log/ubsan*")]
        ]
        if not os.environ.get("KEEP_STATE"):
            shutil.rmtree(self.dir, ignore_errors=True)
        assert not findings, "\n".join(findings)

    def pids(self, program):
        """Process ids of one of this stack's own programs, such as "trunkline-dialer"."""
        wanted, found = str(self.state / "app" / program), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words and words[0].decode(errors="replace") == wanted:
                    found.append(int(entry.name))
        return found

    # -- doors -----------------------------------------------------------------------------------
    @property
    def admin_password(self):
        return (self.state / "admin-password").read_text().strip()

    @property
    def bland_secret(self):
        return (self.state / "sandbox-secret").read_text().strip()

    def secret(self, name):
        return (self.state / name).read_text().strip()

    def run(self, *words, stdin=None, check=True):
        """The admin command with this stack's settings."""
        env = {
            **self.env,
            "SECRET_KEY": self.secret("secret-key"),
            "STATE": str(self.state),
            "RUN_DIR": str(self.state / "run"),
            "DATABASE_URL": f"host={self.state}/run dbname=trunkline user=trunkline",
            "TEMPLATE_DIR": f"{self.state}/app/templates",
            "STATIC_DIR": f"{self.state}/app/static",
            "PROMPT_DIR": f"{self.state}/app/templates/prompts",
            "SQL_DIR": f"{self.state}/app/sql",
            "BASE_URL": self.url,
        }
        return subprocess.run(
            [str(BUILD / "trunkline"), *words],
            env=env,
            input=stdin,
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def http(self):
        return Browserlike(self.url, self.ca)

    def user(self, role):
        """(email, password) of a user with that role, made on first use."""
        if role == "admin" and role not in self.users:
            self.users[role] = ("admin@localhost", self.admin_password)
        if role not in self.users:
            email, password = f"{role}@example.test", f"a good password for {role}"
            self.run("user", "add", email, "--role", role, "--password-stdin", stdin=password + "\n")
            self.users[role] = (email, password)
        return self.users[role]

    def login(self, role="admin"):
        """A browser's session, signed in."""
        email, password = self.user(role)
        s = self.http()
        answer = s.post("/login", data={"email": email, "password": password}, allow_redirects=False)
        assert answer.status_code == 303, answer.text[:500]
        return s

    def api(self, role="admin"):
        """A session with a bearer token, as a program has."""
        email, password = self.user(role)
        s = self.http()
        answer = s.post("/api/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text[:500]
        s.headers["Authorization"] = "Bearer " + answer.json()["token"]
        return s

    def db(self):
        c = psycopg2.connect(
            host=str(self.state / "run"),
            dbname="trunkline",
            user="trunkline",
            cursor_factory=psycopg2.extras.RealDictCursor,
        )
        c.autocommit = True
        return c

    def rows(self, sql, *params):
        with self.db() as c, c.cursor() as cursor:
            cursor.execute(sql, params)
            found = cursor.fetchall() if cursor.description else []
        c.close()
        return found

    def one(self, sql, *params):
        found = self.rows(sql, *params)
        return found[0] if found else None

    def ledger(self):
        answer = requests.get(self.sandbox_url + "/sandbox/ledger?numbers=1", timeout=10)
        assert answer.status_code == 200
        return answer.json()

    def faults(self, mode, for_ms=60000):
        requests.post(
            self.sandbox_url + "/sandbox/faults", json={"mode": mode, "for_ms": for_ms}, timeout=10
        )

    # -- the customary way to leads ----------------------------------------------------------------
    def upload(self, text, api=None, name="leads.csv", **fields):
        api = api or self.api("member")
        fields.setdefault("consent", "attested")
        if fields["consent"] == "attested":
            fields.setdefault("consent_source", "a test's own leads")
        body = text if isinstance(text, bytes) else text.encode()
        return api.post("/api/upload-leads", files={"file": (name, body, "text/csv")}, data=fields)


@pytest.fixture(scope="session")
def stack():
    s = Stack()
    yield s
    s.close()


@pytest.fixture
def new_stack():
    made = []

    def start(**settings):
        made.append(Stack(**settings))
        return made[-1]

    yield start
    for s in made:
        s.close()
