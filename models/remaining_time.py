"""How long an open dossier still takes: a discrete-time hazard whose curve passes through the score.

Time is counted in working hours in which the clock runs (with the office or a consulted one; the citizen's time stands
still). A tree model gives the chance that a dossier open at the beginning of a bin of remaining time ends within it
(Singer & Willett 1993; Brown 1975); between the edges the hazard is constant, beyond the last one it stays as it was.

Consistency with the score: the odds of being open are moved by one factor for the whole curve, so that the chance to be
open when the promise runs out IS the score (proportional odds, Bennett 1983). An overdue dossier's curve is not moved.
How often dossiers end within the interval is judged on later rows of the training period (`training.remaining_time`).
Offices grow quicker or slower after it: the ends of the interval follow the outcomes known since (`models.level`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from models.logit import logit

if TYPE_CHECKING:  # words and lists read `Remaining` without LightGBM
    from models.booster import TreeMember

LEFT = "hours_left"
"""The column of the hours that are left to the lawful promise."""
EXTRA = 4
"""Columns that a bin adds to a row: begin, end, middle minus the hours left, middle by the hours left."""
LOW, HIGH = 0.1, 0.9
"""Shares of dossiers ended at which the interval of 80 % begins and ends, where no outcomes say otherwise."""
DAYS_AHEAD = 20
"""Working days for which the chance to be still open is given."""
HOURS_A_DAY = 8.0
FEWEST_OPEN = 0.002
"""Chance of being open at which the tail of a curve is cut off."""
SOON = 1e-9
STEPS = 60
AT_ONCE = 5_000
"""Rows whose bins are held at once."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """When one open dossier is expected to end; working hours in which the clock runs, from the moment of the score.

    hours: the median; low, high: the interval of 80 %. late_low, late_high: the same interval against the
    lawful promise (above zero: late), None without one. expected_late: mean hours late, those in time counted as 0.
    open_by_day: chance to be still open after 1, 2, … working days; on days after the promise that is the chance to be
    late by so much.
    """

    hours: float
    low: float
    high: float
    late_low: float | None
    late_high: float | None
    expected_late: float | None
    open_by_day: list[float]


@dataclass(frozen=True)
class RemainingTime:
    """The hazard model. `edges` [bins + 1]: working hours, from 0; `trees`: log-odds of the hazard on a row's numbers
    and what the bin adds (`EXTRA`). `numbers`: how many of the encoder's first columns are read. `ends`: by group
    (`group_of`) the shares of dossiers ended at which the interval begins and ends; none: `LOW` and `HIGH`.
    """

    edges: np.ndarray
    trees: TreeMember
    numbers: int
    ends: tuple[tuple[float, float], ...] = ()

    def cumulative(self, x: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Cumulative hazard [n × bins + 1] at the edges, of encoded rows [n × columns]; `left` [n] hours or NaN."""
        bins = len(self.edges) - 1
        found = np.zeros((len(x), bins + 1))
        for first in range(0, len(x), AT_ONCE):
            part = slice(first, min(first + AT_ONCE, len(x)))
            n = part.stop - part.start
            rows, bin_of = np.repeat(np.arange(n), bins), np.tile(np.arange(bins), n)
            z = self.trees.log_odds(with_bins(x[part, : self.numbers], left[part], self.edges, rows, bin_of))
            hazard = np.logaddexp(0.0, z).reshape(n, bins)  # −ln(1 − expit(z))
            found[part, 1:] = np.cumsum(np.maximum(hazard, 1e-9), axis=1)
        return found

    def curves(self, x: np.ndarray, left: np.ndarray, late: np.ndarray) -> Curves:
        """The curves of encoded rows [n × columns]; `late` [n]: the score, NaN where it says nothing of the clock."""
        return Curves(self.edges, self.cumulative(x, left), np.zeros(len(x))).through(left, late)

    def interval(self, left: np.ndarray, stage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares of dossiers ended [n] at which the interval of 80 % begins and ends; arguments as of `group_of`."""
        if not self.ends:
            return np.full(len(left), LOW), np.full(len(left), HIGH)
        low, high = np.array(self.ends)[group_of(left, stage, len(self.ends))].T
        return low, high

    def tell(self, x: np.ndarray, left: np.ndarray, late: np.ndarray, stage: np.ndarray) -> list[Remaining]:
        """What is expected of each row; `stage` [n] of the term, other arguments as of `curves`."""
        parts = (slice(first, first + AT_ONCE) for first in range(0, len(x), AT_ONCE))
        return [one for part in parts for one in self._tell(x[part], left[part], late[part], stage[part])]

    def _tell(self, x: np.ndarray, left: np.ndarray, late: np.ndarray, stage: np.ndarray) -> list[Remaining]:
        curves = self.curves(x, left, late)
        begin, end = self.interval(left, stage)
        median, low, high = (curves.when_ended(share) for share in (0.5, begin, end))
        overdue = curves.mean_beyond(np.nan_to_num(left))
        ahead = HOURS_A_DAY * np.arange(1, DAYS_AHEAD + 1)
        days = curves.open_at(np.tile(ahead, (len(x), 1))).round(4).tolist()
        expected = []
        for at in range(len(x)):
            due = None if np.isnan(left[at]) else float(left[at])
            expected.append(
                Remaining(
                    float(median[at]),
                    float(low[at]),
                    float(high[at]),
                    None if due is None else float(low[at]) - due,
                    None if due is None else float(high[at]) - due,
                    None if due is None else float(overdue[at]),
                    days[at],
                )
            )
        return expected


@dataclass(frozen=True)
class Curves:
    """Chances to be still open, a curve a row: cumulative `hazard` [n × bins + 1] at `edges`, `shift` [n] log-odds.

    Hours are one of each curve [n] or some [n × k]; what is found of them has their shape.
    """

    edges: np.ndarray
    hazard: np.ndarray
    shift: np.ndarray

    def through(self, left: np.ndarray, late: np.ndarray) -> Curves:
        """The same moved so that the chance to be open at `left` [n] is `late` [n]; where either tells nothing (NaN, no
        promise ahead) a curve stays as it is."""
        moved = np.isfinite(late) & (left > 0)
        at_due = replace(self, shift=np.zeros(len(left))).open_odds(np.where(moved, left, 1.0))
        return replace(self, shift=np.where(moved, logit(np.where(moved, late, 0.5)) - at_due, 0.0))

    def open_at(self, hours: np.ndarray) -> np.ndarray:
        """Chance to be open after `hours`; 1 at 0 and before."""
        return np.asarray(np.where(hours <= 0, 1.0, expit(self.open_odds(np.maximum(hours, SOON)))))

    def open_odds(self, hours: np.ndarray) -> np.ndarray:
        """The same as log-odds, hours above 0: S = e^−H has the log-odds −ln(e^H − 1)."""
        found = self.shift[:, None] - np.log(np.expm1(self._hazard_at(hours.reshape(len(self.shift), -1))))
        return np.asarray(found.reshape(hours.shape))

    def when_ended(self, share: float | np.ndarray) -> np.ndarray:
        """Hours [n] after which `share` (one, or [n]) of dossiers like each have ended."""
        wanted = np.log1p(np.exp(self.shift) * share / (1.0 - share))
        rate, last = self._tail(), self.hazard[:, -1]
        at = np.minimum((self.hazard[:, 1:] < wanted[:, None]).sum(axis=1), len(self.edges) - 2)
        row = np.arange(len(wanted))
        before, width = self.hazard[row, at], self.hazard[row, at + 1] - self.hazard[row, at]
        inside = self.edges[at] + (wanted - before) / width * (self.edges[at + 1] - self.edges[at])
        return np.asarray(np.where(wanted > last, self.edges[-1] + (wanted - last) / rate, inside))

    def mean_beyond(self, left: np.ndarray) -> np.ndarray:
        """Expected hours [n] beyond `left` [n]: the integral of the chance to be open from there on, what has passed of
        it already (`left` below 0) counted whole."""
        begin = np.maximum(left, 0.0)
        end = np.maximum(self.when_ended(1.0 - FEWEST_OPEN), begin + 1e-6)
        share = np.linspace(0.0, 1.0, STEPS) ** 2
        hours = begin[:, None] + (end - begin)[:, None] * share
        return np.asarray(np.trapezoid(self.open_at(hours), hours, axis=1) + np.maximum(-left, 0.0))

    def _hazard_at(self, hours: np.ndarray) -> np.ndarray:
        """Cumulative hazard [n × k] after hours [n × k]."""
        at = np.clip(np.searchsorted(self.edges, hours, side="right") - 1, 0, len(self.edges) - 2)
        before = np.take_along_axis(self.hazard, at, axis=1)
        width = self.edges[at + 1] - self.edges[at]
        inside = before + (np.take_along_axis(self.hazard, at + 1, axis=1) - before) * np.minimum(
            (hours - self.edges[at]) / width, 1.0
        )
        return np.asarray(inside + np.maximum(hours - self.edges[-1], 0.0) * self._tail()[:, None])

    def _tail(self) -> np.ndarray:
        """Hazard an hour [n] beyond the last edge: that of the last bin."""
        rate = (self.hazard[:, -1] - self.hazard[:, -2]) / (self.edges[-1] - self.edges[-2])
        return np.asarray(np.maximum(rate, 1e-6))


def group_of(left: np.ndarray, stage: np.ndarray, groups: int) -> np.ndarray:
    """Which of so many groups each row belongs to [n]: the stage of its term, the last where its promise has passed.

    `left` [n]: hours left to the promise or NaN; `stage` [n]: number of the stage (`models.encoding.Stages`).
    """
    return np.where(left <= 0, groups - 1, np.minimum(stage, groups - 2))


def with_bins(
    numbers: np.ndarray, left: np.ndarray, edges: np.ndarray, rows: np.ndarray, bin_of: np.ndarray
) -> np.ndarray:
    """Rows × bins as the trees see them [m × numbers + EXTRA]: `rows` [m] of `numbers`, `bin_of` [m] of `edges`."""
    begin, end = edges[bin_of], edges[bin_of + 1]
    middle, due = (begin + end) / 2, left[rows]
    by_due = middle / np.where(due > 0, due, np.nan)
    return np.column_stack([numbers[rows], begin, end, middle - due, by_due])
