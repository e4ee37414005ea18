"""What comes out of a simulation: a history as canonical tables, its truth, and ways to write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.simulate.inspection import Ground, Inspectorate


@dataclass(frozen=True)
class Province:
    """A made-up history.

    `tables`: canonical tables by name (feeds.md), with only what was known before `end`.

    `truth`: what was planted, never delivered to anybody:
    `dossier` (dossier_id, official_id, head_id, due_at, ended_at, late, harm, harm_at: the whole future
    included; `harm` is a kind of conduct.KINDS or null), `official` (official_id, unit_code, role, culprit: a
    kind or null, rate of dossiers misused, hard, flooded), `unit` (unit_code, late rate aimed at, share of
    dossiers), `complaint` (complaint_id, the dossier and official meant, false), `team` (team_id, severity:
    the chance that it finds what is there), `prevalence` (month, dossiers that can be pulled, harmed among them,
    share).
    """

    seed: int
    start: date
    end: date
    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    ground: Ground = field(repr=False)

    def inspectorate(self) -> Inspectorate:
        """A fresh inspectorate over this history, to replay policies cycle by cycle."""
        return Inspectorate(self.ground)

    def write(self, folder: Path, format: str = "canonical") -> Path:
        """Write the history under `folder` as a feed that `risk ingest` reads; gives the folder back.

        `canonical`: one parquet file a table. `raw`: as the sources would deliver it, with the traps of real
        systems (features.simulate.raw, which also says what a faithful reader must end up with). ValueError
        for another format.
        """
        if format == "raw":
            from features.simulate.raw import write_raw  # it builds on this module

            write_raw(self, folder)
            return folder
        if format != "canonical":
            raise ValueError(f"format: wanted canonical or raw, came {format!r}")
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            pq.write_table(table, folder / f"{name}.parquet")
        return folder
