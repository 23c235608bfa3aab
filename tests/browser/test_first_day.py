"""What a person does the first time, in a real browser: sign in, upload, press Start, read the outcomes."""
import os
from pathlib import Path

from conftest_stack import ROOT, wait_for
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

SIZES = {"wide": (1280, 900), "phone": (390, 844)}


def sign_in(eyes, stack, role="admin"):
    email, password = stack.user(role)
    eyes.go("/login")
    eyes.driver.find_element(By.NAME, "email").send_keys(email)
    eyes.driver.find_element(By.NAME, "password").send_keys(password + Keys.ENTER)
    wait_for(lambda: eyes.driver.find_elements(By.CSS_SELECTOR, "nav.side"))


def text(eyes):
    # In one step: an element found first may be gone by the time it is read, while a page changes.
    return eyes.driver.execute_script("return document.body ? document.body.innerText : ''")


def look_everywhere(eyes, name, path):
    """The page in both sizes and both colours: nothing sticks out sideways, nothing is refused."""
    for size, (width, height) in SIZES.items():
        eyes.size(width, height)
        for colour in ("light", "dark"):
            eyes.dark(colour == "dark")
            eyes.go(path)
            eyes.shoot(f"{name}-{size}-{colour}")
            sideways = eyes.driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert sideways <= 0, f"{path} is {sideways} px too wide at {width}"
    eyes.size(*SIZES["wide"])
    eyes.dark(False)


def test_first_day(eyes, stack):
    sign_in(eyes, stack)
    assert "Import leads" in text(eyes)
    look_everywhere(eyes, "01-empty-dashboard", "/")
    look_everywhere(eyes, "02-import-new", "/imports/new")

    eyes.go("/imports/new")
    eyes.driver.find_element(By.NAME, "file").send_keys(str(ROOT / "static" / "sample_leads.csv"))
    Select(eyes.driver.find_element(By.NAME, "prompt_name")).select_by_value("default")
    eyes.driver.find_element(By.CSS_SELECTOR, "form.form button.primary").click()
    wait_for(lambda: "10 created" in text(eyes))
    assert "/imports/" in eyes.driver.current_url
    look_everywhere(eyes, "03-import", eyes.driver.current_url[len(eyes.base) :])

    eyes.go(eyes.driver.current_url[len(eyes.base) :])
    eyes.driver.find_element(By.CSS_SELECTOR, "#acts details.confirm summary.primary").click()
    eyes.driver.find_element(By.CSS_SELECTOR, "#acts details.confirm button.primary").click()
    wait_for(lambda: "/campaigns/" in eyes.driver.current_url)
    campaign = eyes.driver.current_url[len(eyes.base) :]
    wait_for(
        lambda: stack.one("select count(*) as n from calls where state = 'ended'")["n"] >= 3, seconds=30
    )
    look_everywhere(eyes, "04-campaign", campaign)
    look_everywhere(eyes, "05-dashboard", "/")

    eyes.go("/")
    wait_for(lambda: eyes.driver.find_elements(By.LINK_TEXT, "Read"), seconds=30)
    eyes.driver.find_element(By.LINK_TEXT, "Read").click()
    assert "Transcript" in text(eyes)
    look_everywhere(eyes, "06-call", eyes.driver.current_url[len(eyes.base) :].split("#")[0])
    lead = stack.one("select id from leads where outcome is not null order by id limit 1")["id"]
    look_everywhere(eyes, "07-lead", f"/leads/{lead}")
    for name, path in {
        "08-leads": "/leads",
        "09-calls": "/calls",
        "10-campaigns": "/campaigns",
        "11-prompts": "/prompts",
        "12-prompt": "/prompts/default",
        "13-imports": "/imports",
        "14-settings": "/settings",
        "15-users": "/users",
        "16-suppressions": "/suppressions",
        "17-campaign-new": "/campaigns/new",
        "18-audit": "/audit",
        "19-account": "/account",
        "20-alerts": "/alerts",
        "21-campaign-leads": campaign + "/leads",
        "22-review": campaign + "/review",
        "23-lead-new": "/leads/new",
    }.items():
        look_everywhere(eyes, name, path)
    assert eyes.complaints() == []


def test_the_dashboard_refreshes_itself(eyes, stack):
    sign_in(eyes, stack, "member")
    eyes.go("/leads")
    before = stack.one("select count(*) as n from calls")["n"]
    api = stack.api("member")
    stack.upload("phone,contact\n+12125552390,Live Lead\n", api)
    eyes.go("/")
    api.post("/api/start", json={"concurrency": 5})
    wait_for(
        lambda: stack.one("select count(*) as n from calls where state = 'ended'")["n"] > before, seconds=30
    )
    wait_for(lambda: "Live Lead" in text(eyes), seconds=15)


def test_without_javascript_nothing_is_lost(stack):
    """Forms alone: what a text browser would do."""
    http = stack.login("member")
    page = http.get("/imports/new").text
    assert 'enctype="multipart/form-data"' in page
    sample = (Path(ROOT) / "static" / "sample_leads.csv").read_bytes().replace(b"Ada", b"Eve")
    answer = http.post(
        "/imports",
        data={"csrf": http.csrf("/imports/new"), "consent": "column"},
        files={"file": ("eve.csv", sample, "text/csv")},
    )
    assert answer.status_code == 200 and "/imports/" in answer.url


def test_keyboard_and_focus(eyes, stack):
    sign_in(eyes, stack, "member")
    eyes.go("/")
    eyes.driver.find_element(By.TAG_NAME, "body").send_keys("/")
    assert eyes.driver.switch_to.active_element.get_attribute("type") == "search"
    eyes.go("/")
    eyes.driver.find_element(By.TAG_NAME, "body").send_keys("gl")
    wait_for(lambda: eyes.driver.current_url.endswith("/leads"))


def test_a_prompt_is_previewed_while_it_is_typed(eyes, stack):
    sign_in(eyes, stack, "member")
    eyes.go("/prompts/default")
    area = eyes.driver.find_element(By.NAME, "body")
    area.clear()
    area.send_keys("Hello {{contact|dear friend}}, marker 4711.")
    wait_for(lambda: "marker 4711" in eyes.driver.find_element(By.ID, "preview").text)
    assert "{{" not in eyes.driver.find_element(By.ID, "preview").text


if os.environ.get("SHOTS"):
    print("pictures go to", os.environ["SHOTS"])
