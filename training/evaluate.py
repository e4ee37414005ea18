"""How good scores are: figures, and how sure we are of them (bootstrap over dossiers, not rows).

AUC: chance that a late case scores above one in time (ties count half). AP: average precision, the step-wise area
under precision against recall. Brier: mean squared error of the probability. Definitions agree with
`sklearn.metrics` (`roc_auc_score`, `average_precision_score`, `brier_score_loss`), which the tests compare; here
they take row weights that are counts, so that a bootstrap is a reweighting and needs one sort.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.intervals import bootstrap

METRICS = ("auc", "ap", "brier")
LISTED = 0.1
"""The share of rows that a list holds where one figure must stand for lists."""


@dataclass(frozen=True)
class Metric:
    """A figure with its 95 % interval; NaN where it is not defined (one class only)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Ranked:
    """Cases ranked once by score, so that figures under many row weights need no further sort.

    `label` [n]; `group` [n]: number of the row's distinct score, 0 the highest; `size`: how many there are.
    """

    label: np.ndarray
    group: np.ndarray
    size: int

    @classmethod
    def of(cls, label: np.ndarray, score: np.ndarray) -> Ranked:
        """The ranking of labels 0/1 [n] by scores [n]."""
        distinct, inverse = np.unique(-score, return_inverse=True)
        return cls(label, inverse, len(distinct))

    def counts(self, weight: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the late and of those in time at each distinct score, highest score first."""
        w = np.ones(len(self.label)) if weight is None else weight
        positives = np.bincount(self.group, weights=w * self.label, minlength=self.size)
        negatives = np.bincount(self.group, weights=w * (1 - self.label), minlength=self.size)
        return positives, negatives

    def auc_and_pairs(self, weight: np.ndarray | None = None) -> tuple[float, float]:
        """AUC, and the weight of the pairs that it is the share of; NaN where there are none."""
        positives, negatives = self.counts(weight)
        total = float(positives.sum() * negatives.sum())
        if total == 0:
            return float("nan"), 0.0
        below = negatives.sum() - np.cumsum(negatives)
        return float((positives * (below + negatives / 2)).sum() / total), total

    def average_precision(self, weight: np.ndarray | None = None) -> float:
        """Step-wise area under precision against recall; NaN without late cases."""
        positives, negatives = self.counts(weight)
        if positives.sum() == 0:
            return float("nan")
        seen = np.cumsum(positives)
        flagged = seen + np.cumsum(negatives)
        precision = np.divide(seen, flagged, out=np.zeros_like(seen), where=flagged > 0)
        return float((positives * precision).sum() / positives.sum())

    def precision(self, weight: np.ndarray | None = None, share: float = LISTED) -> float:
        """Late share of the highest `share`, ties at random; NaN without rows."""
        w = np.ones(len(self.label)) if weight is None else weight
        k = max(1.0, share * float(w.sum()))
        return self.hits(w, k) / min(k, float(w.sum())) if w.sum() else float("nan")

    def hits(self, weight: np.ndarray, k: float, ties: str = "random") -> float:
        """Weight of the late among the `k` highest; ties at the edge fall at `random` (their expectation), `best`
        (late ones first) or `worst`."""
        positives, negatives = self.counts(weight)
        both = np.cumsum(positives + negatives)
        edge = min(int(np.searchsorted(both, k - 1e-9)), self.size - 1)
        before = float(both[edge - 1]) if edge else 0.0
        late, rest = float(positives[edge]), float(negatives[edge])
        room = min(k - before, late + rest)
        if ties == "best":
            taken = min(room, late)
        elif ties == "worst":
            taken = max(0.0, room - rest)
        else:
            taken = room * late / (late + rest) if late + rest else 0.0
        return float(positives[:edge].sum()) + taken


def auc(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the ROC curve of labels 0/1 [n] and scores [n]."""
    return Ranked.of(label, score).auc_and_pairs(weight)[0]


def average_precision(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Step-wise area under precision against recall of labels 0/1 [n] and scores [n]."""
    return Ranked.of(label, score).average_precision(weight)


def brier(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Mean squared error of probabilities [n] against labels 0/1 [n]."""
    return float(np.average((score - label) ** 2, weights=weight)) if len(label) else float("nan")


def figures(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> dict[str, float]:
    """`METRICS` of one set of scores."""
    return {
        "auc": auc(label, score, weight),
        "ap": average_precision(label, score, weight),
        "brier": brier(label, score, weight),
    }


def with_intervals(
    label: np.ndarray,
    scores: Mapping[str, np.ndarray],
    dossier: np.ndarray,
    *,
    draws: int = 500,
    seed: int = 0,
    listed: bool = False,
) -> tuple[dict[str, dict[str, Metric]], dict[tuple[str, str], dict[str, Metric]]]:
    """Figures of several scores of the same cases, and of every pair's difference (first − second).

    Whole dossiers are drawn with replacement; every score sees the same draws, so the differences are paired.
    `listed`: also the precision of the `LISTED` highest, ties at random.
    """
    metrics = (*METRICS, "listed") if listed else METRICS
    clusters = np.unique(dossier, return_inverse=True)[1]
    n = int(clusters.max()) + 1 if len(clusters) else 0
    rng = np.random.default_rng(seed)
    ranked = {name: Ranked.of(label, score) for name, score in scores.items()}
    drawn: dict[str, list[list[float]]] = {name: [] for name in scores}
    for number in range(draws + 1 if n else 1):
        weight = np.bincount(rng.integers(0, n, n), minlength=n)[clusters].astype(float) if number else None
        for name, score in scores.items():
            order = ranked[name]
            figures = [order.auc_and_pairs(weight)[0], order.average_precision(weight), brier(label, score, weight)]
            drawn[name].append([*figures, order.precision(weight)] if listed else figures)
    values = {name: dict(zip(metrics, np.array(figures).T, strict=True)) for name, figures in drawn.items()}
    alone = {name: {metric: interval(figures[metric]) for metric in metrics} for name, figures in values.items()}
    pairs = {
        (a, b): {metric: interval(values[a][metric] - values[b][metric]) for metric in metrics}
        for a in scores
        for b in scores
        if a != b
    }
    return alone, pairs


def interval(values: np.ndarray) -> Metric:
    """The figure of a value and its bootstrap draws: `values[0]` on all cases, the rest one a draw, NaN left out."""
    return Metric(float(values[0]), *bootstrap(values[1:]))


def curve(label: np.ndarray, score: np.ndarray, bands: int = 10) -> list[tuple[float, float, int]]:
    """Mean score, late rate and n of bands of equal size by score, lowest first; empty bands are left out."""
    parts = [part for part in np.array_split(np.argsort(score, kind="stable"), bands) if len(part)]
    return [(float(score[part].mean()), float(label[part].mean()), len(part)) for part in parts]
