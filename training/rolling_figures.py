"""Every figure of a rolling backtest, of one score or of the difference of two, with intervals over dossiers.

A draw of the bootstrap is a count for every dossier, so every figure here takes row weights and ranks only once.
Lists are made as in use: at every landmark the highest scored share of what is open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import expit

from models.logit import logit
from training.evaluate import Metric, Ranked, interval

SIZES = (0.01, 0.05, 0.1)
"""Sizes of a list, as shares of what is open."""
LIST = 0.1
"""The list by which days earlier are counted."""
PRECISION = 0.5
"""The precision at which lead time is given."""
UNSEEN = 5.0
"""What a late dossier that nobody looked at costs, in looks: who believes the score looks from 1/5 on."""

Measure = Callable[["Score", np.ndarray], float]


@dataclass(frozen=True)
class JudgedRows:
    """n judged landmarks: `label` 0/1, `dossier` 0…, `as_of` µs since 1970, `left` days to the promise; all [n]."""

    label: np.ndarray
    dossier: np.ndarray
    as_of: np.ndarray
    left: np.ndarray


@dataclass(frozen=True)
class Score:
    """One score of the judged rows, ranked once. `probability`: its level means something, not its order alone."""

    rows: JudgedRows
    score: np.ndarray
    probability: bool = True
    seed: int = field(default=0, repr=False)

    @cached_property
    def ranked(self) -> Ranked:
        """All rows by score."""
        return Ranked.of(self.rows.label, self.score)

    @cached_property
    def landmarks(self) -> list[tuple[np.ndarray, Ranked]]:
        """The rows of every landmark, and their order."""
        found = []
        for moment in np.unique(self.rows.as_of):
            at = np.flatnonzero(self.rows.as_of == moment)
            found.append((at, Ranked.of(self.rows.label[at], self.score[at])))
        return found

    @cached_property
    def first_listed(self) -> np.ndarray:
        """Days before the promise when each dossier first stands on a list of the share `LIST`; 0 if never [dossiers].

        Ties are broken by a seeded draw, the same for every score.
        """
        days = np.zeros(int(self.rows.dossier.max()) + 1)
        tie = np.random.default_rng(self.seed).random(len(self.score))
        for at, _ in self.landmarks:
            listed = at[np.lexsort((tie[at], -self.score[at]))[: max(1, round(LIST * len(at)))]]
            np.maximum.at(days, self.rows.dossier[listed], self.rows.left[listed])
        return days

    @cached_property
    def change(self) -> np.ndarray:
        """Absolute change of the score since the dossier's landmark before [n]; NaN at its first."""
        order = np.lexsort((self.rows.as_of, self.rows.dossier))
        same = self.rows.dossier[order][1:] == self.rows.dossier[order][:-1]
        change = np.full(len(order), np.nan)
        change[order[1:][same]] = np.abs(np.diff(self.score[order]))[same]
        return change


def week_auc(score: Score, weight: np.ndarray) -> float:
    """AUC within landmarks, weighted by their pairs: without the free information of elapsed time."""
    total = pairs = 0.0
    for at, ranked in score.landmarks:
        value, n = ranked.auc_and_pairs(weight[at])
        if n:
            total, pairs = total + n * value, pairs + n
    return total / pairs if pairs else float("nan")


def slope(score: Score, weight: np.ndarray) -> float:
    """Calibration slope: 1 where log-odds are as far apart as they say, under 1 where they promise too much.

    Weighted logistic regression of the label on log-odds by Newton's method.
    """
    if not score.probability or np.ptp(score.score) == 0 or not 0 < np.average(score.rows.label, weights=weight) < 1:
        return float("nan")
    z = logit(score.score)
    theta = np.array([0.0, 1.0])
    for _ in range(12):
        p = expit(theta[0] + theta[1] * z)
        residual, curve = weight * (score.rows.label - p), weight * p * (1 - p)
        gradient = np.array([residual.sum(), residual @ z])
        hessian = np.array([[curve.sum(), curve @ z], [curve @ z, curve @ (z * z)]])
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        theta = theta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(theta[1])


def listed(share: float, ties: str, of: str) -> Measure:
    """Precision, recall or lift (`of`) of lists of this share, ties broken at random, for the `best` or the `worst`."""

    def measure(score: Score, weight: np.ndarray) -> float:
        hits = looks = late = rows = 0.0
        for at, ranked in score.landmarks:
            w = weight[at]
            k = max(share * w.sum(), 1.0)
            hits += ranked.hits(w, k, ties)
            looks += min(k, w.sum())
            late += float((w * score.rows.label[at]).sum())
            rows += float(w.sum())
        if of == "precision":
            return hits / looks if looks else float("nan")
        if of == "recall":
            return hits / late if late else float("nan")
        return hits / looks / (late / rows) if late and looks else float("nan")

    return measure


def lead_days(score: Score, weight: np.ndarray) -> float:
    """Median days left when a late dossier is first flagged, at the lowest threshold that keeps `PRECISION`.

    NaN where no threshold keeps it.
    """
    positives, negatives = score.ranked.counts(weight)
    seen = np.cumsum(positives + negatives)
    good = np.flatnonzero(np.cumsum(positives) >= PRECISION * seen)
    good = good[seen[good] > 0]
    if not len(good):
        return float("nan")
    flagged = (score.ranked.group <= good[-1]) & (score.rows.label == 1) & (weight > 0)
    if not flagged.any():
        return float("nan")
    dossiers = len(score.first_listed)
    left, count = np.full(dossiers, -np.inf), np.zeros(dossiers)
    np.maximum.at(left, score.rows.dossier[flagged], score.rows.left[flagged])
    count[score.rows.dossier[flagged]] = weight[flagged]
    mine = np.flatnonzero(count)
    order = mine[np.argsort(left[mine])]
    half = np.cumsum(count[order])
    return float(left[order][np.searchsorted(half, half[-1] / 2)])


def days_earlier(score: Score, weight: np.ndarray) -> float:
    """Mean days before the promise at which late dossiers first stand on the list; the difference is days earlier."""
    late = np.flatnonzero(score.rows.label == 1)
    if not weight[late].sum():
        return float("nan")
    one = late[np.unique(score.rows.dossier[late], return_index=True)[1]]
    return float(np.average(score.first_listed[score.rows.dossier[one]], weights=weight[one]))


def cost(score: Score, weight: np.ndarray) -> float:
    """Looks a landmark costs who looks where it pays by the score: a look 1, a late one nobody looked at `UNSEEN`."""
    if not score.probability:
        return float("nan")
    looked = score.score >= 1 / UNSEEN
    return float(np.average(np.where(looked, 1.0, UNSEEN * score.rows.label), weights=weight))


def instability(score: Score, weight: np.ndarray) -> float:
    """Mean absolute change of a dossier's score from one landmark to its next."""
    rescored = ~np.isnan(score.change)
    return (
        float(np.average(score.change[rescored], weights=weight[rescored])) if weight[rescored].sum() else float("nan")
    )


MEASURES: dict[str, Measure] = {
    "auc": lambda score, weight: score.ranked.auc_and_pairs(weight)[0],
    "auc_within_week": week_auc,
    "ap": lambda score, weight: score.ranked.average_precision(weight),
    "brier": lambda score, weight: (
        float(np.average((score.score - score.rows.label) ** 2, weights=weight)) if score.probability else float("nan")
    ),
    "slope": slope,
    **{
        f"{of}_at_{round(100 * share)}": listed(share, "random", of)
        for share in SIZES
        for of in ("precision", "recall", "lift")
    },
    **{
        f"precision_{ties}_at_{round(100 * share)}": listed(share, ties, "precision")
        for share in SIZES
        for ties in ("best", "worst")
    },
    "lead_days": lead_days,
    "list_days": days_earlier,
    "cost": cost,
    "change_a_week": instability,
}
"""All figures, by the names under which they are logged. A lower Brier score, cost and change is better."""

Figures = dict[str, Metric]


def all_figures(
    scores: Mapping[str, Score], pairs: list[tuple[str, str]], *, draws: int = 200, seed: int = 0
) -> tuple[dict[str, Figures], dict[tuple[str, str], Figures]]:
    """`MEASURES` of every score and of every pair's difference (first − second), each with a 95 % interval.

    Whole dossiers are drawn with replacement, and every score sees the same draws. The pair's `cost_saved` is the
    share of the second's cost that the first saves.
    """
    rows = next(iter(scores.values())).rows
    n = int(rows.dossier.max()) + 1
    rng = np.random.default_rng(seed)
    weights = [np.ones(len(rows.label))]
    weights += [np.bincount(rng.integers(0, n, n), minlength=n)[rows.dossier].astype(float) for _ in range(draws)]
    drawn = {
        name: {what: np.array([measure(score, weight) for weight in weights]) for what, measure in MEASURES.items()}
        for name, score in scores.items()
    }
    alone = {
        name: {what: interval(values) for what, values in by_measure.items()} for name, by_measure in drawn.items()
    }
    paired = {}
    for a, b in pairs:
        paired[a, b] = {what: interval(drawn[a][what] - drawn[b][what]) for what in MEASURES}
        theirs = np.where(drawn[b]["cost"] > 0, drawn[b]["cost"], np.nan)  # no cost at all, nothing to save
        paired[a, b]["cost_saved"] = interval(1.0 - drawn[a]["cost"] / theirs)
    return alone, paired
