"""Canonical tables of a made-up history: sectors, procedures, units, officials, holidays and dossiers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from features.calendar.vietnam import special_days
from features.simulate.arrivals import APPLICANT_KINDS, CHANNELS, Arrivals
from features.simulate.catalogue import PROCEDURES, PROVINCE, SECTORS
from features.simulate.delays import Closure
from features.simulate.events import stamps, words
from features.simulate.reform import Reform
from features.simulate.worktime import UTC_OFFSET, Seconds, WorkTime, local_midnight
from features.simulate.world import HEAD, POSITIONS, Ints, World


def reference_tables(world: World, opened: date, reform: Reform | None) -> dict[str, pa.Table]:
    """`sector`, `procedure`, `unit`, `official` and `holiday`, valid from `opened`."""
    since = local_midnight(opened)
    return {
        "sector": pa.table({
            "sector_code": list(SECTORS),
            "sector_name": [name for name, _ in SECTORS.values()],
            "prior_weight": [weight for _, weight in SECTORS.values()],
        }),
        "procedure": pa.table({
            "procedure_code": [p.code for p in PROCEDURES],
            "procedure_name": [p.name for p in PROCEDURES],
            "sector_code": [p.sector for p in PROCEDURES],
            "legal_working_days": [float(p.days) for p in PROCEDURES],
            "papers": [";".join(p.papers) for p in PROCEDURES],
            "max_supplements": pa.array([1] * len(PROCEDURES), pa.int64()),
            "valid_from": stamps(np.full(len(PROCEDURES), since)),
        }),
        "unit": _units(world, since, reform),
        "official": _officials(world, since, reform),
        "holiday": pa.table({
            "date": pa.array([day.date for day in special_days()], pa.date32()),
            "kind": [day.kind for day in special_days()],
            "name": [day.name for day in special_days()],
        }),
    }  # fmt: skip


def _units(world: World, since: int, reform: Reform | None) -> pa.Table:
    """Units with their validity: what the reform ended, and what took over."""
    n = len(world.unit_code)
    opened, closed = np.full(n, since), np.full(n, -1)
    succeeds = np.full(n, -1)
    if reform is not None:
        heir = np.flatnonzero(reform.before != np.arange(reform.first_old))
        opened[heir] = local_midnight(reform.day)
        succeeds[heir] = reform.before[heir]
        closed[reform.first_old :] = local_midnight(reform.day)
    parent = [None if level == "province" else PROVINCE for level in world.unit_level]
    return pa.table({
        "unit_code": world.unit_code,
        "unit_name": world.unit_name,
        "parent_code": pa.array(parent, pa.string()),
        "level": world.unit_level,
        "valid_from": stamps(opened),
        "valid_to": stamps(closed),
        "succeeds": words(succeeds, world.unit_code),
    })  # fmt: skip


def _officials(world: World, since: int, reform: Reform | None) -> pa.Table:
    """Officials with their places: one row a place and time."""
    n = len(world.official_id)
    person, unit = np.arange(n), world.official_unit
    opened, closed = np.full(n, since), np.full(n, -1)
    role = world.official_role
    if reform is not None:
        # person[desk] sat at the desk before; so the desk's former unit is where that person was
        former = np.empty(n, np.int64)
        former[reform.person] = reform.before[unit]
        moved = np.flatnonzero(former != unit)
        day = local_midnight(reform.day)
        opened[moved] = day
        person = np.concatenate([person, moved])
        unit = np.concatenate([unit, former[moved]])
        role = np.concatenate([role, role[moved]])
        opened = np.concatenate([opened, np.full(len(moved), since)])
        closed = np.concatenate([closed, np.full(len(moved), day)])
    return pa.table({
        "official_id": words(person, world.official_id),
        "unit_code": words(unit, world.unit_code),
        "position": words(role, POSITIONS),
        "is_head": role == HEAD,
        "valid_from": stamps(opened),
        "valid_to": stamps(closed),
    })  # fmt: skip


def outage_table(world: World, time: WorkTime, closures: list[Closure], end: int) -> pa.Table:
    """Canonical `outage`: when the one-stop system of a unit was down."""
    seen = [c for c in closures if time.wall(c[1]) < end]
    return pa.table({
        "unit_code": words(np.array([c[0] for c in seen], np.int64), world.unit_code),
        "system": pa.array(["Hệ thống một cửa điện tử"] * len(seen), pa.string()),
        "starts_at": stamps(time.wall(np.array([c[1] for c in seen]))),
        "ends_at": stamps(time.wall(np.array([c[1] + c[2] for c in seen]))),
    })  # fmt: skip


def dossier_codes(world: World, unit: Ints, received: Seconds) -> list[str]:
    """`<unit code>-<yymmdd>-<sequence>`, counted within unit and local day in order of receipt."""
    day = (received + UTC_OFFSET) // 86_400
    order = np.lexsort((received, day, unit))
    key = unit[order] * 100_000 + day[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    number = np.empty(len(unit), np.int64)
    number[order] = np.arange(len(unit)) - np.repeat(first, np.diff(np.r_[first, len(unit)])) + 1
    text = day.astype("datetime64[D]").astype(str)
    codes = world.unit_code
    return [f"{codes[u]}-{t[2:4]}{t[5:7]}{t[8:10]}-{k:04d}" for u, t, k in zip(unit, text, number, strict=True)]


def dossier_table(a: Arrivals, unit: Ints, room: Ints, due: Seconds, dossier_id: list[str], world: World) -> pa.Table:
    """The canonical table `dossier`: competent `unit`, receiving `room`; `due_at` is the first promise."""
    return pa.table({
        "dossier_id": dossier_id,
        "procedure_code": words(a.procedure, [p.code for p in PROCEDURES]),
        "unit_code": words(unit, world.unit_code),
        "receiving_unit_code": words(room, world.unit_code),
        "channel": words(a.channel, CHANNELS),
        "applicant_id": [f"A{k:07d}" for k in a.applicant],
        "applicant_kind": words(a.applicant_kind, APPLICANT_KINDS),
        "agent_id": pa.array([f"G{k:05d}" if k >= 0 else None for k in a.agent], pa.string()),
        "submitted_at": stamps(a.submitted),
        "received_at": stamps(a.received),
        "due_at": stamps(due),
    })  # fmt: skip
