"""Simple rules: what a careful clerk would say from one column. Every champion must beat them, or the best ships."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RuleMember:
    """Log-odds read from one column by a line through knots; `column` -1 is the base rate alone.

    `knots` rise strictly; between them the log-odds `values` are joined by straight lines, outside they stay
    those of the ends. A missing cell has the log-odds `missing`. `base` is the mean over the training rows, so
    that what the column adds is measured from the usual.
    """

    name: str
    column: int
    knots: np.ndarray
    values: np.ndarray
    missing: float
    base: float
    kind = "rule"

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""
        if self.column < 0:
            return np.full(len(x), self.base)
        cell = x[:, self.column]
        return np.where(np.isnan(cell), self.missing, np.interp(np.nan_to_num(cell), self.knots, self.values))

    def contributions(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Base log-odds and what each cell adds [n × columns]; only the rule's own column adds anything."""
        terms = np.zeros_like(x)
        if self.column >= 0:
            terms[:, self.column] = self.log_odds(x) - self.base
        return self.base, terms
