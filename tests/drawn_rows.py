"""Rows of dossiers and events as small tests of the record deliver them, and what the record then holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from features.record.delivery import Chunk, DeliveryReceipt
from features.record.record import Record
from features.record.schema import TABLES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def utc(*parts: int) -> datetime:
    """A moment in UTC as the views show it: without offset."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type,misc]


def dossier(number: int, **cells: object) -> dict[str, object]:
    start = datetime(2025, 3, 3, 1, tzinfo=UTC) + number * DAY
    told = {"dossier_id": f"d{number}", "procedure_code": "p", "unit_code": "u", "received_at": start}
    return {**told, "due_at": start + 5 * DAY, **cells}


def event(number: int, kind: str = "assigned", after: int = 1, **cells: object) -> dict[str, object]:
    at = datetime(2025, 3, 3, 1, tzinfo=UTC) + number * DAY + timedelta(hours=after)
    return {"dossier_id": f"d{number}", "kind": kind, "happened_at": at, **cells}


def take(record: Record, *chunks: Chunk, live: bool = False, arrived_at: datetime = NOW) -> DeliveryReceipt:
    return record.append(chunks, source="canonical", arrived_at=arrived_at, live=live)


def column(record: Record, sql: str, **options: object) -> list[object]:
    con = record.connect(**options)  # type: ignore[arg-type]
    return [row[0] for row in con.execute(sql).fetchall()]


def content(record: Record) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all canonical tables, without the delivery that brought them."""
    con = record.connect()
    return {name: con.execute(f"SELECT * EXCLUDE (delivery_id) FROM {name} ORDER BY ALL").fetchall() for name in TABLES}


def many_chunks() -> Iterator[Chunk]:
    """One delivery over three tables: 1 unit, 2,000 events, 4 dossiers."""
    yield Chunk("unit", [{"unit_code": "u"}])
    for part in range(4):
        yield Chunk("event", [event(part, "note", n) for n in range(500)])
        yield Chunk("dossier", [dossier(part)])
