"""Made-up provinces as records: the same dossiers under other visits, so that only the visits make a difference."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.record.delivery import Chunk
from features.record.positions import positions
from features.record.record import Record
from features.signals.handled import handled
from features.simulate import Province, every_unit_monthly, simulate
from features.simulate.simulation import stream
from features.simulate.truth import inspect
from features.simulate.worktime import local_midnight
from models.conduct_peers import PeerComparison, officials

START, END = date(2025, 1, 1), date(2026, 1, 1)
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
ARRIVED = datetime(2026, 1, 2, tzinfo=UTC)
VISITS = ("inspection", "finding")
STRICT = 0.95
"""Share of what is there that a team finds which has become strict."""


@dataclass(frozen=True)
class Made:
    """A province of one year, without visits, on disk as a record under `folder`."""

    province: Province
    folder: Path

    @classmethod
    def of(cls, seed: int, dossiers: int, folder: Path, culprits: int | None = None) -> Made:
        """Draws a province of the seed and appends it, visits apart, to a record under `folder`."""
        province = simulate(seed=seed, dossiers=dossiers, start=START, end=END, culprits=culprits, policy=None)
        record = Record(folder / "record")
        chunks = [Chunk(name, table) for name, table in province.tables.items() if name not in VISITS]
        record.append(chunks, source="simulated", arrived_at=ARRIVED)
        return cls(province, folder)

    def visited(self, draw: str = "policy", strict: int | None = None) -> dict[str, pa.Table]:
        """Visits of a year: every unit once a month, 20 dossiers, half of them drawn.

        `draw` names the random numbers by which dossiers are pulled. `strict`: a team that finds nearly everything.
        """
        ground = self.province.ground
        if strict is not None:
            severity = ground.severity.copy()
            severity[strict] = STRICT
            ground = replace(ground, severity=severity)
        return inspect(stream(self.province.seed, draw), ground, every_unit_monthly(), local_midnight(END))

    def connect(self, visits: dict[str, pa.Table] | None = None, name: str = "visited") -> duckdb.DuckDBPyConnection:
        """The record with these visits, or without any."""
        if visits is None:
            return Record(self.folder / "record").connect()
        shutil.copytree(self.folder / "record", self.folder / name)
        record = Record(self.folder / name)
        chunks = [Chunk(table, rows) for table, rows in visits.items()]
        record.append(chunks, source="simulated visits", arrived_at=ARRIVED)
        return record.connect()

    def laxest(self) -> tuple[int, set[str]]:
        """The team that finds least, and the units that it visits more often than any other team does."""
        ground = self.province.ground
        team = int(np.argmin(ground.severity))
        teams = len(ground.severity)
        mostly = np.array([np.bincount(months, minlength=teams).argmax() for months in ground.team])
        return team, {ground.unit_code[k] for k in np.flatnonzero(mostly == team)}


def standings(con: duckdb.DuckDBPyConnection) -> list[PeerComparison]:
    """Officials against their peers at the end of the year, as the list has them."""
    position = {who: post.position for who, post in positions(con, AS_OF).items()}
    return officials(handled(con, AS_OF), position)


def prevalence(province: Province) -> tuple[float, np.ndarray, np.ndarray]:
    """Share of the pools of a year where a visit would report harassment, and of the drawn: found [n], p [n].

    The same practice of visits; what was not drawn is looked at here alone, for the truth.
    """
    practice, rng = every_unit_monthly(), stream(province.seed, "policy")
    here = province.inspectorate()
    counted = there = 0
    found: list[float] = []
    p: list[float] = []
    for month in here.months():
        pool = here.eligible(month)
        everything = _counted(province.inspectorate().visit(month, pool)["finding"])
        counted, there = counted + len(everything), there + pool.num_rows
        chosen = practice(pool, month, rng)
        here.visit(month, chosen)
        for name, by, chance in zip(*(column.to_pylist() for column in chosen.columns), strict=True):
            if by == "draw":
                found.append(float(name in everything))
                p.append(chance)
    return counted / there, np.array(found), np.array(p)


def _counted(finding: pa.Table) -> set[str]:
    kinds = {"harassment", "extra_papers", "wrongful_return", "tampering"}
    return {name for name, kind in zip(finding["dossier_id"].to_pylist(), finding["kind"].to_pylist(), strict=True)
            if kind in kinds}  # fmt: skip
