"""The reform of units in mid-history: districts end, communes take over, some officials move.

As on 1 July 2025 (domain.md 3.4). Before the day, what communes do is done under the code of their district;
the units' validity and `succeeds` say so. Every tenth honest specialist changes places with one elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from features.simulate.catalogue import COMMUNE_NAMES, PROVINCE
from features.simulate.conduct import Conduct
from features.simulate.events import Events
from features.simulate.worktime import Seconds, local_midnight
from features.simulate.world import SPECIALIST, Ints, World

COMMUNES_A_DISTRICT = 4


@dataclass(frozen=True)
class Reform:
    """`before[unit]`: the unit that did its work before `day` (itself for departments); `person[official]`:
    who sat at that official's desk before. Units from `first_old` on exist only before the day.
    """

    day: date
    before: Ints
    person: Ints
    first_old: int

    def units(self, unit: Ints, moment: Seconds) -> Ints:
        """Units under the map in force at each moment; −1 stays."""
        early = (moment < local_midnight(self.day)) & (unit >= 0)
        return np.where(early, self.before[np.maximum(unit, 0)], unit)

    def officials(self, official: Ints, received: Seconds) -> Ints:
        """Who handles a dossier received then; −1 stays."""
        early = (received < local_midnight(self.day)) & (official >= 0)
        return np.where(early, self.person[np.maximum(official, 0)], official)


def draw_reform(rng: np.random.Generator, world: World, conduct: Conduct, day: date) -> tuple[World, Reform]:
    """The world with its former districts appended, and the reform that ended them."""
    n = len(world.unit_code)
    before = np.arange(n)
    codes, names, levels = list(world.unit_code), list(world.unit_name), list(world.unit_level)
    communes = [u for u in range(n) if world.unit_level[u] == "commune"]
    for k in range(0, len(communes), COMMUNES_A_DISTRICT):
        number = k // COMMUNES_A_DISTRICT
        before[communes[k : k + COMMUNES_A_DISTRICT]] = len(codes)
        codes.append(f"{PROVINCE}.{31 + number}")
        base = COMMUNE_NAMES[number % len(COMMUNE_NAMES)]
        again = number // len(COMMUNE_NAMES)
        names.append(f"UBND huyện {base}" + (f" {again + 1}" if again else ""))
        levels.append("other")
    honest = np.flatnonzero((world.official_role == SPECIALIST) & (conduct.kind < 0) & ~conduct.hard & ~conduct.flooded)
    movers = rng.permutation(honest)[: len(honest) // 20 * 2]
    person = np.arange(len(world.official_id))
    one, two = movers[::2], movers[1::2]
    apart = world.official_unit[one] != world.official_unit[two]
    person[one[apart]], person[two[apart]] = two[apart], one[apart]
    grown = replace(world, unit_code=codes, unit_name=names, unit_level=levels)
    return grown, Reform(day, before, person, n)


def under_reform(events: Events, reform: Reform, received: Seconds) -> Events:
    """The events with the units and officials of their time."""
    return replace(
        events,
        unit=reform.units(events.unit, events.moment),
        to_unit=reform.units(events.to_unit, events.moment),
        official=reform.officials(events.official, received[events.dossier]),
    )
