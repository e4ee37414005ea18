"""How much earlier a better order of the same visits meets what they found.

The visits of a window keep their dates; a score decides which place is visited on which date. Days earlier
are the mean, over visits that found something, of the true date less the new one. *All slots* lets any team
go anywhere, so a score gains by knowing how strict the team is; *inside groups* each team keeps its dates.
Source: the protocol of the city's own evaluation (Chicago, food inspections, 2014).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """The visits of one window. day: ordinal, found: 0 or 1, group: who went there; all [n]."""

    day: Ints
    found: Ints
    group: Ints

    def take(self, rows: Ints) -> "Window":
        """The visits at `rows`, which may repeat."""
        return Window(self.day[rows], self.found[rows], self.group[rows])

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True)
class Gain:
    """What an order gains. auc: of the score; days: earlier over all slots; inside: within the groups."""

    auc: float
    days: float
    inside: float


def gain(window: Window, score: Floats) -> Gain:
    """The gain of visiting by falling `score` [n]; ties in the order of the rows."""
    one = np.zeros_like(window.group)
    return Gain(
        float(roc_auc_score(window.found, score)),
        days_earlier(window, score, one),
        days_earlier(window, score, window.group),
    )


def days_earlier(window: Window, score: Floats, group: Ints) -> float:
    """Mean days by which visits that found something come earlier when each group goes by falling score."""
    by_score = np.lexsort((-score, group))
    by_day = np.lexsort((window.day, group))
    new = np.empty(len(window), dtype=np.float64)
    new[by_score] = window.day[by_day]
    return float((window.day - new)[window.found == 1].mean())


def by_chance(window: Window) -> Gain:
    """The gain expected of a random order: exact, each place comes on the mean date of its group."""
    overall = np.full(len(window), window.day.mean())
    size = np.bincount(window.group)
    own = (np.bincount(window.group, window.day) / np.maximum(size, 1))[window.group]
    hit = window.found == 1
    return Gain(0.5, float((window.day - overall)[hit].mean()), float((window.day - own)[hit].mean()))


def bootstrap(
    window: Window,
    score: Floats,
    draws: int = 500,
    seed: int = 1,
    less: Callable[[Window], Gain] | None = None,
) -> tuple[Gain, Gain]:
    """The 2.5 % and 97.5 % points of the gain, over visits drawn anew with repetition.

    less: a gain to subtract in each draw, such as that of a random order.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(draws):
        pick = rng.integers(0, len(window), len(window))
        drawn = window.take(pick)
        got = gain(drawn, score[pick])
        base = less(drawn) if less else Gain(0.0, 0.0, 0.0)
        rows.append((got.auc, got.days - base.days, got.inside - base.inside))
    low, high = np.quantile(np.array(rows), (0.025, 0.975), axis=0)
    return Gain(*map(float, low)), Gain(*map(float, high))
