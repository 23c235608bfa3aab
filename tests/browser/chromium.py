"""One headless Chromium with a profile of its own, as tests of the browser and of a whole server use it."""
import contextlib
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


@contextlib.contextmanager
def chromium(*more):
    """Its driver; what the console says is kept. It ends, and its profile goes, with the block."""
    home = tempfile.mkdtemp(prefix="trunkline-chromium-", dir="/tmp")
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, *more, f"--user-data-dir={home}"):
        options.add_argument(flag)
    options.set_capability("acceptInsecureCerts", True)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        try:
            driver.set_page_load_timeout(30)
            yield driver
        finally:
            driver.quit()
    finally:
        shutil.rmtree(home, ignore_errors=True)
