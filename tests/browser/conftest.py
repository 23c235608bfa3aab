"""A headless Chromium against the real stack. SHOTS names a folder for pictures of what it saw."""
import os
import sys
from pathlib import Path

import pytest

from chromium import chromium

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from conftest_stack import Stack, new_stack, stack, wait_for  # noqa: E402,F401


class Eyes:
    """The driver, with the ways of looking that tests need."""

    def __init__(self, driver, base):
        self.driver, self.base = driver, base

    def size(self, width, height):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def dark(self, on):
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]},
        )

    def go(self, path):
        self.driver.get(self.base + path)

    def shoot(self, name):
        folder = os.environ.get("SHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))

    def complaints(self):
        """What the browser's console says against us: refused by the CSP, missing files, script errors."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" and "favicon" not in entry["message"]
        ]


@pytest.fixture
def eyes(stack):
    with chromium() as driver:
        yield Eyes(driver, stack.url)
