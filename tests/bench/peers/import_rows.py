"""Row by row through a driver: one INSERT for each line, one transaction. usage: import_rows.py FILE"""
import csv
import json
import os
import re
import sys
import time

import psycopg2

INSERT = """
insert into leads (client_id, phone, contact, company, email, location, region, attributes)
values (1, %s, %s, %s, %s, %s, %s, %s) on conflict (client_id, phone) do nothing
"""
PLAIN = re.compile(r"1?([2-9][0-9]{2}[2-9][0-9]{6})")


def main(path):
    connection = psycopg2.connect(
        host=os.environ["PGHOST"], user=os.environ["PGUSER"], dbname=os.environ["PGDATABASE"]
    )
    rejected = 0
    began = time.monotonic()
    with open(path, newline="", encoding="utf-8") as f, connection.cursor() as cursor:
        for row in csv.DictReader(f):
            found = PLAIN.fullmatch(re.sub(r"[^0-9]", "", row["phone"]))
            if not found:
                rejected += 1
                continue
            attributes = json.dumps({"plan": row["plan"], "score": row["score"]})
            words = (row["contact"], row["company"], row["email"], row["city"], row["state"], attributes)
            cursor.execute(INSERT, ("+1" + found.group(1), *words))
    connection.commit()
    print(json.dumps({"seconds": time.monotonic() - began, "rejected": rejected}))
    connection.close()


main(sys.argv[1])
