"""Typed rows out of told ones: what a chunk says, checked cell by cell, in one statement a chunk.

A row that breaks a rule is kept aside with the first rule it breaks; all others come out with the types of
`features.schema`, a filled `known_at`, and a `row_id`: the SHA-256 (first 128 bits) of what the source said.
`known_at` is part of that content only where the source gave it, so a row that comes again is the same row
whenever it comes. Rules that are gentler than a reject, each counted in the notes of the delivery:

* an event kind outside the list becomes a `note` whose `step` keeps the source's word;
* another value outside a list becomes `other`, `unknown` or nothing, whichever the list has;
* an office's or procedure's validity outside 1990 to 2100 ("1900", "9999") means: since ever, or open-ended.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.cells import attribute_name, raw_table, shape
from features.delivery import Chunk, DeliveryError, Reject, describe
from features.schema import ARROW, EVENT_KINDS, TABLES, Column, Table

SINCE_EVER = datetime(1990, 1, 1, tzinfo=UTC)
"""`known_at` of lasting knowledge whose beginning nobody told; also the earliest time a cell may hold."""

_RANGE = "BETWEEN TIMESTAMPTZ '1990-01-01 00:00:00+00' AND TIMESTAMPTZ '2100-12-31 23:59:59+00'"
_NUMBER = r"^[-+]?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$"
_WANTED = {
    "time": "a time in ISO 8601",
    "date": "a day in ISO 8601",
    "number": "a decimal number",
    "integer": "a whole number",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Rule:
    """One way in which a row may be wrong: SQL that is true for a bad row, and what was wanted instead."""

    column: str
    bad: str
    wanted: str


class RowCheck:
    """Checks chunks for one delivery. Not shared between threads.

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
        self._con = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})

    def __call__(self, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
        """The good rows, typed, with `row_id`, `known_at` and `known_by`; and the rejects, the chunk's own first.

        DeliveryError for a table that the feed contract doesn't have.
        """
        table = TABLES.get(chunk.table)
        if table is None:
            raise DeliveryError(f"table: one of {', '.join(TABLES)} was wanted, {chunk.table!r} came")
        raw = raw_table(chunk.rows)
        names = self._columns(table, raw)
        cells = raw.select(list(names)).rename_columns([f"c{i}" for i in range(len(names))])
        cells = cells.append_column("nth", pa.array(range(cells.num_rows), pa.int64()))
        told = tuple((name, shape(cells.schema.field(i).type)) for i, name in enumerate(names.values()))
        sql, rules, counted = _statement(table.name, told, self._live)
        self._con.execute("SET TimeZone = $zone", {"zone": chunk.zone})
        self._con.register("cells", cells)
        checked = self._con.sql(sql, params={"arrived_at": self._arrived_at}).to_arrow_table()
        self._con.unregister("cells")
        for column, note in counted:
            if count := pc.sum(checked[column]).as_py():
                self.notes[note] += count
        rejects = [*chunk.rejects, *self._rejects(chunk, table, rules, raw, names, checked)]
        good = (
            checked.filter(pc.is_null(checked["problem"])) if len(rejects) > len(chunk.rejects) else checked
        )
        good = good.drop_columns(["nth", "problem", *(column for column, _ in counted)])
        self._note_attributes(chunk, table, dict(told), good)
        return good.cast(_in_utc(good.schema)), rejects

    def _note_attributes(self, chunk: Chunk, table: Table, told: dict[str, str], good: pa.Table) -> None:
        """Keeps whether every attribute is a number so far; in untyped files a number is what looks like one."""
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
            if name in table.names:
                names[name] = name
            elif table.attributes and (attribute := attribute_name(name)) not in names.values():
                names[name] = attribute
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
            yield Reject(chunk.file, chunk.line(row["nth"]), rule.column, rule.wanted, came)


@lru_cache(maxsize=512)
def _statement(
    name: str, told: tuple[tuple[str, str], ...], live: bool
) -> tuple[str, list[Rule], list[tuple[str, str]]]:
    """The statement that checks cells `c0, c1, …` told as `(column, shape)`; its rules; (flag column, note)."""
    table = TABLES[name]
    cells = {column: (f"c{i}", kind) for i, (column, kind) in enumerate(told)}
    typed: dict[str, str] = {}
    rules: list[Rule] = []
    flags: list[tuple[str, str, str]] = []
    for column in table.columns:
        if column.name not in cells:
            typed[column.name] = "NULL"
            if column.required:
                rules.append(Rule(column.name, "true", "a value"))
            continue
        cell, kind = cells[column.name]
        typed[column.name] = _typed(column, cell, kind)
        rules += _cell_rules(column, cell, kind)
    for earlier, later in table.ordered:
        bad = f"{later} < {earlier}"
        rules.append(Rule(later, bad, f"not before {earlier}"))
    if name == "event" and "kind" in cells:
        kind_cell, step = f"trim({cells['kind'][0]}::VARCHAR)", typed["step"]
        unknown = f"typed_kind NOT IN ({_listed(EVENT_KINDS)})"
        typed["typed_kind"] = typed["kind"]
        typed["kind"] = f"CASE WHEN {unknown} THEN 'note' ELSE typed_kind END"
        typed["step"] = f"CASE WHEN {unknown} THEN concat_ws(' / ', {kind_cell}, {step}) ELSE {step} END"
        flags.append(("flag_kind", unknown, "event.kind: outside the list, kept as note"))
    for column in table.columns:
        if column.choices and not column.required and column.name in cells:
            rest = next((word for word in ("other", "unknown") if word in column.choices), None)
            value, listed = typed[column.name], _listed(column.choices)
            flags.append((
                f"flag_{column.name}", f"({value}) NOT IN ({listed})",
                f"{name}.{column.name}: outside the list, read as {rest or 'nothing'}",
            ))  # fmt: skip
            instead = f"'{rest}'" if rest else "NULL"
            typed[column.name] = f"CASE WHEN ({value}) NOT IN ({listed}) THEN {instead} ELSE {value} END"
    extra = [column for column in cells if column not in table.names]
    for column in extra:
        typed[column] = _text(*cells[column])
    types = {column.name: column for column in table.columns}
    order = sorted(typed, key=lambda column: column != "typed_kind")
    selected = [
        f"CAST({typed[column]} AS {_SQL_TYPE[types[column].type if column in types else 'text']}) AS {column}"
        for column in order
    ]
    selected += [f"coalesce({flag}, false) AS {column}" for column, flag, _ in flags]
    problem = " ".join(f"WHEN {rule.bad} THEN {i}" for i, rule in enumerate(rules))
    shown = [column for column in (*table.names, *extra) if column != "known_at"]
    sql = f"""
        WITH typed AS (SELECT nth, c.* EXCLUDE (nth), {", ".join(selected)} FROM cells AS c)
        SELECT nth, {f"CASE {problem} END" if rules else "NULL"} AS problem, {", ".join(shown)},
               coalesce(known_at, {_clock(table, live)}) AS known_at,
               CASE WHEN known_at IS NOT NULL THEN 'feed' ELSE '{"arrival" if live else "clock"}' END AS known_by,
               substr(sha256({_content(table, [column for column, _ in told], types)}), 1, 32) AS row_id
               {"".join(f", {column}" for column, _, _ in flags)}
        FROM typed, (SELECT $arrived_at::TIMESTAMPTZ AS arrived_at) ORDER BY nth
    """  # noqa: S608 — made of the schema's own names, cells are columns
    return sql, rules, [(column, note) for column, _, note in flags]


_SQL_TYPE = {
    "text": "VARCHAR",
    "time": "TIMESTAMPTZ",
    "date": "DATE",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _text(cell: str, kind: str) -> str:
    if kind == "text":
        return f"nullif(trim(nfc_normalize({cell}), ' \t\r\n'), '')"
    if kind == "number":  # 5.0 and "5" are one code
        whole = f"{cell} = floor({cell}) AND abs({cell}) < 9e15"
        return f"CASE WHEN {whole} THEN {cell}::BIGINT::VARCHAR ELSE {cell}::VARCHAR END"
    if kind == "moment":
        return f"strftime(timezone('UTC', {cell}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"{cell}::VARCHAR"


def _typed(column: Column, cell: str, kind: str) -> str:
    """SQL for the cell as its column's type; NULL where it cannot be read so."""
    text = _text(cell, kind)
    if column.type == "text":
        return f"lower({text})" if column.choices else text
    if column.type in ("time", "date"):
        if kind in ("number", "boolean"):
            return "NULL"
        value = f"TRY_CAST({text} AS TIMESTAMPTZ)" if kind == "text" else f"{cell}::TIMESTAMPTZ"
        if column.type == "date":  # a day has no zone: told as a moment, it is the local day of the feed
            return f"TRY_CAST({cell}::VARCHAR AS DATE)" if kind in ("text", "day") else f"{value}::DATE"
        if column.name in ("valid_from", "valid_to"):
            return f"CASE WHEN {value} {_RANGE} THEN {value} END"
        return value
    if column.type == "boolean":
        return cell if kind == "boolean" else f"TRY_CAST({text} AS BOOLEAN)"
    number = f"TRY_CAST({text} AS DOUBLE)"
    finite = f"isfinite({number})" + (f" AND {number} = floor({number})" if column.type == "integer" else "")
    return f"CASE WHEN {finite} THEN {number} END"


def _cell_rules(column: Column, cell: str, kind: str) -> list[Rule]:
    name = column.name
    told = f"({_text(cell, kind)}) IS NOT NULL"
    rules = []
    if column.required:
        rules.append(Rule(name, f"NOT ({told})", "a value"))
        if column.choices and name != "kind":
            rules.append(Rule(name, f"{name} NOT IN ({_listed(column.choices)})", "one of the list"))
    if column.type == "time" and name in ("valid_from", "valid_to"):
        readable = f"TRY_CAST({_text(cell, kind)} AS TIMESTAMPTZ) IS NULL"
        rules.append(Rule(name, f"{told} AND {readable}", _WANTED["time"]))
    elif column.type != "text":
        rules.append(Rule(name, f"{told} AND {name} IS NULL", _WANTED[column.type]))
    if column.type == "time":
        rules.append(Rule(name, f"NOT ({name} {_RANGE})", "a time from 1990 to 2100"))
    if column.type == "date":
        rules.append(Rule(name, f"NOT (year({name}) BETWEEN 1990 AND 2100)", "a day from 1990 to 2100"))
    if column.low is not None:
        wanted = f"from {column.low:g} to {column.high:g}"
        rules.append(Rule(name, f"NOT ({name} BETWEEN {column.low} AND {column.high})", wanted))
    return rules


def _clock(table: Table, live: bool) -> str:
    """SQL for when a row could be known of which the source doesn't tell it."""
    if live:
        return "arrived_at"
    since = f"TIMESTAMPTZ '{SINCE_EVER.isoformat()}'" if table.lasting else "arrived_at"
    return f"coalesce(greatest({', '.join(table.clock)}), {since})" if table.clock else since


def _content(table: Table, told: list[str], types: dict[str, Column]) -> str:
    """SQL for the text that `row_id` hashes: every told cell as name=length:value, in the order of names.

    Unknown cells are left out, so neither the file format nor a column that is empty changes it.
    """
    parts = []
    for column in sorted(told):
        kind = types[column].type if column in types else "text"
        value = f"epoch_us({column})::VARCHAR" if kind == "time" else f"{column}::VARCHAR"
        parts.append(f"coalesce('{column}=' || strlen({value}) || ':' || {value}, '')")
    return f"concat('{table.name};', {', '.join(parts)})"


def _in_utc(schema: pa.Schema) -> pa.Schema:
    return pa.schema([
        (field.name, ARROW["time"] if pa.types.is_timestamp(field.type) else field.type) for field in schema
    ])  # fmt: skip
