"""`make bench`: measures Trunkline beside its limits and its peers, in one run, on one PostgreSQL.

A probe is a module probe_<name>.py with `run(house) -> list[Bar]`. It measures by `house.alternate`,
which takes turns (A B A B ...), and judges by ratios, the median of those of each round; absolute figures
go to `house.figure` for information only. A measurement that is not what it was to be (a refused request,
an event that was not applied, another page) is void and ends its probe; the bars of such a probe are not
held. The run ends with status 1 where a bar was missed.

Settings come from the environment: PROBES="W P" chooses, QUICK=1 takes one short round of each and smaller
tables, PAIRS=5 and SECONDS_EACH=6 say how often and how long, BUILD=folder where the programs are,
RESULTS=file where the results go (JSON; the same name with .md holds the tables; else BUILD/bench/results).
`run.sh load` is the load test: load.py. Peers are Debian's python3-* packages and the npm packages of
package.json, installed once below BUILD/bench."""
import importlib
import json
import operator
import os
import statistics
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Name of the module, title, and how many bars it has: those of a probe that breaks off are not held.
PROBES = {
    "W": ("webhook", "Webhook: a signed report stored and applied, durable, through nginx", 6),
    "P": ("page", "The leads page: 50 rows out of a million, signed in", 4),
    "I": ("import", "Import of a million rows: checked, without duplicates, with a report", 2),
    "D": ("dispatch", "Dispatch: due leads to POSTs, each written down before", 2),
    "L": ("latency", "Latency: Start pressed, a slot freed", 2),
    "M": ("mustache", "Mustache: a table of 50 rows", 1),
    "R": ("memory", "Resident memory of a worker", 3),
}
COMPARE = {">=": operator.ge, "<=": operator.le}


@dataclass
class Bar:
    """One claim: `value op needed` in `unit`. `held` follows from the numbers unless it is given (a probe
    that could not verify what it measured gives False)."""

    probe: str
    what: str
    value: float
    op: str
    needed: float
    unit: str = ""
    held: bool | None = None
    details: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.held is None:
            self.held = self.value == self.value and COMPARE[self.op](self.value, self.needed)


@dataclass
class Figure:
    """An absolute figure, for information."""

    probe: str
    what: str
    value: float
    unit: str


class Rounds:
    """What `House.alternate` measured: a list of values per name, one for each round."""

    def __init__(self, values):
        self.values = values

    def median(self, name):
        return statistics.median(self.values[name])

    def ratios(self, above, below):
        """Round by round, so that what disturbed both disturbs neither's ratio."""
        return [a / b for a, b in zip(self.values[above], self.values[below])]

    def ratio(self, above, below):
        return statistics.median(self.ratios(above, below))


class Result:
    """Everything that was measured, as tables and as JSON."""

    def __init__(self, about):
        self.about, self.bars, self.figures, self.failures = about, [], [], {}

    def add(self, bars):
        self.bars += bars

    def table(self, letter):
        lines = [f"### {letter}  {PROBES[letter][1]}", ""]
        figures = [f for f in self.figures if f.probe == letter]
        bars = [b for b in self.bars if b.probe == letter]
        if letter in self.failures:
            lines += [f"Could not be measured: {self.failures[letter]}", ""]
        if bars:
            lines += ["| bar | measured | needed | |", "|---|---:|---:|---|"]
            lines += [
                f"| {b.what} | {number(b.value)} {b.unit} | {b.op} {number(b.needed)} {b.unit} "
                f"| {'held' if b.held else 'NOT HELD'} |"
                for b in bars
            ]
            lines.append("")
        if figures:
            lines += ["| for information | absolute |", "|---|---:|"]
            lines += [f"| {f.what} | {number(f.value)} {f.unit} |" for f in figures]
            lines.append("")
        return "\n".join(lines)

    def held(self):
        """How many bars were held, of how many."""
        lost = sum(PROBES[letter][2] for letter in self.failures)
        return sum(b.held for b in self.bars), len(self.bars) + lost

    def last_line(self):
        return "bars held: {} of {}".format(*self.held())

    def write(self, path, letters):
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {
            "about": self.about,
            "bars": [asdict(b) for b in self.bars],
            "figures": [asdict(f) for f in self.figures],
            "failures": self.failures,
        }
        path.write_text(json.dumps(whole, indent=1, default=str) + "\n")
        about = [f"- {name}: {value}" for name, value in self.about.items()]
        tables = [self.table(letter) for letter in letters]
        text = ["# Benchmark", "", *about, "", *tables, self.last_line()]
        path.with_suffix(".md").write_text("\n".join(text) + "\n")


def number(value):
    """Three digits that matter, thousands with commas."""
    if value != value:
        return "?"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def chosen():
    letters = os.environ.get("PROBES", "").replace(",", " ").upper().split() or list(PROBES)
    unknown = [letter for letter in letters if letter not in PROBES]
    if unknown:
        sys.exit(f"unknown probe: {' '.join(unknown)} (there are {' '.join(PROBES)})")
    return letters


def measure(house, result, letter):
    """Runs one probe; a probe that breaks off is told and does not hinder the others."""
    name, title, _bars = PROBES[letter]
    print(f"\n=== {letter}  {title}", flush=True)
    began = time.monotonic()
    house.begin(letter)
    try:
        result.add(importlib.import_module(f"probe_{name}").run(house))
    except Exception as e:
        traceback.print_exc()
        result.failures[letter] = f"{type(e).__name__}: {e}"
    finally:
        house.stop_started()
        result.figures = house.figures
    print(f"\n{result.table(letter)}({time.monotonic() - began:.0f} s)", flush=True)


def main():
    from house import House, about_machine

    letters = chosen()
    house = House()
    result = Result(about_machine(house))
    path = Path(os.environ.get("RESULTS") or house.out / "results.json").resolve()
    try:
        for letter in letters:
            measure(house, result, letter)
            result.write(path, letters)
    finally:
        house.close()
    print("\n" + "\n".join(result.table(letter) for letter in letters))
    print(f"results: {path} and {path.with_suffix('.md').name}")
    print(result.last_line())
    held, all_of_them = result.held()
    return 0 if held == all_of_them else 1


if __name__ == "__main__":
    # Probes import this file by its name: one copy of it, not two.
    sys.path.insert(0, str(HERE))
    import bench

    sys.exit(bench.main())
