"""Figures of a list of real size: precision, recall and lift of the k highest scores, with ties told honestly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AtSize:
    """A list of the k highest scores. `precision`, `recall`, `lift` for ties broken at random (their expectation);
    `best` and `worst` precision for ties broken with and against the truth."""

    k: int
    precision: float
    recall: float
    lift: float
    best: float
    worst: float


def at_size(label: np.ndarray, score: np.ndarray, k: int) -> AtSize:
    """The list of `k` (at most n) of n cases with labels 0/1. ValueError for k under 1 or no case."""
    n = len(label)
    if k < 1 or not n:
        raise ValueError(f"wanted a list of at least 1 of at least 1 case, came {k} of {n}")
    k = min(k, n)
    edge = np.sort(score)[::-1][k - 1]
    above, tied = score > edge, score == edge
    sure, room = label[above].sum(), k - int(above.sum())
    late_tied, all_tied = label[tied].sum(), int(tied.sum())
    expected = sure + room * late_tied / all_tied
    best = sure + min(room, late_tied)
    worst = sure + max(0.0, room - (all_tied - late_tied))
    total, base = label.sum(), label.mean()
    return AtSize(
        k,
        float(expected / k),
        float(expected / total) if total else float("nan"),
        float(expected / k / base) if base else float("nan"),
        float(best / k),
        float(worst / k),
    )


def lead_time(label: np.ndarray, score: np.ndarray, dossier: np.ndarray, left: np.ndarray, precision: float) -> float:
    """Median time left (unit of `left`) when a late dossier is first flagged, at the threshold of this precision.

    The threshold is the lowest score at which the flagged rows are late at least as often as `precision`; NaN where
    there is none or it flags no late dossier.
    """
    order = np.argsort(-score, kind="stable")
    hit = np.cumsum(label[order]) / np.arange(1, len(order) + 1)
    last = np.flatnonzero(np.append(score[order][1:] != score[order][:-1], True) & (hit >= precision))
    if not len(last):
        return float("nan")
    flagged = (score >= score[order][last[-1]]) & (label == 1)
    if not flagged.any():
        return float("nan")
    earliest: dict[int, float] = {}
    for one, time in zip(dossier[flagged].tolist(), left[flagged].tolist(), strict=True):
        earliest[one] = max(time, earliest.get(one, -np.inf))
    return float(np.median(list(earliest.values())))


def stability(score: np.ndarray, dossier: np.ndarray, as_of: np.ndarray) -> float:
    """Mean absolute change of a dossier's score from one landmark to its next; NaN where no dossier has two."""
    order = np.lexsort((as_of, dossier))
    same = dossier[order][1:] == dossier[order][:-1]
    change = np.abs(np.diff(score[order]))[same]
    return float(change.mean()) if len(change) else float("nan")


def within_week(label: np.ndarray, score: np.ndarray, as_of: np.ndarray, week: int = 604_800_000_000) -> float:
    """AUC within landmark weeks, weighted by their pairs: without the free information of elapsed time."""
    from training.evaluate import auc

    total = pairs = 0.0
    for number in np.unique(as_of // week):
        mine = as_of // week == number
        late = label[mine].sum()
        weight = late * (mine.sum() - late)
        if weight:
            total += weight * auc(label[mine], score[mine])
            pairs += weight
    return float(total / pairs) if pairs else float("nan")
