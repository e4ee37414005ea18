"""How the list did a month ago: what became of the dossiers that it held and that could still be saved then.

Told are those of which it is settled by now: ended, or late by the lawful clock. Those still open in time are left out,
and so is who was late already.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.case_state.state import WAITING, Phase
from features.intervals import wilson
from serving.scoring.score_files import ListMeta, read_scores, stamp

MONTH = timedelta(days=30)
OLDEST = timedelta(days=60)
LEAST = 20
"""Fewer settled dossiers than this give no figure."""


@dataclass(frozen=True)
class TurnedLate:
    """`late` of `n` dossiers were late. low, high: 95 % interval (Wilson)."""

    n: int
    late: int

    @property
    def value(self) -> float:
        """The share; 0 of none."""
        return self.late / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Its interval."""
        return wilson(self.late, self.n) if self.n else (0.0, 1.0)


@dataclass(frozen=True)
class TurnedOut:
    """What became of a list of `as_of`: of those with a score of a bound or more, of the others, and the mean score."""

    as_of: datetime
    high: TurnedLate
    others: TurnedLate
    mean_score: float

    @property
    def all(self) -> TurnedLate:
        """Both together."""
        return TurnedLate(self.high.n + self.others.n, self.high.late + self.others.late)


@dataclass(frozen=True)
class PastList:
    """The settled dossiers of an earlier list: unit and holder then, score, and whether they were late [n]."""

    as_of: datetime
    unit: np.ndarray
    official: np.ndarray
    score: np.ndarray
    late: np.ndarray

    def turned_out(
        self, bound: float, units: frozenset[str] | None = None, official: str | None = None
    ) -> TurnedOut | None:
        """What became of the dossiers of a scope; None of too few."""
        mine = np.ones(len(self.score), bool) if units is None else np.isin(self.unit, list(units))
        if official is not None:
            mine = self.official == official
        if mine.sum() < LEAST:
            return None
        high = mine & (self.score >= bound)
        return TurnedOut(
            self.as_of,
            TurnedLate(int(high.sum()), int(self.late[high].sum())),
            TurnedLate(int((mine & ~high).sum()), int(self.late[mine & ~high].sum())),
            float(self.score[mine].mean()),
        )


def past_list(scores: Path, meta: ListMeta, states: pa.Table) -> PastList | None:
    """The last list of the target that is a month old at least, with what became of it; None where there is none.

    states: dossier_id, phase, late of the dossiers that the record knows by now.
    """
    first, last = stamp(meta.as_of - OLDEST), stamp(meta.as_of - MONTH)
    found = [one for one in (scores / meta.target).glob("*/scores.parquet") if first <= one.parent.name <= last]
    if not found:
        return None
    try:
        table, past = read_scores(max(found))
    except ValueError:  # a damaged list gives nothing; `risk doctor` finds it
        return None
    could = pc.and_(
        pc.fill_null(pc.greater(table["left_hours"], 0), False),
        pc.invert(pc.is_in(table["phase"], pa.array(WAITING, pa.string()))),
    )
    table = table.filter(could)
    place = pc.index_in(table["dossier_id"], states["dossier_id"].combine_chunks())
    late = pc.fill_null(states["late"].take(place), False).to_numpy()
    ended = pc.fill_null(pc.equal(states["phase"].take(place), Phase.ENDED.value), False).to_numpy()
    settled = late | ended
    unit, official = (np.array(table[name].to_pylist(), object)[settled] for name in ("unit_code", "official_id"))
    return PastList(past.as_of, unit, official, table["score"].to_numpy()[settled], late[settled])
