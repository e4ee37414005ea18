"""Drift: does what is scored today still look like the weeks that were learnt, and do scores and reasons?

What is compared is like with like: the dossiers open today with those open at each weekly landmark of the training
window. Per number the population stability index against all those weeks (Siddiqi 2006), for scores the same, for
reasons half the change of each feature's share of the total contribution. How far a single week of the window itself
lies from the others sets the threshold: seasons, loads and small numbers are in it. A warning goes to analysts;
nothing is promoted by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import t as student

from features.calendar.working_time import HOURS_A_DAY
from models.encoding import column_of_numbers
from models.risk_model import RiskModel

BANDS = 10
NOTABLE = 0.25
"""A stability index from here on is a change that matters whatever the sample (Siddiqi 2006)."""
CHANCE = 0.005
"""Of a week like those of the window: how often anything warns all the same."""
LEAST_DAYS = 25
FACTOR = 3.0
"""Twice the longest gap seen in eight small units a year that sent as ever, on a made-up province without a change."""
WEEK = 604_800_000_000
SCORE = "score"
GROWING = ("_known", "_seen")
"""Endings of counts that only grow: they move without any change, and are not watched."""


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
    """What `watch` compares with, from the rows open at weekly landmarks of the training window; plain JSON.

    Band edges and shares of every number and of the scores, shares of each feature's contributions; `usual`: mean and
    deviation over weeks of the log of how far a week lies from all, and their number.
    """
    scores = model.score(matrix)
    week = matrix["as_of"].cast(pa.int64()).to_numpy() // WEEK
    cells = {name: column_of_numbers(matrix, name) for name in model.encoder.numbers if not name.endswith(GROWING)}
    cells[SCORE] = scores.log_odds
    bands = {name: _bands(cell) for name, cell in cells.items()}
    reasons = _shares(scores.contributions)
    weeks = [week == number for number in np.unique(week)]
    return {
        "n": matrix.num_rows,
        "weeks": len(weeks),
        "numbers": {
            name: {**band, "usual": _usual([stability(cells[name][mine], band) for mine in weeks])}
            for name, band in bands.items()
        },
        "reasons": {
            "shares": dict(zip(scores.features, reasons.tolist(), strict=True)),
            "usual": _usual([_moved(scores.contributions[mine], reasons) for mine in weeks]),
        },
    }


def watch(model: RiskModel, matrix: pa.Table, reference: Mapping[str, Any]) -> list[Drift]:
    """How far the rows of `matrix` moved from `reference` (of `background`), strongest warning first."""
    if not matrix.num_rows:
        return []
    scores = model.score(matrix)
    numbers = reference["numbers"]
    among = len(numbers) + 1
    found = [
        Drift(
            name,
            stability(scores.log_odds if name == SCORE else column_of_numbers(matrix, name), bands),
            max(NOTABLE, _threshold(bands["usual"], reference["weeks"], among)),
        )
        for name, bands in numbers.items()
    ]
    before = np.array([reference["reasons"]["shares"].get(name, 0.0) for name in scores.features])
    moved = _moved(scores.contributions, before)
    least = max(NOTABLE / 2, _threshold(reference["reasons"]["usual"], reference["weeks"], among))
    found.append(Drift("reasons", moved, least))
    return sorted(found, key=lambda drift: drift.threshold - drift.value)


def stability(cell: np.ndarray, bands: Mapping[str, Any]) -> float:
    """Population stability index of cells [n] against the bands of training; missing cells are a band of their own."""
    now = _share_of(cell, np.array(bands["edges"], float))
    before = np.array(bands["shares"], float)
    floor = 0.5 / max(len(cell), 1)
    a, b = np.maximum(now, floor), np.maximum(before, floor)
    return float(((a - b) * np.log(a / b)).sum())


def silent_units(deliveries: Mapping[str, Sequence[float]], now: float) -> list[str]:
    """Units from which nothing came for `FACTOR` times their longest gap so far: silence is a signal too.

    `deliveries`: unit to rising moments of its news, in working hours; `now` in the same clock. Units with news on
    fewer than `LEAST_DAYS` days have no usual gap: a burst of news is one.
    """
    silent = []
    for unit, moments in deliveries.items():
        gaps, days = np.diff(np.array(moments, float)), len(np.unique(np.array(moments) // HOURS_A_DAY))
        if days >= LEAST_DAYS and now - moments[-1] > FACTOR * float(gaps.max()):
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


def _usual(apart: Sequence[float]) -> list[float]:
    """Mean and deviation of the log of how far single weeks lie from all."""
    logs = np.log(np.maximum(apart, 1e-4))
    return [float(logs.mean()), float(logs.std(ddof=1)) if len(logs) > 1 else 0.0]


def _threshold(usual: Sequence[float], weeks: int, among: int) -> float:
    """How far a week like those of the window lies from all at most, but for a chance shared among all comparisons."""
    mean, deviation = usual
    if weeks < 3:
        return float("inf")
    bound = float(student.ppf(1 - CHANCE / among, weeks - 1)) * np.sqrt(1 + 1 / weeks)
    return float(np.exp(min(mean + bound * deviation, 50.0)))


def _moved(contributions: np.ndarray, before: np.ndarray) -> float:
    return 0.5 * float(np.abs(_shares(contributions) - before).sum())


def _shares(contributions: np.ndarray) -> np.ndarray:
    total = np.abs(contributions).sum(axis=0)
    return np.asarray(total / max(float(total.sum()), 1e-12))
