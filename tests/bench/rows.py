"""The file that imports are measured with: n lines of eight columns, the same each time it is made.

Numbers of 20 area codes in the ways people write them; every hundredth line repeats an earlier number
in another way, every hundredth has no usable number. Also the statement that does with such lines what
an import must."""
import csv

COLUMNS = ["phone", "contact", "company", "email", "city", "state", "plan", "score"]
PLACES = [
    ("415", "San Francisco", "CA"),
    ("212", "New York", "NY"),
    ("312", "Chicago", "IL"),
    ("713", "Houston", "TX"),
    ("213", "Los Angeles", "CA"),
    ("305", "Miami", "FL"),
    ("404", "Atlanta", "GA"),
    ("602", "Phoenix", "AZ"),
    ("617", "Boston", "MA"),
    ("702", "Las Vegas", "NV"),
    ("206", "Seattle", "WA"),
    ("303", "Denver", "CO"),
    ("512", "Austin", "TX"),
    ("614", "Columbus", "OH"),
    ("704", "Charlotte", "NC"),
    ("214", "Dallas", "TX"),
    ("619", "San Diego", "CA"),
    ("503", "Portland", "OR"),
    ("314", "St. Louis", "MO"),
    ("216", "Cleveland", "OH"),
]
FORMS = [
    "+1{0}{1}{2}",
    "({0}) {1}-{2}",
    "{0}-{1}-{2}",
    "{0}.{1}.{2}",
    "1 {0} {1} {2}",
    "{0}{1}{2}",
    "+1 ({0}) {1}-{2}",
]
BAD = ["12345", "n/a", "", "123-456-7890", "+1 (115) 200-0101", "call the office"]
FIRST = ["Ada", "Grace", "Linus", "Zoë", "José", "Mary Ann", "Søren", "Noor", "Wei", "O'Brian"]
LAST = [
    "Lovelace",
    "Hopper",
    "Müller",
    "van den Berg",
    "Smith",
    "García",
    "Nguyen",
    "Okafor",
    "Lee",
    "Kowalski",
]
TRADES = [
    "Plumbing",
    "Roofing, Inc.",
    "Dental Care",
    'Solar "Sun" LLC',
    "Auto Repair",
    "Bakery",
    "Law Group",
]
STAGE = "phone text, contact text, company text, email text, city text, state text, plan text, score text"
# What a person at psql would write: marks away, a country code before, the rest left out.
MERGE = r"""
insert into leads (client_id, phone, contact, company, email, location, region, attributes)
select 1, case length(d) when 10 then '+1' || d else '+' || d end, contact, company, email, city, state,
	jsonb_build_object('plan', plan, 'score', score)
from (select *, translate(phone, '+-(). ', '') as d from {stage}) s
where d ~ '^1?[2-9][0-9]{{2}}[2-9][0-9]{{6}}$'
on conflict (client_id, phone) do nothing
"""


def number(i, form):
    """The i-th number (no two alike up to 6,000,000), written in one of the forms."""
    area, rest = i % len(PLACES), i // len(PLACES)
    # Neighbours in the file are not neighbours in the index.
    rest = (rest * 7919) % 300_000
    exchange = 230 + rest // 10_000
    return FORMS[form % len(FORMS)].format(PLACES[area][0], exchange, f"{rest % 10_000:04d}")


def lines(n):
    """Rows, and with each what becomes of it: "new", "repeated" or "bad"."""
    for i in range(n):
        _, city, state = PLACES[i % len(PLACES)]
        kind = "bad" if i % 100 == 99 else "repeated" if i % 100 == 50 else "new"
        if kind == "bad":
            phone = BAD[i // 100 % len(BAD)]
        else:
            phone = number(i - 49 if kind == "repeated" else i, i + (3 if kind == "repeated" else 0))
        first, last = FIRST[i % 10], LAST[i // 10 % 10]
        yield kind, [
            phone,
            f"{first} {last}",
            f"{last} {TRADES[i % 7]}",
            f"{first.split(' ')[0].lower()}.{i}@example.com".replace("'", ""),
            city,
            state,
            ("basic", "plus", "business")[i % 3],
            str(i * 31 % 100),
        ]


def make(folder, n):
    """Writes the file unless it is there; answers (path, {"new", "repeated", "bad"})."""
    path = folder / f"rows-{n}.csv"
    counts = {"new": 0, "repeated": 0, "bad": 0}
    part = path.with_suffix(".part")
    with open(part, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(COLUMNS)
        for kind, row in lines(n):
            counts[kind] += 1
            out.writerow(row)
    part.rename(path)
    return path, counts
