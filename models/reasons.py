"""Why a score is what it is: what stands in the matrix and moves the score, in sentences that a clerk understands.

Features of one group (`Feature.group`) tell of one thing; of each group at most one sentence is told, of the cell that
adds most and says something (a value that is as usual says nothing). **The effect of a sentence is its own**: what the
score loses when exactly the cells that it tells go back to what is usual of the case's peers, by scoring again
(`models.counterfactual`). A sentence whose cells, gone back, would move the score the other way is not told.

Only what raises the score is told, for a list says why to look; where nothing raises it, what lowers it. Where a head
could act on something that raises it (`ACTIONABLE`), one of the sentences is about that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isnan

import numpy as np
import pyarrow as pa
from scipy.special import expit

from features.matrix.batch import FEATURES
from features.matrix.declaration import Feature
from models.counterfactual import effects_of
from models.encoding import CategoryRates, Cells, column_of_numbers, column_of_text
from models.peer_medians import usual_of
from models.risk_model import Scores
from models.sentences import NEEDED, PEER_WORDS, Head, Measure, head_of
from models.targets import MAIN, TARGETS

DECLARED: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}
FLAG = {True: ("có", "yes"), False: ("không", "no")}
NEAR = 0.1
"""A value within this share of the usual one is called usual, and not told."""
APART = 0.02
"""Past rates nearer to the common one than this say nothing."""
LEAST = 0.02
"""Effects under this, in log-odds, are not told: half a point of percent at most."""
GROUPS, SPEAKERS = 8, 2
"""Groups of a case that are looked at, and cells of each."""
LEFT, NEEDS = "hours_left", ("procedure_step_left_hours", "step_left_hours")
ACTIONABLE = frozenset(
    ("silence", "step", "handling", "official_load", "unit_load", "consultation", "papers", "step_pace")
)
"""Groups that a head of unit can do something about: ask, take over, move, add a person, press a consulted office, do
first what needs more time than is left."""


_POINT = re.compile(r"(?<=\d)\.(?=\d)")


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence about one case.

    code: the matrix column that speaks. effect: log-odds that the score loses when what is told goes back to the usual
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


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Cells of a row that one sentence would tell, the first of them the speaker."""

    row: int
    group: str
    cells: tuple[str, ...]


def reasons(scores: Scores, matrix: pa.Table | Cells, top: int = 3) -> list[list[Reason]]:
    """For each row of the matrix its `top` strongest reasons, strongest first; fewer where fewer tell anything."""
    cells = _Cells(matrix, scores)
    told = _told(scores, cells, np.arange(len(scores.log_odds)), +1, top)
    silent = np.array([row for row, said in enumerate(told) if not said], np.int64)
    for row, said in zip(silent.tolist(), _told(scores, cells, silent, -1, top), strict=True):
        told[row] = said
    return told


def _told(scores: Scores, cells: _Cells, rows: np.ndarray, sign: int, top: int) -> list[list[Reason]]:
    """The reasons of the rows that move the score in the direction of `sign`."""
    candidates = list(_candidates(scores, cells, rows, sign))
    effects = effects_of(scores, [one.row for one in candidates], [one.cells for one in candidates], cells.usual)
    found: dict[int, dict[str, tuple[float, _Candidate]]] = {}
    for one, effect in zip(candidates, effects.tolist(), strict=True):
        mine = found.setdefault(one.row, {})
        if sign * effect >= LEAST and one.group not in mine:
            mine[one.group] = (effect, one)
    told = []
    for row in rows.tolist():
        ordered = sorted(found.get(row, {}).values(), key=lambda pair: -sign * pair[0])
        ordered = _without_twins(ordered)
        chosen = ordered[:top]
        if sign > 0 and not any(one.group in ACTIONABLE for _, one in chosen):
            others = [pair for pair in ordered[top:] if pair[1].group in ACTIONABLE]
            chosen = [*chosen[: top - 1], others[0]] if others else chosen
        told.append([cells.tell(one.cells, row, effect) for effect, one in chosen])
    return told


def _without_twins(ordered: list[tuple[float, _Candidate]]) -> list[tuple[float, _Candidate]]:
    """Without sentences of which a stronger one tells a cell already."""
    seen: set[str] = set()
    kept = []
    for effect, one in ordered:
        if not seen & set(one.cells):
            kept.append((effect, one))
            seen |= set(one.cells)
    return kept


def _candidates(scores: Scores, cells: _Cells, rows: np.ndarray, sign: int) -> Iterator[_Candidate]:
    """What could be told of each row: of its groups that add most, the cells that add most and say something."""
    names = scores.features
    member, columns, groups = _grouping(names)
    adds = sign * scores.contributions[rows]
    together = adds @ member
    strongest = np.argsort(-together, axis=1, kind="stable")[:, :GROUPS]
    strength = np.take_along_axis(together, strongest, axis=1)
    # of every group its columns by what they add, for all rows at once: an order for each row costs more than the rest
    ordered = [np.argsort(-adds[:, mine], axis=1, kind="stable") for mine in columns]
    speakers = [mine[order].tolist() for mine, order in zip(columns, ordered, strict=True)]
    parts = [
        np.take_along_axis(adds[:, mine], order, axis=1).tolist() for mine, order in zip(columns, ordered, strict=True)
    ]
    for place, (row, best, strong) in enumerate(
        zip(rows.tolist(), strongest.tolist(), strength.tolist(), strict=True)
    ):  # fmt: skip
        for group, adds_together in zip(best, strong, strict=True):
            if adds_together <= 0:
                break
            said = 0
            for at, part in zip(speakers[group][place], parts[group][place], strict=True):
                if part <= 0 or said == SPEAKERS:
                    break
                told = cells.speaks(names[at], row, sign)
                for one in told:
                    yield _Candidate(row, groups[group], one)
                said += bool(told)


@lru_cache(maxsize=16)
def _grouping(names: tuple[str, ...]) -> tuple[np.ndarray, list[np.ndarray], list[str]]:
    """Which columns are of one group: 1 where column belongs to group [columns × groups], each group's columns, and
    the groups' names."""
    groups = [group_of(name) for name in names]
    order = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    belongs = np.array([order[group] for group in groups])
    member = np.zeros((len(names), len(order)))
    member[np.arange(len(names)), belongs] = 1.0
    return member, [np.flatnonzero(belongs == at) for at in range(len(order))], list(order)


def group_of(name: str) -> str:
    """The reason that a matrix column belongs to; an attribute `x_…` and its past rate belong together."""
    if name in DECLARED:
        return DECLARED[name].group
    if name.startswith("x_"):
        for ending in ("_late_rate", "_known"):
            name = name.removesuffix(ending)
    return name


class _Cells:
    """The cells of a matrix, with what is usual, as words."""

    def __init__(self, matrix: pa.Table | Cells, scores: Scores) -> None:
        self._usual = scores.usual
        self._target = TARGETS.get(scores.target, MAIN)
        self._rates: Mapping[str, CategoryRates] = {rate.keys[0]: rate for rate in scores.rates if len(rate.keys) == 1}
        self._features = frozenset(scores.features)
        self._numbers: dict[str, list[float]] = {}
        self._texts: dict[str, list[str]] = {}
        self._usuals: dict[tuple[str, str], tuple[float | None, int, str]] = {}
        self._as_usual: dict[tuple[str, float, float | None], bool] = {}  # most cells say what others said
        self._matrix = matrix
        self._heads: dict[str, Head] = {}

    def usual(self, name: str, row: int) -> float | None:
        """What is usual of a number among the peers of a row."""
        return self._peers(name, row)[0]

    def speaks(self, name: str, row: int, sign: int) -> list[tuple[str, ...]]:
        """What a cell could tell of a move of the score in the direction of `sign`; nothing where it is as usual."""
        if name in self._rates:
            return [(name,)] if self._category_speaks(name, row, sign) else []
        value, usual = self.number(name, row), self.usual(name, row)
        head = self._head(name)
        if isnan(value):
            return [(name,)] if head.none_vi else []
        key = (name, value, usual)
        as_usual = self._as_usual.get(key)
        if as_usual is None:
            as_usual = usual is not None and head.measure is not Measure.FLAG and _near(value, usual, head.measure)
            self._as_usual[key] = as_usual
        pairs = self._pairs(name, row) if sign > 0 else []
        return [*pairs, *([] if as_usual else [(name,)])]

    def _pairs(self, name: str, row: int) -> list[tuple[str, ...]]:
        """The time left beside the time that is usually needed from here, where more is needed than is left."""
        both: list[tuple[str, ...]] = [
            (LEFT, needs) for needs in NEEDS if name in (LEFT, needs) and {LEFT, needs} <= self._features
        ]
        return [pair for pair in both if 0 <= self.number(pair[0], row) < self.number(pair[1], row)][:1]

    def _category_speaks(self, name: str, row: int, sign: int) -> bool:
        rate, value = self._rates[name], self._text(name, row)
        past = rate.log_odds.get(value)
        return past is not None and bool(value) and sign * (expit(past) - expit(rate.prior)) >= APART

    def number(self, name: str, row: int) -> float:
        """A cell of a number column; NaN where it is not known."""
        if name not in self._numbers:
            self._numbers[name] = column_of_numbers(self._matrix, name).astype(float).tolist()
        return self._numbers[name][row]

    def tell(self, cells: tuple[str, ...], row: int, effect: float) -> Reason:
        """The sentence of these cells."""
        if len(cells) == 2:
            return self._pair(*cells, row, effect)
        name = cells[0]
        head = self._head(name)
        if name in self._rates:
            return self._category(name, row, effect, head)
        usual, n, column = self._peers(name, row)
        value = self.number(name, row)
        whose_vi, whose_en = PEER_WORDS[column]
        if np.isnan(value):
            vi, en = head.none_vi or head.vi.format(value="chưa rõ"), head.none_en or head.en.format(value="not known")
        elif value < 0 and head.past_vi:  # what is usual is told of time that is left: no comparison
            past = _written(-value, head.measure)
            vi, en = head.past_vi.format(value=_vietnamese(past)), head.past_en.format(value=past)
        else:
            flag = head.measure is Measure.FLAG
            vi = head.vi.format(value=FLAG[bool(value)][0] if flag else _vietnamese(_written(value, head.measure)))
            en = head.en.format(value=FLAG[bool(value)][1] if flag else _written(value, head.measure))
            if usual is not None:
                vi += _against_vi(value, usual, whose_vi, head.measure)
                en += _against_en(value, usual, whose_en, head.measure)
        return Reason(
            name,
            effect,
            "" if np.isnan(value) else _plain(value),
            "" if usual is None else _plain(usual),
            n,
            vi + _direction_vi(effect),
            en + _direction_en(effect),
        )

    def _pair(self, left: str, needs: str, row: int, effect: float) -> Reason:
        """The time left beside the time that is usually needed."""
        hours, needed = self.number(left, row), self.number(needs, row)
        words = {"left": _written(hours, Measure.HOURS), "needed": _written(needed, Measure.HOURS)}
        vi, en = _vietnamese(NEEDED[0].format(**words)), NEEDED[1].format(**words)
        n = self._peers(needs, row)[1]
        return Reason(
            left, effect, _plain(hours), _plain(needed), n, vi + _direction_vi(effect), en + _direction_en(effect)
        )

    def _category(self, name: str, row: int, effect: float, head: Head) -> Reason:
        rate = self._rates[name]
        value = self._text(name, row)
        prior = float(expit(rate.prior))
        past = float(expit(rate.log_odds.get(value, rate.prior)))
        vi, en = head.vi.format(value=value), head.en.format(value=value)
        vi += _vietnamese(f": trước đây {past:.0%} hồ sơ {self._target.past_vi}, chung {prior:.0%}")
        en += f": {past:.0%} of past dossiers {self._target.past_en}, {prior:.0%} overall"
        return Reason(name, effect, value, _plain(prior), 0, vi + _direction_vi(effect), en + _direction_en(effect))

    def _head(self, name: str) -> Head:
        if name not in self._heads:
            declared = DECLARED.get(name)
            words = name.removeprefix("x_").replace("_", " ")
            vi, en = (
                (declared.words_vi, declared.words_en) if declared else (f"Thuộc tính {words}", f"attribute {words}")
            )
            self._heads[name] = head_of(name, vi, en, category=name in self._rates)
        return self._heads[name]

    def _peers(self, name: str, row: int) -> tuple[float | None, int, str]:
        column = self._usual.get("peers", {}).get(name, "")
        peer = self._text(column, row) if column else ""
        if (name, peer) not in self._usuals:
            self._usuals[name, peer] = usual_of(self._usual, name, {column: peer} if column else {})
        return self._usuals[name, peer]

    def _text(self, name: str, row: int) -> str:
        if name not in self._texts:
            self._texts[name] = list(map(str, column_of_text(self._matrix, name)))
        return self._texts[name][row]


def _near(value: float, usual: float, measure: Measure) -> bool:
    """Whether a value is called usual."""
    return abs(value - usual) <= NEAR * abs(usual) or _written(value, measure) == _written(usual, measure)


def _written(value: float, measure: Measure) -> str:
    if measure is Measure.SHARE:
        return f"{value:.0%}"
    if measure is Measure.COUNT or abs(value) >= 100:
        return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.1f}"
    return f"{value:.1f}"


def _against_vi(value: float, usual: float, whose: str, measure: Measure) -> str:
    if measure is Measure.FLAG:
        return ""
    if measure is not Measure.SHARE and usual > 0 and value > 0:
        times = value / usual
        return _vietnamese(f", {'gấp' if times > 1 else 'bằng'} {times:.1f} lần thường lệ {whose}")
    return _vietnamese(f", thường lệ {whose} là {_written(usual, measure)}")


def _against_en(value: float, usual: float, whose: str, measure: Measure) -> str:
    if measure is Measure.FLAG:
        return ""
    if measure is not Measure.SHARE and usual > 0 and value > 0:
        return f", {value / usual:.1f} times the usual {whose}"
    return f", usually {_written(usual, measure)} {whose}"


def _direction_vi(effect: float) -> str:
    return " (góp phần làm tăng nguy cơ)" if effect > 0 else " (góp phần làm giảm nguy cơ)"


def _direction_en(effect: float) -> str:
    return " (helps to raise the risk)" if effect > 0 else " (helps to lower the risk)"


def _vietnamese(text: str) -> str:
    """The same with decimal commas; the text holds no other points between digits."""
    return _POINT.sub(",", text) if "." in text else text


def _plain(value: float) -> str:
    return f"{value:.6g}"
