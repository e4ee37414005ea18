"""How often a visit finds harassment in a dossier whose signals are so unusual: rates by band, shrunk and rising.

For records whose visits found too little to learn a model from. Without any visit the rates are assumed (`ASSUMED`)
and the plan that rests on them says so; each pulled dossier of the random share moves its band's rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.shrinkage import shrunk

EDGES = (0.0, 0.8, 0.95, 0.99)
"""Bands of `models.rarity.Usual.score`: no signal, then (0, .8], (.8, .95], (.95, .99] and above."""

ASSUMED = (0.01, 0.02, 0.04, 0.08, 0.15)
"""Rates of the bands before any visit: of the order that inspections of public offices report, 1 % without a sign."""

WEIGHT = 40.0
"""Pulled dossiers of its assumed rate that every band starts with."""


@dataclass(frozen=True)
class FindingChance:
    """Chance of a finding by band, rising. `visited`: pulled dossiers that it rests on; 0: assumed alone."""

    rates: tuple[float, ...] = ASSUMED
    visited: int = 0

    @classmethod
    def of_visits(cls, unusual: np.ndarray, found: np.ndarray, weight: np.ndarray) -> FindingChance:
        """From the random share: how unusual each pulled dossier was [n], whether a visit found something [n], and the
        inverse of its probability [n], of which only the proportions count.
        """
        if not len(found):
            return cls()
        share = weight / weight.mean()
        band = np.searchsorted(EDGES, unusual, side="left")
        n = np.bincount(band, share, minlength=len(ASSUMED))
        k = np.bincount(band, share * found, minlength=len(ASSUMED))
        rate = shrunk(k, n, np.array(ASSUMED), WEIGHT)
        return cls(tuple(float(one) for one in _rising(rate, n + WEIGHT)), len(found))

    @property
    def usual(self) -> float:
        """Chance of a dossier without any signal."""
        return self.rates[0]

    def of(self, unusual: float) -> float:
        """Chance of a dossier whose signals are so unusual, in [0, 1)."""
        return self.rates[int(np.searchsorted(EDGES, unusual, side="left"))]


def _rising(rate: Sequence[float] | np.ndarray, weight: np.ndarray) -> list[float]:
    """Weighted isotonic regression by pooling neighbours (Ayer et al. 1955)."""
    pools: list[list[float]] = []
    for one, mass in zip(rate, weight, strict=True):
        pools.append([float(one), float(mass), 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            last, before = pools.pop(), pools.pop()
            total = before[1] + last[1]
            pools.append([(before[0] * before[1] + last[0] * last[1]) / total, total, before[2] + last[2]])
    return [value for value, _, size in pools for _ in range(int(size))]
