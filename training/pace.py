"""Do dossiers of a sector move as fast as they did? The earliest sign of a changed process, long before any label.

Of the dossiers received lately some have ended by now; of peers of the same procedure, at the same age in working
hours, a share had ended on average. A sector's mean difference, less that of all other sectors (holidays and outages
strike all), compared with the same figure of past weeks, says whether its work got slower or faster. Past weeks hold
what is usual for a sector: load, absences, a bad week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
from scipy.stats import t as student

from features.calendar import HOUR, Calendar
from features.utc import naive_utc

SPAN = timedelta(days=14)
"""Dossiers received in this time before a moment are looked at."""
WEEKS = 26
"""Past weeks that tell what is usual."""
LEAST_PAST = 8
"""Past moments below which nothing is usual yet."""
LEAST = 40
"""Dossiers that a sector must have received to be told of."""
CHANCE = 0.15
"""Of a week without change: how often any sector is told all the same. One false alarm a month is borne, since weeks
differ by their queues and a change is small at first; weeks overlap and news are told once, so it is about half."""
EDGES = np.array([4.0, 8, 16, 24, 32, 48, 64, 80])
"""Bands of age, working hours."""


@dataclass(frozen=True)
class Progress:
    """n dossiers received lately at one moment: `procedure`, `sector`, `age` in working hours, `ended` 0 or 1."""

    procedure: np.ndarray
    sector: np.ndarray
    age: np.ndarray
    ended: np.ndarray


@dataclass(frozen=True)
class Pace:
    """A sector's pace: the share of its `n` dossiers that ended sooner (above zero) or later than usual, in deviations
    `z` of past weeks, beside the bound from which it is told."""

    sector: str
    n: int
    ahead: float
    z: float
    bound: float

    @property
    def warns(self) -> bool:
        """Whether it is farther from usual than chance explains."""
        return abs(self.z) > self.bound


_SQL = """
    WITH lately AS (
        SELECT dossier_id, arg_max(procedure_code, (known_at, row_id)) AS procedure_code,
               MIN(received_at) AS received_at
        FROM dossier GROUP BY dossier_id HAVING MIN(received_at) >= $start AND MIN(received_at) < $as_of
    ), sectors AS (SELECT procedure_code, any_value(sector_code) AS sector_code FROM procedure GROUP BY procedure_code)
    SELECT l.procedure_code, COALESCE(s.sector_code, '?') AS sector, EPOCH_US(l.received_at) AS received,
           MAX(CASE WHEN e.kind IN ('refused', 'decided', 'withdrawn', 'delivered') THEN 1 ELSE 0 END) AS ended
    FROM lately l LEFT JOIN sectors s USING (procedure_code)
    LEFT JOIN event e ON e.dossier_id = l.dossier_id AND e.known_at < $as_of
    GROUP BY l.dossier_id, l.procedure_code, sector, received
"""


def progress(con: duckdb.DuckDBPyConnection, as_of: datetime, calendar: Calendar) -> Progress:
    """How far the dossiers received in the `SPAN` before `as_of` had come, as known then."""
    naive = naive_utc(as_of)
    rows = con.sql(_SQL, params={"start": naive - SPAN, "as_of": naive}).fetchnumpy()
    now = calendar.worked(round(as_of.timestamp() * 1e6))
    age = np.array([now - calendar.worked(int(moment)) for moment in rows["received"]], float) / HOUR
    return Progress(rows["procedure_code"].astype(str), rows["sector"].astype(str), age, rows["ended"].astype(float))


def moments(as_of: datetime) -> list[datetime]:
    """The past moments that `as_of` is compared with: `WEEKS` of them, the latest a `SPAN` before, oldest first."""
    return [as_of - SPAN - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]


def paces(past: Sequence[Progress], now: Progress) -> list[Pace]:
    """The pace of every sector of `now` against `past` moments, slowest first; without 8 past moments none."""
    usual = _usual(past)
    weekly = [_by_sector(one, usual) for one in past]
    told = {name: said for name, said in _by_sector(now, usual).items() if said[0] >= LEAST}
    found = []
    for name, (n, ahead) in told.items():
        before = np.array([week[name][1] for week in weekly if name in week and week[name][0] >= LEAST / 2])
        if len(before) < LEAST_PAST or not before.std():
            continue
        spread = float(before.std(ddof=1)) * np.sqrt(1 + 1 / len(before))
        bound = float(student.ppf(1 - CHANCE / 2 / len(told), len(before) - 1))
        moved = ahead - float(before.mean())
        found.append(Pace(name, n, moved, moved / spread, bound))
    return sorted(found, key=lambda pace: pace.z)


def _usual(past: Sequence[Progress]) -> dict[tuple[str, int], float]:
    """Share ended by procedure and band of age, over past moments."""
    total: dict[tuple[str, int], list[float]] = {}
    for one in past:
        for key, ended in zip(_keys(one), one.ended.tolist(), strict=True):
            kept = total.setdefault(key, [0.0, 0.0])
            kept[0] += ended
            kept[1] += 1
    return {key: ended / n for key, (ended, n) in total.items()}


def _keys(one: Progress) -> list[tuple[str, int]]:
    return list(zip(one.procedure.tolist(), np.searchsorted(EDGES, one.age).tolist(), strict=True))


def _by_sector(one: Progress, usual: Mapping[tuple[str, int], float]) -> dict[str, tuple[int, float]]:
    """Sector to n and how far ahead of usual beyond all other sectors; dossiers without peers of their age are left
    out."""
    ahead = one.ended - np.array([usual.get(key, np.nan) for key in _keys(one)])
    known = ~np.isnan(ahead)
    total, n = float(ahead[known].sum()), int(known.sum())
    found = {}
    for name in np.unique(one.sector[known]):
        mine = ahead[known & (one.sector == name)]
        others = (total - float(mine.sum())) / max(n - len(mine), 1)
        found[str(name)] = (len(mine), float(mine.mean()) - others)
    return found
