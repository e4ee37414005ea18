"""Typed rows out of told ones: what a chunk says, checked cell by cell, in one statement a chunk.

A row that breaks a rule is kept aside with the first rule it breaks; all others come out with the types of
`features.record.schema`, a filled `known_at`, and a `row_id`: the SHA-256 (first 128 bits) of what the source said.
`known_at` is part of that content only where it says more than the row's own clock, so a row that comes again
is the same row whenever it comes. Rules gentler than a reject, each counted in the notes of the delivery:

* an event kind outside the list becomes a `note` whose `step` keeps the source's word;
* another value outside a list becomes `other`, `unknown` or nothing, whichever the list has;
* an office's or procedure's validity outside 1901 to 2100 ("1900", "9999") means: since ever, or open-ended.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.record.cells import MAX_COLUMNS, attribute_name, raw_table, shape
from features.record.delivery import Chunk, DeliveryError, Reject, describe
from features.record.schema import ARROW, TABLES, Table
from features.record.validation_sql import Rule, check_statement

_NUMBER = r"^[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$"

_FEW_ROWS, _MOST_PARKED = 1_000, 2
_parked: list[duckdb.DuckDBPyConnection] = []
"""Engines that checked a small delivery, for the next one: starting an engine costs more than checking a row."""


def _engine() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
    con.execute("SET enable_progress_bar = false")  # what is printed is read by other programs
    return con


class RowCheck:
    """Checks chunks for one delivery, and gives its memory back at the end. Not shared between threads.

    `live`: a missing `known_at` is the arrival; otherwise (a back-fill) it is what the table's clock says.
    `notes` counts what was read otherwise than written; `numeric` tells of every attribute that came with a
    value whether all its values were numbers.
    """

    def __init__(self, arrived_at: datetime, *, live: bool = False) -> None:
        if arrived_at.tzinfo is None:
            raise ValueError("arrived_at: an aware datetime was wanted, a naive one came")
        self.notes: Counter[str] = Counter()
        self.numeric: dict[str, bool] = {}
        self._arrived_at = arrived_at
        self._live = live
        self._con = _parked.pop() if _parked else _engine()
        self._rows = 0

    def __enter__(self) -> "RowCheck":
        return self

    def __exit__(self, *_: object) -> None:
        if self._rows <= _FEW_ROWS and len(_parked) < _MOST_PARKED:
            _parked.append(self._con)
        else:
            self._con.close()

    def __call__(self, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
        """The good rows, typed, with `row_id`, `known_at`, `known_by`; the rejects, the chunk's own first.

        DeliveryError for a table that the feed contract doesn't have.
        """
        table = TABLES.get(chunk.table)
        if table is None:
            raise DeliveryError(f"table: one of {', '.join(TABLES)} was wanted, {chunk.table!r} came")
        raw = raw_table(chunk.rows)
        names = self._columns(table, raw)
        count = chunk.rows.num_rows if isinstance(chunk.rows, pa.Table) else len(chunk.rows)
        self._rows += count
        nth = pa.array(range(count), pa.int64())
        cells = pa.table({**{f"c{i}": raw[name] for i, name in enumerate(names)}, "nth": nth})
        told = tuple((column, shape(raw[name].type)) for name, column in names.items())
        sql, rules, counted = check_statement(table.name, told, self._live)
        self._con.execute("SET TimeZone = $zone", {"zone": chunk.zone})
        # to optimize the statement costs more than to run it over few rows
        self._con.execute(f"PRAGMA {'disable' if count <= _FEW_ROWS else 'enable'}_optimizer")
        self._con.register("cells", cells)
        checked = self._con.sql(sql, params={"arrived_at": self._arrived_at}).to_arrow_table()
        self._con.unregister("cells")
        for column, note in counted:
            if count := pc.sum(checked[column]).as_py():
                self.notes[note] += count
        rejects = [*chunk.rejects, *self._rejects(chunk, table, rules, raw, names, checked)]
        good = checked.filter(pc.is_null(checked["problem"])) if len(rejects) > len(chunk.rejects) else checked
        good = good.drop_columns(["nth", "problem", *(column for column, _ in counted)])
        self._note_attributes(chunk, table, dict(told), good)
        return good.cast(_in_utc(good.schema)), rejects

    def _note_attributes(self, chunk: Chunk, table: Table, told: dict[str, str], good: pa.Table) -> None:
        """Keeps whether every attribute is a number so far; in an untyped file, what looks like one."""
        for name in told.keys() - set(table.names):
            column = good[name]
            if column.null_count == len(column):
                continue
            number = told[name] == "number" or (
                chunk.untyped and pc.all(pc.match_substring_regex(column, _NUMBER)).as_py()
            )
            self.numeric[name] = self.numeric.get(name, True) and number

    def _columns(self, table: Table, raw: pa.Table) -> dict[str, str]:
        """The columns to read: their name in the chunk → their canonical name or `x_…`."""
        names: dict[str, str] = {}
        for name in raw.column_names:
            if name in table.names and raw[name].null_count == raw.num_rows:
                continue  # says nothing, as if it were not there: the shorter the statement, the sooner it is planned
            if name in table.names:
                names[name] = name
            elif table.attributes and len(names) < MAX_COLUMNS:
                attribute = attribute_name(name)
                if attribute not in names.values():
                    names[name] = attribute
                else:
                    self.notes[f"{table.name}.{attribute}: told by two columns, the first is kept"] += raw.num_rows
            elif table.attributes:
                self.notes[f"{table.name}: columns beyond {MAX_COLUMNS} not read"] += raw.num_rows
            else:
                self.notes[f"{table.name}.{name[:40]}: column not read"] += raw.num_rows
        return names

    @staticmethod
    def _rejects(
        chunk: Chunk, table: Table, rules: list[Rule], raw: pa.Table, names: dict[str, str], checked: pa.Table
    ) -> Iterable[Reject]:
        bad = checked.filter(pc.is_valid(checked["problem"])).select(["nth", "problem"])
        source = {canonical: name for name, canonical in names.items()}
        for row in bad.to_pylist():
            rule = rules[row["problem"]]
            name = source.get(rule.column)
            value = None if name is None else raw[name][row["nth"]].as_py()
            came = describe(value, personal=table[rule.column].personal)
            yield Reject(chunk.source(row["nth"]), chunk.line(row["nth"]), rule.column, rule.wanted, came)


def _in_utc(schema: pa.Schema) -> pa.Schema:
    return pa.schema([
        (field.name, ARROW["time"] if pa.types.is_timestamp(field.type) else field.type) for field in schema
    ])  # fmt: skip
