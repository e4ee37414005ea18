"""Why a score is what it is: what stands in the matrix and moves the score, in sentences that a clerk understands.

Features of one group (`Feature.group`) tell of one thing; of each group at most one sentence is told, of the cell that
adds most and says something (a value that is as usual says nothing). **The effect of a sentence is its own**: what the
score loses when exactly the cells that it tells go back to what is usual of the case's peers, by scoring again
(`models.counterfactual`). A sentence whose cells, gone back, would move the score the other way is not told.

Only what raises the score is told, for a list says why to look; where nothing raises it, what lowers it. Where a head
could act on something that raises it (`ACTIONABLE`), one of the sentences is about that.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import pyarrow as pa
from scipy.special import expit

from features.matrix.batch import FEATURES
from features.matrix.declaration import Feature
from models.counterfactual import NONE, effects_of
from models.encoding import CategoryRates, Cells, column_of_numbers, column_of_text
from models.peer_medians import usual_of
from models.reason_words import DIRECTION, Words, category_said, number_said, pair_said, written
from models.risk_model import Scores
from models.sentences import Head, Measure, head_of
from models.targets import MAIN, TARGETS
from models.tree_walk import WALKED_FROM

DECLARED: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}
NEAR = 0.1
"""A value within this share of the usual one is called usual, and gives no reason."""
APART = 0.02
"""Past rates nearer to the common one than this say nothing."""
LEAST = 0.02
"""Effects under this, in log-odds, give no reason: half a point of percent at most."""
_Key = TypeVar("_Key", bound=Hashable)
GROUPS, SPEAKERS = 8, 2
"""Groups of a case that are looked at, and cells of each."""
LEFT, NEEDS = "hours_left", ("procedure_step_left_hours", "step_left_hours")
ACTIONABLE = frozenset(
    ("silence", "step", "handling", "official_load", "unit_load", "consultation", "papers", "step_pace")
)
"""Groups that a head of unit can do something about: ask, take over, move, add a person, press a consulted office, do
first what needs more time than is left."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence about one case.

    code: the matrix column that speaks. effect: log-odds that the score loses when its cells go back to the usual
    (above zero raises the risk). value, usual: as written, without unit, decimal point; "" where not known. n:
    training rows behind `usual`.
    """

    code: str
    effect: float
    value: str
    usual: str
    n: int
    vi: str
    en: str


@dataclass(frozen=True)
class _Candidates:
    """What could be told, a sentence each: by row, of a row first of the groups that add most, of a group first by the
    cells that add most.

    `row` [m] of the scores; `group` [m] of the cell, and its `rank` [m] among the row's; `cells` [2 × m]: the column
    that speaks and one that is told beside it, or NONE.
    """

    row: np.ndarray
    group: np.ndarray
    rank: np.ndarray
    cells: np.ndarray


@dataclass(frozen=True)
class ReasonColumns:
    """Reasons by column, by `row` [m] of the scores and strongest first: the `feature` [m] that speaks (a place among
    the scores' features), the `effect` [m], and its words, `sentences[sentence[m]]`: most are said of many rows."""

    row: np.ndarray
    feature: np.ndarray
    effect: np.ndarray
    sentence: np.ndarray
    sentences: list[Words]


def reasons(scores: Scores, matrix: pa.Table | Cells, top: int = 3) -> list[list[Reason]]:
    """For each row of the matrix its `top` strongest reasons, strongest first; fewer where there are fewer."""
    by_row: list[list[Reason]] = [[] for _ in scores.log_odds]
    found = reason_columns(scores, matrix, top)
    columns = (one.tolist() for one in (found.row, found.feature, found.effect, found.sentence))
    for row, feature, effect, sentence in zip(*columns, strict=True):
        by_row[row].append(Reason(scores.features[feature], effect, *found.sentences[sentence]))
    return by_row


def reason_columns(scores: Scores, matrix: pa.Table | Cells, top: int = 3) -> ReasonColumns:
    """`reasons` by column."""
    cells = _Cells(matrix, scores)
    rows = np.arange(len(scores.log_odds))
    raising = _in_direction(scores, cells, rows, +1, top)
    lowering = _in_direction(scores, cells, np.setdiff1d(rows, raising.row), -1, top)
    order = np.argsort(np.concatenate([raising.row, lowering.row]), kind="stable")
    sentence = np.concatenate([raising.sentence, lowering.sentence + len(raising.sentences)])[order]
    both = ((getattr(one, name) for one in (raising, lowering)) for name in ("row", "feature", "effect"))
    row, feature, effect = (np.concatenate(list(one))[order] for one in both)
    return ReasonColumns(row, feature, effect, sentence, raising.sentences + lowering.sentences)


def _in_direction(scores: Scores, cells: _Cells, rows: np.ndarray, sign: int, top: int) -> ReasonColumns:
    """The reasons of the rows that move the score in the direction of `sign`."""
    if not len(rows):
        none = np.zeros(0, np.int64)
        return ReasonColumns(none, none, np.zeros(0), none, [])
    found = _candidates(scores, cells, rows, sign)
    effects = _effects(scores, found, cells, sign)
    chosen = _chosen(found, sign * effects, cells, sign, top)
    rows, (speaks, beside) = found.row[chosen], found.cells[:, chosen]
    sentence = np.zeros(len(rows), np.int64)
    sentences: list[Words] = []
    kinds = speaks * (len(scores.features) + 1) + beside - NONE
    for kind in np.unique(kinds).tolist():
        mine = np.flatnonzero(kinds == kind)
        which, of_kind = cells.words(int(speaks[mine[0]]), int(beside[mine[0]]), rows[mine], sign)
        sentence[mine] = len(sentences) + np.array(which)
        sentences += of_kind
    return ReasonColumns(rows, speaks, effects[chosen], sentence, sentences)


def _effects(scores: Scores, found: _Candidates, cells: _Cells, sign: int) -> np.ndarray:
    """The effect [m] of every candidate; 0 where one told before it of the same group has enough of it."""
    if len(found.row) < WALKED_FROM:
        return effects_of(scores, found.row, found.cells, cells.usual)
    effects = np.zeros(len(found.row))
    nth = _nth(found.row * len(cells.layout.groups) + found.rank)
    group = np.cumsum(nth == 0) - 1
    silent = np.ones(group[-1] + 1, bool)
    for turn in range(nth.max() + 1):
        asked = np.flatnonzero((nth == turn) & silent[group])
        effects[asked] = effects_of(scores, found.row[asked], found.cells[:, asked], cells.usual)
        silent[group[asked[sign * effects[asked] >= LEAST]]] = False
    return effects


def _candidates(scores: Scores, cells: _Cells, rows: np.ndarray, sign: int) -> _Candidates:
    """Possible reasons of each row: of its groups that add most, the cells that add most and have a sentence."""
    layout = cells.layout
    adds = sign * scores.contributions[rows]
    together = adds @ layout.member
    strongest = np.argsort(-together, axis=1, kind="stable")
    rank = np.empty_like(strongest)
    np.put_along_axis(rank, strongest, np.arange(rank.shape[1])[None], axis=1)
    looked_at = (rank < GROUPS) & (together > 0)
    place, cell = np.nonzero((adds > 0) & looked_at[:, layout.group])
    row, rank, adds = rows[place], rank[place, layout.group[cell]], adds[place, cell]
    pair, single = cells.speak(row, cell, sign)
    places = np.flatnonzero(single | (pair != NONE))
    places = places[np.lexsort((-adds[places], rank[places], row[places]))]
    of_group = row[places] * len(layout.groups) + rank[places]
    places = places[_nth(of_group) < SPEAKERS]
    both = np.repeat(places, 2)  # a pair is told before the cell alone
    as_pair = np.arange(len(both)) % 2 == 0
    sentences = np.where(as_pair, pair[both] != NONE, single[both])
    both, as_pair = both[sentences], as_pair[sentences]
    speaks = np.where(as_pair, layout.left, cell[both])
    return _Candidates(
        row[both], layout.group[cell[both]], rank[both], np.stack([speaks, np.where(as_pair, pair[both], NONE)])
    )


def _chosen(found: _Candidates, strength: np.ndarray, cells: _Cells, sign: int, top: int) -> np.ndarray:
    """Places of the candidates that are told, by row and strongest first. strength [m]: effects in the direction of
    `sign`."""
    layout = cells.layout
    able = np.flatnonzero(strength >= LEAST)
    able = able[_nth(found.row[able] * len(layout.groups) + found.rank[able]) == 0]  # a group is told once
    able = able[np.lexsort((found.rank[able], -strength[able], found.row[able]))]
    nth = _nth(found.row[able])
    line = np.cumsum(nth == 0) - 1
    slots = np.full((line[-1] + 1 if len(line) else 0, GROUPS), NONE)
    slots[line, nth] = np.arange(len(able))
    remains = slots != NONE
    twins = np.bitwise_or.reduce(layout.twin[found.cells[:, able]], axis=0)
    twins = np.where(remains, twins[slots] if len(twins) else 0, 0)
    seen = np.zeros(len(slots), np.int64)
    for at in range(GROUPS):  # no sentence of which a stronger one tells a cell already
        remains[:, at] &= (twins[:, at] & seen) == 0
        seen |= np.where(remains[:, at], twins[:, at], 0)
    order = np.where(remains, np.cumsum(remains, axis=1), top + GROUPS)
    chosen = order <= top
    if sign > 0 and len(slots):
        acts = remains & layout.actionable[found.group[able]][slots]
        spare = acts & ~chosen
        lacks = ~(acts & chosen).any(axis=1) & spare.any(axis=1)
        chosen[lacks] &= order[lacks] < top
        chosen[lacks, spare.argmax(axis=1)[lacks]] = True
    return np.asarray(able[slots[chosen]])


def _nth(key: np.ndarray) -> np.ndarray:
    """Of each place of a sorted array how many equal ones stand before it."""
    new = np.flatnonzero(np.diff(key, prepend=-1))
    return np.arange(len(key)) - np.repeat(new, np.diff(new, append=len(key)))


@dataclass(frozen=True)
class _Layout:
    """What is the same for all rows of some columns [columns]: their `groups`, the `group` of each, 1 where a column
    belongs to one (`member` [columns × groups]); `actionable` [groups]; how values are measured (`head`, `share`,
    `flag`, `none`: whether an unknown one is told); the places of LEFT and NEEDS, or NONE; `twin`: a bit each.
    """

    groups: tuple[str, ...]
    group: np.ndarray
    member: np.ndarray
    actionable: np.ndarray
    head: tuple[Head, ...]
    share: np.ndarray
    flag: np.ndarray
    none: np.ndarray
    left: int
    needs: tuple[int, ...]
    twin: np.ndarray


@lru_cache(maxsize=16)
def _layout(names: tuple[str, ...], categories: frozenset[str]) -> _Layout:
    of = [group_of(name) for name in names]
    groups = tuple(dict.fromkeys(of))
    group = np.array([groups.index(one) for one in of], np.int64)
    member = np.zeros((len(names), len(groups)))
    member[np.arange(len(names)), group] = 1.0
    heads = tuple(_head(name, name in categories) for name in names)
    left, *needs = (names.index(name) if name in names else NONE for name in (LEFT, *NEEDS))
    twin = np.zeros(len(names) + 1, np.int64)  # the last one is NONE's
    for bit, place in enumerate((left, *needs)):
        if place != NONE:
            twin[place] = 1 << bit
    return _Layout(
        groups, group, member, np.array([one in ACTIONABLE for one in groups]), heads,
        np.array([head.measure is Measure.SHARE for head in heads]),
        np.array([head.measure is Measure.FLAG for head in heads]),
        np.array([bool(head.none_vi) for head in heads]), left, tuple(needs), twin,
    )  # fmt: skip


def _head(name: str, category: bool) -> Head:
    declared = DECLARED.get(name)
    words = name.removeprefix("x_").replace("_", " ")
    vi, en = (declared.words_vi, declared.words_en) if declared else (f"Thuộc tính {words}", f"attribute {words}")
    return head_of(name, vi, en, category=category)


def group_of(name: str) -> str:
    """The reason that a matrix column belongs to; an attribute `x_…` and its past rate belong together."""
    if name in DECLARED:
        return DECLARED[name].group
    if name.startswith("x_"):
        for ending in ("_late_rate", "_known"):
            name = name.removesuffix(ending)
    return name


def _different(keys: Iterable[_Key]) -> tuple[list[int], list[_Key]]:
    """Which of the different keys each is, and these in order."""
    places: dict[_Key, int] = {}
    return [places.setdefault(key, len(places)) for key in keys], list(places)


class _Cells:
    """The cells of a matrix beside what is usual, read by column where they are asked for, and their words."""

    def __init__(self, matrix: pa.Table | Cells, scores: Scores) -> None:
        self._names = scores.features
        self._medians = scores.usual
        self._target = TARGETS.get(scores.target, MAIN)
        self._rates: Mapping[str, CategoryRates] = {rate.keys[0]: rate for rate in scores.rates if len(rate.keys) == 1}
        self._matrix = matrix
        self.layout = _layout(self._names, frozenset(self._rates))
        shape = len(scores.log_odds), len(self._names)
        self._value = np.full(shape, np.nan)  # of a category by how much its past rate lies above the common one
        self.usual = np.full(shape, np.nan)
        self._read: set[int] = set()
        self._texts: dict[str, list[str]] = {}
        self._peer: dict[str, tuple[list[str], np.ndarray]] = {}  # of a column its values, and which each row has

    def speak(self, row: np.ndarray, cell: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray]:
        """What cells [m], places of columns in rows [m], could tell of a move of the score in the direction of `sign`:
        the column that is told beside `LEFT` [m] or NONE, and whether they speak alone [m]."""
        layout = self.layout
        asked = set(np.unique(cell).tolist())
        if layout.left in asked or asked & set(layout.needs):
            asked |= {layout.left, *layout.needs} - {NONE}
        for place in asked - self._read:
            self._read_column(place)
        value, usual = self._value[row, cell], self.usual[row, cell]
        gap = np.abs(value - usual)
        near = gap <= NEAR * np.abs(usual)
        doubtful = ~near & (gap <= np.where(layout.share[cell], 0.0101, 0.101))  # the same in words, perhaps
        for at in np.flatnonzero(doubtful).tolist():
            measure = layout.head[cell[at]].measure
            near[at] = written(value[at], measure) == written(usual[at], measure)
        single = np.where(np.isnan(value), layout.none[cell], ~near | layout.flag[cell])
        for name in self._rates.keys() & set(self._names):
            mine = cell == self._names.index(name)
            single[mine] = sign * value[mine] >= APART
        return self._pairs(row, cell, sign), single

    def _pairs(self, row: np.ndarray, cell: np.ndarray, sign: int) -> np.ndarray:
        """The time that is usually needed from here, to be told beside the time left where more is needed."""
        pair, left = np.full(len(cell), NONE), self.layout.left
        if sign < 0 or left == NONE:
            return pair
        for needs in self.layout.needs:
            if needs != NONE:
                mine = np.flatnonzero(((cell == left) | (cell == needs)) & (pair == NONE))
                hours = self._value[row[mine], left]
                short = (hours >= 0) & (hours < self._value[row[mine], needs])
                pair[mine[short]] = needs
        return pair

    def _read_column(self, place: int) -> None:
        """Takes up the values of a column and what is usual of them."""
        self._read.add(place)
        name = self._names[place]
        if name in self._rates:
            rate = self._rates[name]
            texts = self._text(name)
            past = {text: expit(rate.log_odds[text]) for text in {*texts} - {""} if text in rate.log_odds}
            self._value[:, place] = np.array([past.get(text, np.nan) for text in texts]) - expit(rate.prior)
            return
        self._value[:, place] = column_of_numbers(self._matrix, name)
        peer, usuals = self._usuals_of(name)
        self.usual[:, place] = np.array([np.nan if usual is None else usual for usual, *_ in usuals])[peer]

    def words(self, cell: int, other: int, rows: np.ndarray, sign: int) -> tuple[list[int], list[Words]]:
        """What is said of the cells of `rows` [m] by the column at `cell`, and by one beside it or NONE, of a move of
        the score in the direction of `sign`: which [m] of the words that follow."""
        name, head = self._names[cell], self.layout.head[cell]
        if name in self._rates:
            text, rate = self._text(name), self._rates[name]
            which, different = _different([text[row] for row in rows.tolist()])
            sentences = [category_said(head, text, rate, self._target) for text in different]
        elif other == NONE:
            peer, usuals = self._usuals_of(name)
            which, numbers = _different(zip(self._value[rows, cell].tolist(), peer[rows].tolist(), strict=True))
            sentences = [number_said(head, value, *usuals[of]) for value, of in numbers]
        else:
            peer, usuals = self._usuals_of(self._names[other])
            both = self._value[rows[:, None], [cell, other]].T.tolist()
            which, pairs = _different(zip(*both, peer[rows].tolist(), strict=True))
            sentences = [pair_said(left, needs, usuals[of][1]) for left, needs, of in pairs]
        vi, en = DIRECTION[sign]
        return which, [(value, usual, n, head_vi + vi, head_en + en) for value, usual, n, head_vi, head_en in sentences]

    def _usuals_of(self, name: str) -> tuple[np.ndarray, list[tuple[float | None, int, str]]]:
        """Which peers each row has of a column, and of each peers what is usual (`peer_medians.usual_of`)."""
        column = self._medians.get("peers", {}).get(name, "")
        if column not in self._peer:
            texts = self._text(column) if column else [""] * len(self._value)
            place = {text: at for at, text in enumerate(dict.fromkeys(texts))}
            self._peer[column] = list(place), np.array([place[text] for text in texts], np.int64)
        peers, of = self._peer[column]
        return of, [usual_of(self._medians, name, {column: peer} if column else {}) for peer in peers]

    def _text(self, name: str) -> list[str]:
        if name not in self._texts:
            self._texts[name] = list(map(str, column_of_text(self._matrix, name)))
        return self._texts[name]
