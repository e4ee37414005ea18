"""Who works in the made-up province: units, officials with their roles, and which office does what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.simulate.catalogue import COMMUNE_NAMES, OFFICES, ONE_STOP, PROCEDURES, PROVINCE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
CLERK, SPECIALIST, HEAD = 0, 1, 2
POSITIONS = ("Công chức một cửa", "Chuyên viên", "Lãnh đạo")
DOSSIERS_PER_YEAR = 350
"""Dossiers a specialist handles in a year, on average, as the province is staffed."""


@dataclass
class World:
    """Units and officials as parallel arrays; positions in them are the indices used everywhere else.

    `unit_*` arrays have one entry a unit, `official_*` one an official. `late` is the late rate aimed at,
    `share` of all dossiers; `demand[unit, procedure]` is the share of a unit's dossiers.
    """

    unit_code: list[str]
    unit_name: list[str]
    unit_level: list[str]
    share: Floats
    late: Floats
    receiver: Ints
    demand: Floats
    official_unit: Ints
    official_role: Ints
    official_id: list[str]

    def members(self, unit: int, role: int) -> Ints:
        """Officials of one role in one unit."""
        return np.flatnonzero((self.official_unit == unit) & (self.official_role == role))


def build_world(rng: np.random.Generator, dossiers: int, years: float, late_overall: float = 0.135) -> World:
    """A province sized for so many dossiers in so many years.

    The number of communes grows with the dossiers up to 135, as in a real province after July 2025
    (149 units in all). Late rates of the communes are drawn skewed and scaled so that the whole
    province comes to `late_overall`.
    """
    n_commune = int(np.clip(dossiers // 900, 6, 135))
    code = [PROVINCE, ONE_STOP] + [office.code for office in OFFICES]
    name = ["UBND tỉnh Minh Hải (hư cấu)", "Trung tâm Phục vụ hành chính công tỉnh Minh Hải"]
    name += [f"{office.name} tỉnh Minh Hải" for office in OFFICES]
    level = ["province", "department"] + ["department"] * len(OFFICES)
    for i in range(n_commune):
        kind, base = ("phường" if i % 3 == 0 else "xã"), COMMUNE_NAMES[i % len(COMMUNE_NAMES)]
        again = i // len(COMMUNE_NAMES)
        code.append(f"{PROVINCE}.{100 + i}")
        name.append(f"UBND {kind} {base}" + (f" {again + 1}" if again else ""))
        level.append("commune")
    share = np.array([0.0, 0.0] + [office.share for office in OFFICES])
    size = rng.lognormal(0.0, 0.55, n_commune)
    share = np.concatenate([share, size / size.sum() * (1.0 - share.sum())])
    late = np.array([0.0, 0.0] + [office.late for office in OFFICES])
    drawn = rng.beta(1.6, 14.0, n_commune)
    commune = share[-n_commune:]
    wanted = late_overall - float((share[:-n_commune] * late).sum())
    late = np.concatenate([late, np.clip(drawn * wanted / float((commune * drawn).sum()), 0.004, 0.4)])
    demand = np.array([_demand(unit, lvl) for unit, lvl in zip(code, level, strict=True)])
    receiver = np.array([1 if lvl == "department" else i for i, lvl in enumerate(level)])
    unit, role = _staff(share, receiver, dossiers / max(years, 0.1))
    keys = rng.permutation(900_000)[: len(unit)] + 100_000
    ids = [f"CB-{key}" for key in keys]
    return World(code, name, level, share, late, receiver, demand, unit, role, ids)


def _demand(unit: str, level: str) -> Floats:
    weights = np.array([p.weight if unit in p.offices or level in p.offices else 0.0 for p in PROCEDURES])
    return weights / max(float(weights.sum()), 1.0)


def _staff(share: Floats, receiver: Ints, yearly: float) -> tuple[Ints, Ints]:
    """Unit and role of every official: specialists by volume, clerks where dossiers come in."""
    received = np.bincount(receiver, weights=share, minlength=len(share))
    unit: list[int] = []
    role: list[int] = []
    for u in range(1, len(share)):
        specialists = 0 if share[u] == 0 else max(2, round(yearly * share[u] / DOSSIERS_PER_YEAR))
        clerks = 0 if received[u] == 0 else max(1, round(yearly * received[u] / 4000))
        heads = 0 if share[u] == 0 else max(1, specialists // 25)
        unit += [u] * (heads + specialists + clerks)
        role += [HEAD] * heads + [SPECIALIST] * specialists + [CLERK] * clerks
    return np.array(unit, np.int64), np.array(role, np.int64)
