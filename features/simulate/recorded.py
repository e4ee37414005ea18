"""A made-up province as a record, ready to be read: for notebooks, proofs and tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate.province import Province
from features.simulate.simulation import simulate


def recorded(province: Province, folder: Path) -> Record:
    """The record under `folder` that got the tables of a province in one delivery, the day after its end."""
    chunks = [Chunk(name, table) for name, table in province.tables.items()]
    arrived = datetime(province.end.year, province.end.month, province.end.day, tzinfo=UTC) + timedelta(days=1)
    record = Record(folder / "record")
    record.append(chunks, source="simulated", arrived_at=arrived)
    return record


def made_up_record(folder: Path, dossiers: int, start: date, end: date, *, seed: int = 1, **options: Any) -> Record:
    """A record of a province made up for it; `options` as `simulate` takes them."""
    return recorded(simulate(seed, dossiers, start, end, **options), folder)
