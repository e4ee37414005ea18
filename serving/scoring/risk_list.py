"""The risk list: one line an open dossier, highest risk first, held in memory for quick filters and pages.

Score, rank and reasons are of the moment of scoring (`meta.as_of`). Where a dossier stands is not: a list that people
look at is read anew with the record (`RiskList.at`), so that no page says "in time" of what another calls overdue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.calendar.working_time import Calendar
from features.case_state.state import WAITING, Phase
from models.reasons import Reason
from models.remaining_time import Remaining
from serving.scoring.score_files import REMAINING, ListMeta, latest_path, read_scores
from serving.scoring.time_left import hours_left

MOST_ROWS = 200
"""Rows of one page at most."""

_MOMENT = pa.timestamp("us", "UTC")
_KEPT_FILTERS = 32  # orders kept beside the list: 4 bytes a line each, 26 MB at 200,000 lines
_KEPT_LINES = 20_000  # lines kept as objects: the first pages are what everybody asks for


@dataclass(frozen=True, slots=True)
class RiskLine:
    """One open dossier on the list: the row of the file, the JSON of the API and the line of the page.

    rank: 1 is the highest score. score: probability (0 to 1) of becoming late by the lawful clock.
    log_odds = base + the sum of all contributions. due_at: the lawful promise; left_hours: working hours to it,
    negative where it is overdue (`serving.scoring.time_left`). phase: in whose hands it is
    (`features.case_state.state.Phase`); None where nobody told. remaining: when it is expected to end, told at the
    moment of the score; None where no time is told, and where the promise was missed since. score_low, score_high:
    within which four in five groups of such dossiers end, by how far the parts of the model disagree; None where none
    is told. official_name: filled for a reader by `serving.use_cases.official_names`.
    """

    rank: int
    dossier_id: str
    unit_code: str | None
    official_id: str | None
    procedure_code: str | None
    sector_code: str | None
    score: float
    log_odds: float
    base: float
    left_hours: float | None
    due_at: datetime | None
    received_at: datetime | None
    step: str | None
    reasons: list[Reason]
    phase: str | None = None
    remaining: Remaining | None = None
    score_low: float | None = None
    score_high: float | None = None
    official_name: str | None = None

    @property
    def waits(self) -> bool:
        """Whether the clock stands: the citizen has to act, or processing is suspended."""
        return self.phase in WAITING


Order = Literal["rank", "left", "age", "dossier", "unit", "step"]
"""What a list is sorted by: rank (highest risk first), working time left, age, code, unit and step by their texts."""


@dataclass(frozen=True)
class Search:
    """What a search matched, in any column: a piece of the dossier's code, or these codes."""

    piece: str
    procedures: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    officials: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Filters:
    """Which lines are wanted; None takes all.

    `units`: codes the reader may see (scope), on top of the wish. `ahead`: only promises that can still be kept;
    `overdue`: only those that are past. `fresh`: only what yesterday's list did not hold. `search`: what was typed.
    `waiting`: only dossiers whose clock stands, which are on no other list; None takes both.
    """

    sector: str | None = None
    unit: str | None = None
    official: str | None = None
    least_score: float = 0.0
    units: frozenset[str] | None = None
    ahead: bool = False
    fresh: bool = False
    waiting: bool | None = False
    overdue: bool = False
    search: Search | None = None


@dataclass(frozen=True)
class Page:
    """A stretch of a list: `lines` from position `offset` of `total` that pass the filters."""

    lines: list[RiskLine]
    total: int
    offset: int


class RiskList:
    """A scored list, indexed: filters are array comparisons, and only the lines of a page become objects."""

    def __init__(self, table: pa.Table, meta: ListMeta, read_at: datetime | None = None) -> None:
        """Takes a table of `score_files.SCHEMA`; sorts it by rank where it is not.

        read_at: the moment of promises, hours left and phases; that of scoring where left out.
        """
        self.meta = meta
        self.read_at = read_at or meta.as_of
        self.newcomers: frozenset[str] = frozenset()  # ids that yesterday's list did not hold
        self._table = table.sort_by("rank").combine_chunks()
        self._score = self._table["score"].to_numpy()
        self._left = pc.fill_null(self._table["left_hours"], np.inf).to_numpy()
        self._waits = pc.is_in(self._table["phase"], pa.array(WAITING, pa.string())).to_numpy()
        self._codes = {
            name: _Codes(self._table[name])
            for name in ("sector_code", "unit_code", "official_id", "procedure_code", "step")
        }
        self._places = lru_cache(maxsize=_KEPT_FILTERS)(self._passing)
        self._line_at = lru_cache(maxsize=_KEPT_LINES)(self._make_line)
        self._place = {key: place for place, key in enumerate(self._table["dossier_id"].to_pylist())}

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def at(self, states: pa.Table, read_at: datetime, calendar: Calendar) -> "RiskList":
        """The same list with where each dossier stands at `read_at`; those that have ended since, or are received only
        later, are not on it.

        states: dossier_id, phase, lawful_due_at (UTC, aware), overdue of the dossiers that the record knows; a line of
        which it knows nothing stays as it was scored. What was expected of the time to the end says nothing any more
        where the promise was missed since.
        """
        place = pc.index_in(self._table["dossier_id"], states["dossier_id"].combine_chunks())
        unknown = pc.is_null(place)
        phase = pc.if_else(unknown, self._table["phase"], states["phase"].take(place))
        due = pc.if_else(unknown, self._table["due_at"], states["lawful_due_at"].take(place).cast(_MOMENT))
        left = self._table["left_hours"].to_numpy(zero_copy_only=False).copy()
        in_record = np.flatnonzero(pc.is_valid(place))
        overdue = pc.fill_null(states["overdue"].take(place), False)
        left[in_record] = hours_left(due.take(in_record), overdue.take(in_record), read_at, calendar)
        missed = np.zeros(len(self), dtype=bool)
        missed[in_record] = overdue.take(in_record).to_numpy(zero_copy_only=False)
        missed &= self._left >= 0
        remaining = pc.if_else(pa.array(missed), pa.scalar(None, REMAINING), self._table["remaining"])
        changed = {
            "phase": phase, "due_at": due, "left_hours": pa.array(left, from_pandas=True), "remaining": remaining,
        }  # fmt: skip
        table = self._table
        for name, column in changed.items():
            index = table.schema.get_field_index(name)
            table = table.set_column(index, table.schema.field(name), column.cast(table.schema.field(name).type))
        ended = pc.fill_null(pc.is_in(phase, pa.array([Phase.ENDED, Phase.SET_ASIDE], pa.string())), False)
        later = pc.fill_null(pc.greater_equal(table["received_at"], pa.scalar(read_at, _MOMENT)), False)
        found = RiskList(table.filter(pc.invert(pc.or_(ended, later))), self.meta, read_at)
        found.newcomers = self.newcomers & found._place.keys()
        return found

    def page(
        self, filters: Filters = Filters(), offset: int = 0, size: int = 50, order: Order = "rank", back: bool = False
    ) -> Page:
        """The lines that pass, in an order or `back` from its end, `size` (1 to 200) of them from `offset`.

        ValueError outside.
        """
        if not 1 <= size <= MOST_ROWS or offset < 0:
            raise ValueError(f"wanted a size from 1 to {MOST_ROWS} and an offset from 0, got {size} and {offset}")
        places = self._places(filters, order, back)
        return Page(self._lines(places[offset : offset + size]), total=len(places), offset=offset)

    def places(self, filters: Filters) -> np.ndarray:
        """Positions (int, ascending rank) of the lines that pass."""
        return self._places(filters, "rank", False)

    def _passing(self, filters: Filters, order: Order, back: bool) -> np.ndarray:
        keep = self._score >= filters.least_score
        for column, wanted in (
            ("sector_code", filters.sector),
            ("unit_code", filters.unit),
            ("official_id", filters.official),
        ):
            if wanted is not None:
                keep &= self._codes[column].among(frozenset((wanted,)))
        if filters.units is not None:
            keep &= self._codes["unit_code"].among(filters.units)
        if filters.waiting is not None:
            keep &= self._waits == filters.waiting
        if filters.ahead:
            keep &= self._left >= 0
        if filters.overdue:
            keep &= self._left < 0
        if filters.search is not None:
            keep &= self._matching(filters.search)
        if filters.fresh:
            new = np.zeros(len(self), dtype=bool)
            new[[self._place[key] for key in self.newcomers]] = True
            keep &= new
        places = np.flatnonzero(keep).astype(np.int32)
        if order != "rank":
            places = places[np.argsort(self._keys(order)[places], kind="stable")]  # then by rank
        if back:
            places = places[::-1]
        places.setflags(write=False)  # kept for the next one who asks
        return places

    def _keys(self, order: Order) -> np.ndarray:
        """What the lines are sorted by."""
        keys: np.ndarray
        if order == "left":
            keys = self._left
        elif order == "age":
            ages = pc.fill_null(self._table["received_at"].cast(pa.int64()), np.iinfo(np.int64).max)
            keys = ages.to_numpy()
        elif order == "dossier":
            keys = pc.rank(self._table["dossier_id"], tiebreaker="first").to_numpy()
        else:
            keys = self._codes["unit_code" if order == "unit" else "step"].places
        return keys

    def _matching(self, search: Search) -> np.ndarray:
        """True where the code holds the piece, or procedure, unit or official is one of those found."""
        found: np.ndarray = pc.match_substring(self._table["dossier_id"], search.piece, ignore_case=True).to_numpy(
            zero_copy_only=False
        )
        for column, codes in (
            ("procedure_code", search.procedures), ("unit_code", search.units), ("official_id", search.officials),
        ):  # fmt: skip
            if codes:
                found = found | self._codes[column].among(codes)
        return found

    def counts(self, filters: Filters, column: str) -> list[tuple[str, int]]:
        """How many lines that pass have each value of `sector_code` or `unit_code`, most first."""
        return self._codes[column].counts(self.places(filters))

    def line(self, dossier_id: str) -> RiskLine | None:
        """The line of one dossier, or None where it is not on the list."""
        place = self._place.get(dossier_id)
        return None if place is None else self._line_at(place)

    def left_hours(self, filters: Filters) -> np.ndarray:
        """Working hours left (infinite where no promise is known) of the lines that pass, by rank."""
        left: np.ndarray = self._left[self.places(filters)]
        return left

    def spread(self, bounds: Sequence[float]) -> list[int]:
        """How many lines lie at or above each bound and below the one before; bounds fall."""
        above = [int((self._score >= bound).sum()) for bound in bounds]
        return [count - (above[place - 1] if place else 0) for place, count in enumerate(above)]

    def dossier_ids(self) -> pa.Array:
        """All ids on the list, by rank."""
        return self._table["dossier_id"].combine_chunks()

    def choices(self, column: str) -> list[str]:
        """The values that occur in `sector_code`, `unit_code` or `official_id`, sorted."""
        return self._codes[column].sorted

    def _lines(self, places: np.ndarray) -> list[RiskLine]:
        return [self._line_at(place) for place in places.tolist()]

    def _make_line(self, place: int) -> RiskLine:
        return _line(self._table.slice(place, 1).to_pylist()[0])


class _Codes:
    """One text column as integer codes, so that a filter is one array lookup."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        coded = pc.dictionary_encode(column.combine_chunks(), null_encoding="mask")
        coded = coded if isinstance(coded, pa.DictionaryArray) else coded.combine_chunks()
        self.position = {value: place for place, value in enumerate(coded.dictionary.to_pylist())}
        self.sorted = sorted(self.position)
        self._code = pc.fill_null(coded.indices, len(self.position)).to_numpy(zero_copy_only=False)

    @property
    def places(self) -> np.ndarray:
        """Of each line, the place of its value among the sorted ones; a missing value stands last."""
        order = np.full(len(self.position) + 1, len(self.position))
        for place, value in enumerate(self.sorted):
            order[self.position[value]] = place
        found: np.ndarray = order[self._code]
        return found

    def counts(self, lines: np.ndarray) -> list[tuple[str, int]]:
        """How often each value stands in these lines, most first."""
        number = np.bincount(self._code[lines], minlength=len(self.position) + 1)
        found = [(value, int(number[place])) for value, place in self.position.items() if number[place]]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def among(self, wanted: frozenset[str]) -> np.ndarray:
        """True where the value is one of `wanted`; a missing value never is."""
        keep = np.zeros(len(self.position) + 1, dtype=bool)
        for value in wanted:
            if value in self.position:
                keep[self.position[value]] = True
        found: np.ndarray = keep[self._code]
        return found


def _line(row: dict[str, Any]) -> RiskLine:
    reasons = [Reason(**reason) for reason in row.pop("reasons") or []]
    row.pop("as_of")
    remaining = row.pop("remaining")
    return RiskLine(**row, reasons=reasons, remaining=remaining and Remaining(**remaining))


def latest_list(scores: Path, target: str) -> RiskList:
    """The latest scored list of `target` under the scores folder; FileNotFoundError says how to make one."""
    return RiskList(*read_scores(latest_path(scores, target)))
