"""The replay on Chicago's food inspections: the official window and eleven rolling ones, reordered.

Every window is scored by what was known before its first day. Choices of columns and parameters were made on
the rolling windows, which all end before the official one begins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from tests.bench.replay.chicago_history import AROUND, CORRECTED_PAST, PLACE, RAW_PAST, load, with_history
from tests.bench.replay.reorder import Floats, Gain, Window, bootstrap, by_chance, gain
from training.severity import learn

COLUMNS = (*PLACE, *RAW_PAST, *CORRECTED_PAST, *AROUND)
PLAIN = (*PLACE, *RAW_PAST)
SKEWED = frozenset({"heat_burglary", "heat_sanitation", "heat_garbage", "days_since"})
"""Columns taken as log(1 + x), so that the linear member sees them evenly."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One line of the replay: a way of ordering, its gain and the interval."""

    name: str
    at: Gain
    low: Gain
    high: Gain


@dataclass(frozen=True)
class Rolling:
    """Gains less a random order's, window by window. first: first day of each two-month window."""

    name: str
    first: list[date]
    gains: list[Gain]

    def mean(self, figure: str) -> tuple[float, float]:
        """Mean over the windows and its standard error."""
        values = np.array([getattr(one, figure) for one in self.gains])
        return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


@dataclass(frozen=True)
class ChicagoReplay:
    """The whole result. official: one row a way of ordering; rolling: with severity and without."""

    visits: int
    critical: int
    official: list[Row]
    rolling: list[Rolling]


def replay(folder: Path, say: Say = lambda line: None, draws: int = 500) -> ChicagoReplay:
    """Replays the data in `folder` (chicago_food). say: takes a line as each window is done.

    Takes about two minutes on one core. FileNotFoundError where the data is not there.
    """
    cases, visits = load(folder)
    cases = with_history(cases, visits)
    codes, _ = pd.factorize(cases["team"], sort=True)
    cases["group"] = codes
    first = int(cases.loc[cases["official"], "day"].min())
    official = cases["official"].to_numpy()
    window = _window(cases[official])
    before = (cases["day"] < first).to_numpy() & ~official
    risk, severity = _scores(cases, before, official)
    rows = [Row("random (expected)", by_chance(window), *_chance_interval(window, draws))]
    ways = {
        "the city's published score": cases.loc[official, "city_score"].to_numpy(),
        "inspector group alone (ties by chance)": severity + 1e-9 * np.random.default_rng(1).random(len(window)),
        "risk alone, no team in the score": risk,
        "risk + severity of the team that comes": risk + severity,
    }
    for name, score in ways.items():
        rows.append(Row(name, gain(window, score), *bootstrap(window, score, draws)))
        say(f"official window: {name}")
    rolling = [
        Rolling("same learners without severity, city's own history", [], []),
        Rolling("severity as offset, history corrected for earlier teams", [], []),
    ]
    for start, end in windows():
        here = cases["day"].between(start, end - 1).to_numpy()
        past = (cases["day"] < start).to_numpy()
        own = _window(cases[here])
        chance = by_chance(own)
        for line, offset in zip(rolling, (False, True), strict=True):
            risk, severity = _scores(cases, past, here, offset)
            got = gain(own, risk + severity)
            line.first.append(date.fromordinal(start + _EPOCH))
            line.gains.append(Gain(got.auc, got.days - chance.days, got.inside - chance.inside))
        say(f"rolling window from {rolling[0].first[-1]}")
    return ChicagoReplay(len(window), int(window.found.sum()), rows, rolling)


def windows() -> Iterator[tuple[int, int]]:
    """Eleven two-month windows [start, end) from July 2012 to April 2014, days counted from 1970."""
    edges = [date(2012 + (6 + 2 * k) // 12, (6 + 2 * k) % 12 + 1, 1).toordinal() - _EPOCH for k in range(12)]
    return pairwise(edges)


_EPOCH = date(1970, 1, 1).toordinal()


def _scores(cases: pd.DataFrame, past: np.ndarray, here: np.ndarray, offset: bool = True) -> tuple[Floats, Floats]:
    """Risk of the places visited `here` and severity of the teams that went, learnt from `past`."""
    x = _encoded(cases, COLUMNS if offset else PLAIN)
    group, found = cases["group"].to_numpy(), cases["found"].to_numpy()
    learnt = learn(x[past], found[past], group[past], offset=offset)
    return learnt.risk(x[here]), learnt.severity[group[here]]


def _encoded(cases: pd.DataFrame, columns: tuple[str, ...]) -> Floats:
    x = cases[list(columns)].to_numpy(dtype=np.float64, copy=True)
    for at, name in enumerate(columns):
        if name in SKEWED:
            x[:, at] = np.log1p(x[:, at])
    return x


def _window(cases: pd.DataFrame) -> Window:
    return Window(*(cases[name].to_numpy(dtype=np.int64) for name in ("day", "found", "group")))


def _chance_interval(window: Window, draws: int) -> tuple[Gain, Gain]:
    """Between which gains 95 % of random orders lie."""
    rng = np.random.default_rng(1)
    rows = [gain(window, rng.random(len(window))) for _ in range(draws)]
    low, high = np.quantile([(one.auc, one.days, one.inside) for one in rows], (0.025, 0.975), axis=0)
    return Gain(*map(float, low)), Gain(*map(float, high))
