"""Why a score is what it is: contributions grouped into sentences that a clerk understands.

The contributions of the features of one group (`Feature.group`) are told together: their sum is the effect, the
strongest cell in that direction speaks. Each sentence states a cell of the matrix, the usual value of its peers at
training, and whether it helped to raise or to lower the risk; it never says that something caused a delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from scipy.special import expit

from features.matrix.batch import FEATURES
from features.matrix.declaration import Feature
from models.encoding import CategoryRates, Cells, column_of_numbers, column_of_text
from models.peer_medians import usual_of
from models.risk_model import Scores
from models.sentences import PEER_WORDS, Head, Measure, head_of
from models.targets import MAIN, TARGETS

DECLARED: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}
FLAG = {True: ("có", "yes"), False: ("không", "no")}
NEAR = 0.1
"""A value within this share of the usual one is called usual."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence about one case.

    code: the matrix column that speaks. effect: log-odds that its group adds (above zero raises the risk).
    value, usual: as written, without unit, decimal point; "" where not known. n: training rows behind `usual`.
    """

    code: str
    effect: float
    value: str
    usual: str
    n: int
    vi: str
    en: str


def reasons(scores: Scores, matrix: pa.Table | Cells, top: int = 3) -> list[list[Reason]]:
    """For each row of the matrix its `top` strongest reasons, strongest first; fewer where fewer add anything."""
    names = scores.features
    member, columns = _grouping(names)
    effects = scores.contributions @ member
    strongest = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :top]
    cells = _Cells(matrix, scores)
    told = []
    for row in range(len(effects)):
        said = []
        for group in strongest[row]:
            effect = float(effects[row, group])
            if effect == 0.0:
                continue
            mine = columns[group]
            toward = scores.contributions[row, mine] * np.sign(effect)
            said.append(cells.tell(names[mine[int(np.argmax(toward))]], row, effect))
        told.append(said)
    return told


@lru_cache(maxsize=16)
def _grouping(names: tuple[str, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Which columns are told together: 1 where column belongs to group [columns × groups], and each group's columns."""
    groups = [group_of(name) for name in names]
    order = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    belongs = np.array([order[group] for group in groups])
    member = np.zeros((len(names), len(order)))
    member[np.arange(len(names)), belongs] = 1.0
    return member, [np.flatnonzero(belongs == at) for at in range(len(order))]


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
        self._numbers: dict[str, np.ndarray] = {}
        self._texts: dict[str, np.ndarray] = {}
        self._matrix = matrix
        self._heads: dict[str, Head] = {}

    def tell(self, name: str, row: int, effect: float) -> Reason:
        if name not in self._heads:
            declared = DECLARED.get(name)
            words = name.removeprefix("x_").replace("_", " ")
            vi, en = (
                (declared.words_vi, declared.words_en) if declared else (f"Thuộc tính {words}", f"attribute {words}")
            )
            self._heads[name] = head_of(name, vi, en, category=name in self._rates)
        head = self._heads[name]
        if name in self._rates:
            return self._category(name, row, effect, head)
        if name not in self._numbers:
            self._numbers[name] = column_of_numbers(self._matrix, name)
        peers = {key: self._text(key, row) for key in ("unit_code", "procedure_code")}
        usual, n, column = usual_of(self._usual, name, peers)
        value = float(self._numbers[name][row])
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

    def _category(self, name: str, row: int, effect: float, head: Head) -> Reason:
        rate = self._rates[name]
        value = self._text(name, row)
        known, prior = value in rate.log_odds, float(expit(rate.prior))
        past = float(expit(rate.log_odds.get(value, rate.prior)))
        vi = head.vi.format(value=value) if value else head.none_vi or head.vi.format(value="chưa rõ")
        en = head.en.format(value=value) if value else head.none_en or head.en.format(value="not known")
        if known:
            vi += _vietnamese(f": trước đây {past:.0%} hồ sơ {self._target.past_vi}, chung {prior:.0%}")
            en += f": {past:.0%} of past dossiers {self._target.past_en}, {prior:.0%} overall"
        else:
            vi, en = vi + ": chưa có hồ sơ nào trước đây", en + ": none seen before"
        return Reason(name, effect, value, _plain(prior), 0, vi + _direction_vi(effect), en + _direction_en(effect))

    def _text(self, name: str, row: int) -> str:
        if name not in self._texts:
            self._texts[name] = column_of_text(self._matrix, name)
        return str(self._texts[name][row])


def _written(value: float, measure: Measure) -> str:
    if measure is Measure.SHARE:
        return f"{value:.0%}"
    if measure is Measure.COUNT or abs(value) >= 100:
        return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.1f}"
    return f"{value:.1f}"


def _against_vi(value: float, usual: float, whose: str, measure: Measure) -> str:
    if measure is Measure.FLAG:
        return ""
    if abs(value - usual) <= NEAR * abs(usual) or _written(value, measure) == _written(usual, measure):
        return f", ngang mức thường lệ {whose}"
    if measure is not Measure.SHARE and usual > 0 and value > 0:
        times = value / usual
        return _vietnamese(f", {'gấp' if times > 1 else 'bằng'} {times:.1f} lần thường lệ {whose}")
    return _vietnamese(f", thường lệ {whose} là {_written(usual, measure)}")


def _against_en(value: float, usual: float, whose: str, measure: Measure) -> str:
    if measure is Measure.FLAG:
        return ""
    if abs(value - usual) <= NEAR * abs(usual) or _written(value, measure) == _written(usual, measure):
        return f", as usual {whose}"
    if measure is not Measure.SHARE and usual > 0 and value > 0:
        return f", {value / usual:.1f} times the usual {whose}"
    return f", usually {_written(usual, measure)} {whose}"


def _direction_vi(effect: float) -> str:
    return " (góp phần làm tăng nguy cơ)" if effect > 0 else " (góp phần làm giảm nguy cơ)"


def _direction_en(effect: float) -> str:
    return " (helps to raise the risk)" if effect > 0 else " (helps to lower the risk)"


def _vietnamese(text: str) -> str:
    """The same with decimal commas; the text holds no other points between digits."""
    return "".join(
        ","
        if letter == "." and 0 < at < len(text) - 1 and text[at - 1].isdigit() and text[at + 1].isdigit()
        else letter
        for at, letter in enumerate(text)
    )


def _plain(value: float) -> str:
    return f"{value:.6g}"
