"""make vps: the package on a bare machine, from the installation to the restored backup. The parts follow
each other as an administrator would live them; journey.py, trouble.py and keeping.py hold what each does."""

import argparse
import os
import sys
import threading
from pathlib import Path

for folder in ("bench", "browser", "vps"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))
import journey  # noqa: E402
import keeping  # noqa: E402
import trouble  # noqa: E402
from machine import Machine  # noqa: E402
from outside import addresses  # noqa: E402
from shown import Shown  # noqa: E402

DOMAIN = "app.example.com"


class House:
    """What the parts share: the machines, the packages, what was found."""

    def __init__(self, arguments):
        self.folder = Path(arguments.folder)
        self.old, self.new = Path(arguments.old), Path(arguments.new)
        self.base, self.domain = arguments.base, DOMAIN
        self.shown = Shown()
        self.check, self.figure = self.shown.check, self.shown.figure
        self.machine = self.second = None
        self.certificate = str(self.folder / "certificate.pem")
        self.second_state, self.tls = "", None
        self.parts = list(dict.fromkeys(["install", *arguments.parts.split(",")]))
        self.email, self.password = f"admin@{DOMAIN}", None

    def wants(self, part):
        return part in self.parts

    def boot(self):
        return Machine(self.folder, self.base)


PARTS = {
    "install": [
        ("The machine boots, the older release is installed and set up", journey.install),
        ("What nginx and systemd say about it", journey.judged),
        ("From outside: sign in, upload, Start, outcomes, in a browser", journey.first_day),
    ],
    "files": [("What lintian and promtool say about the files", journey.files)],
    "burst": [("A thousand webhooks a second from one address", trouble.burst)],
    "kill": [("Every service is killed with -9", trouble.kill_each)],
    "upgrade": [("Upgrade under load", trouble.upgrade)],
    "reboot": [("Reboot", trouble.reboot)],
    "clock": [("The clock jumps", trouble.clock)],
    "disk": [("The disk is full", trouble.disk_full)],
    "tls": [("testssl.sh from outside", journey.transport)],
    "restore": [("A backup comes back on a second, fresh machine", keeping.restore)],
    "remove": [("Remove and purge", keeping.remove)],
}


def main():
    words = argparse.ArgumentParser(description=__doc__)
    for name in ("folder", "base", "old", "new"):
        words.add_argument("--" + name, required=True)
    words.add_argument("--parts", default=",".join(PARTS))
    arguments = words.parse_args()
    house = House(arguments)
    shown, machine = house.shown, None
    # Got ready beside the first, which is slept through for long stretches.
    fresh = threading.Thread(target=keeping.prepare, args=(house,), daemon=True)
    try:
        house.machine = machine = house.boot()
        addresses[DOMAIN] = machine.address
        shown.step("The machine is switched on", machine.start)
        for part in house.parts:
            if part == "install" and {"tls", "restore", "remove"} & set(house.parts):
                fresh.start()
            for what, function in PARTS[part]:
                if function not in (journey.install, journey.files) and not house.password:
                    house.check(what, False, "there is nothing to look at: it was not set up")
                else:
                    shown.step(what, function, house)
    finally:
        for one in (house.machine, house.second):
            if one and os.environ.get("KEEP_STATE"):
                print(f"Kept: {one.disk}; its console: {one.folder / one.name}.console")
                one.stop()
            elif one:
                one.discard()
    sys.exit(0 if shown.end() else 1)


if __name__ == "__main__":
    main()
