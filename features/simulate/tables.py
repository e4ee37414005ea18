"""Canonical tables of a made-up history: sectors, procedures, units, officials, holidays and dossiers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from features.simulate.arrivals import APPLICANT_KINDS, CHANNELS, Arrivals
from features.simulate.catalogue import PROCEDURES, SECTORS
from features.simulate.events import stamps, words
from features.simulate.worktime import UTC_OFFSET, Seconds, local_midnight
from features.simulate.world import HEAD, POSITIONS, Ints, World


def reference_tables(
    world: World, opened: date, days: tuple[dict[date, str], dict[date, str]]
) -> dict[str, pa.Table]:
    """`sector`, `procedure`, `unit`, `official` and `holiday`, valid from `opened`."""
    since = local_midnight(opened)

    def opening(n: int) -> pa.Array:
        return stamps(np.full(n, since))

    parent = [None if level == "province" else "H99" for level in world.unit_level]
    off, made_up = days
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
            "valid_from": opening(len(PROCEDURES)),
        }),
        "unit": pa.table({
            "unit_code": world.unit_code,
            "unit_name": world.unit_name,
            "parent_code": pa.array(parent, pa.string()),
            "level": world.unit_level,
            "valid_from": opening(len(world.unit_code)),
        }),
        "official": pa.table({
            "official_id": world.official_id,
            "unit_code": words(world.official_unit, world.unit_code),
            "position": words(world.official_role, POSITIONS),
            "is_head": world.official_role == HEAD,
            "valid_from": opening(len(world.official_id)),
        }),
        "holiday": pa.table({
            "date": pa.array([*off, *made_up], pa.date32()),
            "kind": ["off"] * len(off) + ["make_up"] * len(made_up),
            "name": [*off.values(), *made_up.values()],
        }),
    }  # fmt: skip


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
    return [
        f"{codes[u]}-{t[2:4]}{t[5:7]}{t[8:10]}-{k:04d}" for u, t, k in zip(unit, text, number, strict=True)
    ]


def dossier_table(a: Arrivals, due: Seconds, dossier_id: list[str], world: World) -> pa.Table:
    """The canonical table `dossier`; `due_at` is the first promise."""
    return pa.table({
        "dossier_id": dossier_id,
        "procedure_code": words(a.procedure, [p.code for p in PROCEDURES]),
        "unit_code": words(a.unit, world.unit_code),
        "receiving_unit_code": words(world.receiver[a.unit], world.unit_code),
        "channel": words(a.channel, CHANNELS),
        "applicant_id": [f"A{k:07d}" for k in a.applicant],
        "applicant_kind": words(a.applicant_kind, APPLICANT_KINDS),
        "agent_id": pa.array([f"G{k:05d}" if k >= 0 else None for k in a.agent], pa.string()),
        "submitted_at": stamps(a.submitted),
        "received_at": stamps(a.received),
        "due_at": stamps(due),
    })  # fmt: skip
