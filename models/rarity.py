"""How unusual the signals of a dossier are among its peers: the rule that ranks dossiers without any label.

One less the product of the peers' rates of the signals shown, as if these were independent: an order, no
probability. Peers are dossiers of the same procedure; their rate starts with 20 dossiers of the overall rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.shrinkage import shrunk

LEAST_RATE = 1e-6


@dataclass(frozen=True)
class Usual:
    """How often the peers show each signal: counts by (procedure, signal), sizes by procedure, overall rates."""

    counts: dict[tuple[str, str], int]
    sizes: dict[str, int]
    overall: dict[str, float]

    @classmethod
    def of(cls, procedure: list[str], nth: list[int], signal: list[str]) -> Usual:
        """From the peers' procedures and the signals they show (`nth`: row of the peer), each pair given once."""
        sizes: dict[str, int] = {}
        for name in procedure:
            sizes[name] = sizes.get(name, 0) + 1
        counts: dict[tuple[str, str], int] = {}
        total: dict[str, int] = {}
        for row, name in zip(nth, signal, strict=True):
            key = procedure[row], name
            counts[key] = counts.get(key, 0) + 1
            total[name] = total.get(name, 0) + 1
        return cls(counts, sizes, {name: k / max(len(procedure), 1) for name, k in total.items()})

    def rate(self, procedure: str, signal: str) -> float:
        """The peers' rate of a signal, in [1e-6, 1]; one half where no peer ever showed it."""
        n = self.sizes.get(procedure, 0)
        k = self.counts.get((procedure, signal), 0)
        return min(max(shrunk(k, n, self.overall.get(signal, 0.5)), LEAST_RATE), 1.0)

    def score(self, procedure: list[str], nth: list[int], signal: list[str]) -> np.ndarray:
        """How unusual the signals of each case are [cases], in [0, 1); 0 for a case that shows none."""
        product = np.ones(len(procedure))
        for row, name in zip(nth, signal, strict=True):
            product[row] *= self.rate(procedure[row], name)
        shown = np.zeros(len(procedure), bool)
        shown[nth] = True
        return np.where(shown, 1.0 - product, 0.0)
