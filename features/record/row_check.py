"""Typed rows out of delivered ones: a chunk checked cell by cell, in one statement.

A row that breaks a rule becomes a reject with the first rule it breaks; all others come out with the types of
`features.record.schema`, a filled `known_at`, and a `row_id`: the SHA-256 (first 128 bits) of its delivered cells.
`known_at` is part of that content only where it says more than the row's own clock, so a row that comes again
is the same row whenever it comes. Rules gentler than a reject, each counted in the notes of the delivery:

* an event kind outside the list becomes a `note` whose `step` keeps the source's word;
* another value outside a list becomes `other`, `unknown` or nothing, whichever the list has;
* a code, a number and a word for nothing are read as `features.cell_text` tells; a promise that is a day alone is
  the closing of that day;
* an office's or procedure's validity outside 1901 to 2100 ("1900", "9999") means: since ever, or open-ended.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from features.record.cell_numbers import decimals, doubtful_thousands
from features.record.cell_text import (
    cleaned,
    code_of_number,
    codes,
    heading,
    legacy_rows,
    midnights,
    nothing_as_null,
    promises,
    reads_as_number,
    turned_rows,
)
from features.record.delivery import Chunk, DeliveryError, Reject, describe
from features.record.schema import TABLES, RecordTable, Type
from features.record.validation_sql import Rule, check_statement

ARROW: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "time": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}


_FEW_ROWS, _MOST_PARKED = 1_000, 2
_parked: list[duckdb.DuckDBPyConnection] = []
"""Engines that checked a small delivery, for the next one: starting an engine costs more than checking a row."""


def _engine() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
    con.execute("SET enable_progress_bar = false")  # what is printed is read by other programs
    return con


class RowCheck:
    """Checks chunks for one delivery, and gives its memory back at the end. Not shared between threads.

    `live`: a missing `known_at` is the arrival; otherwise (a back-fill) it is what the table's clock says. `first`: the
    record holds nothing yet, so that a back-fill changes nothing that was ever looked at.
    `notes` counts what was read otherwise than written; `numbers` of every attribute how many of its values were
    numbers and how many were not; `filled` of every column of every table how many cells are filled.
    """

    def __init__(self, arrived_at: datetime, *, live: bool = False, first: bool = False) -> None:
        if arrived_at.tzinfo is None:
            raise ValueError("arrived_at: an aware datetime was wanted, a naive one came")
        self.notes: Counter[str] = Counter()
        self.numbers: dict[str, list[int]] = {}
        self.filled: dict[str, Counter[str]] = {}
        self._arrived_at = arrived_at
        self._live, self._first = live, first
        self._con = _parked.pop() if _parked else _engine()
        self._rows = 0
        self._headed = False

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
        self._headed = isinstance(chunk.rows, pa.Table)  # a table of columns that its source named, once for all rows
        names = self._columns(table, raw)
        count = chunk.rows.num_rows if isinstance(chunk.rows, pa.Table) else len(chunk.rows)
        self._rows += count
        self.notes.update(chunk.notes)
        nth = pa.array(range(count), pa.int64())
        read = {name: self._read(table, raw[name], column, chunk) for name, column in names.items()}
        cells = pa.table({**{f"c{i}": read[name] for i, name in enumerate(names)}, "nth": nth})
        shapes = tuple((column, shape(read[name].type)) for name, column in names.items())
        sql, rules, counted = check_statement(table.name, shapes, self._live, self._first)
        self._con.execute("SET TimeZone = $zone", {"zone": chunk.zone})
        # to optimize the statement costs more than to run it over few rows
        self._con.execute(f"PRAGMA {'disable' if count <= _FEW_ROWS else 'enable'}_optimizer")
        self._con.register("cells", cells)
        checked = self._con.sql(sql, params={"arrived_at": self._arrived_at}).to_arrow_table()
        self._con.unregister("cells")
        for column, note in counted:
            if count := pc.sum(checked[column]).as_py():
                self.notes[note] += count
        checked, unread = self._unread(chunk, table, raw, names, checked)
        rejects = [*chunk.rejects, *self._rejects(chunk, table, rules, raw, names, checked), *unread]
        good = checked.filter(pc.is_null(checked["problem"])) if len(rejects) > len(chunk.rejects) else checked
        good = good.filter(pc.invert(good["unread"])) if unread else good
        good = good.drop_columns(["unread", "nth", "problem", *(column for column, _ in counted)])
        if table.name == "dossier" and "due_at" in map(heading, raw.column_names) and good["due_at"].null_count:
            self.notes["dossier.due_at: empty, so no promise"] += good["due_at"].null_count
        self._count(table, good)
        return good.cast(_in_utc(good.schema)), rejects

    def _read(self, table: RecordTable, cells: pa.ChunkedArray, name: str, chunk: Chunk) -> pa.ChunkedArray | pa.Array:
        """The cells of one column as they are meant; notes what had to be read into them."""
        column = next((one for one in table.columns if one.name == name), None)
        values = cleaned(cells)
        if column is None:
            return self._attribute(values, f"{table.name}.{name}", chunk)
        if column.type != "text":
            values = nothing_as_null(values, typed=column.type != "boolean")
            if column.type in ("number", "integer"):
                self._doubt(values, f"{table.name}.{name}")
                values = decimals(values)
            if column.promise:
                if count := midnights(values, chunk.zone):
                    self.notes[f"{table.name}.{name}: midnight to the second as a promise; a day is meant? deliver it "
                               "as a day"] += count  # fmt: skip
                values, _ = promises(values, chunk.zone)
            return values
        if not column.choices:
            values = nothing_as_null(values, typed=False)
        return codes(values, name) if column.code and values.null_count < len(values) else values

    def _attribute(self, cells: pa.ChunkedArray | pa.Array, label: str, chunk: Chunk) -> pa.ChunkedArray | pa.Array:
        """Counts an attribute's numbers, which decide its type; words for nothing are unknown."""
        name = label.partition(".")[2]
        count = self.numbers.setdefault(name, [0, 0])
        kind = shape(cells.type)
        if kind != "text":
            count[kind != "number"] += len(cells) - cells.null_count
            return cells
        texts, read = nothing_as_null(cells, typed=False), decimals(nothing_as_null(cells, typed=True))
        fits = reads_as_number(read)
        good, filled = pc.sum(fits).as_py() or 0, len(read) - read.null_count
        nothing = len(cells) - cells.null_count - filled
        if nothing and (2 * good > filled or not filled):
            self.notes[f"{label}: words for nothing (N/A, -, không), unknown where a number is wanted"] += nothing
        if not (chunk.untyped or self._mixed(chunk, name)) or 2 * good <= filled:
            count[1] += len(texts) - texts.null_count
            return texts
        self._doubt(texts, label)
        count[0] += good
        count[1] += filled - good
        if good < filled:
            self.notes[f"{label}: no number in a column of numbers, unknown where one is wanted"] += filled - good
        return read

    def _doubt(self, cells: pa.ChunkedArray | pa.Array, label: str) -> None:
        """Tells of numbers that mean a thousand times more by the commas of others in their column."""
        if count := doubtful_thousands(cells):
            self.notes[f"{label}: 1.250 read as 1,25 beside numbers with a decimal comma; write 1250"] += count

    @staticmethod
    def _mixed(chunk: Chunk, name: str) -> bool:
        """Whether the source, which knows numbers, gave some in this column of text."""
        if isinstance(chunk.rows, pa.Table):
            return False
        return any(
            isinstance(cell, int | float) and not isinstance(cell, bool)
            for row in chunk.rows for key, cell in row.items() if attribute_name(str(key)) == name
        )  # fmt: skip

    @staticmethod
    def _unread(
        chunk: Chunk, table: RecordTable, raw: pa.Table, names: dict[str, str], checked: pa.Table
    ) -> tuple[pa.Table, list[Reject]]:
        """The checked rows with whether they are to be set aside as `unread`, and those as rejects.

        They are text in letters from before Unicode, and days that a spreadsheet turned round.
        """
        found: dict[int, Reject] = {}
        for name, column in names.items():
            for row, legacy in legacy_rows(raw[name]):
                came = f"text in {legacy}; say which encoding it is"
                found.setdefault(row, Reject(chunk.source(row), chunk.line(row), column, "Unicode text", came))
        if table.name == "dossier":
            days = pc.strftime(checked["received_at"].cast(pa.timestamp("us", chunk.zone)), "%y%m%d")
            for row in turned_rows(checked["dossier_id"], days):
                came = "day and month the other way round than in the code"
                reject = Reject(chunk.source(row), chunk.line(row), "received_at", "the day of the code", came)
                found.setdefault(row, reject)
        unread = pc.is_in(checked["nth"], pa.array(found, pa.int64()))
        broken = set(pc.filter(checked["nth"], pc.is_valid(checked["problem"])).to_pylist()) if found else set()
        return checked.append_column("unread", unread), [found[row] for row in sorted(found.keys() - broken)]

    def _count(self, table: RecordTable, good: pa.Table) -> None:
        """Keeps how many cells of every column of the good rows say something."""
        filled = self.filled.setdefault(table.name, Counter())
        filled[""] += good.num_rows
        for name in good.column_names:
            if name in table.names or name.startswith("x_"):
                filled[name] += good.num_rows - good[name].null_count

    def _columns(self, table: RecordTable, raw: pa.Table) -> dict[str, str]:
        """The columns to read: their name in the chunk → their canonical name or `x_…`."""
        names: dict[str, str] = {}
        alike = {heading(name): name for name in table.names}
        if table.name == "dossier" and raw.num_rows and "due_at" not in map(heading, raw.column_names) and self._headed:
            close = get_close_matches("due_at", raw.column_names, 1, 0.5)
            hint = f"; is it {close[0][:40]!r}?" if close else ""
            self.notes[f"dossier.due_at: no such column, so no promise{hint}"] += raw.num_rows
        for name in raw.column_names:
            own = alike.get(heading(name))
            if own is not None:
                if raw[name].null_count == raw.num_rows:
                    continue  # as if it were not there: the shorter the statement, the sooner it is planned
                if own not in names.values():
                    names[name] = own
                else:
                    self.notes[f"{table.name}.{own}: told by two columns, the first is kept"] += raw.num_rows
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
        chunk: Chunk, table: RecordTable, rules: list[Rule], raw: pa.Table, names: dict[str, str], checked: pa.Table
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


MAX_COLUMNS = 300
"""Columns of one table that are read; a dossier has some dozen attributes."""


def attribute_name(name: str) -> str:
    """The record's name of an unknown column: `x_` and its letters, digits and `_`, in lower case.

    >>> attribute_name("Land area (m²)"), attribute_name("x_ward")
    ('x_land_area_m²', 'x_ward')
    """
    plain = re.sub(r"\W+", "_", name.strip().lower()).strip("_")[:60] or "unnamed"
    return plain if plain.startswith("x_") else f"x_{plain}"


def shape(kind: pa.DataType) -> str:
    """What a check has to know of a type: text, number, boolean, moment (with zone), local or day."""
    if pt.is_timestamp(kind):
        return "moment" if kind.tz else "local"
    if pt.is_date(kind):
        return "day"
    if pt.is_boolean(kind):
        return "boolean"
    return "number" if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) else "text"


def raw_table(rows: list[dict[str, Any]] | pa.Table) -> pa.Table:
    """`rows` as an Arrow table of plain columns: text, numbers, booleans, days and moments.

    Columns of mixed or nested values become text (JSON where nested); repeated names lose the later column.
    """
    if isinstance(rows, pa.Table):
        columns: dict[str, pa.Array] = {}
        for name, column in zip(rows.column_names, rows.columns, strict=True):
            columns.setdefault(name, _plain(column))
        return pa.table(columns)
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({str(name): _array([row.get(name) for row in rows]) for name in names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pt.is_null(kind):
        return column.cast(pa.string())
    if pt.is_string(kind) or pt.is_large_string(kind) or shape(kind) != "text":
        return column
    return _array(column.to_pylist())


def _array(values: Sequence[Any]) -> pa.Array:
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds <= {str}:
            return pa.array(values, pa.string())
        if len(kinds) == 1 and kinds <= {int, float, bool, date}:
            return pa.array(values)
        if kinds == {datetime} and all(value is None or value.tzinfo for value in values):
            return pa.array(values, pa.timestamp("us", "UTC"))
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        pass  # a cell beyond its type: all become text, and the check says which one is wrong
    return pa.array([None if value is None else _text_of(value) for value in values], pa.string())


def _text_of(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (dict, list, tuple)):
        with suppress(TypeError):  # beyond JSON: a whole number of more than 64 bits
            return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    if isinstance(value, float):
        return code_of_number(value)
    return str(value).encode("utf-8", "replace").decode()
