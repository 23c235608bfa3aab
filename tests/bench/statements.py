"""Which statements a page runs, with which parameters: read from PostgreSQL's own log while the page is asked
for, so that limit and peers do exactly the work that the product does, whatever its source says."""
import re
import time

from bench import HERE

QUERIES = HERE.parents[1] / "sql" / "queries"
LINE = re.compile(r"^bench\|([^|]*)\|(\d+)\|(\w+):\s+(.*)$")
EXECUTE = re.compile(r"^execute [^:]*: (.*)$", re.S)
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")


class Statement:
    """name (of sql/queries, else "?"), sql with $1 …, params (texts or None)."""

    def __init__(self, name, sql, params):
        self.name, self.sql, self.params = name, sql, params

    def plain(self):
        return {"name": self.name, "sql": self.sql, "params": self.params}


def squeezed(text):
    text = re.sub(r"^\s*--.*$", "", text, flags=re.M)
    return re.sub(r"\s+", " ", text).strip().rstrip(";").strip()


def named():
    """{squeezed text: name} of the product's statements."""
    found = {}
    for path in sorted(QUERIES.glob("*.sql")):
        parts = re.split(r"^-- name: (\w+)\n", path.read_text(), flags=re.M)
        found.update({squeezed(text): name for name, text in zip(parts[1::2], parts[2::2])})
    return found


def records(text, program):
    """(kind, message) of that program's lines; a message goes on in lines that begin with a tab."""
    kind = None
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            if kind:
                yield kind, "\n".join(message)
            kind, message = (match[3], [match[4]]) if match[1] == program else (None, [])
        elif kind:
            message.append(line.removeprefix("\t"))
    if kind:
        yield kind, "\n".join(message)


def parse(text, program):
    names, found = named(), []
    for kind, message in records(text, program):
        execute = EXECUTE.match(message)
        if kind == "LOG" and execute:
            sql = squeezed(execute[1])
            found.append(Statement(names.get(sql, "?"), sql, []))
        elif kind == "DETAIL" and found and message.lower().startswith("parameters:"):
            given = {int(n): value for n, value in PARAMETER.findall(message)}
            found[-1].params = [
                None if given[n] == "NULL" else given[n][1:-1].replace("''", "'") for n in sorted(given)
            ]
    return found


def of_page(house, stack, ask, program="trunkline-web"):
    """The statements that one call of ask() makes that program run."""
    log = stack.state / "log" / "postgresql.log"

    def setting(statement):
        for text in (*statement, "select pg_reload_conf()"):
            house.sql(text)

    setting(["alter system set log_line_prefix = 'bench|%a|%p|'", "alter system set log_statement = 'all'"])
    try:
        wait(lambda: "bench|" in tail(log, 0))  # until the setting is in force
        ask()  # connections take it before their next statement
        from_here = log.stat().st_size
        ask()
        found = parse(tail(log, from_here), program)
    finally:
        setting(["alter system reset log_statement", "alter system reset log_line_prefix"])
    if not found:
        raise RuntimeError("PostgreSQL's log shows no statement of " + program)
    return found


def tail(path, offset):
    with open(path, "rb") as f:
        f.seek(offset)
        return f.read().decode(errors="replace")


def wait(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise RuntimeError("PostgreSQL's log does not change")
        time.sleep(0.02)


def as_pgbench(statements):
    """(script, options): the statements with their parameters as variables, so that pgbench prepares them."""
    script, options = [], []
    for i, statement in enumerate(statements):
        if re.search(r"(?<!:):[A-Za-z_]", statement.sql):
            raise RuntimeError("pgbench would take this for a variable: " + statement.sql)

        def variable(match, i=i, params=statement.params):
            value = params[int(match[1]) - 1]
            return "null" if value is None else f":s{i}p{match[1]}"

        script.append(re.sub(r"\$(\d+)", variable, statement.sql) + ";")
        for n, value in enumerate(statement.params, 1):
            if value is not None:
                options += ["-D", f"s{i}p{n}={value}"]
    return "\n".join(script) + "\n", options
