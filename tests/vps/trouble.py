"""The bad days: bursts, kill -9, reboot, an upgrade at noon, a clock that jumps, a full disk."""

import json
import subprocess
import time

from journey import healthy, leads_file, seconds, visitor
from machine import Failed, wait_for
from outside import CALLS, Load, Visitor, reports, sign

CALLS_MADE = 40000  # of the client "Load"; each part takes its own share of their numbers
BURST, UPGRADE, DISK = 1, 20001, 39001


def webhook_secret(house):
    machine = house.machine
    key = machine.run("cat", "/etc/trunkline/keys/BLAND_WEBHOOK_SECRET", check=False).stdout.strip()
    if key:
        return key
    for line in machine.read("/etc/trunkline/site.env").splitlines():
        if line.startswith("BLAND_WEBHOOK_SECRET="):
            return line.split("=", 1)[1]
    raise Failed("there is no webhook secret")


def calls_under_way(house):
    """The calls that our own reports end; made once."""
    machine = house.machine
    if machine.number("select count(*) from clients where name = 'Load'") == 0:
        machine.sql(CALLS.format(n=CALLS_MADE))
        machine.sql("analyze")


def not_ended(house, numbers):
    """Accepted reports whose call has not ended, or which are not stored exactly once."""
    machine = house.machine
    ended = {
        row[0]
        for row in machine.sql(
            """select e.provider_call_id from events e join calls c on c.id = e.call_id
            where c.state = 'ended' and c.outcome is not null group by 1 having count(*) = 1"""
        )
    }
    return [number for number in numbers if number not in ended]


WRK = """
local lines, turn = {}, 0
for line in io.lines(os.getenv("REPORTS")) do lines[#lines + 1] = line end
function request()
	turn = turn + 1
	if turn > #lines then wrk.thread:stop() turn = 1 end
	local signature, body = lines[turn]:match("^(%x+) (.*)$")
	return wrk.format("POST", "/webhooks/bland", {["Content-Type"] = "application/json",
		["Host"] = os.getenv("DOMAIN"), ["X-Webhook-Signature"] = signature}, body)
end
local good, bad, worst = 0, 0, ""
function response(status, headers, body)
	if status == 200 then good = good + 1 else bad = bad + 1 worst = status .. " " .. body:sub(1, 80) end
	if bad > 0 then io.stderr:write(worst .. "\\n") end
end
function done(summary)
	local e = summary.errors
	print(string.format("%d %d %d %d", summary.requests, summary.duration,
		e.status + e.connect + e.read + e.write + e.timeout, 0))
end
"""


def burst(house):
    calls_under_way(house)
    secret = webhook_secret(house)
    lines, numbers = [], []
    for one in reports(BURST, UPGRADE):
        raw = json.dumps(one)
        lines.append(f"{sign(secret, raw.encode())} {raw}")
        numbers.append(one["call_id"])
    (house.folder / "reports").write_text("\n".join(lines) + "\n")
    (house.folder / "burst.lua").write_text(WRK)
    done = subprocess.run(
        ["wrk", "-t1", "-c32", "-d5s", "--timeout", "10s", "-s", str(house.folder / "burst.lua")]
        + [f"https://{house.machine.address}/"],
        env={"PATH": "/usr/bin:/bin", "REPORTS": str(house.folder / "reports"), "DOMAIN": house.domain},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise Failed("wrk: " + done.stderr[-500:])
    count, micros, errors, _ = (int(n) for n in done.stdout.splitlines()[-1].split())
    rate = count / micros * 1e6
    house.figure(
        "webhooks from one address", f"{rate:.0f} a second, {count} in all, {errors} refused or failed"
    )
    house.check("a burst of webhooks is not refused", errors == 0 and count > 0, done.stderr[-300:])
    house.check("… of a thousand a second", rate >= 1000, f"{rate:.0f} a second")
    # Those under way when time was up may have come after others that were answered.
    ended = len(numbers) - len(not_ended(house, numbers))
    house.check("… and each ended its call", ended >= min(count, len(numbers)), f"{ended} of {count}")


def main_pid(house, unit):
    return int(house.machine.show(unit, "MainPID") or 0)


def kill_each(house):
    machine = house.machine
    units = machine.running("trunkline*") + ["nginx.service", "postgresql@15-main.service"]
    if "trunkline-dialer.service" not in units:
        units.append("trunkline-dialer.service")
    machine.sh("systemctl reset-failed")
    for unit in units:
        before = wait_for(lambda: main_pid(house, unit), 30, f"{unit} does not run")
        begin = time.monotonic()
        # Of PostgreSQL the first process, as a kernel without memory does it; the others follow it.
        whom = "main" if unit.startswith("postgresql") else "all"
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-whom=" + whom, unit)

        def back():
            now = main_pid(house, unit)
            return (
                now not in (0, before) and machine.show(unit, "ActiveState") == "active" and healthy(house)
            )

        try:
            wait_for(back, 30, f"{unit} did not come back: " + machine.show(unit, "ActiveState"))
        except Failed as e:
            house.check(f"{unit} comes back after kill -9", False, str(e))
            machine.run("systemctl", "start", unit, check=False)
            continue
        house.check(f"{unit} comes back after kill -9", True)
        house.figure(f"{unit} is back after", seconds(begin))
    person = visitor(house)
    worst = 0
    machine.run("systemctl", "restart", "postgresql@15-main")
    for _ in range(20):
        worst = worst + 1 if person.get("/leads").status_code != 200 else 0
        if worst > 1:
            break
    house.check("after a restart of PostgreSQL nobody sees an error twice", worst <= 1, worst)


def reboot(house):
    machine = house.machine
    before = machine.number("select count(*) from events")
    begin = time.monotonic()
    machine.reboot()
    wait_for(lambda: healthy(house), 60, "it does not answer after the reboot")
    house.figure("reboot, until it answers", seconds(begin))
    house.check("it answers after a reboot", True)
    wanted = {"trunkline-web@a.service", "trunkline-hook@b.service", "trunkline-stream.service"}
    wait_for(
        lambda: wanted | {"trunkline-jobs.service", "trunkline-dialer.service"} <= set(machine.running()),
        30,
        "all services after the reboot; there are " + " ".join(machine.running()),
    )
    house.check("all services run again", True)
    house.check("nothing was lost by it", machine.number("select count(*) from events") >= before)
    failed = machine.run("systemctl", "--failed", "--no-legend", "--plain").stdout.strip()
    house.check("no unit failed after the reboot", not failed, failed)


def upgrade(house):
    machine = house.machine
    calls_under_way(house)
    machine.put(house.new, "/root/" + house.new.name)
    # Somebody changed a setting: it must survive, without a question.
    machine.sh("echo CONCURRENCY=7 >> /etc/trunkline/trunkline.env")
    version = machine.sh("dpkg-query -W -f '${Version}' trunkline")
    pids = {unit: main_pid(house, unit) for unit in machine.running() if "dialer" not in unit}
    token = visitor(house).headers["Authorization"].split()[1]
    load = Load(
        *(house.domain, house.machine.address, house.certificate, token),
        *(webhook_secret(house), reports(UPGRADE, DISK)),
    )
    with load:
        time.sleep(2)
        begin = time.monotonic()
        told = machine.run(
            # As an administrator's tools do it who are not there to be asked (Ansible, for one).
            *("apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confdef"),
            *("-o", "Dpkg::Options::=--force-confold", "install", "/root/" + house.new.name),
            timeout=180,
        )
        took = seconds(begin)
        time.sleep(2)
    now = machine.sh("dpkg-query -W -f '${Version}' trunkline")
    house.check(f"upgraded from {version} to {now}", now != version, told.stdout + told.stderr)
    same = [u for u, pid in pids.items() if main_pid(house, u) == pid and "sandbox" not in u]
    house.check("every worker was replaced by it", not same, same)
    house.figure(
        "upgrade under load",
        f"{took}; {load.total()} requests in {load.seconds:.0f} s ({load.posts} webhooks), "
        f"{len(load.failures)} failed, slowest {load.slowest:.2f} s",
    )
    house.check("0 failed requests", not load.failures and load.total() > 200, "\n".join(load.failures[:5]))
    lost = not_ended(house, load.accepted)
    house.check(f"0 of {len(load.accepted)} webhooks lost", not lost and len(load.accepted) > 50, lost[:3])
    kept = "CONCURRENCY=7" in machine.read("/etc/trunkline/trunkline.env")
    house.check("the changed setting survived", kept)
    house.check("migrated", "0 migrations and 0" in machine.run("trunkline", "migrate").stdout)


# --- the clock --------------------------------------------------------------------------------------
# The wall clock of the services jumps, as by `date -s`: tests/chaos/shim.c, preloaded. (A machine in a
# container cannot set the clock, which it shares.)
CLOCK = "/usr/local/lib/trunkline-clock"


def jump(house, hours):
    house.machine.sh(
        f"perl -e 'print pack(\"q<3\", {hours * 3600}, {hours * 3600}, 0)'"
        f" | dd of={CLOCK}/control conv=notrunc status=none"
    )


def clock(house):
    machine = house.machine
    machine.run("mkdir", "-p", CLOCK)
    machine.put(house.folder / "shim.so", CLOCK + "/shim.so")
    machine.sh(
        f"""head -c 24 /dev/zero > {CLOCK}/control; chmod 755 {CLOCK}; chmod 644 {CLOCK}/*
        for unit in web@ hook@ stream dialer jobs sandbox; do
            d=/etc/systemd/system/trunkline-$unit.service.d; mkdir -p $d
            {{ echo '[Service]'; echo 'Environment=LD_PRELOAD={CLOCK}/shim.so CHAOS_SHIM={CLOCK}/control'
            }} > $d/clock.conf
        done; trunkline reload"""
    )
    try:
        jumps(house)
    finally:
        jump(house, 0)
        machine.sh("rm -f /etc/systemd/system/trunkline-*.service.d/clock.conf; trunkline reload")


def jumps(house):
    machine = house.machine
    person = visitor(house)
    answer = person.post(
        "/api/upload-leads",
        files={"file": ("clock.csv", leads_file(60, 312))},
        data={"prompt_name": "default"},
    )
    house.check("imported 60 leads", answer.ok and answer.json().get("inserted") == 60, answer.text[:300])
    answer = person.post("/api/start", json={"concurrency": 6})
    if not answer.ok:
        raise Failed("start: " + answer.text[:300])
    campaign = answer.json()["campaign_id"]
    ended = f"select count(*) from calls where campaign_id = {campaign} and state = 'ended'"
    wait_for(lambda: machine.number(ended) >= 3, 60, "the first calls", pause=0.3)
    # Forth, and back to what it was: what was written in between now lies in the future.
    for hours in (3, 0):
        jump(house, hours)
        n = machine.number(ended)
        wait_for(
            lambda: machine.number(ended) >= n + 3, 60, f"calls after a jump to {hours:+d} h", pause=0.3
        )
        house.check(f"calls go on after a jump to {hours:+d} h", True)
        try:
            visitor(house)
            house.check(f"people sign in after a jump to {hours:+d} h", True)
        except Exception as e:
            house.check(f"people sign in after a jump to {hours:+d} h", False, repr(e))
    twice = machine.number(
        f"select count(*) from (select 1 from calls where campaign_id = {campaign} "
        "group by enrollment_id, step, try having count(*) > 1) t"
    )
    ledger = machine.read("/var/lib/trunkline/sandbox-ledger")
    accepted = []
    for line in ledger.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if one.get("what") == "accepted":
            accepted.append(one.get("attempt_id") or json.dumps(one.get("metadata")))
    repeated = len(accepted) - len(set(accepted))
    house.figure("calls that the provider took, of them the same twice", f"{len(accepted)}, {repeated}")
    house.check(
        "the provider was asked for no call twice", accepted and not repeated and not twice, repeated
    )
    person.post("/api/stop")


# --- the disk ---------------------------------------------------------------------------------------
def disk_full(house):
    machine = house.machine
    calls_under_way(house)
    secret = webhook_secret(house)
    machine.sh("echo 3 > /proc/sys/vm/drop_caches || true; sync")
    machine.sh(
        """room=$(df --output=avail -B1 /var | tail -1)
        fallocate -l "$room" /var/full || dd if=/dev/zero of=/var/full bs=64k status=none || true
        cat /dev/zero > /var/full2 2> /dev/null || true"""
    )
    free = machine.sh("df --output=avail -B1K /var | tail -1").strip()
    posts, refused = Visitor(house.domain, house.certificate), []
    accepted = []

    def post(one):
        raw = json.dumps(one).encode()
        headers = {"Content-Type": "application/json", "X-Webhook-Signature": sign(secret, raw)}
        try:
            code = posts.post("/webhooks/bland", data=raw, headers=headers).status_code
        except OSError:
            code = 0
        (accepted if code == 200 else refused).append(one["call_id"])
        return code

    try:
        codes = [post(one) for one in reports(DISK, DISK + 150)]
        backup = machine.run("trunkline", "backup", check=False)
        answer = posts.get("/health").status_code
    finally:
        machine.sh("rm -f /var/full /var/full2")
    house.figure(
        "webhooks on a full disk",
        f"{free} KB free: {len(accepted)} taken, {len(refused)} sent back ({sorted(set(codes))})",
    )
    house.check("a full disk ends no worker", answer == 200, answer)
    house.check("a backup on a full disk fails and says so", backup.returncode != 0, backup.stdout)
    leftover = machine.sh(
        "find /var/backups/trunkline -name '*.part*' -o -name '*.tmp*' -o -size 0 -type f"
    )
    house.check("… and leaves nothing half-made", not leftover.strip(), leftover)
    begin = time.monotonic()
    wait_for(lambda: healthy(house), 60, "it does not recover when there is room again")
    house.figure("full disk: healthy again after", seconds(begin))
    # The provider sends again what was not taken.
    again = set(refused)
    refused.clear()
    for one in reports(DISK, DISK + 150):
        if one["call_id"] in again:
            post(one)
    house.check("with room again all that was sent back is taken", not refused, len(refused))
    lost = not_ended(house, accepted)
    house.check("no accepted webhook was lost", not lost, lost[:3])
