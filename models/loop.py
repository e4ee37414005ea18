"""Is the loop of score, visit and finding still open-eyed? Figures over the lists of successive cycles.

A list that repeats itself, never reaches some units, or can be guessed, teaches the model nothing new and
warns those who should be surprised.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.intervals import jeffreys

FADE = 0.8
"""What a past cycle still counts for an outsider's guess after one more cycle."""


@dataclass(frozen=True)
class HitRate:
    """Findings among those looked at, with a 95 % interval (Jeffreys)."""

    rate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Loop:
    """repeats: share of the last list that stood on the one before. never: units on no list so far.

    targeted, random: hit rates of what risk chose and of what the draw chose. guessable: AUC of an outsider
    who ranks units by how often and how lately they were listed; null before the third cycle.
    """

    cycles: int
    repeats: float | None
    never: tuple[str, ...]
    targeted: HitRate
    random: HitRate
    guessable: float | None


def hit_rate(found: int, n: int) -> HitRate:
    """The share `found` of `n` with its interval; without any, everything is possible."""
    if not n:
        return HitRate(float("nan"), 0.0, 1.0, 0)
    return HitRate(found / n, *jeffreys(found, n), n)


def monitor(
    lists: Sequence[Set[str]], everyone: Sequence[str], targeted: tuple[int, int], random: tuple[int, int]
) -> Loop:
    """The figures of a run of lists. lists: unit codes on the list of each cycle, oldest first.

    everyone: all units that could be listed. targeted, random: (found, looked at).
    """
    listed = set().union(*lists) if lists else set()
    repeats = len(lists[-1] & lists[-2]) / len(lists[-1]) if len(lists) > 1 and lists[-1] else None
    return Loop(
        cycles=len(lists),
        repeats=repeats,
        never=tuple(sorted(set(everyone) - listed)),
        targeted=hit_rate(*targeted),
        random=hit_rate(*random),
        guessable=guessability(lists, everyone),
    )


def guessability(lists: Sequence[Set[str]], everyone: Sequence[str]) -> float | None:
    """Mean AUC of guessing each list from those before it, the better of two guesses.

    The outsider either expects those listed lately to come again, or expects those not seen for long to be
    next; the better of the two on average over the cycles is what he could know. None before a third list,
    or where a list takes all or none.
    """
    from sklearn.metrics import roc_auc_score  # here and below: a second of a server's start

    rows: list[tuple[float, float]] = []
    memory = np.zeros(len(everyone))
    last = np.full(len(everyone), -np.inf)
    for cycle, current in enumerate(lists):
        on = np.array([name in current for name in everyone])
        if cycle >= 2 and 0 < on.sum() < len(on):
            rows.append((roc_auc_score(on, memory), roc_auc_score(on, _rank(-last))))
        memory = FADE * memory + on
        last = np.where(on, cycle, last)
    return float(np.max(np.mean(rows, axis=0))) if rows else None


def known_chances(p: npt.NDArray[np.float64]) -> float | None:
    """AUC of guessing one list by who knows every probability `p` [units] of it: the most that anybody could guess.

    Over the pairs of one drawn and one that is not, taken as independent; ties count half. None where all are alike
    certain. A plan known only from earlier lists is guessed worse (`guessability`).
    """
    drawn, spared = p[:, None] * (1 - p[None, :]), np.sign(p[:, None] - p[None, :])
    np.fill_diagonal(drawn, 0.0)
    pairs = drawn.sum()
    return float((drawn * (spared + 1) / 2).sum() / pairs) if pairs > 0 else None


def _rank(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    from scipy.stats import rankdata

    ranked: npt.NDArray[np.float64] = rankdata(values)
    return ranked
