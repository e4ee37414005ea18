"""Relations as temporary tables on a DuckDB connection, dropped as soon as nothing needs them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import duckdb
import pyarrow as pa


def names_in(sql: str) -> set[str]:
    """Every word of a statement: whatever relation it reads is among them."""
    return set(re.findall(r"[A-Za-z_]\w*", sql))


class Workbench:
    """The temporary tables that one piece of work has on its connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self._made: list[str] = []

    def put(self, name: str, table: pa.Table) -> None:
        """A table of ours as the relation `name`."""
        self.con.register("put_here", table)
        try:
            self.make(name, "SELECT * FROM put_here")
        finally:
            self.con.unregister("put_here")

    def make(self, name: str, sql: str) -> None:
        """The rows of `sql` as the relation `name`."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
        if name not in self._made:
            self._made.append(name)

    def make_all(self, relations: Mapping[str, str], *, keep: Collection[str] | None = None) -> None:
        """Makes relations in order; with `keep`, drops each of the others when no later one reads it."""
        reads = [names_in(sql) for sql in relations.values()]
        waiting: list[str] = []
        for at, (name, sql) in enumerate(relations.items()):
            self.make(name, sql)
            if keep is None:
                continue
            if name not in keep:
                waiting.append(name)
            needed = set().union(*reads[at + 1 :])
            self.drop(*(done for done in waiting if done not in needed))
            waiting = [done for done in waiting if done in needed]

    def gather(self, *names: str) -> None:
        """Puts the rows of relations aside; `gathered` brings back all that were put aside."""
        for name in names:
            if f"{name}_gathered" in self._made:
                self.con.execute(f"INSERT INTO {name}_gathered SELECT * FROM {name}")
            else:
                self.make(f"{name}_gathered", f"SELECT * FROM {name}")
            self.drop(name)

    def gathered(self, *names: str) -> None:
        """Each relation with the rows of all parts."""
        for name in names:
            self.con.execute(f"ALTER TABLE {name}_gathered RENAME TO {name}")
            self._made[self._made.index(f"{name}_gathered")] = name

    def drop(self, *names: str) -> None:
        """Forgets relations; those that are not there are no error."""
        for name in names:
            self.con.execute(f"DROP TABLE IF EXISTS temp.{name}")
            if name in self._made:
                self._made.remove(name)

    def clear(self) -> None:
        """Forgets all of them."""
        self.drop(*self._made[:])
