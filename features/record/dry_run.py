"""A delivery as it would stand in the record; nothing of it is stored."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.record.comparison import compared, last_filled
from features.record.delivery import DEFAULT_ZONE, Chunk, Reject
from features.record.record import ROWS_AT_ONCE, Record
from features.record.row_check import RowCheck
from features.record.schema import TABLES

FIRST_ROWS = 5
FIRST_REJECTS = 50
_HIDDEN = "•••"
"""In place of what may be a person's data."""


@dataclass(frozen=True)
class TablePreview:
    """One canonical table of a delivery: how many rows would be taken, are there already or would be set aside.

    rows: the first that passed, `new` of each whether it would be taken. `filled`: of every column that says something
    the share of rows that do; `before`: the same of the last delivery of its source, None where there was none.
    """

    name: str
    good: int
    known: int
    rejected: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    new: tuple[bool, ...]
    filled: dict[str, float]
    before: dict[str, float] | None


@dataclass(frozen=True)
class DryRun:
    """What taking a delivery in would give; `read` is the sum of the three others."""

    read: int
    good: int
    known: int
    rejected: int
    tables: tuple[TablePreview, ...]
    rejects: tuple[Reject, ...]
    notes: dict[str, int] = field(default_factory=dict)


def dry_run(
    chunks: Iterable[Chunk], record: Record, *, source: str, arrived_at: datetime, live: bool = False,
    zone: str = DEFAULT_ZONE,
) -> DryRun:  # fmt: skip
    """Checks a delivery and compares it with `record` as `Record.append` does, and stores nothing.

    zone: in which moments are shown.
    """
    rejects: list[Reject] = []
    refused: Counter[str] = Counter()
    first: dict[str, list[dict[str, Any]]] = {}
    read = 0
    with record.staging() as staging:
        with RowCheck(arrived_at, live=live, first=not record.deliveries().num_rows) as check:
            for chunk in (piece for numeric in chunks for piece in numeric.pieces(ROWS_AT_ONCE)):
                rows, aside = check(chunk)
                staging.add(chunk.table, rows)
                read += rows.num_rows + len(aside)
                refused[chunk.table] += len(aside)
                rejects += aside[: FIRST_REJECTS - len(rejects)]
                shown = first.setdefault(chunk.table, [])
                shown += rows.slice(0, FIRST_ROWS - len(shown)).to_pylist()
        found, early = record.compare(staging, live=live, first=FIRST_ROWS)
    clashing = Counter(one["table_name"] for one in found.rejects)
    refused += clashing
    for one in found.rejects:
        if len(rejects) < FIRST_REJECTS:
            rejects.append(Reject(one["file"], one["line"], one["column_name"], one["wanted"], one["came"]))
    lines = record.deliveries()
    numeric = {name: two for name, two in check.numbers.items() if any(two)}
    line = {
        "source": source,
        "read": read,
        "filled": json.dumps(check.filled),
        "numeric_attributes": json.dumps(numeric),
    }
    notes = check.notes + Counter(early) + compared(lines, line)
    before = last_filled(lines, source, first)
    tables = tuple(
        _table(name, check.filled.get(name, {}), (found.appended.get(name, 0), clashing[name], refused[name]),
               first[name], found.first.get(name, ()), before.get(name), ZoneInfo(zone))
        for name in TABLES if name in first
    )  # fmt: skip
    good, rejected = sum(found.appended.values()), sum(refused.values())
    return DryRun(read, good, read - good - rejected, rejected, tables, tuple(rejects), dict(notes))


def _table(
    name: str,
    filled: dict[str, int],
    counts: tuple[int, int, int],
    rows: list[dict[str, Any]],
    new: tuple[bool, ...],
    before: dict[str, int] | None,
    zone: ZoneInfo,
) -> TablePreview:
    good, clashing, refused = counts
    duplicates = filled.get("", 0) - good - clashing
    columns = tuple(one for one, count in filled.items() if one and count)
    shown = tuple(tuple(_cell(name, column, row.get(column), zone) for column in columns) for row in rows)
    return TablePreview(
        name,
        good,
        duplicates,
        refused,
        columns,
        shown,
        new,
        _shares(filled),
        None if before is None else _shares(before),
    )


def _shares(filled: dict[str, int]) -> dict[str, float]:
    rows = filled.get("", 0)
    return {name: count / rows for name, count in filled.items() if name and count and rows}


def _cell(table: str, column: str, value: object, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    declared = next((one for one in TABLES[table].columns if one.name == column), None)
    if declared is not None and declared.personal:
        return _HIDDEN
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="minutes")
    return str(value)[:60]
