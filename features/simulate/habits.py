"""How officials work: what each of them adds to the lawful course of a dossier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.simulate.arrivals import Arrivals
from features.simulate.catalogue import PROCEDURES
from features.simulate.world import Floats, Ints, World

Flags = npt.NDArray[np.bool_]
ROUNDS = 3
"""Supplement rounds a dossier can have."""


@dataclass
class Habits:
    """What an official or a culprit adds to the lawful course; every array has one entry a dossier.

    `rounds` supplement requests; `ask_late` those asked shortly before due; `dawdle` multiplies the time on
    the desk; `jump` skips the queue; `push` handovers to and fro between offices; `give_up` the applicant withdraws;
    `consult` another office must be asked, whatever the procedure says.
    """

    rounds: Ints
    ask_late: Flags
    dawdle: Floats
    jump: Flags
    push: Ints
    give_up: Flags
    consult: Flags


def ordinary_habits(rng: np.random.Generator, arrivals: Arrivals, world: World) -> Habits:
    """What honest officials do: most supplement requests are one, early and for a reason."""
    n = len(arrivals)
    chance = np.array([p.supplement for p in PROCEDURES])[arrivals.procedure]
    person = rng.lognormal(0.0, 0.3, len(world.official_id))[arrivals.specialist]
    first = rng.random(n) < np.clip(chance * person * 0.8, 0.0, 0.6)
    second = first & (rng.random(n) < 0.09)
    third = second & (rng.random(n) < 0.1)
    return Habits(
        rounds=first.astype(np.int64) + second + third,
        ask_late=rng.random(n) < 0.06,
        dawdle=np.ones(n),
        jump=np.zeros(n, bool),
        push=(rng.random(n) < 0.015).astype(np.int64),
        give_up=rng.random(n) < 0.014,
        consult=np.zeros(n, bool),
    )
