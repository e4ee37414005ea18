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

METRICS = ("auc", "ap", "brier")


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; NaN where it is not defined (one class only)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auc(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the ROC curve of labels 0/1 [n] and scores [n]."""
    positives, negatives = _by_threshold(label, score, weight)
    total = positives.sum() * negatives.sum()
    if total == 0:
        return float("nan")
    below = np.concatenate([[0.0], np.cumsum(negatives[::-1])])[::-1][1:]
    return float((positives * (below + negatives / 2)).sum() / total)


def average_precision(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Step-wise area under precision against recall of labels 0/1 [n] and scores [n]."""
    positives, negatives = _by_threshold(label, score, weight)
    if positives.sum() == 0:
        return float("nan")
    seen = np.cumsum(positives)
    flagged = seen + np.cumsum(negatives)
    precision = np.divide(seen, flagged, out=np.zeros_like(seen), where=flagged > 0)
    return float((positives * precision).sum() / positives.sum())


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
    label: np.ndarray, scores: Mapping[str, np.ndarray], dossier: np.ndarray, *, draws: int = 500, seed: int = 0
) -> tuple[dict[str, dict[str, Figure]], dict[tuple[str, str], dict[str, Figure]]]:
    """Figures of several scores of the same cases, and of every pair's difference (first − second).

    Whole dossiers are drawn with replacement; every score sees the same draws, so the differences are paired.
    """
    clusters = np.unique(dossier, return_inverse=True)[1]
    n = int(clusters.max()) + 1 if len(clusters) else 0
    rng = np.random.default_rng(seed)
    point = {name: figures(label, score) for name, score in scores.items()}
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in scores}
    for _ in range(draws if n else 0):
        counts = np.bincount(rng.integers(0, n, n), minlength=n)
        weight = counts[clusters].astype(float)
        for name, score in scores.items():
            drawn[name].append(figures(label, score, weight))
    alone = {
        name: {metric: _figure(point[name][metric], [draw[metric] for draw in drawn[name]]) for metric in METRICS}
        for name in scores
    }
    pairs = {
        (a, b): {
            metric: _figure(
                point[a][metric] - point[b][metric],
                [x[metric] - y[metric] for x, y in zip(drawn[a], drawn[b], strict=True)],
            )
            for metric in METRICS
        }
        for a in scores
        for b in scores
        if a != b
    }
    return alone, pairs


def _figure(value: float, draws: list[float]) -> Figure:
    kept = np.array(draws, float)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return Figure(value, float("nan"), float("nan"))
    low, high = np.quantile(kept, [0.025, 0.975])
    return Figure(value, float(low), float(high))


def _by_threshold(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the late and of those in time at each distinct score, highest score first."""
    w = np.ones(len(label)) if weight is None else weight
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    group = np.cumsum(np.concatenate([[False], ranked[1:] != ranked[:-1]])) if len(ranked) else np.zeros(0, int)
    size = int(group[-1]) + 1 if len(group) else 0
    positives = np.bincount(group, weights=(w * label)[order], minlength=size)
    negatives = np.bincount(group, weights=(w * (1 - label))[order], minlength=size)
    return positives, negatives
