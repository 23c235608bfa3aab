"""Prompts: the API, the editor with its preview, versions, and what must be refused."""
import concurrent.futures
import html
import re
import uuid

import pytest


@pytest.fixture(scope="module")
def api(stack):
    return stack.api("member")


@pytest.fixture(scope="module")
def browser(stack):
    return stack.login("member")


@pytest.fixture
def name(api):
    name = "p-" + uuid.uuid4().hex[:8]
    assert api.put(f"/api/prompts/{name}", json={"body": "Hello {{contact}}."}).status_code == 201
    return name


def add_lead(stack, **columns):
    row = {"client_id": 1, "phone": f"+1415{uuid.uuid4().int % 9000000 + 1000000}", **columns}
    names, holes = ", ".join(row), ", ".join(["%s"] * len(row))
    return stack.one(f"insert into leads ({names}) values ({holes}) returning id", *row.values())["id"]


def test_two_are_there_from_the_start(api):
    prompts = {p["name"]: p for p in api.get("/api/prompts").json()["prompts"]}
    for name in ("default", "followup"):
        p = prompts[name]
        assert "{{rep}}" in p["body"] and "{{rep}}" in p["first_sentence"] and "{{contact" in p["body"]
        assert "AI" in p["first_sentence"] and "AI" in p["voicemail_message"]
        assert "not to be called" in p["body"]


@pytest.mark.parametrize("name", ["default", "followup"])
@pytest.mark.parametrize("lead", [{}, {"contact": "Ada", "company": "Analytical Ltd", "notes": "likes it"}])
def test_the_delivered_ones_read_well_for_any_lead(stack, api, name, lead):
    p = api.get(f"/api/prompts/{name}").json()
    parts = ("first_sentence", "body", "voicemail_message")
    form = {**{k: p[k] for k in parts}, "lead": add_lead(stack, **lead)}
    shown = api.post("/api/prompts/preview", json=form).json()["preview"]
    for part in parts:
        assert shown[part] and not re.search(r"[{}]|\s,|  |\n\n\n|at your company", shown[part]), shown[
            part
        ]
        assert not lead or "Ada" in shown[part] or part == "body"


def test_a_change_makes_a_version_and_nothing_makes_none(api, name):
    assert api.get(f"/api/prompts/{name}").json()["version"] == 1
    assert api.patch(f"/api/prompts/{name}", json={"first_sentence": "Hi."}).json()["version"] == 2
    same = {"first_sentence": "Hi.", "body": "Hello {{contact}}.\r\n"}
    again = api.patch(f"/api/prompts/{name}", json=same)
    assert (again.status_code, again.json()["version"]) == (200, 2)
    p = api.put(f"/api/prompts/{name}", json={"text": "Another one.", "note": "why not"}).json()
    assert (p["version"], p["body"], p["first_sentence"], p["note"]) == (
        3,
        "Another one.",
        "Hi.",
        "why not",
    )
    assert [v["version"] for v in api.get(f"/api/prompts/{name}").json()["versions"]] == [3, 2, 1]
    old = api.get(f"/api/prompts/{name}?version=1").json()
    assert (old["version"], old["current_version"], old["body"]) == (1, 3, "Hello {{contact}}.")


def test_restoring_is_a_new_version(api, browser, name):
    api.patch(f"/api/prompts/{name}", json={"body": "Worse."})
    answer = browser.form(f"/prompts/{name}/restore", {"version": "1"}, page=f"/prompts/{name}")
    assert answer.status_code == 200
    p = api.get(f"/api/prompts/{name}").json()
    assert (p["version"], p["body"]) == (3, "Hello {{contact}}.")
    assert api.post(f"/api/prompts/{name}/restore", json={"version": 99}).status_code == 404
    assert api.post(f"/api/prompts/{name}/restore", json={}).status_code == 422


def test_saving_from_many_sides_numbers_each_once(stack, api, name):
    def save(i):
        return stack.api("member").patch(f"/api/prompts/{name}", json={"body": f"text {i}"}).status_code

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert set(pool.map(save, range(6))) == {200}
    assert [v["version"] for v in api.get(f"/api/prompts/{name}").json()["versions"]] == [
        7,
        6,
        5,
        4,
        3,
        2,
        1,
    ]


@pytest.mark.parametrize(
    "body, line",
    [
        ("Hi {{contact", "Line 1"),
        ("one\ntwo {{#a}} x", "Line 2"),
        ("{{/a}}", "Line 1"),
        ("{{>leads}}", "Line 1"),
        ("{{=<% %>=}}", "Line 1"),
        ("{{a|{{b}}}}", "Line 1"),
        ("{{}}", "Line 1"),
        ("", "needs a text"),
        ("x" * 16001, "too long"),
        ("a\r\nb\r\n{{c", "Line 3"),
    ],
)
def test_a_text_that_cannot_be_filled_in_is_refused(api, name, body, line):
    answer = api.patch(f"/api/prompts/{name}", json={"body": body})
    assert answer.status_code == 422
    assert line in answer.json()["error"]["fields"]["body"]
    assert api.get(f"/api/prompts/{name}").json()["version"] == 1


@pytest.mark.parametrize(
    "bad", ["Upper", "two words", "a/b", "", "-x", "x" * 64, "new", "preview", "ünï", "a'b;--"]
)
def test_odd_names_are_refused(api, bad):
    assert api.post("/api/prompts", json={"name": bad, "body": "x"}).status_code == 422


def test_what_is_not_there(api, name):
    assert api.get("/api/prompts/nobody").status_code == 404
    assert api.patch("/api/prompts/nobody", json={"body": "x"}).status_code == 404
    assert api.delete("/api/prompts/nobody").status_code == 404
    assert api.get(f"/api/prompts/{name}?version=77").status_code == 404
    assert api.get(f"/api/prompts/{name}?version=x").status_code == 422
    assert api.post("/api/prompts", json={"name": name, "body": "x"}).status_code == 409


def test_removing(stack, api, name):
    assert api.delete("/api/prompts/default").status_code == 409
    campaign = stack.one(
        """insert into campaigns (client_id, name, state, prompt_id)
        select 1, %s, 'running', id from prompts where name = %s returning id""",
        "c " + name,
        name,
    )["id"]
    assert api.delete(f"/api/prompts/{name}").json()["error"]["code"] == "in_use"
    stack.rows("update campaigns set state = 'done' where id = %s", campaign)
    assert api.delete(f"/api/prompts/{name}").status_code == 200
    assert api.get(f"/api/prompts/{name}").status_code == 404
    # its history comes back with it
    assert api.put(f"/api/prompts/{name}", json={"body": "Back."}).json()["version"] == 2


def test_who_may(stack, name):
    viewer = stack.api("viewer")
    assert viewer.get("/api/prompts").status_code == 200
    assert viewer.get(f"/api/prompts/{name}").status_code == 200
    assert viewer.post("/api/prompts/preview", json={"body": "x"}).status_code == 200
    for method, path in (
        ("put", f"/api/prompts/{name}"),
        ("delete", f"/api/prompts/{name}"),
        ("post", "/api/prompts"),
        ("post", f"/api/prompts/{name}/restore"),
    ):
        assert viewer.request(method, path, json={"body": "x"}).status_code == 403
    assert stack.http().get("/api/prompts").status_code == 401
    assert "Save" not in stack.login("viewer").get(f"/prompts/{name}").text


# --- preview ------------------------------------------------------------------------------------------------


def test_a_lead_hears_its_own_values(stack, api):
    lead = add_lead(
        stack,
        contact="Ada <b>",
        attributes='{"plan": "Plan 2", "evil": "{{notes}} {{#x}}"}',
        notes="secret",
    )
    body = "{{contact}} {{plan}} {{evil}} {{city|your town}} {{zip}}{{#zip}} no{{/zip}} {{today}}"
    shown = api.post("/api/prompts/preview", json={"body": body, "lead": lead}).json()["preview"]
    assert shown["body"].startswith("Ada <b> Plan 2 ((notes)) ((#x)) your town  ")
    assert shown["missing"] == ["city", "zip"] and "secret" not in shown["body"]
    assert shown["lead"]["id"] == lead
    assert "long" not in shown
    assert api.post("/api/prompts/preview", json={"body": "x" * 2001}).json()["preview"]["long"] == 2001
    broken = api.post("/api/prompts/preview", json={"body": "{{x"})
    assert broken.status_code == 200 and "Line 1" in broken.json()["preview_error"]


def test_the_script_gets_a_piece_and_a_browser_a_page(stack, browser, name):
    lead = add_lead(stack, contact="<i>Ida</i>")
    form = {"body": "Dear {{contact}} & co, {{nothing}}", "first_sentence": "Mine.", "lead": str(lead)}
    piece = browser.form("/prompts/preview", form, page=f"/prompts/{name}")
    assert piece.status_code == 200 and "<html" not in piece.text
    assert "Dear &lt;i&gt;Ida&lt;/i&gt; &amp; co" in piece.text and "<code>nothing</code>" in piece.text
    page = browser.form(f"/prompts/{name}/preview", form, page=f"/prompts/{name}")
    assert page.status_code == 200 and "<html" in page.text
    assert "Dear &lt;i&gt;Ida&lt;/i&gt; &amp; co" in page.text
    # what was typed stays typed, and nothing was saved
    assert html.escape("Dear {{contact}} & co, {{nothing}}", quote=False) in page.text
    assert f'<option value="{lead}" selected>' in page.text
    assert browser.get(f"/prompts/{name}").text.count("Mine.") == 0
    fresh = browser.form("/prompts/new", {**form, "name": "typed-name"}, page="/prompts/new")
    assert fresh.status_code == 200 and 'value="typed-name"' in fresh.text and "Mine." in fresh.text


# --- the editor -------------------------------------------------------------------------------------------


def test_pages(browser, name):
    assert f'href="/prompts/{name}"' in browser.get("/prompts").text
    page = browser.get(f"/prompts/{name}").text
    assert "Hello {{contact}}.</textarea>" in page and "Version 1" in page
    assert browser.get("/prompts/new").status_code == 200
    assert browser.get("/prompts/nobody").status_code == 404


def test_a_form_saves_and_an_error_loses_nothing(browser, api, name):
    page = f"/prompts/{name}"
    form = {
        "body": "One\r\ntwo {{contact}}",
        "first_sentence": "Hi",
        "voicemail_message": "",
        "from_version": "1",
    }
    saved = browser.form(page, form, page=page)
    assert saved.status_code == 200 and "Saved as version 2" in saved.text
    assert api.get(f"/api/prompts/{name}").json()["body"] == "One\ntwo {{contact}}"
    assert "Nothing had changed" in browser.form(page, {**form, "from_version": "2"}, page=page).text
    wrong = browser.form(page, {**form, "body": "Precious words {{contact", "from_version": "2"}, page=page)
    assert wrong.status_code == 422
    assert "Precious words {{contact</textarea>" in wrong.text and "Line 1" in wrong.text
    # somebody else was faster: nothing is overwritten unseen, nothing typed is lost
    late = browser.form(page, {**form, "body": "My words", "from_version": "1"}, page=page)
    assert late.status_code == 409 and "My words</textarea>" in late.text
    assert 'name="from_version" value="2"' in late.text


def test_what_changed_is_shown(browser, api, name):
    api.patch(f"/api/prompts/{name}", json={"body": "Hello {{contact}}.\nA <new> line."})
    page = browser.get(f"/prompts/{name}?version=1").text
    assert re.search(r"<ins>.*A &lt;new&gt; line\.</ins>", page)
    assert "  Hello {{contact}}.\n" in page and "<del>" not in page
    assert "<ins>" not in browser.get(f"/prompts/{name}").text


def test_what_people_do_is_in_the_audit_log(stack, api, name):
    api.patch(f"/api/prompts/{name}", json={"body": "Changed."})
    rows = stack.rows("select action, detail from audit where detail->>'name' = %s order by id", name)
    assert [r["action"] for r in rows] == ["prompt.create", "prompt.save"]
    assert rows[1]["detail"]["version"] == 2
