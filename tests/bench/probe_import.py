"""I: a file of a million lines, eight columns, → leads: numbers checked and made E.164, without
duplicates, with a line in the report for each that was left out.

The product's way is the real one: the file is uploaded to /api/upload-leads, the web worker looks at it
and queues it, the `trunkline jobs` process of the running product imports it. Timed from when that
process takes the job until the database says "done"; its peak of memory is the kernel's VmHWM. The
upload itself is not in the time.

The limit and the peers work on the product's own table of leads with all its indexes and keys, in a
database beside, on the same PostgreSQL. The limit neither checks numbers nor reports; nor does row by
row, of which a slice is measured and scaled."""
import json
import os
import subprocess
import threading
import time

import rows
from bench import HERE, Bar

PRODUCT, LIMIT = "trunkline", "\\copy + INSERT … SELECT"
COPY, SINGLE = "csv-parse + pg-copy-streams", "row by row"
SHORT = {"product": PRODUCT, "limit": LIMIT, "copy": COPY, "single": SINGLE}
BESIDE = "import_beside"
EMPTY = (
    "truncate leads, enrollments, calls, decisions, consents, imports, import_lines, tallies"
    " restart identity cascade"
)


class Void(Exception):
    """What was measured is not what was to be measured."""


def peak_kb(pid):
    """The most memory that a process ever had resident; 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


class Import:
    """The file and one function for each subject; each answers seconds."""

    def __init__(self, house):
        self.house, self.stack = house, house.stack()
        self.n = 20_000 if house.quick else 1_000_000
        self.slice = 5_000 if house.quick else 20_000
        self.path, self.counts = rows.make(house.out, self.n)
        self.part, self.part_counts = rows.make(house.out, self.slice)
        house.database(BESIDE)
        self.peak = 0
        self.api = self.stack.api("member")
        house.figure("the file", self.path.stat().st_size / 1e6, "MB")

    # -- the product -----------------------------------------------------------------------------------
    def product(self):
        self.house.sql(EMPTY)
        self.house.sql("vacuum analyze leads")
        self.house.sql("checkpoint")
        answers = []
        with open(self.path, "rb") as f:
            content = f.read()
        # Its answer may take until the import is over, so it is not waited for.
        upload = threading.Thread(
            target=lambda: answers.append(self.stack.upload(content, self.api, consent="none")), daemon=True
        )
        upload.start()
        seconds = self.watch()
        upload.join(60)
        if not answers or answers[0].status_code not in (200, 202):
            raise Void(f"the upload: {answers and answers[0].text[:500]}")
        self.check_product()
        return seconds

    def watch(self, most=1800):
        """Until the import is done: from the time that the job wrote down as its start."""
        end, looked = time.monotonic() + most, 0.0
        connection = self.house.connect()
        row = None
        with connection.cursor() as cursor:
            while time.monotonic() < end:
                cursor.execute("select state, extract(epoch from started_at)::float, error from imports")
                row, now = cursor.fetchone(), time.time()
                if row and row[0] not in ("queued", "running"):
                    break
                if time.monotonic() > looked + 0.25:
                    looked = time.monotonic()
                    self.look()
                time.sleep(0.01)
        self.look()
        connection.close()
        if not row or row[0] != "done":
            raise Void(f"the import: {row}")
        return now - row[1]

    def look(self):
        """The jobs process is the only one of the product called `trunkline`."""
        self.peak = max([self.peak, *map(peak_kb, self.stack.pids("trunkline"))])

    def check_product(self):
        found = self.house.sql(
            "select rows_created, rows_skipped, rows_rejected, (select count(*) from leads),"
            " (select count(*) from import_lines where verdict = 'rejected'),"
            " (select count(*) from import_lines where verdict = 'skipped') from imports"
        )[0]
        new, repeated, bad = (self.counts[kind] for kind in ("new", "repeated", "bad"))
        if found != (new, repeated, bad, new, bad, repeated):
            raise Void(f"the import: {found} where {self.counts} was expected")

    # -- beside ----------------------------------------------------------------------------------------
    def clear(self):
        self.house.sql(EMPTY, database=BESIDE)
        self.house.sql("drop table if exists stage, problems", database=BESIDE)
        self.house.sql(f"create unlogged table stage ({rows.STAGE})", database=BESIDE)
        self.house.sql("checkpoint", database=BESIDE)

    def check(self, name, counts):
        """The same numbers, each once, as the product makes of the file."""
        found = self.house.sql("select count(*) from leads", database=BESIDE)[0][0]
        if found != counts["new"]:
            raise Void(f"{name}: {found} leads where {counts} was expected")

    def limit(self):
        self.clear()
        script = self.house.out / "import-limit.sql"
        script.write_text(
            f"\\copy stage from '{self.path}' (format csv, header)\n{rows.MERGE.format(stage='stage')};\n"
        )
        began = time.monotonic()
        subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script],
            env={**os.environ, **self.house.pg_env(BESIDE)},
            check=True,
            timeout=1800,
        )
        seconds = time.monotonic() - began
        self.check("limit", self.counts)
        return seconds

    def run_peer(self, name, command, path, counts):
        """A peer prints {"seconds": …, "rejected": …}."""
        self.clear()
        log = self.house.out / "import-peer.log"
        env = {
            **os.environ,
            **self.house.pg_env(BESIDE),
            "NODE_PATH": str(self.house.npm()),
            "NODE_ENV": "production",
            "MERGE": rows.MERGE.format(stage="stage"),
        }
        with open(log, "w") as errors:
            done = subprocess.run(
                [*command, path], env=env, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=1800
            )
        if done.returncode:
            raise Void(f"{name}: {log.read_text()[-2000:]}")
        said = json.loads(done.stdout)
        self.check(name, counts)
        if said["rejected"] != counts["bad"]:
            raise Void(f"{name}: {said} where {counts} was expected")
        return said["seconds"]

    def copy(self):
        command = ["node", str(HERE / "peers" / "import_copy.js")]
        return self.run_peer(COPY, command, self.path, self.counts)

    def single(self):
        command = ["/usr/bin/python3", str(HERE / "peers" / "import_rows.py")]
        seconds = self.run_peer(SINGLE, command, self.part, self.part_counts)
        return seconds * self.n / self.slice


def run(house):
    i = Import(house)
    judged, known = {PRODUCT: i.product, LIMIT: i.limit}, {COPY: i.copy, SINGLE: i.single}
    only = [SHORT.get(word, word) for word in os.environ.get("ONLY", "").replace(",", " ").split()]
    if only:
        judged, known = ({name: f[name] for name in f if name in only} for f in (judged, known))
    rounds = house.alternate(judged)
    # No bar depends on these, and they take minutes.
    beside = house.alternate(known, pairs=min(house.pairs, 2))
    house.sql(EMPTY)
    house.sql(f'drop database "{BESIDE}" with (force)', database="postgres")
    there = rounds.values
    for name in there:
        house.figure(name, rounds.median(name), f"s for {i.n:,} rows")
    for name in known:
        note = f" (of {i.slice:,} rows, scaled)" if name == SINGLE else ""
        house.figure(f"{name}{note}", beside.median(name), f"s for {i.n:,} rows")
        if PRODUCT in there:
            house.figure(f"{name} ÷ trunkline", beside.median(name) / rounds.median(PRODUCT), "×")
    bars = []
    if PRODUCT in there and LIMIT in there:
        ratio = rounds.ratio(PRODUCT, LIMIT)
        bars.append(Bar("I", "time ÷ the limit's", ratio, "<=", 0.85, "×", details=there))
    if PRODUCT in there:
        bars.append(Bar("I", "the importer's peak of memory", i.peak / 1024, "<=", 48, "MB"))
    return bars
