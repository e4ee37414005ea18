"""The planted truth as tables, and the ground that inspections reveal step by step."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.simulate.arrivals import Arrivals
from features.simulate.conduct import KINDS, PING_PONG, REPEATED, TAMPERING, Conduct, Harm
from features.simulate.course import Course
from features.simulate.events import stamps, words
from features.simulate.inspection import Ground, Inspectorate, Policy, draw_teams, inspection_months
from features.simulate.reform import Reform
from features.simulate.worktime import WorkTime
from features.simulate.world import POSITIONS, Floats, World


def survey(
    rng: np.random.Generator,
    world: World,
    time: WorkTime,
    start: date,
    end: date,
    a: Arrivals,
    c: Course,
    harm: Harm,
    reform: Reform | None,
    dossier_id: list[str],
) -> Ground:
    """The ground of the dossiers shown: what was done to each, and the luck that decides what is seen."""
    months = inspection_months(start, end)
    n = len(a)
    team, severity = draw_teams(rng, len(world.unit_code), len(months))
    old = a.unit if reform is None else reform.before[a.unit]
    at = np.where(harm.kind >= 0, time.wall(np.maximum(_onset(c, harm), 0)), -1)
    return Ground(
        dossier_id, world.unit_code, world.official_id, a.unit,
        np.where(harm.kind == TAMPERING, a.head, a.specialist), a.received,
        time.wall(np.maximum(c.ended, 0)), harm.kind, at, c.late, rng.random(n), rng.random(n), rng.random(n),
        team, severity, months, None if reform is None else reform.day, old,
    )  # fmt: skip


def _onset(c: Course, harm: Harm) -> Floats:
    """When harm is first done, in working seconds."""
    first_push = c.pushed[0] if c.pushed else c.started
    return np.select(
        [harm.kind == REPEATED, harm.kind == PING_PONG, harm.kind == TAMPERING, c.asked[0] >= 0],
        [np.maximum(c.asked[1], c.started), np.maximum(first_push, c.started), c.due, c.asked[0]],
        c.started,
    )  # fmt: skip


def inspect(rng: np.random.Generator, ground: Ground, policy: Policy, cut: int) -> dict[str, pa.Table]:
    """Canonical `inspection` and `finding` of a whole history under one policy, known before `cut`."""
    inspectorate = Inspectorate(ground)
    parts: dict[str, list[pa.Table]] = {"inspection": [], "finding": []}
    for month in inspectorate.months():
        for name, table in inspectorate.visit(month, policy(inspectorate.eligible(month), month, rng)).items():
            parts[name].append(table)
    cutoff = pa.scalar(cut * 1_000_000, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    joined = {name: pa.concat_tables(tables) for name, tables in parts.items() if tables}
    return {name: table.filter(pc.less(table["known_at"], cutoff)) for name, table in joined.items()}


def prevalence_table(ground: Ground) -> pa.Table:
    """month, dossiers (received in the 60 days before), harmed (by the day their unit is visited), tampered (of
    those by a reset clock), share = harmed / dossiers: what a perfect team would find if it pulled them all.
    """
    rows = []
    for month in ground.months:
        seen = (ground.harm_at >= 0) & (ground.harm_at < ground.visited_at(ground.unit_in(month), month))
        recent = ground.recent(month)
        harmed = int((recent & seen).sum())
        tampered = int((recent & seen & (ground.harm == TAMPERING)).sum())
        total = int(recent.sum())
        share = harmed / total if total else None
        rows.append({"month": month, "dossiers": total, "harmed": harmed, "tampered": tampered, "share": share})
    types = [("month", pa.date32()), ("dossiers", pa.int64()), ("harmed", pa.int64()), ("tampered", pa.int64())]
    return pa.Table.from_pylist(rows, schema=pa.schema([*types, ("share", pa.float64())]))


def truth_tables(
    world: World, time: WorkTime, a: Arrivals, c: Course, harm: Harm, conduct: Conduct, ground: Ground
) -> dict[str, pa.Table]:
    """`dossier`, `official`, `unit`, `team` and `prevalence` as Province.truth documents them."""
    work_units = len(world.share)
    return {
        "dossier": pa.table({
            "dossier_id": ground.dossier_id,
            "official_id": words(a.specialist, world.official_id),
            "head_id": words(a.head, world.official_id),
            "due_at": stamps(time.wall(c.due)),
            "ended_at": stamps(time.wall(c.ended)),
            "late": c.late,
            "harm": words(harm.kind, KINDS),
            "harm_at": stamps(ground.harm_at),
        }),
        "official": pa.table({
            "official_id": world.official_id,
            "unit_code": words(world.official_unit, world.unit_code),
            "role": words(world.official_role, POSITIONS),
            "culprit": words(conduct.kind, KINDS),
            "rate": conduct.rate,
            "hard": conduct.hard,
            "flooded": conduct.flooded,
        }),
        "unit": pa.table({
            "unit_code": world.unit_code[:work_units], "late": world.late, "share": world.share,
        }),
        "team": pa.table({
            "team_id": [f"DOAN-{k:02d}" for k in range(len(ground.severity))], "severity": ground.severity,
        }),
        "prevalence": prevalence_table(ground),
    }  # fmt: skip
