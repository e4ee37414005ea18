"""Relations as temporary tables on a DuckDB connection, dropped as soon as nothing needs them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import duckdb
import pyarrow as pa


def names_in(sql: str) -> set[str]:
    """Every word of a statement: whatever relation it reads is among them."""
    return set(re.findall(r"[A-Za-z_]\w*", sql))


class TempTablePipeline:
    """The temporary tables that one piece of work has on its connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self._made: dict[str, str] = {}

    def put(self, name: str, table: pa.Table) -> None:
        """A table of ours as the relation `name`."""
        self.con.register("put_here", table)
        try:
            self.make(name, "SELECT * FROM put_here")
        finally:
            self.con.unregister("put_here")

    def make(self, name: str, sql: str, *, kind: str = "TABLE") -> None:
        """The rows of `sql` as the relation `name`; as a VIEW it is worked out by whoever reads it."""
        self.con.execute(f"CREATE OR REPLACE TEMP {kind} {name} AS {sql}")
        self._made[name] = kind

    def __contains__(self, name: object) -> bool:
        """Whether a relation was made and not forgotten."""
        return name in self._made

    def make_all(
        self, relations: Mapping[str, str], *, keep: Collection[str], inline: bool = True, given: Collection[str] = (),
        drop: bool = True,
    ) -> None:  # fmt: skip
        """Makes relations in order, each on those before it, and drops all but `keep` when they are done with.

        What nothing reads is not made. `inline`: what is read once, by one other, becomes part of its statement; not
        so where statements are long and rows few, for then DuckDB plans them longer than it runs them. `given`:
        relations made before that are dropped alike, once nothing here reads them any more. `drop`: false where all
        stay.
        """
        relations = _needed(relations, keep)
        reads = {name: names_in(sql) for name, sql in relations.items()}
        readers = {name: [other for other in relations if name in reads[other] and other != name]
                   for name in relations}  # fmt: skip
        order = {name: n for n, name in enumerate(relations)}
        last: dict[str, int] = {}  # the place after which a relation is done with
        for name in reversed(list(relations)):
            uses = [last[other] if inline and self._once(other, readers, keep, relations) else order[other]
                    for other in readers[name]]  # fmt: skip
            last[name] = len(order) if name in keep else max(uses, default=order[name])
        for name in given:
            uses = [last[other] if inline and self._once(other, readers, keep, relations) else order[other]
                    for other in relations if name in reads[other]]  # fmt: skip
            last[name] = max(uses, default=0)
        for name, sql in relations.items():
            once = inline and self._once(name, readers, keep, relations)
            self.make(name, sql, kind="VIEW" if once else "TABLE")
            if drop and not once:
                self.drop(*(done for done in reversed(self._made) if last.get(done) == order[name]))

    def _once(
        self, name: str, readers: Mapping[str, list[str]], keep: Collection[str], relations: Mapping[str, str]
    ) -> bool:
        if name in keep or len(readers[name]) != 1:
            return False
        sql = relations[readers[name][0]]
        return len(re.findall(rf"\b(?:FROM|JOIN) {name}\b", sql)) == 1

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
            self._made[name] = self._made.pop(f"{name}_gathered")

    def drop(self, *names: str) -> None:
        """Forgets relations; those that are not there are no error."""
        for name in names:
            if kind := self._made.pop(name, None):
                self.con.execute(f"DROP {kind} IF EXISTS temp.{name}")

    def clear(self) -> None:
        """Forgets all of them."""
        self.drop(*reversed(list(self._made)))


def _needed(relations: Mapping[str, str], keep: Collection[str]) -> dict[str, str]:
    wanted = set(keep)
    for name in reversed(list(relations)):
        if name in wanted:
            wanted |= names_in(relations[name])
    return {name: sql for name, sql in relations.items() if name in wanted}
