"""What a server has and a desk has not: `make install`, systemd's units, `trunkline setup`, pools on sockets
that outlive them. Nothing is booted here; tests/vps does that."""
import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from conftest_stack import BUILD, ROOT, wait_for

DOMAIN = "app.example.com"
MOST_EXPOSED = 1.5


def run(*words, check=True, **more):
    more.setdefault("timeout", 60)
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **more)
    assert not check or done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


class Installed:
    def __init__(self, top):
        self.top = top
        self.lib, self.share = top / "usr/lib/trunkline", top / "usr/share/trunkline"
        self.units, self.etc = top / "usr/lib/systemd/system", top / "etc/trunkline"
        self.command = top / "usr/bin/trunkline"
        self.install()

    def install(self):
        san = ["SAN=1"] if "asan" in BUILD.name else []
        words = [f"BUILD={BUILD}", *san, f"PREFIX={self.top}/usr", f"SYSCONFDIR={self.top}/etc"]
        run("make", "-s", "-C", ROOT, "install", *words, timeout=600)

    def analyze(self, *words):
        env = {**os.environ, "SYSTEMD_UNIT_PATH": f"{self.units}:"}
        return run("systemd-analyze", *words, env=env, check=False)

    def services(self):
        names = sorted(p.name for p in self.units.glob("*.service"))
        return [n.replace("@.", "@a.") for n in names]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    top = tmp_path_factory.mktemp("installed")
    top.chmod(0o755)
    return Installed(top)


# -- make install ------------------------------------------------------------------------------------


def test_install_brings_all_that_runs(installed):
    programs = {p.name for p in installed.lib.iterdir()}
    assert {"trunkline", "trunkline-web", "trunkline-dialer", "trunkline-late.so"} <= programs
    assert {"templates", "static", "sql", "nginx"} <= {p.name for p in installed.share.iterdir()}
    for line in (installed.share / "static/manifest").read_text().splitlines():
        assert (installed.share / "static" / (line.split()[1] + ".gz")).is_file(), line
    assert "static_dir" not in run(installed.lib / "trunkline", "--help").stdout
    for program in ("trunkline-web", "trunkline-dialer", "trunkline-sandbox"):
        assert "sage" in run(installed.lib / program, "--help").stdout


def test_install_names_the_folders_it_was_given(installed):
    texts = [*installed.units.glob("**/*.*"), *installed.lib.glob("*.sh"), installed.command]
    texts += [*(installed.top / "usr/lib/tmpfiles.d").iterdir()]
    for path in texts:
        for line in path.read_text().splitlines() if path.is_file() else []:
            for usual in ("/usr/lib/trunkline", "/usr/share/trunkline", "/etc/trunkline"):
                for at in re.finditer(re.escape(usual), line):
                    assert line[: at.start()].endswith((str(installed.top), "$root")), f"{path}: {line}"


def test_a_packagers_folder_is_not_named_in_what_it_holds(tmp_path):
    san = ["SAN=1"] if "asan" in BUILD.name else []
    run("make", "-s", "-C", ROOT, "install", f"BUILD={BUILD}", *san, f"DESTDIR={tmp_path}")
    unit = (tmp_path / "usr/lib/systemd/system/trunkline-dialer.service").read_text()
    assert "ExecStart=/usr/lib/trunkline/trunkline-dialer\n" in unit
    assert run("grep", "-rIl", tmp_path, tmp_path, check=False).stdout == ""


def test_settings_survive_the_next_install(installed):
    env = installed.etc / "trunkline.env"
    env.write_text(env.read_text() + "CONCURRENCY=7\n")
    (installed.share / "templates/gone.mustache").write_text("of an older release")
    installed.install()
    assert "CONCURRENCY=7\n" in env.read_text()
    assert env.stat().st_mode & 0o777 == 0o640
    assert not (installed.share / "templates/gone.mustache").exists()


# -- units -------------------------------------------------------------------------------------------


def test_systemd_finds_nothing_wrong_with_the_units(installed):
    names = installed.services() + [
        p.name.replace("@.", "@b.")
        for p in installed.units.glob("*.*")
        if p.suffix in (".socket", ".timer")
    ]
    done = installed.analyze("verify", "--man=no", "trunkline.target", *names)
    ours = [line for line in done.stderr.splitlines() if "trunkline" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_every_service_is_shut_in(installed):
    exposed = {}
    for name in installed.services():
        done = installed.analyze("security", "--offline=yes", "--no-pager", name)
        exposed[name] = float(re.search(r"exposure level for \S+ ([0-9.]+)", done.stdout).group(1))
    assert len(exposed) >= 6
    assert {n: x for n, x in exposed.items() if x > MOST_EXPOSED} == {}


def test_the_target_wants_every_unit(installed):
    wanted = set(
        re.findall(r"trunkline-[a-z-]+@?[ab]?\.[a-z]+", (installed.units / "trunkline.target").read_text())
    )
    timed = {p.name.replace(".timer", ".service") for p in installed.units.glob("*.timer")}
    for path in installed.units.glob("trunkline-*.*"):
        if path.is_dir() or path.name in timed:
            continue
        names = [path.name.replace("@.", f"@{i}.") for i in "ab"] if "@" in path.name else [path.name]
        assert set(names) <= wanted, path.name


def test_every_service_has_a_user_limits_and_an_end(installed):
    for path in installed.units.glob("*.service"):
        text = path.read_text()
        for setting in ("User=", "MemoryMax=", "TasksMax=", "RestrictAddressFamilies="):
            assert f"\n{setting}" in text, f"{path.name} lacks {setting}"
        assert "TimeoutStopSec=" in text or "TimeoutStartSec=" in text, path.name


# -- trunkline setup ---------------------------------------------------------------------------------


def set_up(destdir, *words, check=True):
    env = {**os.environ, "TRUNKLINE_ROOT": str(destdir)}
    return run(destdir / "usr/lib/trunkline/setup.sh", "--files", *words, env=env, check=check)


@pytest.fixture
def machine(tmp_path):
    """A root folder with the product in it, before setup."""
    san = ["SAN=1"] if "asan" in BUILD.name else []
    run("make", "-s", "-C", ROOT, "install", f"BUILD={BUILD}", *san, f"DESTDIR={tmp_path}")
    (tmp_path / "etc/nginx/sites-enabled").mkdir(parents=True)
    (tmp_path / "var/log/nginx").mkdir(parents=True)
    return tmp_path


def photograph(folder):
    return {
        str(p): (p.stat().st_mtime_ns, p.stat().st_mode, p.read_bytes())
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_a_second_setup_changes_nothing(machine):
    assert "would: write" in set_up(machine, "--domain", DOMAIN, "--check", check=False).stdout
    assert not (machine / "etc/trunkline/site.env").exists(), "--check wrote something"
    set_up(machine, "--domain", DOMAIN)
    before = photograph(machine / "etc")
    assert "Nothing to do" in set_up(machine).stdout
    assert set_up(machine, "--check").stdout.strip() == "Nothing to do."
    assert photograph(machine / "etc") == before
    keys = machine / "etc/trunkline/keys"
    assert len((keys / "SECRET_KEY").read_text().strip()) == 64
    assert all(p.stat().st_mode & 0o7777 == 0o640 for p in keys.iterdir())
    assert (machine / "etc/trunkline/tls/key.pem").stat().st_mode & 0o777 == 0o600


def test_a_key_ends_the_sandbox_and_nothing_else_does(machine):
    site = machine / "etc/trunkline/site.env"
    set_up(machine, "--domain", DOMAIN)
    assert "SANDBOX=1\n" in site.read_text() and "BLAND_BASE_URL=http://127.0.0.1" in site.read_text()
    (machine / "etc/trunkline/keys/BLAND_API_KEY").write_text("sk-1234\n")
    set_up(machine)
    text = site.read_text()
    assert "SANDBOX=0\n" in text and "BLAND" not in text and "CALLBACK_URL" not in text
    assert f"BASE_URL=https://{DOMAIN}\n" in text


@pytest.mark.parametrize(
    "domain", ["", "localhost", "a b.com", "x.com;rm", "-a.com", "a..com", "ex_ample.com"]
)
def test_a_name_that_is_none_is_refused(machine, domain):
    done = set_up(machine, "--domain", domain, check=False)
    assert done.returncode == 1 and "trunkline setup: " in done.stderr
    assert not (machine / "etc/trunkline/site.env").exists()


def test_nginx_takes_the_site(machine):
    set_up(machine, "--domain", DOMAIN, "--proxy", "10.0.0.0/8", "--proxy", "2001:db8::1")
    site = (machine / "etc/nginx/sites-enabled/trunkline.conf").read_text()
    assert "@" not in re.sub(r"@trunkline_\w+", "", re.sub(r"#.*", "", site)), "a word was not put in"
    assert f"server_name {DOMAIN} localhost;" in site
    proxies = (machine / "etc/nginx/trunkline/local-proxies.conf").read_text()
    assert "set_real_ip_from 10.0.0.0/8;" in proxies and "real_ip_header" in proxies
    whole = machine / "nginx.conf"
    whole.write_text(
        f"pid {machine}/nginx.pid; error_log stderr; events {{ }}\n"
        f"http {{ include /etc/nginx/mime.types; include {machine}/etc/nginx/sites-enabled/*.conf; }}\n"
    )
    run("/usr/sbin/nginx", "-t", "-p", machine, "-e", "stderr", "-c", whole)
    set_up(machine, "--proxy", "none")
    assert "real_ip" not in (machine / "etc/nginx/trunkline/local-proxies.conf").read_text()


def test_a_database_elsewhere_lets_the_services_out(machine):
    env = machine / "etc/trunkline/trunkline.env"
    setting = env.read_text()
    drop_in = machine / "etc/systemd/system/trunkline-.service.d/20-remote-database.conf"
    for near in ("host=/run/postgresql dbname=x", "postgresql:///trunkline", "dbname=trunkline"):
        env.write_text(setting + f"DATABASE_URL={near}\n")
        set_up(machine, "--domain", DOMAIN)
        assert not drop_in.exists(), near
    for far in ("host=db.internal dbname=x user=y", "postgresql://trunkline@10.0.0.5/trunkline"):
        env.write_text(setting + f"DATABASE_URL={far}\n")
        set_up(machine)
        assert "PrivateNetwork=no\n" in drop_in.read_text(), far
        units = machine / "usr/lib/systemd/system"
        path = {**os.environ, "SYSTEMD_UNIT_PATH": f"{drop_in.parent.parent}:{units}:"}
        for name in ("trunkline-hook@a.service", "trunkline-jobs.service"):
            words = ("systemd-analyze", "security", "--offline=yes", "--no-pager", name)
            told = run(*words, env=path, check=False).stdout
            exposure = float(re.search(r"exposure level for \S+ ([0-9.]+)", told).group(1))
            assert 0.5 < exposure <= MOST_EXPOSED, name
        env.write_text(setting)
        set_up(machine)
        assert not drop_in.exists()


def test_certbots_certificate_takes_over(machine):
    set_up(machine, "--domain", DOMAIN)
    site = machine / "etc/nginx/sites-enabled/trunkline.conf"
    assert f"ssl_certificate {machine}/etc/trunkline/tls/cert.pem;" in site.read_text()
    live = machine / "etc/letsencrypt/live" / DOMAIN
    live.mkdir(parents=True)
    for name, source in (("fullchain.pem", "cert.pem"), ("privkey.pem", "key.pem")):
        (live / name).write_bytes((machine / "etc/trunkline/tls" / source).read_bytes())
    set_up(machine)
    assert f"ssl_certificate {live}/fullchain.pem;" in site.read_text()
    assert "Nothing to do" in set_up(machine).stdout


# -- the installed programs ----------------------------------------------------------------------------


@pytest.fixture
def server(installed, stack):
    """The installed product with the database of the running one."""
    keys = installed.etc / "keys"
    (keys / "SECRET_KEY").write_text(stack.secret("secret-key") + "\n")
    (keys / "BLAND_API_KEY").write_text("\n")
    env = installed.etc / "server.env"
    env.write_text(
        f"DATABASE_URL='host={stack.state}/run dbname=trunkline user=trunkline'\nSTATE={stack.state}\n"
        f"RUN_DIR={installed.top}\n"
        f"SQL_DIR={installed.share}/sql\nTEMPLATE_DIR={installed.share}/templates\n"
        f"STATIC_DIR={installed.share}/static\nVOICE_ID=from-the-file\nWEB_WORKERS=4\n"
        "BLAND_API_KEY=sk-from-file\n"
    )
    clean = {"PATH": os.environ["PATH"], "TRUNKLINE_ENV": str(env), "ASAN_OPTIONS": "detect_leaks=0"}
    settings = dict(line.split("=", 1) for line in env.read_text().splitlines())
    settings["DATABASE_URL"] = settings["DATABASE_URL"].strip("'")
    installed.env = clean
    installed.pool_env = {**clean, **settings, "CREDENTIALS_DIRECTORY": str(keys)}
    return installed


def test_the_command_takes_the_settings_of_the_services(server):
    told = run(server.command, "config", env=server.env).stdout
    assert "VOICE_ID=from-the-file\n" in told
    assert "SECRET_KEY=(set)\n" in told, "a key of /etc/trunkline/keys"
    assert "BLAND_API_KEY=(set)\n" in told, "an empty key hides the setting"
    told = run(server.command, "config", env={**server.env, "VOICE_ID": "said-now"}).stdout
    assert "VOICE_ID=said-now\n" in told
    # 1: nginx is not there, and that is said
    assert "ok    dialer" in run(server.command, "status", env=server.env, check=False).stdout


class Pool:
    """A pool as systemd runs it: on a socket that somebody else holds."""

    def __init__(self, server, path):
        self.server, self.path = server, path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(1024)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["sh", str(self.server.lib / "pool.sh"), "run", "web"],
            stdin=self.socket,
            env=self.server.pool_env,
            start_new_session=True,
        )

    def workers(self):
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def ping(self, wait):
        return run(self.server.command, "ping", self.path, "--wait", wait, env=self.server.env, check=False)

    def stop(self, number=signal.SIGTERM):
        os.killpg(self.process.pid, number) if number == signal.SIGKILL else self.process.send_signal(
            number
        )
        self.process.wait(30)


@pytest.fixture
def pool(server, tmp_path):
    made = Pool(server, tmp_path / "web-a.sock")
    assert made.ping(60).returncode == 0
    yield made
    made.stop(signal.SIGKILL)
    made.socket.close()


def test_ping_tells_who_does_not_answer(server, tmp_path):
    done = run(server.command, "ping", tmp_path / "none.sock", env=server.env, check=False)
    assert done.returncode == 1 and "No such file" in done.stderr
    with socket.socket(socket.AF_UNIX) as impostor:
        impostor.bind(str(tmp_path / "other.sock"))
        impostor.listen()

        def answer():
            connection = impostor.accept()[0]
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nStatus: 200 OK, but not at the right place")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        done = run(server.command, "ping", tmp_path / "other.sock", env=server.env, check=False)
        thread.join()
    assert done.returncode == 1 and "not a good one" in done.stderr
    done = run(server.command, "ping", "/" + "x" * 200, env=server.env, check=False)
    assert done.returncode == 1 and "107 bytes" in done.stderr


def asking(pool, failed, asked, over):
    while not over.is_set():
        done = pool.ping(0)
        asked.append(1)
        if done.returncode != 0:
            failed.append(done.stderr)


def test_replacing_workers_fails_no_request(pool):
    wait_for(lambda: len(pool.workers()) == 2)
    failed, asked, over = [], [], threading.Event()
    threads = [threading.Thread(target=asking, args=(pool, failed, asked, over)) for _ in range(3)]
    for t in threads:
        t.start()
    before = set(pool.workers())
    # systemctl reload: one worker after the other, the supervisor stays.
    run("sh", pool.server.lib / "pool.sh", "renew", str(pool.process.pid))
    wait_for(lambda: len(pool.workers()) == 2 and not before & set(pool.workers()))
    # systemctl restart: what arrives in between waits in the socket.
    stopping = subprocess.Popen(["sh", pool.server.lib / "pool.sh", "stop", str(pool.process.pid)])
    pool.process.wait(30)
    assert stopping.wait(10) == 0
    pool.start()
    wait_for(lambda: len(pool.workers()) == 2)
    at_restart = len(asked)
    wait_for(lambda: len(asked) > at_restart + 10, 60)
    over.set()
    for t in threads:
        t.join()
    assert failed == []


def test_what_waits_in_the_socket_outlives_a_kill(pool):
    pool.stop(signal.SIGKILL)
    answers = []
    waiting = [threading.Thread(target=lambda: answers.append(pool.ping(0).returncode)) for _ in range(5)]
    for t in waiting:
        t.start()
    # Five connections stand in the socket's queue while nobody is there to take them.
    wait_for(lambda: Path("/proc/net/unix").read_text().count(str(pool.path)) >= 6)
    pool.start()
    for t in waiting:
        t.join()
    assert answers == [0] * 5
