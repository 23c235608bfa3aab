"""Loads the schema into a scratch cluster and prepares every named statement of sql/queries against it. What
they answer must be of types that fcgi/store/db_result.c reads."""
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PG = Path("/usr/lib/postgresql/15/bin")
READER = re.compile(r"^\s*\{(\d+), READ_\w+\},\s*/\* (.+?) \*/$", re.M)


def run(*words, user=None, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd="/", user=user, **more)


def columns(psql, text):
    """(name, type) of what the statement answers."""
    words = [*psql, "-A", "-t", "-F", "\t"]
    done = subprocess.run(words, input=text + "\n\\gdesc\n", capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines() if "\t" in line]


def main():
    readers = READER.findall((ROOT / "fcgi/store/db_result.c").read_text())
    readable = {name for _oid, name in readers}
    user = "postgres" if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="trunkline-explain-", dir="/tmp"))
    if user:
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)
    data = home / "pg"
    run(
        PG / "initdb",
        "-D",
        data,
        "-U",
        "trunkline",
        "--locale=C.UTF-8",
        "-E",
        "UTF8",
        "-A",
        "trust",
        "-N",
        user=user,
    )
    run(
        PG / "pg_ctl",
        "-D",
        data,
        "-s",
        "-w",
        "-l",
        home / "log",
        "-o",
        f"-k {home} -c listen_addresses=''",
        "start",
        user=user,
    )
    psql = [
        "psql",
        "-X",
        "-q",
        "-h",
        str(home),
        "-U",
        "trunkline",
        "-d",
        "postgres",
        "-v",
        "ON_ERROR_STOP=1",
    ]
    bad = count = 0
    try:
        for path in [
            *sorted((ROOT / "sql/migrations").glob("*.sql")),
            *sorted((ROOT / "sql/functions").glob("*.sql")),
        ]:
            run(*psql, "-1", "-f", str(path))
        for oid, name in readers:
            if run(*psql, "-A", "-t", "-c", f"select format_type({oid}, null)").stdout.strip() != name:
                bad += 1
                print(f"db_result.c: {oid} is not {name}")
        for path in sorted((ROOT / "sql/queries").glob("*.sql")):
            for name, text in re.findall(r"-- name: (\S+)\n(.*?)(?=-- name: |\Z)", path.read_text(), re.S):
                count += 1
                text = re.sub(r"^\s*--.*\n?", "", text, flags=re.M).strip().rstrip(";")
                word = text.split(None, 1)[0].lower() if text else ""
                script = (
                    f"prepare q as {text};"
                    if word in ("select", "insert", "update", "delete", "with", "values")
                    else "begin; " + text + "; rollback;"
                    if word in ("create", "truncate", "drop")
                    else None
                )
                if script is None:
                    continue
                answer = subprocess.run([*psql, "-c", script], capture_output=True, text=True)
                if answer.returncode:
                    bad += 1
                    print(f"{path.name}: {name}: {answer.stderr.strip()[:400]}")
                    continue
                for column, kind in columns(psql, text) if script.startswith("prepare") else []:
                    if kind not in readable:
                        bad += 1
                        print(f"{path.name}: {name}: {column} is {kind}, which nobody reads")
    finally:
        run(PG / "pg_ctl", "-D", data, "-m", "immediate", "-s", "stop", user=user)
        shutil.rmtree(home, ignore_errors=True)
    if not count:
        print("no statements found")
    return 1 if bad or not count else 0


sys.exit(main())
