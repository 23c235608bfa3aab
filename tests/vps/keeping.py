"""What must not be lost: a backup on a second machine, and what removing and purging leave behind."""

import time

from journey import scan, seconds, set_up, visitor
from machine import Failed, wait_for
from outside import Visitor, addresses
from rows import Rows

BACKUPS = "/var/backups/trunkline"


def prepare(house):
    """The second machine, fresh, with the newer release and an empty house; beside the first one's parts. It
    has nothing else to do, so it also stands still for testssl.sh."""
    machine = house.boot()
    house.second = machine
    try:
        machine.start()
        set_up(machine, house.new, house.domain)
        house.second_state = "ready"
    except Exception as e:
        house.second_state = "it was not set up: " + repr(e)
        return
    if house.wants("tls"):
        try:
            house.tls = scan(house, machine)
        except Exception as e:
            house.tls = repr(e)


def second(house):
    wait_for(lambda: house.second_state, 300, "the second machine is not ready")
    if house.second_state != "ready":
        raise Failed("the second machine: " + house.second_state)
    return house.second


def restore(house):
    first = house.machine
    other = second(house)
    wait_for(lambda: house.tls or not house.wants("tls"), 200, "testssl.sh is not done")
    # A restore pauses what was running, so that nobody is called on the word of old data; here nothing runs.
    person = visitor(house)
    for campaign in person.get("/api/campaigns").json()["campaigns"]:
        if campaign["state"] == "running":
            person.post(f"/api/campaigns/{campaign['id']}/pause").raise_for_status()
    # Nothing moves while it is compared.
    first.sh("systemctl stop trunkline.target 'trunkline*.timer' 'trunkline*.socket' 'trunkline*.service'")
    begin = time.monotonic()
    told = first.run("trunkline", "backup").stdout
    house.figure("trunkline backup", seconds(begin))
    before = Rows(first)
    name = told.split(":")[0].strip()
    house.check("a backup was made", first.run("test", "-s", name, check=False).returncode == 0, told)
    tried = first.run("trunkline", "backup", "--check", check=False)
    house.check("trunkline backup --check tries it", tried.returncode == 0, tried.stdout + tried.stderr)
    copy = house.folder / "backup.tar"
    stem = name.rsplit("/", 1)[1].split(".")[0]
    first.sh(f"cd {BACKUPS} && tar -cf /root/backup.tar {stem}*")
    first.take("/root/backup.tar", copy)
    other.put(copy, "/root/backup.tar")
    other.sh(f"tar -C {BACKUPS} -xf /root/backup.tar")
    # The key that opens what is sealed in it belongs to a backup of the machine, as the manual says.
    first.take("/etc/trunkline/keys/SECRET_KEY", house.folder / "secret")
    other.put(house.folder / "secret", "/etc/trunkline/keys/SECRET_KEY")
    other.sh("systemctl stop trunkline.target 'trunkline*.timer' 'trunkline*.socket' 'trunkline*.service'")
    begin = time.monotonic()
    other.run("trunkline", "restore", name, "--yes")
    house.figure("trunkline restore", seconds(begin))
    after = Rows(other)
    differences = before.differences(after)
    house.figure(
        "compared", f"{len(before.tables)} tables, {before.total} rows, {len(before.sequences)} sequences"
    )
    house.check(
        "every row came back on a fresh machine", not differences and before.total > 1000, differences[:6]
    )
    other.run("trunkline", "setup", "--yes", timeout=180)
    # It has a certificate of its own.
    other.take("/etc/trunkline/tls/cert.pem", house.folder / "second.pem")
    addresses[house.domain] = other.address
    try:
        person = Visitor(house.domain, str(house.folder / "second.pem")).login(house.email, house.password)
        house.check("the old password opens the restored house", person.get("/leads").status_code == 200)
    finally:
        addresses[house.domain] = first.address
    first.sh("trunkline setup --yes", timeout=180)


def remove(house):
    machine = second(house)
    wait_for(lambda: house.tls or not house.wants("tls"), 200, "testssl.sh is not done")
    rows = machine.number("select count(*) from leads")
    machine.run("apt-get", "-qq", "-y", "remove", "trunkline", timeout=180)
    house.check("remove keeps the data", machine.number("select count(*) from leads") == rows)
    kept = machine.run("test", "-s", "/etc/trunkline/keys/SECRET_KEY", check=False).returncode == 0
    house.check("remove keeps settings and keys", kept)
    house.check("remove leaves nothing running", not machine.running(), machine.running())
    said = machine.run("nginx", "-t", check=False)
    house.check("nginx goes on without it", said.returncode == 0, said.stderr)
    machine.run(
        *("apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0", "install", "/root/" + house.new.name),
        timeout=300,
    )
    house.check("installed again, it runs again", len(machine.running()) >= 5, machine.running())
    backups = machine.sh(f"ls {BACKUPS} | wc -l").strip()
    purged = machine.run("apt-get", "-qq", "-y", "purge", "trunkline", stdin="", timeout=180)
    left = machine.sh("ls -d /etc/trunkline /var/lib/trunkline /run/trunkline 2> /dev/null || true")
    house.check("purge asks nothing and leaves no settings", not left.strip(), left + purged.stdout)
    now = machine.sh(f"ls {BACKUPS} | wc -l").strip()
    house.check("purge keeps the backups", int(now) >= max(1, int(backups)), f"{backups}, then {now}")
    gone = machine.sql("select count(*) from pg_database where datname = 'trunkline'", "postgres") == [
        ["0"]
    ]
    house.check(
        "purge drops the database, after a last dump", gone and "purged-" in machine.sh(f"ls {BACKUPS}")
    )
