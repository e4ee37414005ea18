"""The statement that checks rows of one table: cells read as their column's type, the rules of the schema.

It is made of the schema's own names and of cells `c0, c1, …`; nothing that a delivery says gets into the SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from features.record.cell_text import LOST_DIGITS
from features.record.claimed_knowledge import LAGS, lag_sql, note_of
from features.record.schema import EVENT_KINDS, SKEW, TABLES, RecordColumn, RecordTable

SINCE_EVER = datetime(1990, 1, 1, tzinfo=UTC)
"""`known_at` of lasting knowledge without a known beginning; also the earliest time a cell may hold."""

_RANGE = "BETWEEN TIMESTAMPTZ '1990-01-01 00:00:00+00' AND TIMESTAMPTZ '2100-12-31 23:59:59+00'"
_IN_FORCE = "BETWEEN TIMESTAMPTZ '1901-01-01 00:00:00+00' AND TIMESTAMPTZ '2100-12-31 23:59:59+00'"
"""Offices and careers are older than the computers that list them; "1900" means: since ever."""

_HAPPENS = {"dossier": "received_at", "event": "happened_at"}
"""By table the column of a moment that cannot lie after its delivery."""

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


@lru_cache(maxsize=512)
def check_statement(
    name: str, shapes: tuple[tuple[str, str], ...], live: bool, first: bool
) -> tuple[str, list[Rule], list[tuple[str, str]]]:
    """The statement that checks the cells `c0, c1, …`, whose (column, shape) are given; its rules; (flag, note)."""
    table = TABLES[name]
    cells = {column: (f"c{i}", kind) for i, (column, kind) in enumerate(shapes)}
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
        rules += _cell_rules(column, cell, kind, listed=name != "event")
    for earlier, later in table.ordered:
        bad = f"{later} < {earlier}"
        rules.append(Rule(later, bad, f"not before {earlier}"))
    if name == "event" and "kind" in cells:
        kind_cell, step = _text(*cells["kind"]), typed["step"]
        unknown = f"typed_kind NOT IN ({_listed(EVENT_KINDS)})"
        typed["typed_kind"] = typed["kind"]
        typed["kind"] = f"CASE WHEN {unknown} THEN 'note' ELSE typed_kind END"
        typed["step"] = f"CASE WHEN {unknown} THEN concat_ws(' / ', {kind_cell}, {step}) ELSE {step} END"
        flags.append(("flag_kind", unknown, "event.kind: outside the list, kept as note"))
    if (clock := _HAPPENS.get(name)) in cells:
        late = f"{clock} > $arrived_at::TIMESTAMPTZ + INTERVAL {SKEW.total_seconds():.0f} SECOND"
        flags.append(("flag_ahead", late, f"{name}.{clock}: after the delivery came, a day that has not been yet"))
    if name == "event":
        known_at = "known_at" if live or first else "coalesce(known_at, happened_at)"
        for after, until, lag in LAGS:
            late = lag_sql(after, until, known_at, "$arrived_at::TIMESTAMPTZ")
            flags.append((f"flag_lag_{after}", late, note_of(lag)))
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
    typed |= {column: _text(*cells[column]) for column in extra}
    types = {column.name: column for column in table.columns}
    order = sorted(typed, key=lambda column: column != "typed_kind")
    kinds = {one: types[one].type if one in types else "text" for one in order}
    selected = [f"CAST({typed[one]} AS {_SQL_TYPE[kinds[one]]}) AS {one}" for one in order]
    selected += [f"coalesce({flag}, false) AS {column}" for column, flag, _ in flags]
    problem = " ".join(f"WHEN {rule.bad} THEN {i}" for i, rule in enumerate(rules))
    shown = [column for column in (*table.names, *extra) if column != "known_at"]
    known_by = "arrival" if live else "clock"
    sql = f"""
        WITH trimmed AS (SELECT nth{"".join(f", {_trimmed(*cell)}" for cell in cells.values())} FROM cells),
        typed AS (SELECT *, {", ".join(selected)} FROM trimmed)
        SELECT nth, {f"CASE {problem} END" if rules else "NULL"} AS problem, {", ".join(shown)},
               coalesce(known_at, {"arrived_at" if live else f"{_clock(table)}, arrived_at"}) AS known_at,
               CASE WHEN known_at IS NOT NULL THEN 'feed' ELSE '{known_by}' END AS known_by,
               substr(sha256({_content(table, [column for column, _ in shapes], types)}), 1, 32) AS row_id
               {"".join(f", {column}" for column, _, _ in flags)}
        FROM typed, (SELECT $arrived_at::TIMESTAMPTZ AS arrived_at) ORDER BY nth
    """
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


def _trimmed(cell: str, kind: str) -> str:
    """SQL for the cell without outer blanks, letters composed (NFC); empty text is unknown."""
    return f"nullif(trim(nfc_normalize({cell}), ' \t\r\n'), '') AS {cell}" if kind == "text" else cell


def _text(cell: str, kind: str) -> str:
    """SQL for the trimmed cell as text."""
    if kind == "text":
        return cell
    if kind == "number":  # 5.0 and "5" are one code
        whole = f"{cell} = floor({cell}) AND abs({cell}) < 9e15"
        return f"CASE WHEN {whole} THEN {cell}::BIGINT::VARCHAR ELSE {cell}::VARCHAR END"
    if kind == "moment":
        return f"strftime(timezone('UTC', {cell}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"{cell}::VARCHAR"


def _typed(column: RecordColumn, cell: str, kind: str) -> str:
    """SQL for the cell as its column's type; NULL where it cannot be read so."""
    text = _text(cell, kind)
    if column.type == "text":
        return f"lower({text})" if column.choices else text
    if column.type in ("time", "date"):
        if kind in ("number", "boolean"):
            return "NULL"
        value = f"TRY_CAST({text} AS TIMESTAMPTZ)" if kind == "text" else f"{cell}::TIMESTAMPTZ"
        if column.type == "date":  # a day has no zone: delivered as a moment, it is the local day of the feed
            return f"TRY_CAST({cell}::VARCHAR AS DATE)" if kind in ("text", "day") else f"{value}::DATE"
        if column.name in ("valid_from", "valid_to"):
            return f"CASE WHEN {value} {_IN_FORCE} THEN {value} END"
        return value
    if column.type == "boolean":
        return cell if kind == "boolean" else f"TRY_CAST({text} AS BOOLEAN)"
    number = f"TRY_CAST({text} AS DOUBLE)"
    finite = f"isfinite({number})" + (f" AND {number} = floor({number})" if column.type == "integer" else "")
    return f"CASE WHEN {finite} THEN {number} END"


def _cell_rules(column: RecordColumn, cell: str, kind: str, *, listed: bool) -> list[Rule]:
    name = column.name
    filled = f"({_text(cell, kind)}) IS NOT NULL"
    rules = []
    if column.required:
        rules.append(Rule(name, f"NOT ({filled})", "a value"))
        if column.choices and listed:
            rules.append(Rule(name, f"{name} NOT IN ({_listed(column.choices)})", "one of the list"))
    if column.code and kind == "text":
        rules.append(Rule(name, f"regexp_full_match({cell}, '{LOST_DIGITS}')", "a code as text, with all its digits"))
    if column.type == "time" and name in ("valid_from", "valid_to"):
        readable = f"TRY_CAST({_text(cell, kind)} AS TIMESTAMPTZ) IS NULL"
        rules.append(Rule(name, f"{filled} AND {readable}", _WANTED["time"]))
        return rules
    if column.type != "text":
        rules.append(Rule(name, f"{filled} AND {name} IS NULL", _WANTED[column.type]))
    if column.type == "time":
        rules.append(Rule(name, f"NOT ({name} {_RANGE})", "a time from 1990 to 2100"))
    if column.type == "date":
        rules.append(Rule(name, f"NOT (year({name}) BETWEEN 1990 AND 2100)", "a day from 1990 to 2100"))
    if column.low is not None:
        wanted = f"from {column.low:g} to {column.high:g}"
        rules.append(Rule(name, f"NOT ({name} BETWEEN {column.low} AND {column.high})", wanted))
    return rules


def _clock(table: RecordTable) -> str:
    """SQL for the moment from which the row could be known, by its own columns; NULL where they give none."""
    moment = f"greatest({', '.join(table.clock)})" if table.clock else "NULL"
    return f"coalesce({moment}, TIMESTAMPTZ '{SINCE_EVER.isoformat()}')" if table.lasting else moment


def _content(table: RecordTable, columns: list[str], types: dict[str, RecordColumn]) -> str:
    """SQL for the text that `row_id` hashes: every delivered cell as name=length:value, in the order of names.

    Unknown cells are left out, so neither the file format nor a column that is empty changes it; nor does a
    `known_at` that only says what a back-fill takes anyway.
    """
    parts = []
    for column in sorted(columns):
        cell = f"nullif(known_at, {_clock(table)})" if column == "known_at" else column
        kind = types[column].type if column in types else "text"
        value = f"epoch_us({cell})::VARCHAR" if kind == "time" else f"{cell}::VARCHAR"
        parts.append(f"coalesce('{column}=' || strlen({value}) || ':' || {value}, '')")
    return f"concat('{table.name};', {', '.join(parts)})"
