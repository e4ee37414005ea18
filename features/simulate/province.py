"""A made-up province: its history as canonical tables, and the truth that was planted in it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.simulate.arrivals import Arrivals, draw_arrivals
from features.simulate.catalogue import PROCEDURES
from features.simulate.course import Course, run_course
from features.simulate.events import Events, event_table, stamps, words
from features.simulate.habits import ROUNDS, ordinary_habits
from features.simulate.steps import lay_out
from features.simulate.tables import dossier_codes, dossier_table, reference_tables
from features.simulate.worktime import WorkTime, local_midnight, vietnam_days
from features.simulate.world import Ints, World, build_world

WARM_UP = 60
"""Days simulated before `start` and thrown away, so that desks are not empty on the first day."""


@dataclass
class Province:
    """What came of a simulation.

    `tables`: canonical tables by name (feeds.md), with only what has happened before `end`.
    `truth`: tables of what was planted, never delivered to anybody: `dossier` (dossier_id, official_id,
    due_at, ended_at, late: the whole future included), `unit` (late rate aimed at), `official`.
    """

    seed: int
    start: date
    end: date
    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    world: World = field(repr=False)

    def write(self, folder: Path, format: str = "canonical") -> Path:
        """Write the history under `folder` as a feed that `risk ingest` reads; gives the folder back.

        `canonical`: one parquet file a table.
        """
        if format != "canonical":
            raise ValueError(f"format: wanted canonical, came {format!r}")
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            pq.write_table(table, folder / f"{name}.parquet")
        return folder


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one part of the world: what one part draws does not move the others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def simulate(
    seed: int = 1, dossiers: int = 20_000, start: date = date(2025, 7, 1), end: date = date(2026, 10, 1)
) -> Province:
    """The history of a made-up province from `start` until `end` (local days, half-open).

    `dossiers` are submitted in that time; what is not finished by `end` stays open, its later events are
    not in the tables. The same arguments give the same tables, byte for byte.
    """
    if not dossiers >= 1 or end <= start:
        raise ValueError("wanted dossiers ≥ 1 and start < end")
    first, last = start - timedelta(days=WARM_UP), end + timedelta(days=900)
    days = vietnam_days(first, last)
    time = WorkTime.between(first, last, set(days[0]), set(days[1]))
    length = (end - start).days
    world = build_world(stream(seed, "world"), dossiers, length / 365.25)
    arrivals = draw_arrivals(
        stream(seed, "arrivals"), world, time, first, end, round(dossiers * (1 + WARM_UP / length))
    )
    habits = ordinary_habits(stream(seed, "habits"), arrivals, world)
    course = run_course(stream(seed, "course"), world, time, arrivals, habits, [])
    papers, paper_sets = _papers(stream(seed, "papers"), arrivals)
    events = lay_out(stream(seed, "events"), world, time, arrivals, course, papers)
    begin, cut = local_midnight(start), local_midnight(end)
    seen = (arrivals.submitted >= begin) & (arrivals.received < cut)
    return _assemble(seed, start, end, world, time, arrivals, course, events, seen, paper_sets, days)


def _papers(rng: np.random.Generator, arrivals: Arrivals) -> tuple[Ints, list[str]]:
    """What is asked for in each supplement round: one or two of the procedure's published papers."""
    sets: list[str] = []
    first = []
    for procedure in PROCEDURES:
        first.append(len(sets))
        sets += list(procedure.papers)
    count = np.array([len(p.papers) for p in PROCEDURES])[arrivals.procedure]
    base = np.array(first)[arrivals.procedure]
    drawn = rng.random((len(arrivals), ROUNDS))
    return base[:, None] + (drawn * count[:, None]).astype(np.int64), sets


def _assemble(
    seed: int,
    start: date,
    end: date,
    world: World,
    time: WorkTime,
    arrivals: Arrivals,
    course: Course,
    events: Events,
    seen: np.ndarray,
    paper_sets: list[str],
    days: tuple[dict[date, str], dict[date, str]],
) -> Province:
    kept = np.flatnonzero(seen)
    position = np.full(len(arrivals), -1, np.int64)
    position[kept] = np.arange(len(kept))
    shown = Arrivals(**{name: column[kept] for name, column in vars(arrivals).items()})
    codes = dossier_codes(world, shown.unit, shown.received)
    events = events.keep(seen[events.dossier])
    events.dossier = position[events.dossier]
    past = events.keep(events.moment < local_midnight(end))
    tables = reference_tables(world, start - timedelta(days=3650), days)
    tables["dossier"] = dossier_table(shown, time.wall(course.due_first[kept]), codes, world)
    tables["event"] = event_table(past, codes, world, paper_sets)
    truth = {
        "dossier": pa.table({
            "dossier_id": codes,
            "official_id": words(shown.specialist, world.official_id),
            "due_at": stamps(time.wall(course.due[kept])),
            "ended_at": stamps(time.wall(course.ended[kept])),
            "late": course.late[kept],
        }),
        "unit": pa.table({"unit_code": world.unit_code, "late": world.late, "share": world.share}),
        "official": pa.table({"official_id": world.official_id}),
    }  # fmt: skip
    return Province(seed, start, end, tables, truth, world)
