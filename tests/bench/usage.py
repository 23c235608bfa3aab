"""Processor time by program: where the time of a request, a page or a call goes."""
import resource
from pathlib import Path

LEAST = 5.0  # microseconds: below it nothing is told
OURS = ("postgres", "trunkline", "nginx", "answer", "load")


def spent():
    """{program: seconds} of all processes that are alive; "load": of children of ours that have ended."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            seconds = int((process / "schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError):  # it ended meanwhile
            continue
        found[name] = found.get(name, 0.0) + seconds
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {**found, "load": children.ru_utime + children.ru_stime}


def each(before, after, n):
    """{program: microseconds} of ours for each of n, the most first."""
    names = [name for name in after if name.startswith(OURS)]
    shares = {name: (after[name] - before.get(name, 0.0)) * 1e6 / max(n, 1) for name in names}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


class Shares:
    """What was spent in each round of a subject, and its median as figures of a probe."""

    def __init__(self):
        self.rounds = {}

    def add(self, subject, shares):
        self.rounds.setdefault(subject, []).append(shares)

    def figures(self, house, what):
        """One figure for each program."""
        for subject, rounds in self.rounds.items():
            for name in rounds[0]:
                values = sorted(shares.get(name, 0.0) for shares in rounds)
                middle = values[len(values) // 2]
                if middle >= LEAST:
                    house.figure(f"{subject}: processor time of {name} for {what}", middle, "µs")
