"""The good days: installation, what the judges say, a person's first day."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from chromium import chromium
from machine import Failed, wait_for
from outside import Visitor

EXPOSURE = 1.5  # the most that systemd-analyze security may say of a service


def seconds(begin):
    return f"{time.monotonic() - begin:.1f} s"


def set_up(machine, deb, domain, *options):
    """Installs the package and sets it up; (password of the first account, seconds, all that was said)."""
    machine.put(deb, "/root/" + deb.name)
    begin = time.monotonic()
    said = machine.run(
        *("apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0", "install", "/root/" + deb.name), timeout=300
    )
    installed = time.monotonic() - begin
    begin = time.monotonic()
    told = machine.run("trunkline", "setup", "--domain", domain, "--yes", *options, timeout=180).stdout
    password = re.search(r"^Password:\s+(\S+)", told, re.M)
    if not password:
        raise Failed("setup named no password:\n" + told)
    return password.group(1), installed, time.monotonic() - begin, said.stdout + said.stderr + told


def healthy(house):
    try:
        return Visitor(house.domain, house.certificate).get("/healthz", timeout=5).status_code == 200
    except OSError:
        return False


def visitor(house):
    return Visitor(house.domain, house.certificate).login(house.email, house.password)


def install(house):
    machine = house.machine
    house.password, took, setting_up, told = set_up(machine, house.old, house.domain)
    house.figure("apt install on a bare Debian 12", f"{took:.1f} s")
    house.figure("trunkline setup", f"{setting_up:.1f} s")
    machine.take("/etc/trunkline/tls/cert.pem", house.certificate)
    house.check(
        "setup says what is left: DNS, certbot, a key", all(w in told for w in ("certbot", "BLAND"))
    )
    wait_for(lambda: healthy(house), 30, "https from outside does not answer")
    again = machine.run("trunkline", "setup", "--yes").stdout
    house.check("a second setup changes nothing", "Nothing to do" in again, again)
    # Calls that take a tenth of the time, so that a day fits into this one.
    machine.sh(
        """mkdir -p /etc/systemd/system/trunkline-sandbox.service.d
        { echo '[Service]'; echo ExecStart=; sed -n '/^ExecStart=/,/[^\\\\]$/p' \
            /lib/systemd/system/trunkline-sandbox.service | sed '$s/$/ --speed 10/'; } \
            > /etc/systemd/system/trunkline-sandbox.service.d/speed.conf
        systemctl daemon-reload; systemctl restart trunkline-sandbox"""
    )
    failed = machine.run("systemctl", "--failed", "--no-legend", "--plain").stdout.strip()
    house.check("no unit failed", not failed, failed)


def judged(house):
    machine = house.machine
    said = machine.run("nginx", "-t", check=False)
    house.check("nginx -t", said.returncode == 0 and "warn" not in said.stderr, said.stderr)
    verify = machine.sh(
        "find /lib/systemd/system -name 'trunkline*' -type f -not -path '*.d/*'"
        " | xargs systemd-analyze verify --man=no 2>&1 || true"
    )
    house.check("systemd-analyze verify is silent", not verify.strip(), verify[-600:])
    units = machine.sh(
        "systemctl list-units --all --type=service --plain --no-legend 'trunkline*' | awk '{print $1}'"
    ).split()
    worst = 0.0
    for unit in units:
        overall = machine.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
        told = re.search(r"exposure level for \S+: ([0-9.]+)", overall)
        score = float(told.group(1)) if told else 10.0
        worst = max(worst, score)
        house.figure(f"exposure of {unit}", score)
    house.check(f"every service's exposure is at most {EXPOSURE}", units and worst <= EXPOSURE, worst)
    modes = machine.sh("stat -c '%a %U:%G' /run/trunkline /run/trunkline/*.sock /etc/trunkline/keys/*")
    strangers = [line for line in modes.splitlines() if not line.split()[0].endswith("0")]
    house.check("no stranger reads a key or enters a socket", not strangers, modes)
    peer = machine.run(
        *("runuser", "-u", "www-data", "--", "psql", "-XAtc", "select 1", "-d", "trunkline"), check=False
    )
    house.check("nginx's user cannot enter the database", peer.returncode != 0, peer.stdout)
    ddl = machine.run(
        *("runuser", "-u", "trunkline", "--", "psql", "-XAtc", "drop table leads", "-d", "trunkline"),
        check=False,
    )
    house.check("the services' role cannot drop a table", "must be owner" in ddl.stderr, ddl.stderr)
    told = machine.run("trunkline", "doctor", check=False).stdout
    # A container's clock is the machine's that it runs on, and the doctor says so; a VPS sets its own.
    found = [line for line in told.splitlines() if line.startswith("MEND") and "clock is set" not in line]
    house.check("trunkline doctor finds nothing else to mend", told.startswith("ok") and not found, told)
    words = ["curl", "-sk", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code} %{http_version}"]
    words += ["--resolve", f"{house.domain}:443:[{machine.address6}]", f"https://{house.domain}/health"]
    v6 = subprocess.run(words, capture_output=True, text=True)
    house.check("IPv6 and HTTP/2 from outside", v6.stdout.strip() == "200 2", v6.stdout + v6.stderr)


def files(house):
    """The package and the alert rules, by the programs that judge such files."""
    told = Path(os.environ["LINTIAN"]).read_text()
    left = [line for line in told.splitlines() if line[:2] in ("E:", "W:")]
    house.figure(
        "lintian", f"{sum(line[0] == 'E' for line in left)} errors, {len(left)} unexplained findings"
    )
    house.check(
        "lintian has no error and no unexplained warning", os.environ["LINTED"] == "0" and not left, left
    )
    tool, rules = os.environ["PROMTOOL"], os.environ["RULES"]
    done = subprocess.run([tool, "check", "rules", rules], capture_output=True, text=True)
    house.check("promtool accepts the alert rules", done.returncode == 0, done.stdout + done.stderr)


def leads_file(lines, area):
    rows = ["Full name,Company,Phone,E-mail,Consent"]
    rows += [f"Person {n},Company {n},+1{area}{2000000 + 7 * n},p{n}@example.com,yes" for n in range(lines)]
    return "\n".join(rows) + "\n"


def first_day(house):
    names = f"MAP {house.domain} {house.machine.address}"
    with chromium("--no-proxy-server", f"--host-resolver-rules={names}") as driver:
        browse(house, driver)
    person = visitor(house)
    calls = person.get("/api/calls?status=done&limit=200").json()["calls"]
    house.check("outcomes are in the API too", any(c.get("outcome") for c in calls), str(calls)[:300])


def browse(house, driver):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    base = f"https://{house.domain}"
    file = house.folder / "leads.csv"
    file.write_text(leads_file(40, 212))

    def text():
        return driver.execute_script("return document.body ? document.body.innerText : ''")

    def press(selector):
        found = wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, selector), 20, f"no {selector}")
        found[0].click()

    driver.get(base + "/login")
    driver.find_element(By.NAME, "email").send_keys(house.email)
    driver.find_element(By.NAME, "password").send_keys(house.password + Keys.ENTER)
    wait_for(lambda: "Import leads" in text(), 20, "the dashboard after signing in: " + text()[:200])
    house.check("signed in from outside", True)
    driver.get(base + "/imports/new")
    driver.find_element(By.NAME, "file").send_keys(str(file))
    press("form.form button.primary")
    wait_for(lambda: "40 created" in text(), 30, "40 created; the page says: " + text()[:300])
    house.check("uploaded a file of 40 leads", True)
    begin = time.monotonic()
    press("#acts details.confirm summary.primary")
    press("#acts details.confirm button.primary")
    wait_for(lambda: "/campaigns/" in driver.current_url, 20, "the campaign's page")
    machine = house.machine
    ended = "select count(*) from calls where state = 'ended' and outcome is not null"
    wait_for(lambda: machine.number(ended) >= 5, 90, "five ended calls", pause=0.5)
    house.figure("Start to five ended calls, in the sandbox", seconds(begin))
    driver.get(base + "/calls")
    words = (
        "Interested",
        "Not interested",
        "Voicemail",
        "No answer",
        "Busy",
        "Callback",
        "Follow-up",
        "Hung up",
    )
    seen = wait_for(lambda: [w for w in words if w.lower() in text().lower()], 20, "outcomes on the page")
    house.check("outcomes are on the page of calls: " + ", ".join(seen), True)
    loud = [
        e["message"]
        for e in driver.get_log("browser")
        if e["level"] == "SEVERE" and "favicon" not in e["message"]
    ]
    house.check("the browser complained about nothing", not loud, loud[:3])


# What an untrusted test certificate alone explains.
UNTRUSTED = re.compile(
    r"^(cert_chain_of_trust|cert_notAfter|cert_expirationStatus|cert_extlifeSpan|cert_revocation"
    r"|cert_crlDistr|cert_ocspURL|OCSP_stapling|DNS_CAArecord|cert_trust|grade_cap|cert_mustStaple"
    r"|certificate_transparency"
    r"|overall_grade|final_score)"
)
SEVERE = {"LOW", "MEDIUM", "HIGH", "CRITICAL"}


def scan(house, machine):
    """What testssl.sh found: [{"id", "severity", "finding"}]."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if not program:
        raise Failed("testssl.sh is not installed on this machine: apt-get install testssl.sh")
    out = house.folder / "testssl.json"
    out.unlink(missing_ok=True)
    with open(house.folder / "testssl.log", "wb") as log:
        subprocess.run(
            [program, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--fast"]
            + ["--ip", machine.address, "--jsonfile", str(out), house.domain + ":443"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=400,
        )
    return json.loads(out.read_text())


def transport(house):
    found = wait_for(
        lambda: house.tls or house.second_state not in ("", "ready"), 400, "testssl.sh is not done"
    )
    if not isinstance(found, list):
        raise Failed(f"{house.tls or house.second_state}")
    bad = [f for f in found if f["severity"] in SEVERE and not UNTRUSTED.match(f["id"])]
    house.figure("testssl.sh", f"{len(found)} checks, {len(bad)} findings but the test certificate's")
    house.check(
        "testssl.sh finds nothing", len(found) > 50 and not bad, [(f["id"], f["finding"]) for f in bad]
    )
