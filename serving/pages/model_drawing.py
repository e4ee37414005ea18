"""Where figures of models stand in the analyst's drawings: intervals on a scale, live figures over time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.sources.vietnamese_number import decimal
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.drawing import polyline
from serving.read.monitoring_log import Watch
from serving.read.rolling_log import OriginLine

OF_WORDS = {"blend": lazy("mô hình"), "rule": lazy("quy tắc đơn giản"), "blend_over_rule": lazy("mô hình trừ quy tắc")}
MEASURE_WORDS = {"auc": "AUC", "ap": lazy("Độ chính xác trung bình"), "brier": lazy("Brier (thấp là tốt)")}
WIDTH = 160
HEIGHT = 150
"""Of the plot of `over_time`."""


@dataclass(frozen=True)
class Whisker:
    """An interval on a scale 160 wide: its left end, its width, its value's mark, and where the scale's even lies."""

    x: float
    width: float
    mark: float
    even: float | None


@dataclass(frozen=True)
class FigureRow:
    """One figure with its interval: of what, by which measure, and where it is drawn. n, late: of a group."""

    of: str
    measure: str
    value: float
    low: float
    high: float
    span: Whisker
    n: int = 0
    late: float | None = None

    @property
    def label(self) -> str:
        """The drawing in words."""
        return _("{value}, khoảng {low} đến {high}").format(
            value=decimal(self.value, 3), low=decimal(self.low, 3), high=decimal(self.high, 3)
        )


@dataclass(frozen=True)
class LiveLine:
    """AUC over time as one line, and a second to compare with: chance, or the rule; low and high: ends of the scale."""

    auc: str
    even: str
    low: float
    high: float
    start: datetime
    end: datetime


def figure_rows(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> list[FigureRow]:
    """The figures of the training run, measure by measure: the model, the rule, the difference of both."""
    rows = []
    for measure in MEASURE_WORDS:
        for of in OF_WORDS:
            interval = figures.get(of, {}).get(measure)
            if interval is None or len(interval) != 3:
                continue
            difference = of == "blend_over_rule"
            place = _place(interval, -1 if difference else 0, 1, 0 if difference else None)
            rows.append(_row(OF_WORDS[of], MEASURE_WORDS[measure], interval, place))
    return rows


def beside_rows(differences: Mapping[str, Any]) -> list[FigureRow]:
    """The candidate's figures minus the champion's on the same later rows."""
    return [
        _row(
            _("ứng viên trừ mô hình đang dùng"), words, differences[measure], _place(differences[measure], -0.2, 0.2, 0)
        )
        for measure, words in MEASURE_WORDS.items()
        if measure in differences
    ]


def group_rows(groups: Mapping[str, Mapping[str, Any]]) -> list[FigureRow]:
    """Groups of applicants and channels, the widest gap between mean score and late rate first."""
    measured = [
        (name, one["gap"], int(one["n"]), float(one["late"])) for name, one in groups.items() if len(one["gap"]) == 3
    ]
    widest = max((abs(end) for _, gap, _, _ in measured for end in gap), default=1.0) or 1.0
    rows = [_row(name, "gap", gap, _place(gap, -widest, widest, 0), n, late) for name, gap, n, late in measured]
    return sorted(rows, key=lambda row: -abs(row.value))


def live_line(watches: Iterable[Watch]) -> LiveLine | None:
    """The line of live AUC; None under two watches with matured lists."""
    points = [(one.as_of, one.live["auc"][0]) for one in watches if one.live]
    if len(points) < 2:
        return None
    low, high = min(0.45, *(auc for _, auc in points)), 1.0
    return LiveLine(
        polyline([auc for _, auc in points], low, high, 610, HEIGHT),
        polyline([0.5] * len(points), low, high, 610, HEIGHT), low, high, points[0][0], points[-1][0],
    )  # fmt: skip


def rolling_line(origins: Sequence[OriginLine]) -> LiveLine | None:
    """AUC at each origin of the rolling backtest beside the best rule's; None under two origins."""
    points = [(one.cutoff, one.product["auc"][0], one.rule["auc"][0]) for one in origins
            if "auc" in one.product and "auc" in one.rule]  # fmt: skip
    if len(points) < 2:
        return None
    low, high = min(0.45, *(auc for _, *both in points for auc in both)), 1.0
    return LiveLine(
        polyline([auc for _, auc, _ in points], low, high, 610, HEIGHT),
        polyline([auc for _, _, auc in points], low, high, 610, HEIGHT), low, high, points[0][0], points[-1][0],
    )  # fmt: skip


def _row(
    of: str, measure: str, interval: Sequence[float], span: Whisker, n: int = 0, late: float | None = None
) -> FigureRow:
    value, low, high = interval
    return FigureRow(of, measure, value, low, high, span, n, late)


def _place(interval: Sequence[float], least: float, most: float, even: float | None) -> Whisker:
    def x(value: float) -> float:
        return round(WIDTH * (min(most, max(least, value)) - least) / (most - least), 1)

    value, low, high = interval
    return Whisker(
        x(low), max(2.0, round(x(high) - x(low), 1)), max(0.0, x(value) - 1.5), None if even is None else x(even)
    )
