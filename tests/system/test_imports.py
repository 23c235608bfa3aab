"""Files of leads: what is read, what is refused and why, and that nothing is lost or counted twice."""
import csv
import io
import os
import random
import signal
import time
import zipfile

import psycopg2
import pytest
from conftest import wait_for

COUNTS = ("rows_created", "rows_updated", "rows_skipped", "rows_rejected")


@pytest.fixture(scope="module")
def api(stack):
    return stack.api("member")


def numbers():
    for i in range(10000, 7990000):
        exchange = 200 + i // 10000
        if exchange % 100 != 11:  # service codes
            yield f"+1312{exchange}{i % 10000:04d}"


NUMBERS = numbers()


@pytest.fixture
def phones():
    """Numbers that no lead has, in order: each test goes on where the one before it stopped."""
    return NUMBERS


def find(stack, number):
    return stack.one("select * from imports where id = %s", number)


def check_law(stack, number, lines=None):
    """rows in = created + updated + skipped + rejected, and the list of lines agrees with the counts."""
    i = find(stack, number)
    assert i["rows_total"] == sum(i[c] for c in COUNTS)
    if lines is not None:
        assert i["rows_total"] == lines, dict(i)
    leads = stack.one("select count(*) as n from leads where import_id = %s", number)["n"]
    assert i["state"] == "undone" or leads == i["rows_created"]
    listed = {
        r["verdict"]: r["n"]
        for r in stack.rows(
            "select verdict, count(*) as n from import_lines where import_id = %s group by 1", number
        )
    }
    assert listed.get("rejected", 0) == i["rows_rejected"]
    assert listed.get("skipped", 0) == i["rows_skipped"]
    assert listed.get("updated", 0) == i["rows_updated"]
    twice = stack.rows(
        """select import_line from leads where import_id = %s intersect
        select line from import_lines where import_id = %s""",
        number,
        number,
    )
    assert twice == []
    return i


def upload(stack, text, api, lines=None, **fields):
    answer = stack.upload(text, api, **fields)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["state"] == "done"
    check_law(stack, body["import_id"], lines)
    return body


def reasons(body):
    return {e["line"]: e["reason"] for e in body["errors"]}


# --- encodings, delimiters, faults ----------------------------------------------------------------


def table(rows, delimiter=",", end="\r\n"):
    out = io.StringIO()
    # With bare CRs the writer does not see that a LF inside a field needs quotes.
    csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if end == "\r" else csv.QUOTE_MINIMAL,
    ).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    "encode, delimiter, end",
    [
        (lambda t: t.encode(), ",", "\n"),
        (lambda t: b"\xef\xbb\xbf" + t.encode(), ";", "\r\n"),
        (lambda t: t.encode("utf-16"), "\t", "\r\n"),
        (lambda t: b"\xfe\xff" + t.encode("utf-16-be"), ",", "\r\n"),
        (lambda t: t.encode("utf-16-le"), ";", "\r\n"),
        (lambda t: t.encode("cp1252"), ";", "\r\n"),
        (lambda t: t.encode(), "|", "\r"),
    ],
    ids=["utf8", "bom-semicolon", "utf16-tab", "utf16be", "utf16le-bare", "cp1252", "bar-cr"],
)
def test_any_encoding_and_delimiter(stack, api, phones, encode, delimiter, end):
    people = [
        ["Zoë Müller", next(phones), 'Café; "Zum Löwen", KG'],
        ["José Núñez", next(phones), "Two\nlines"],
        ["François", next(phones), "a|b\tc"],
    ]
    text = table([["Full Name", "Mobile", "Company Name"]] + people, delimiter, end)
    body = upload(stack, encode(text), api, lines=3)
    assert (body["inserted"], body["rejected"]) == (3, 0), body
    for name, phone, company in people:
        lead = stack.one("select contact, company from leads where phone = %s", phone)
        assert (lead["contact"], lead["company"]) == (name, company)


def ugly(lines, phones, seed=3):
    """(text, expected counts) of a file with every fault that real files have."""
    lot = random.Random(seed)
    text, good, count = ["Name;Phone;E-Mail;Consent;Notes"], [], {"lines": 0, "rejected": 0, "repeated": 0}
    for i in range(lines):
        fault = i % 20
        phone = next(phones)
        cells = [f"Person {i}", phone, f"p{i}@example.test", "yes", "note"]
        count["lines"] += 1
        if fault == 3 and good:
            cells[1] = lot.choice(good)
            count["repeated"] += 1
        elif fault == 5:
            cells[1] = lot.choice(
                ["", "n/a", "12", "+1 911", "call me", "555-CALL", "+999123456789", "1.55501E+10"]
            )
            count["rejected"] += 1
        elif fault == 7:
            cells = cells[:2]  # short
            good.append(phone)
        elif fault == 9:
            cells += ["too", "long"]
            count["rejected"] += 1
        elif fault == 11:
            cells[0] = '=HYPERLINK("http://evil.example","x")'.replace('"', "'")
            good.append(phone)
        elif fault == 13:
            cells[4] = '"two\r\nlines; and a ""quote"""'
            good.append(phone)
        elif fault == 15:
            cells[4] = "with a \0 in it"
            count["rejected"] += 1
        elif fault == 17:
            cells += ["", ""]  # empty ones at the end, as Excel writes them
            good.append(phone)
        else:
            good.append(phone)
        text.append(";".join(cells))
        if fault == 0:
            text.append("")
        if fault == 1:
            text.append(";;;;")
        if i == lines // 2:
            text.append(f"Huge;{next(phones)};h@example.test;yes;" + "x" * (1 << 20))
            count["lines"] += 1
            count["rejected"] += 1
    return "\r\n".join(text) + "\r\n", good, count


def test_a_thousand_lines_with_every_fault(stack, api, phones):
    text, good, count = ugly(1000, phones)
    body = upload(stack, text, api, lines=count["lines"], consent="column")
    assert body["inserted"] == len(set(good))
    assert body["duplicates"] == count["repeated"]
    assert body["rejected"] == count["rejected"]
    assert len(body["errors"]) == 100 and all(e["reason"] for e in body["errors"])
    physical = text.split("\r\n")
    for e in body["errors"][:30]:
        assert physical[e["line"] - 1].split(";")[0].startswith(("Person", "Huge", "=")), e
    pages, cursor, listed = 0, "", []
    while cursor is not None:
        page = api.get(f"/api/imports/{body['import_id']}/errors?limit=40&cursor={cursor}").json()
        listed += page["errors"]
        cursor, pages = page["next"], pages + 1
    assert [e["line"] for e in listed] == sorted(e["line"] for e in listed)
    assert len(listed) == count["rejected"] and pages >= 2


def test_the_list_of_refused_lines_cannot_run_formulas(stack, api):
    text = "name,phone\n=cmd|'/c calc'!A1,nonsense\n+SUM(1),none\n@x,\n-2+3,zero\n"
    body = upload(stack, text, api, lines=4)
    assert body["rejected"] == 4
    answer = api.get(f"/imports/{body['import_id']}/errors.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["line", "column", "reason", "name", "phone"]
    assert [r[0] for r in rows[1:]] == ["2", "3", "4", "5"]
    for row in rows[1:]:
        assert row[3][0] == "'", row


def test_more_than_the_columns_that_we_know(stack, api, phones):
    phone = next(phones)
    upload(
        stack,
        table(
            [
                ["Phone", "Credit Score (FICO)", "first name", "last name", "city", "state"],
                [phone, "720", "Ada", "Lovelace", "Austin", "Texas"],
            ]
        ),
        api,
        lines=1,
    )
    lead = stack.one("select * from leads where phone = %s", phone)
    assert lead["contact"] == "Ada Lovelace" and lead["region"] == "TX" and lead["location"] == "Austin"
    assert lead["attributes"]["credit_score_fico"] == "720"
    # The number is of Chicago, the state is Texas: both have the same zone.
    assert lead["zones"] == ["America/Chicago"]


@pytest.mark.parametrize(
    "phone, columns, zones",
    [
        ("+14155550150", {}, ["America/Los_Angeles"]),
        ("+14155550151", {"time_zone": "america/new_york"}, ["America/New_York"]),
        ("+14155550152", {"time_zone": "EST"}, ["America/Los_Angeles"]),
        ("+14155550153", {"location": "Portland, ME"}, ["America/Los_Angeles", "America/New_York"]),
        ("+442079460123", {}, ["Europe/London"]),
    ],
)
def test_where_a_lead_may_be(stack, api, phone, columns, zones):
    stack.rows("delete from leads where phone = %s", phone)
    upload(stack, table([["phone", *columns], [phone, *columns.values()]]), api, lines=1)
    assert sorted(stack.one("select zones from leads where phone = %s", phone)["zones"]) == zones


def test_zones_of_a_file_are_those_of_a_lead(stack, api):
    """The importer finds areas on its own, many at a time; what people type in asks zones_of."""
    lines = [["phone", "state", "location", "time_zone"]]
    states = ["", "TX", "Idaho", "ny", "Nowhere"]
    places = ["", "Portland, ME", "Boise, Idaho ", "Springfield", ","]
    zones = ["", "", "", "America/Chicago", "EST"]
    for i, row in enumerate(stack.rows("select prefix from area_code_zones order by prefix")):
        digits = row["prefix"]
        if len(digits) > 3:
            digits = (digits + "2345678901")[: 11 if digits[0] == "1" else 11 + i % 2]
            lines.append([f"+{digits}", states[i % 5], places[i // 5 % 5], zones[i // 25 % 5]])
    body = upload(stack, table(lines), api, lines=len(lines) - 1)
    assert body["inserted"] > 1000, body
    odd = stack.rows(
        """select phone, zones, zones_of(phone, region, time_zone) as right from leads
        where import_id = %s and zones <> zones_of(phone, region, time_zone)""",
        body["import_id"],
    )
    assert odd == []
    nowhere = "select phone from leads where import_id = %s and zones = '{}'"
    assert stack.rows(nowhere, body["import_id"]) == []
    # They are no people of other tests.
    stack.rows("delete from leads where import_id = %s", body["import_id"])


# --- consent ----------------------------------------------------------------------------------------


def consent_of(stack, phone):
    return stack.rows(
        """select c.granted, c.source, c.evidence, c.at::text from consents c join leads l on l.id = c.lead_id
        where l.phone = %s order by c.at, c.id""",
        phone,
    )


def test_a_column_of_consent(stack, api, phones):
    words = {
        "yes": True,
        "TRUE": True,
        "1": True,
        "Opt-In": True,
        "2024-03-01": True,
        "03/04/2024": True,
        "no": False,
        "opted out": False,
        "0": False,
        "": None,
        "maybe": None,
        "2999-01-01": None,
        "?": None,
    }
    who = {word: next(phones) for word in words}
    body = upload(
        stack,
        table([["phone", "consent"], *[[p, w] for w, p in who.items()]]),
        api,
        lines=len(words),
        consent="column",
    )
    assert body["consent"] == "column"
    for word, phone in who.items():
        said = consent_of(stack, phone)
        assert [c["granted"] for c in said] == ([] if words[word] is None else [words[word]]), word
    assert consent_of(stack, who["2024-03-01"])[0]["at"].startswith("2024-03-01")
    assert consent_of(stack, who["03/04/2024"])[0]["at"].startswith("2024-03-04")
    assert "line 2: yes" in consent_of(stack, who["yes"])[0]["evidence"]


def test_the_column_is_used_where_nothing_was_said(stack, api, phones):
    yes = next(phones)
    body = stack.upload(f"phone,opt in\n{yes},yes\n", api, consent="").json()
    assert body["consent"] == "column" and consent_of(stack, yes)[0]["granted"]
    nothing = next(phones)
    body = stack.upload(f"phone\n{nothing}\n", api, consent="").json()
    assert body["consent"] == "none" and consent_of(stack, nothing) == []
    assert any("blocked" in n for n in body["notices"])


def test_attested_consent_has_a_source_and_a_no_wins(stack, api, phones):
    a, b = next(phones), next(phones)
    upload(
        stack, f"phone,consent\n{a},\n{b},no\n", api, consent="attested", consent_source="web form, March"
    )
    assert consent_of(stack, a)[0]["source"] == "web form, March"
    assert [c["granted"] for c in consent_of(stack, b)] == [False]
    refused = stack.upload(f"phone\n{next(phones)}\n", api, consent="attested", consent_source="")
    assert refused.status_code == 422 and refused.json()["error"]["fields"]["consent_source"]


def test_a_newer_file_speaks_for_known_people_too(stack, api, phones):
    a, b = next(phones), next(phones)
    upload(stack, f"phone,consent\n{a},\n{b},yes\n", api, consent="column")
    assert consent_of(stack, a) == []
    body = upload(stack, f"phone,consent\n{a},yes\n{b},no\n", api, consent="column")
    assert body["duplicates"] == 2
    assert [c["granted"] for c in consent_of(stack, a)] == [True]
    assert [c["granted"] for c in consent_of(stack, b)] == [True, False]


def test_a_repeated_line_can_refuse_but_not_grant(stack, api, phones):
    a, b = next(phones), next(phones)
    upload(stack, f"phone,consent\n{a},yes\n{a},no\n{b},no\n{b},yes\n", api, lines=4, consent="column")
    assert [c["granted"] for c in consent_of(stack, a)][-1] is False
    assert [c["granted"] for c in consent_of(stack, b)] == [False]


def test_consent_afterwards(stack, api, phones):
    a, b = next(phones), next(phones)
    body = upload(stack, f"phone,consent\n{a},\n{b},no\n", api, consent="none")
    answer = api.post(
        f"/api/imports/{body['import_id']}/consent", json={"consent_source": "asked at the fair"}
    )
    assert answer.status_code == 200 and answer.json()["recorded"] == 1, answer.text
    assert [c["granted"] for c in consent_of(stack, a)] == [True]
    assert [c["granted"] for c in consent_of(stack, b)] == [False]
    assert api.post(f"/api/imports/{body['import_id']}/consent", json={}).status_code == 422


# --- again, update, undo ------------------------------------------------------------------------------


def test_the_same_file_twice(stack, api, phones):
    text = table([["phone", "name"], *[[next(phones), f"n{i}"] for i in range(5)]])
    first = upload(stack, text, api, lines=5)
    second = upload(stack, text, api, lines=5)
    assert first["same_as"] is None and second["same_as"] == first["import_id"]
    assert (second["inserted"], second["duplicates"]) == (0, 5)
    http = stack.login("member")
    page = http.post(
        "/imports",
        data={"csrf": http.csrf("/imports/new"), "consent": "none"},
        files={"file": ("again.csv", text.encode())},
    )
    assert page.url.endswith("/mapping") and "imported before" in page.text
    number = page.url.split("/")[-2]
    assert find(stack, number)["state"] == "mapping"
    done = http.form(page.url, {}, page=page.url.replace(stack.url, ""))
    assert done.status_code == 200
    wait_for(lambda: find(stack, number)["state"] == "done")
    assert check_law(stack, number, 5)["rows_skipped"] == 5


@pytest.mark.parametrize(
    "policy, company, email, plan, verdict",
    [
        ("skip", "", "old@example.test", "a", "duplicates"),
        ("fill_empty", "New Co", "old@example.test", "a", "updated"),
        ("overwrite", "New Co", "new@example.test", "b", "updated"),
    ],
)
def test_update_policies_and_their_undoing(stack, api, phones, policy, company, email, plan, verdict):
    phone, other = next(phones), next(phones)
    upload(stack, table([["phone", "company", "email", "plan"], [phone, "", "old@example.test", "a"]]), api)
    before = stack.one("select * from leads where phone = %s", phone)
    body = upload(
        stack,
        table(
            [
                ["phone", "company", "email", "plan"],
                [phone, "New Co", "new@example.test", "b"],
                [other, "Other", "", ""],
            ]
        ),
        api,
        lines=2,
        update_policy=policy,
    )
    assert body[verdict] == 1 and body["inserted"] == 1
    lead = stack.one("select * from leads where phone = %s", phone)
    assert (lead["company"], lead["email"], lead["attributes"]["plan"]) == (company, email, plan)

    answer = api.post(f"/api/imports/{body['import_id']}/undo")
    assert answer.status_code == 200 and answer.json()["import"]["state"] == "undone", answer.text
    after = stack.one("select * from leads where phone = %s", phone)
    changing = {"updated_at"}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert stack.one("select id from leads where phone = %s", other) is None
    assert stack.rows("select id from consents where import_id = %s", body["import_id"]) == []
    assert api.post(f"/api/imports/{body['import_id']}/undo").status_code == 200  # pressed twice
    again = upload(stack, f"phone\n{other}\n", api)
    assert again["inserted"] == 1


def test_undo_leaves_what_a_person_changed_since(stack, api, phones):
    phone = next(phones)
    upload(stack, table([["phone", "company", "email"], [phone, "Old", "old@example.test"]]), api)
    body = upload(
        stack,
        table([["phone", "company", "email"], [phone, "New", "new@example.test"]]),
        api,
        update_policy="overwrite",
    )
    lead = stack.one("select id from leads where phone = %s", phone)["id"]
    assert api.patch(f"/api/leads/{lead}", json={"company": "By hand"}).status_code == 200
    assert api.post(f"/api/imports/{body['import_id']}/undo").json()["import"]["state"] == "undone"
    lead = stack.one("select * from leads where phone = %s", phone)
    assert (lead["company"], lead["email"]) == ("By hand", "old@example.test")


def test_no_undo_once_somebody_was_called(stack, api, phones):
    text = table([["phone"], *[[next(phones)] for _ in range(3)]])
    body = upload(stack, text, api)
    client = stack.one("select client_id from imports where id = %s", body["import_id"])["client_id"]
    lead = stack.one("select id, phone from leads where import_id = %s limit 1", body["import_id"])
    campaign = stack.one(
        "insert into campaigns (client_id, name, state) values (%s, %s, 'paused') returning id",
        client,
        f"undo {lead['id']}",
    )["id"]
    enrollment = stack.one(
        """insert into enrollments (client_id, campaign_id, lead_id, tries) values (%s, %s, %s, 1)
        returning id""",
        client,
        campaign,
        lead["id"],
    )["id"]
    stack.rows(
        """insert into calls (id, client_id, campaign_id, enrollment_id, lead_id, phone, step, try, state,
            created_at, ended_at)
        values (gen_random_uuid(), %s, %s, %s, %s, %s, 1, 1, 'ended', now(), now())""",
        client,
        campaign,
        enrollment,
        lead["id"],
        lead["phone"],
    )
    answer = api.post(f"/api/imports/{body['import_id']}/undo")
    assert answer.status_code == 409 and "called already" in answer.json()["error"]["message"]
    assert stack.one("select count(*) as n from leads where import_id = %s", body["import_id"])["n"] == 3
    stack.rows("delete from enrollments where id = %s", enrollment)
    stack.rows("delete from campaigns where id = %s", campaign)


def test_an_archived_lead_is_not_woken(stack, api, phones):
    phone = next(phones)
    upload(stack, f"phone\n{phone}\n", api)
    stack.rows("update leads set archived_at = now() where phone = %s", phone)
    body = upload(stack, f"phone,name\n{phone},New\n", api, update_policy="overwrite")
    assert body["duplicates"] == 1
    assert (
        "archived"
        in stack.one("select reason from import_lines where import_id = %s", body["import_id"])["reason"]
    )


def test_into_a_campaign(stack, api, phones):
    known, new = next(phones), next(phones)
    upload(stack, f"phone\n{known}\n", api)
    campaign = api.post("/api/campaigns", json={"name": f"import {known}"}).json()["campaign"]["id"]
    upload(stack, f"phone\n{known}\n{new}\n", api, campaign_id=campaign)
    enrolled = stack.rows(
        "select l.phone from enrollments e join leads l on l.id = e.lead_id where campaign_id = %s",
        campaign,
    )
    assert {r["phone"] for r in enrolled} == {known, new}
    refused = stack.upload(f"phone\n{next(phones)}\n", api, campaign_id=999999)
    assert refused.status_code == 422


# --- sheets, columns by hand ------------------------------------------------------------------------


def workbook(rows):
    def cell(c, r, v):
        name = f"{chr(65 + c)}{r}"
        if isinstance(v, (int, float)):
            return f'<c r="{name}"><v>{v!r}</v></c>'
        v = v.replace("&", "&amp;").replace("<", "&lt;")
        return f'<c r="{name}" t="inlineStr"><is><t>{v}</t></is></c>'

    sheet = "".join(
        f'<row r="{r}">' + "".join(cell(c, r, v) for c, v in enumerate(row)) + "</row>"
        for r, row in enumerate(rows, 1)
    )
    out = io.BytesIO()
    main, rel = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/",
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(
            "[Content_Types].xml",
            f'<?xml version="1.0"?><Types xmlns="{rel}package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        )
        z.writestr(
            "_rels/.rels",
            f'<?xml version="1.0"?><Relationships xmlns="{rel}package/2006/relationships">'
            f'<Relationship Id="r1" Type="{rel}officeDocument/2006/relationships/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        z.writestr(
            "xl/workbook.xml",
            f'<?xml version="1.0"?><workbook xmlns="{main}" xmlns:r="{rel}officeDocument/2006/'
            'relationships"><sheets><sheet name="Leads" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        z.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<?xml version="1.0"?><Relationships xmlns="{rel}package/2006/'
            f'relationships"><Relationship Id="r1" Type="{rel}officeDocument/2006/relationships/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        z.writestr(
            "xl/worksheets/sheet1.xml",
            f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>{sheet}' "</sheetData></worksheet>",
        )
    return out.getvalue()


def test_an_excel_sheet(stack, api, phones):
    a, b = next(phones), next(phones)
    book = workbook(
        [["Name", "Phone number", "ZIP"], ["Zoë & Co", int(a[1:]), "01234"], ["Bob", b, 5], ["Bad", 12, 1]]
    )
    body = upload(stack, book, api, lines=3, name="leads.xlsx")
    assert (body["inserted"], body["rejected"]) == (2, 1) and body["errors"][0]["line"] == 4
    assert stack.one("select contact from leads where phone = %s", a)["contact"] == "Zoë & Co"
    assert find(stack, body["import_id"])["format"] == "xlsx"


def test_columns_chosen_by_hand_are_remembered(stack, phones):
    http = stack.login("member")
    mark = "".join(
        chr(ord("a") + int(digit)) for digit in next(phones)[-6:]
    )  # digits would not look like headers

    def send(first, second):
        text = f"A{mark};B{mark};C{mark}\nAnn;{first};yes\nBen;{second};no\n"
        page = http.post(
            "/imports", data={"csrf": http.csrf("/imports/new")}, files={"file": ("odd.csv", text.encode())}
        )
        assert page.status_code == 200, page.text[:300]
        return page, page.url.split("/imports/")[1].split("/")[0]

    a, b = next(phones), next(phones)
    page, number = send(a, b)
    assert page.url.endswith("/mapping")
    where = f"/imports/{number}/mapping"
    assert a in page.text and f"B{mark}" in page.text
    # No phone column: told so, nothing lost. Two of one kind: the same.
    wrong = http.form(
        where, {"column_0": "contact", "column_1": "attribute", "column_2": "consent"}, page=where
    )
    assert wrong.status_code == 422 and "phone numbers" in wrong.text
    wrong = http.form(where, {"column_0": "phone", "column_1": "phone", "column_2": "consent"}, page=where)
    assert wrong.status_code == 422
    # Another delimiter shows another table.
    assert http.get(where + "?delimiter=,").status_code == 200
    assert http.get(where + "?encoding=nonsense").status_code == 422
    good = http.form(where, {"column_0": "contact", "column_1": "phone", "column_2": "consent"}, page=where)
    assert good.url.endswith(f"/imports/{number}")
    wait_for(lambda: find(stack, number)["state"] == "done")
    assert check_law(stack, number, 2)["rows_created"] == 2
    assert [consent_of(stack, p)[0]["granted"] for p in (a, b)] == [True, False]
    # Answered already: on to the import itself; a second answer is a conflict.
    assert http.get(where).url.endswith(f"/imports/{number}")
    assert http.form(where, {"column_1": "phone"}).status_code == 409
    c, d = next(phones), next(phones)
    page, number = send(c, d)
    assert page.url.endswith(f"/imports/{number}"), "the same headers: not asked again"
    wait_for(lambda: find(stack, number)["state"] == "done")
    assert stack.one("select contact from leads where phone = %s", c)["contact"] == "Ann"


# --- bad input ----------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
BAD_FILES = {
    "empty": b"",
    "header only": b"name,phone\n",
    "blank lines": b"\n\n\r\n   \n",
    "no phone column": b"name,colour\nAnn,red\nBen,blue\n",
    "picture": PNG,
    "pdf": b"%PDF-1.7\n" + PNG,
    "zip that is no workbook": b"PK\x03\x04" + PNG,
    "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + PNG,
    "gzip": b"\x1f\x8b\x08\x00" + PNG,
    "nuls": b"\0" * 5000,
    "half a workbook": workbook([["phone"], ["+13125550100"]])[:300],
    "html": b"<!doctype html><html><body>Not found</body></html>",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_list_is_refused_in_words(stack, api, name):
    before = stack.one(
        "select (select count(*) from leads) as leads, (select count(*) from imports) as imports"
    )
    answer = stack.upload(BAD_FILES[name], api, name="file.csv")
    assert answer.status_code in (415, 422), (answer.status_code, answer.text)
    assert len(answer.json()["error"]["message"]) > 15
    assert before == stack.one(
        "select (select count(*) from leads) as leads, (select count(*) from imports) as imports"
    )
    if name == "no phone column":
        assert '"colour"' in answer.json()["error"]["message"]


def test_other_bad_requests(stack, api, phones):
    def post(**more):
        return api.post("/api/upload-leads", **more)

    good = {"file": ("a.csv", f"phone\n{next(phones)}\n".encode())}
    for answer in (
        post(data={"prompt_name": "default"}),
        post(json={"file": "x"}),
        post(data=b"x"),
        post(files={"other": ("a.csv", b"phone\n+13125550100\n")}),
        post(data=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"}),
        post(files=good, data={"update_policy": "nonsense"}),
        post(files=good, data={"consent": "perhaps"}),
        post(files=good, data={"default_country": "XX"}),
        post(files=good, data={"campaign_id": "seven"}),
        post(files=good, data={"encoding": "klingon"}),
        post(files=good, data={"delimiter": "ab"}),
        post(files=good, data={"consent": "column"}),
    ):
        assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
        assert answer.json()["error"]["message"]
    assert stack.upload("phone\n+13125550100\n", stack.api("viewer")).status_code == 403
    assert stack.http().post("/api/upload-leads", files=good).status_code == 401
    for path in (
        "/api/imports/999999",
        "/api/imports/999999/errors",
        "/api/imports/0",
        "/imports/999999/errors.csv",
    ):
        assert api.get(path).status_code == 404
    assert api.get("/api/imports/1/errors?cursor=x").status_code in (400, 404)
    assert api.post("/api/imports/999999/undo").status_code == 404


def test_a_prompt_that_is_not_there_is_said(stack, api, phones):
    phone = next(phones)
    body = upload(stack, f"phone\n{phone}\n", api, prompt_name="no-such-prompt")
    assert any("no-such-prompt" in n for n in body["notices"])
    own = next(phones)
    upload(stack, f"phone,prompt_name\n{own},followup\n", api, prompt_name="default")
    assert stack.one("select prompt_name from leads where phone = %s", own)["prompt_name"] == "followup"


def test_the_admin_token_may(stack, phones):
    http = stack.http()
    http.headers["Authorization"] = "Bearer " + stack.admin_token
    assert upload(stack, f"phone\n{next(phones)}\n", http)["inserted"] == 1


def test_the_command(stack, phones, tmp_path):
    path = tmp_path / "cli.csv"
    path.write_text(f"phone\n{next(phones)}\nbad\n", encoding="utf-8")
    out = stack.run("import", str(path), "--consent", "attested", "--consent-source", "a test").stdout
    assert "2 lines = 1 created + 0 updated + 0 skipped + 1 rejected" in out
    assert stack.run("import", str(tmp_path / "none.csv"), check=False).returncode == 1


def test_pages_of_an_import(stack, api, phones):
    body = upload(
        stack, f"phone,name\n{next(phones)},<b>Bold</b>\nbad,<script>alert(1)</script>\n", api, lines=2
    )
    number = body["import_id"]
    for role in ("viewer", "member"):
        http = stack.login(role)
        page = http.get(f"/imports/{number}").text
        assert "2 lines" in page and "1 created" in page and "<script>alert" not in page
        assert ("Start calling" in page) == (role == "member")
        assert http.get("/imports").status_code == 200
        assert http.get(f"/imports/{number}/errors").status_code == 200
        assert http.get(f"/imports/{number}/errors?verdict=nonsense").status_code == 422
    assert stack.login("viewer").form(f"/imports/{number}/undo").status_code == 403


# --- kill -9, cancel -----------------------------------------------------------------------------------


def long_file(path, lines, start):
    with open(path, "w", encoding="utf-8") as f:
        f.write("phone,name,consent,plan\n")
        for i in range(lines):
            n = start + i
            phone = (
                "bad"
                if i % 100 == 50
                else f"+1{(212, 415, 713, 602)[i % 4]}{200 + n // 10000 % 780}{n % 10000:04d}"
            )
            f.write(f"{phone},Person {i},yes,Plan {i % 9}\n")


def queue(stack, text, name="long.csv"):
    """Uploads through the page, which does not wait for the end."""
    http = stack.login("member")
    page = http.post("/imports", data={"csrf": http.csrf("/imports/new")}, files={"file": (name, text)})
    assert page.status_code == 200
    return int(page.url.rstrip("/").split("/")[-1])


def jobs_sessions(stack):
    return stack.rows(
        "select pid, wait_event_type as wait from pg_stat_activity where application_name = 'trunkline-jobs'"
    )


def answers(stack):
    try:
        return stack.rows("select 1")
    except psycopg2.OperationalError:
        return None


def test_kill_9_in_the_middle_loses_and_repeats_nothing(new_stack, tmp_path):
    stack = new_stack()
    path = tmp_path / "long.csv"
    long_file(path, 60000, 0)
    number = queue(stack, path.read_bytes())
    kills = 0
    end = time.monotonic() + 240
    while find(stack, number)["state"] in ("queued", "running"):
        assert time.monotonic() < end, find(stack, number)
        done = find(stack, number)["line_done"]
        pids = stack.pids("trunkline")
        # At a step forward, so that each worker does something and dies in the middle of the next batch.
        if pids and kills < 5:
            wait_for(
                lambda: find(stack, number)["line_done"] > done or find(stack, number)["state"] == "done",
                seconds=60,
            )
            time.sleep(random.Random(kills).random() * 0.3)
            sessions = {s["pid"] for s in jobs_sessions(stack)}
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:
                    pass
            # What its sessions were merging when it died, they may still commit, which prolongs the lease.
            wait_for(lambda: not sessions & {s["pid"] for s in jobs_sessions(stack)}, seconds=60)
            # The lease would end by itself after a minute.
            stack.rows("update imports set lease_until = now() where id = %s and state = 'running'", number)
        time.sleep(0.05)
    assert kills >= 3
    i = check_law(stack, number, 60000)
    assert (i["state"], i["rows_rejected"]) == ("done", 600), dict(i)
    assert i["rows_created"] + i["rows_skipped"] == 59400
    distinct = len(
        {line.split(",")[0] for line in path.read_text().splitlines()[1:] if not line.startswith("bad")}
    )
    assert i["rows_created"] == distinct
    said = stack.one(
        "select count(*) as n, count(distinct lead_id) as leads from consents where import_id = %s", number
    )
    assert said["n"] == said["leads"] == distinct
    assert list((stack.state / "spool").iterdir()) == []


def test_a_frozen_worker_does_no_harm_when_it_wakes(new_stack, tmp_path):
    """Its lease ran out and another one went on meanwhile."""
    stack = new_stack()
    path = tmp_path / "long.csv"
    long_file(path, 60000, 0)
    number = queue(stack, path.read_bytes())
    wait_for(lambda: find(stack, number)["line_done"] > 0, seconds=60)
    [sleeper] = stack.pids("trunkline")
    for _ in range(200):
        os.kill(sleeper, signal.SIGSTOP)
        free = stack.one("select id from imports where id = %s for update skip locked", number)
        if free:
            break
        os.kill(sleeper, signal.SIGCONT)
        time.sleep(0.02)
    assert find(stack, number)["state"] == "running"
    stack.rows("update imports set lease_until = now() where id = %s", number)

    def gone_on():
        # What the sleeper has locked amid a merge makes a try break off; a minute later the next one goes on.
        stack.run("jobs", "--once")
        return find(stack, number)["state"] == "done"

    wait_for(gone_on, seconds=150)
    check_law(stack, number, 60000)
    os.kill(sleeper, signal.SIGCONT)
    body = upload(stack, "phone\n+12125550199\n", stack.api("member"), lines=1)
    assert body["inserted"] == 1
    i = check_law(stack, number, 60000)
    assert (i["state"], i["rows_rejected"]) == ("done", 600)
    log = (stack.state / "log" / "jobs.log").read_text()
    assert "Another worker has taken this import over" in log or free is None


def test_two_imports_of_the_same_people_at_once(new_stack, tmp_path):
    stack = new_stack()
    path = tmp_path / "long.csv"
    long_file(path, 15000, 0)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    backwards = "".join([lines[0], *reversed(lines[1:])])
    first = queue(stack, path.read_bytes(), "one.csv")
    second = queue(stack, backwards.encode(), "two.csv")
    stack.run("jobs", "--once")
    wait_for(lambda: all(find(stack, n)["state"] == "done" for n in (first, second)), seconds=60)
    a, b = check_law(stack, first, 15000), check_law(stack, second, 15000)
    leads = stack.one("select count(*) as n, count(distinct phone) as phones from leads")
    assert leads["n"] == leads["phones"] == a["rows_created"] + b["rows_created"]


def test_a_person_made_by_somebody_else_at_the_same_moment(stack, api, phones):
    """The merge has looked already when another one's lead appears: it looks again."""
    theirs, ours = next(phones), next(phones)
    other = stack.db()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("insert into leads (client_id, phone, contact) values (1, %s, 'Them')", (theirs,))
        text = f"phone,name\n{ours},One\n{theirs},Two\n"
        http = stack.login("member")
        form = {"csrf": http.csrf("/imports/new"), "update_policy": "overwrite"}
        page = http.post("/imports", data=form, files={"file": ("race.csv", text)})
        number = int(page.url.rstrip("/").split("/")[-1])
        wait_for(lambda: [s for s in jobs_sessions(stack) if s["wait"] == "Lock"], seconds=30)
        other.commit()
    other.close()
    wait_for(lambda: find(stack, number)["state"] == "done", seconds=30)
    i = check_law(stack, number, 2)
    assert (i["rows_created"], i["rows_updated"], i["rows_skipped"]) == (1, 1, 0)
    assert stack.one("select contact from leads where phone = %s", theirs)["contact"] == "Two"


def test_what_a_crash_of_the_database_takes_back_is_done_again(new_stack, tmp_path):
    """Merges do not wait for the disk, so that the last ones may be lost: the job's place with them."""
    stack = new_stack()
    path = tmp_path / "long.csv"
    long_file(path, 60000, 0)
    number = queue(stack, path.read_bytes())
    wait_for(lambda: find(stack, number)["line_done"] > 0, seconds=60)
    # PostgreSQL then ends all its sessions and forgets what it has not written yet.
    os.kill(jobs_sessions(stack)[0]["pid"], signal.SIGKILL)
    time.sleep(0.5)
    wait_for(lambda: answers(stack), seconds=60)
    before = check_law(stack, number)
    assert before["state"] == "running", dict(before)
    stack.rows("update imports set lease_until = now() where id = %s", number)
    wait_for(lambda: find(stack, number)["state"] == "done", seconds=120)
    i = check_law(stack, number, 60000)
    distinct = {line.split(",")[0] for line in path.read_text().splitlines()[1:] if line[:3] != "bad"}
    assert (i["rows_created"], i["rows_rejected"]) == (len(distinct), 600)


def test_cancel_keeps_what_was_done_and_undo_takes_it_back(new_stack, tmp_path):
    stack = new_stack()
    path = tmp_path / "long.csv"
    long_file(path, 60000, 0)
    number = queue(stack, path.read_bytes())
    wait_for(lambda: find(stack, number)["line_done"] > 0, seconds=60)
    api = stack.api("member")
    assert api.post(f"/api/imports/{number}/cancel").status_code == 200
    wait_for(lambda: find(stack, number)["state"] != "running", seconds=60)
    i = check_law(stack, number)
    assert i["state"] == "canceled" and 0 < i["rows_created"] < 59400
    page = stack.login("member").get(f"/imports/{number}").text
    assert "Canceled." in page and "Undo" in page
    api.post(f"/api/imports/{number}/undo")
    wait_for(lambda: find(stack, number)["state"] == "undone", seconds=60)
    assert stack.one("select count(*) as n from leads")["n"] == 0
    assert stack.one("select count(*) as n from consents")["n"] == 0


def test_the_database_itself_refuses_wrong_sums(stack, api, phones):
    body = upload(stack, f"phone\n{next(phones)}\n", api)
    with pytest.raises(psycopg2.errors.CheckViolation):
        stack.rows("update imports set rows_created = rows_created + 1 where id = %s", body["import_id"])
