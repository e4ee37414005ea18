"""Drift: does what is scored today still look like what was learnt, and do scores and reasons?

Per number the population stability index against the training rows (Siddiqi 2006; Yurdakul & Naranjo 2020 give its
distribution under no change, which sets the threshold by sample size), for scores the same, for reasons the change of
each feature's share of the total contribution. A warning goes to analysts; nothing is promoted by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import chi2

from models.encoding import column_of_numbers
from models.risk_model import RiskModel

BANDS = 10
NOTABLE = 0.25
"""A stability index from here on is a change that matters whatever the sample (Siddiqi 2006)."""


@dataclass(frozen=True)
class Drift:
    """One thing watched: its name, how far it moved, from where on that is a warning, and whether it warns."""

    name: str
    value: float
    threshold: float

    @property
    def warns(self) -> bool:
        """Whether it moved farther than its threshold."""
        return self.value > self.threshold


def background(model: RiskModel, matrix: pa.Table) -> dict[str, Any]:
    """What `watch` compares with, from training rows as they will be met when scoring; plain JSON.

    Band edges and shares of every number and of the scores, shares of each feature's contributions, and n.
    """
    scores = model.score(matrix)
    cells = {name: column_of_numbers(matrix, name) for name in model.encoder.numbers}
    return {
        "n": matrix.num_rows,
        "numbers": {name: _bands(cell) for name, cell in cells.items()},
        "score": _bands(scores.log_odds),
        "reasons": dict(zip(scores.features, _shares(scores.contributions).tolist(), strict=True)),
    }


def watch(model: RiskModel, matrix: pa.Table, said: Mapping[str, Any], *, tests: int | None = None) -> list[Drift]:
    """How far the rows of `matrix` moved from `said` (`background`), strongest warning first.

    `tests`: how many comparisons the false alarms are shared among (Bonferroni); without it all of this call.
    """
    if not matrix.num_rows:
        return []
    scores = model.score(matrix)
    numbers = said["numbers"]
    among = tests or len(numbers) + 1
    found = [
        Drift(
            name,
            stability(column_of_numbers(matrix, name), bands),
            _threshold(bands, said["n"], matrix.num_rows, among),
        )
        for name, bands in numbers.items()
    ]
    found.append(
        Drift(
            "score",
            stability(scores.log_odds, said["score"]),
            _threshold(said["score"], said["n"], matrix.num_rows, among),
        )
    )
    before = np.array([said["reasons"].get(name, 0.0) for name in scores.features])
    moved = 0.5 * float(np.abs(_shares(scores.contributions) - before).sum())
    found.append(Drift("reasons", moved, NOTABLE))
    return sorted(found, key=lambda drift: drift.threshold - drift.value)


def stability(cell: np.ndarray, bands: Mapping[str, Any]) -> float:
    """Population stability index of cells [n] against the bands of training; missing cells are a band of their own."""
    now = _share_of(cell, np.array(bands["edges"], float))
    before = np.array(bands["shares"], float)
    floor = 0.5 / max(len(cell), 1)
    a, b = np.maximum(now, floor), np.maximum(before, floor)
    return float(((a - b) * np.log(a / b)).sum())


def silent_units(deliveries: Mapping[str, Sequence[float]], now: float, factor: float = 2.0) -> list[str]:
    """Units from which nothing came for `factor` times their usual (95 % quantile) gap: silence is a signal too.

    `deliveries`: unit to rising moments of its news, in hours; `now` in the same clock. Units with fewer than five
    pieces of news have no usual gap.
    """
    silent = []
    for unit, moments in deliveries.items():
        gaps = np.diff(np.array(moments, float))
        if len(gaps) >= 4 and now - moments[-1] > factor * float(np.quantile(gaps, 0.95)):
            silent.append(unit)
    return sorted(silent)


def _bands(cell: np.ndarray) -> dict[str, Any]:
    seen = cell[~np.isnan(cell)]
    edges = np.unique(np.quantile(seen, np.linspace(0, 1, BANDS + 1)[1:-1])) if len(seen) else np.zeros(0)
    return {"edges": edges.tolist(), "shares": _share_of(cell, edges).tolist()}


def _share_of(cell: np.ndarray, edges: np.ndarray) -> np.ndarray:
    missing = np.isnan(cell)
    band = np.where(missing, len(edges) + 1, np.searchsorted(edges, np.nan_to_num(cell), side="left"))
    return np.bincount(band, minlength=len(edges) + 2) / max(len(cell), 1)


def _threshold(bands: Mapping[str, Any], before: int, now: int, among: int) -> float:
    """Above which the index is neither chance (99 %, shared among all comparisons) nor small.

    Under no change the index is about (1/before + 1/now) · χ² with bands − 1 degrees (Yurdakul & Naranjo 2020).
    """
    degrees = max(int((np.array(bands["shares"]) > 0).sum()) - 1, 1)
    chance = float(chi2.ppf(1 - 0.01 / among, degrees)) * (1 / max(before, 1) + 1 / max(now, 1))
    return max(NOTABLE, chance)


def _shares(contributions: np.ndarray) -> np.ndarray:
    total = np.abs(contributions).sum(axis=0)
    return np.asarray(total / max(float(total.sum()), 1e-12))
