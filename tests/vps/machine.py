"""A machine that was booted from a disk (boot.sh), as its administrator at the console knows it."""

import os
import random
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """A command in the machine, or a wait, that did not end well; the text says which and why."""


def wait_for(what, seconds, why, pause=0.1):
    """The first true answer of what(); Failed after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain: {why}")
        time.sleep(pause)


class Machine:
    def __init__(self, folder, base):
        self.name = "tl" + secrets.token_hex(3)
        self.folder = Path(folder)
        self.disk = self.folder / f"{self.name}.img"
        net = f"10.{random.randint(64, 127)}.{random.randint(0, 255)}"
        self.gateway, self.address = f"{net}.1", f"{net}.2"
        self.address6 = "fd00:6c::2"
        self.process = None
        subprocess.run(
            ["cp", "--sparse=always", "--reflink=auto", str(base), str(self.disk)], check=True, timeout=120
        )

    # -- power -----------------------------------------------------------------------------------
    def start(self):
        self.log = open(self.folder / f"{self.name}.console", "ab")
        self.process = subprocess.Popen(
            ["bash", str(HERE / "boot.sh"), self.name, str(self.disk), self.address, self.gateway],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.connect()
        self.booted()

    def connect(self):
        """This machine's end of the cable; it comes anew with each boot."""
        link = f"ve-{self.name}"

        def up():
            self.alive()
            words = f"ip addr replace {self.gateway}/30 dev {link}".split()
            return subprocess.run(words, capture_output=True).returncode == 0

        wait_for(up, 30, f"no network interface {link}")
        for words in (f"ip addr replace fd00:6c::1/64 dev {link} nodad", f"ip link set {link} up"):
            subprocess.run(words.split(), capture_output=True)

    def booted(self):
        def done():
            self.alive()
            if not self.leader():
                return False
            answer = self.run("systemctl", "is-system-running", check=False)
            return answer.stdout.strip() in ("running", "degraded")

        wait_for(done, 90, "the machine did not boot", pause=0.3)

    def alive(self):
        if self.process.poll() is not None:
            raise Failed("the machine is off; its console: " + self.console()[-1500:])

    def console(self):
        return (self.folder / f"{self.name}.console").read_text(errors="replace")

    def nspawn(self):
        for child in children(self.process.pid):
            if comm(child) == "systemd-nspawn":
                return child
        return 0

    def leader(self):
        """The machine's own process 1, by our number."""
        nspawn = self.nspawn()
        for child in children(nspawn) if nspawn else []:
            if comm(child) == "systemd":
                return child
        return 0

    def reboot(self):
        """As an administrator does; returns when it is up again."""
        before = self.leader()
        self.run("systemctl", "reboot", check=False)
        wait_for(lambda: self.leader() not in (0, before), 120, "the machine did not start again")
        self.connect()
        self.booted()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                for pid in (self.nspawn(), self.process.pid):
                    if pid:
                        os.kill(pid, signal.SIGKILL)
                self.process.wait()

    def discard(self):
        self.stop()
        self.disk.unlink(missing_ok=True)
        shutil.rmtree(self.folder / f"{self.name}.root", ignore_errors=True)

    # -- at the console --------------------------------------------------------------------------
    def words(self, command):
        leader = self.leader()
        if not leader:
            raise Failed("the machine is not running")
        # Without what it does not know: our own environment stays outside.
        clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        clean += ["HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        enter = ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
        return [*enter, "--", *clean, *command]

    def run(self, *command, stdin=None, check=True, timeout=120):
        """Runs a command as root; Failed with what it said where it did not end with 0."""
        try:
            done = subprocess.run(
                self.words(command), input=stdin, capture_output=True, text=True, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(command)[:200]}: not done after {timeout} s") from None
        if check and done.returncode != 0:
            said = (done.stderr.strip() + "\n" + done.stdout.strip())[-1500:]
            raise Failed(f"{' '.join(command)[:200]}: exit code {done.returncode}\n{said}")
        return done

    def sh(self, script, **more):
        return self.run("bash", "-euo", "pipefail", "-c", script, **more).stdout

    def put(self, source, target):
        with open(source, "rb") as file:
            subprocess.run(self.words(["tee", target]), stdin=file, stdout=subprocess.DEVNULL, check=True)

    def take(self, source, target):
        with open(target, "wb") as file:
            subprocess.run(self.words(["cat", source]), stdout=file, check=True, timeout=120)

    def read(self, path):
        return self.run("cat", path).stdout

    def sql(self, statement, database="trunkline", check=True):
        """What PostgreSQL's own administrator sees, as lines of fields between tabs."""
        said = self.run(
            *("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-F", "\t", "-d", database),
            *("-v", "ON_ERROR_STOP=1", "-f", "-"),
            stdin=statement,
            check=check,
        )
        return [line.split("\t") for line in said.stdout.splitlines()]

    def number(self, statement):
        return int(self.sql(statement)[0][0])

    # -- services --------------------------------------------------------------------------------
    def show(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()

    def running(self, pattern="trunkline*"):
        """Names of the services that run now."""
        lines = self.run(
            *("systemctl", "list-units", "--type=service", "--state=running", "--no-legend", "--plain"),
            pattern,
        ).stdout
        return sorted(line.split()[0] for line in lines.splitlines())

    def journal(self, *words):
        return self.run("journalctl", "-o", "cat", "--no-pager", *words, check=False).stdout


def children(pid):
    try:
        found = []
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(n) for n in (task / "children").read_text().split()]
        return found
    except OSError:
        return []


def comm(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
