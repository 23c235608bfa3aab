"""What is to be shown, what was found, and the figures: kept while it goes on, printed at the end."""

import time
import traceback

from machine import Failed


class Shown:
    def __init__(self):
        self.passed, self.failed, self.figures = 0, [], []
        self.began = time.monotonic()

    def at(self):
        return f"{time.monotonic() - self.began:5.0f} s"

    def check(self, what, good, why=""):
        """One thing that must hold."""
        if good:
            self.passed += 1
            print(f"  {self.at()}  ok    {what}", flush=True)
        else:
            self.failed.append(what)
            print(f"  {self.at()}  FAIL  {what}: {why}", flush=True)
        return good

    def figure(self, what, value):
        self.figures.append((what, value))

    def step(self, what, function, *arguments):
        """Runs a part; one that breaks off is a failure with its reason, and the next part is tried."""
        print(f"{self.at()}  {what}", flush=True)
        try:
            return function(*arguments)
        except Failed as e:
            self.check(what, False, str(e))
        except Exception as e:
            self.check(what, False, repr(e) + "\n" + traceback.format_exc(limit=-4))
        return None

    def end(self):
        width = max([len(what) for what, _ in self.figures] + [10])
        print()
        for what, value in self.figures:
            print(f"  {what:<{width}}  {value}")
        print()
        for what in self.failed:
            print(f"  failed: {what}")
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        return not self.failed and self.passed > 0
