"""A ridge logistic regression as plain numbers: imputation and standardising are part of the member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LinearMember:
    """Log-odds that are a sum over columns: `coefficient · (clip(x, low, high) − center) / scale`.

    Every array has one entry a column. A missing cell adds `missing` instead. `intercept` is the log-odds of a
    row at the centres, so each term is what its cell adds to an ordinary row: the exact SHAP value of a
    linear model with independent columns.
    """

    intercept: float
    coefficient: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    kind = "linear"

    def contributions(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Base log-odds and what each cell adds [n × columns]."""
        z = (np.clip(x, self.low, self.high) - self.center) / self.scale
        return self.intercept, np.where(np.isnan(x), self.missing, self.coefficient * np.nan_to_num(z))

    def log_odds(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] of encoded rows [n × columns]."""
        base, terms = self.contributions(x)
        return np.asarray(base + terms.sum(axis=1))
