"""Small records drawn as text tables or rows, as the views that `Record.connect` gives, without a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from features.record.schema import TABLES

Row = Mapping[str, Any]

_ARROW = {
    "text": pa.string(), "time": pa.timestamp("us"), "date": pa.date32(), "number": pa.float64(),
    "integer": pa.int64(), "boolean": pa.bool_(),
}  # fmt: skip


def rows_of(drawing: str) -> list[dict[str, str | None]]:
    """The rows of a text table: names in the first line, cells between `|`, an empty cell is unknown."""
    lines = [[cell.strip() for cell in line.split("|")] for line in drawing.strip().splitlines()]
    return [{name: cell or None for name, cell in zip(lines[0], line, strict=True)} for line in lines[1:]]


def moment(text: str | datetime) -> datetime:
    """A moment of a drawing; without offset it is Vietnam's."""
    if isinstance(text, datetime):
        return text.astimezone(UTC)
    return datetime.fromisoformat(text if "+" in text else f"{text}+07:00").astimezone(UTC)


def views(**tables: str | Sequence[Row]) -> duckdb.DuckDBPyConnection:
    """A connection with the record's tables as drawn (text or rows); what is not drawn is empty.

    A missing `known_at` is `received_at` or `happened_at`; a missing `row_id` is the row's number.
    """
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 1")
    for table in TABLES.values():
        drawn = tables.get(table.name, ())
        rows = rows_of(drawn) if isinstance(drawn, str) else list(drawn)
        types = {column.name: column.type for column in table.columns}
        extra = dict.fromkeys(name for row in rows for name in row if name.startswith("x_"))
        columns: dict[str, pa.Array] = {}
        for name, kind in types.items():
            columns[name] = pa.array([_cell(row, name, kind) for row in rows], _ARROW[kind])
        for name in extra:
            cells = [row.get(name) for row in rows]
            columns[name] = pa.array(cells, None if any(isinstance(cell, float) for cell in cells) else pa.string())
        columns["row_id"] = pa.array([row.get("row_id") or f"{n:06}" for n, row in enumerate(rows)], pa.string())
        con.from_arrow(pa.table(columns)).create(table.name)
    return con


def _cell(row: Row, name: str, kind: str) -> Any:
    cell = row.get(name)
    if cell is None and name == "known_at":
        cell = row.get("received_at") or row.get("happened_at")
    if cell is None:
        return None
    if kind == "time":
        return moment(cell).replace(tzinfo=None)
    if kind == "date":
        return date.fromisoformat(cell)
    return float(cell) if kind == "number" else int(cell) if kind == "integer" else cell


def cases(*asked: tuple[str, str | datetime]) -> pa.Table:
    """Cases of (dossier, moment)."""
    return pa.table({
        "dossier_id": pa.array([dossier for dossier, _ in asked], pa.string()),
        "as_of": pa.array([moment(at) for _, at in asked], pa.timestamp("us", "UTC")),
    })  # fmt: skip


def every_case(con: duckdb.DuckDBPyConnection, moments: Iterable[str | datetime]) -> pa.Table:
    """Every dossier at every moment."""
    dossiers = [row[0] for row in con.execute("SELECT DISTINCT dossier_id FROM dossier ORDER BY 1").fetchall()]
    return cases(*((dossier, at) for at in moments for dossier in dossiers))
