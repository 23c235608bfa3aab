"""Two databases, compared row by row."""

import hashlib

# A cache that may be emptied at any time, and the diaries of dialers and of backups.
LEFT_OUT = {"tallies", "dialer_runs", "maintenance_runs"}


class Rows:
    """Every row of every table, as text in a fixed order, and where every sequence stands."""

    def __init__(self, machine):
        self.tables, self.total = {}, 0
        names = machine.sql(
            """select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1"""
        )
        for (name,) in names:
            if name in LEFT_OUT:
                continue
            lines = machine.sql(f'select t::text from {name} t order by t::text collate "C"')
            self.tables[name] = ["\t".join(line) for line in lines]
            self.total += machine.number(f"select count(*) from {name}")
        self.sequences = {
            name: value
            for name, value in machine.sql("select sequencename, last_value from pg_sequences order by 1")
            if name != "maintenance_runs_id_seq"
        }

    def digest(self):
        whole = hashlib.sha256()
        for name, lines in self.tables.items():
            whole.update((name + "\n" + "\n".join(lines) + "\n").encode())
        return whole.hexdigest()

    def differences(self, other):
        """In words, at most a few for each table."""
        found = []
        for name in sorted(set(self.tables) | set(other.tables)):
            ours, theirs = self.tables.get(name), other.tables.get(name)
            if ours is None or theirs is None:
                found.append(f"table {name} is only in one of them")
            elif ours != theirs:
                lost, new = set(ours) - set(theirs), set(theirs) - set(ours)
                found.append(
                    f"{name}: {len(ours)} rows became {len(theirs)};"
                    f" gone {list(lost)[:2]}, new {list(new)[:2]}"
                )
        for name in sorted(set(self.sequences) | set(other.sequences)):
            if self.sequences.get(name) != other.sequences.get(name):
                found.append(
                    f"sequence {name}: {self.sequences.get(name)}, then {other.sequences.get(name)}"
                )
        return found
