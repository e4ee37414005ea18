"""Ways of choosing from a pool under a budget, each with its probabilities: the product's and those beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serving.plan.draw import draw, fractions
from serving.plan.inclusion import Cap, Floats, Ints, inclusion


@dataclass(frozen=True)
class Choice:
    """What was chosen. rows: positions [budget]; probability: of every item of the pool [n], 0 where a way
    leaves no chance; by_chance: which of the chosen fell to the random share, bool [budget].
    """

    rows: Ints
    probability: Floats
    by_chance: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FlooredPower:
    """The product's way: an exact-size draw under caps with p = clip(λ · utility ^ power, ε · budget / n, 1), λ so that
    they sum to the budget and ε the `random_share` (`serving.plan.inclusion`).

    cap: at most so many of one group (`groups` of `choose`); 0 for none.
    """

    name: str
    random_share: float = 0.2
    power: float = 4.0
    cap: int = 0

    def choose(self, utility: Floats, groups: Ints, names: Sequence[str], budget: int, seed: str) -> Choice:
        """Chooses `budget` of the pool; the same arguments give the same choice."""
        caps = [Cap(groups, self.cap)] if self.cap else []
        p = inclusion(utility, budget, self.random_share, self.power, caps)
        rows = draw(p, names, seed, "policy", caps)
        floor = self.random_share * budget / len(utility)
        luck = fractions(seed, "random share", [names[row] for row in rows])
        return Choice(rows, p, luck < floor / p[rows])


@dataclass(frozen=True)
class Greedy:
    """The highest utilities, ties by name: the most findings today, and labels that tell only of themselves."""

    name: str = "greedy"

    def choose(self, utility: Floats, groups: Ints, names: Sequence[str], budget: int, seed: str) -> Choice:
        """Chooses the `budget` highest."""
        rows = np.lexsort((np.array(names), -utility))[:budget]
        p = np.zeros(len(utility))
        p[rows] = 1.0
        return Choice(np.sort(rows), p, np.zeros(budget, dtype=bool))


@dataclass(frozen=True)
class Practice:
    """Present practice: every group gives the same number, drawn by chance within it (one visit a unit)."""

    name: str = "practice"
    seeded: str = field(default="practice", repr=False)

    def choose(self, utility: Floats, groups: Ints, names: Sequence[str], budget: int, seed: str) -> Choice:
        """Chooses `budget` so that each group's expected number is equal, as far as it has so many."""
        size = np.bincount(groups)
        p = inclusion((1.0 / size)[groups], budget, random_share=0.0, power=1.0)
        rows = draw(p, names, seed, self.seeded)
        return Choice(rows, p, np.ones(len(rows), dtype=bool))
