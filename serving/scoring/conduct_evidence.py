"""What the conduct lists of one moment rest on, on disk beside them: who handled what, and the acts behind charges."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_file import replace_text
from features.signals.acts import SCHEMA
from models.loop import HitRate
from models.sector_risk import SectorRisk
from serving.scoring.score_files import list_folder, replace_table

ACTS_FILE, HANDLED_FILE, SECTORS_FILE = "acts.parquet", "handled.parquet", "sectors.json"


def write(
    scores: Path, as_of: datetime, acts: pa.Table, handled: pa.Table, position: Mapping[str, str],
    sectors: Sequence[SectorRisk] = (),
) -> None:  # fmt: skip
    """Writes the acts, what everybody handled (with their `position`) and sectors beside the lists of the moment."""
    place = list_folder(scores, "conduct", as_of)
    posts = pa.array([position.get(who, "") for who in handled["official_id"].to_pylist()], pa.string())
    for name, table in ((ACTS_FILE, acts), (HANDLED_FILE, handled.append_column("position", posts))):
        replace_table(place / name, table)
    replace_text(place / SECTORS_FILE, json.dumps([asdict(one) for one in sectors]))


def sectors_of(scores: Path, as_of: datetime) -> list[SectorRisk]:
    """The sectors of one moment's lists; none where they were not written."""
    path = list_folder(scores, "conduct", as_of) / SECTORS_FILE
    if not path.exists():
        return []
    sectors = []
    for row in json.loads(path.read_text("utf-8")):
        rates = {name: HitRate(**row[name]) if row[name] else None for name in ("found", "reported", "signalled")}
        sectors.append(SectorRisk(**{**row, **rates}))
    return sectors


def acts_of(scores: Path, as_of: datetime, **wanted: str) -> pa.Table:
    """The acts of one moment's lists whose columns have these values; empty where none were written."""
    path = list_folder(scores, "conduct", as_of) / ACTS_FILE
    if not path.exists():
        return SCHEMA.empty_table()
    return pq.read_table(path, filters=[(name, "=", value) for name, value in wanted.items()] or None)


def handled_of(scores: Path, as_of: datetime) -> pa.Table | None:
    """Who handled what in the year before one moment's lists; None where it was not written."""
    path = list_folder(scores, "conduct", as_of) / HANDLED_FILE
    return pq.read_table(path) if path.exists() else None
