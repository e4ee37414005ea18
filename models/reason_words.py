"""What is said of the cells of a reason: values and what is usual of them, written out in both languages."""

from __future__ import annotations

from math import isnan

from scipy.special import expit

from models.encoding import CategoryRates
from models.sentences import NEEDED, PEER_WORDS, Head, Measure
from models.target import Target

Words = tuple[str, str, int, str, str]
"""Of a reason: value, usual, n, vi, en."""
DIRECTION = {
    1: (" (góp phần làm tăng nguy cơ)", " (helps to raise the risk)"),
    -1: (" (góp phần làm giảm nguy cơ)", " (helps to lower the risk)"),
}
FLAG = {True: ("có", "yes"), False: ("không", "no")}


def number_said(head: Head, value: float, usual: float | None, n: int, peers: str) -> Words:
    """A number beside the usual one; what is usual is told of time that is left: no comparison once it is past."""
    if isnan(value):
        vi, en = head.none_vi or head.vi.format(value="chưa rõ"), head.none_en or head.en.format(value="not known")
    elif value < 0 and head.past_vi:
        past = written(-value, head.measure)
        vi, en = head.past_vi.format(value=_vietnamese(past)), head.past_en.format(value=past)
    elif head.measure is Measure.FLAG:
        vi, en = head.vi.format(value=FLAG[bool(value)][0]), head.en.format(value=FLAG[bool(value)][1])
    else:
        text = written(value, head.measure)
        vi, en = head.vi.format(value=_vietnamese(text)), head.en.format(value=text)
        if usual is not None:
            against_vi, against_en = _against(value, usual, *PEER_WORDS[peers], head.measure)
            vi, en = vi + against_vi, en + against_en
    return "" if isnan(value) else _plain(value), "" if usual is None else _plain(usual), n, vi, en


def pair_said(hours: float, needed: float, n: int) -> Words:
    """The time left beside the time that is usually needed, of `n` training rows."""
    words = {"left": written(hours, Measure.HOURS), "needed": written(needed, Measure.HOURS)}
    vi = NEEDED[0].format(**{key: _vietnamese(text) for key, text in words.items()})
    return _plain(hours), _plain(needed), n, vi, NEEDED[1].format(**words)


def category_said(head: Head, value: str, rate: CategoryRates, target: Target) -> Words:
    """A category by its past rate beside the common one."""
    prior, past = float(expit(rate.prior)), float(expit(rate.log_odds.get(value, rate.prior)))
    vi = f": trước đây {past:.0%} hồ sơ {target.past_vi}, chung {prior:.0%}"
    en = f": {past:.0%} of past dossiers {target.past_en}, {prior:.0%} overall"
    return value, _plain(prior), 0, head.vi.format(value=value) + vi, head.en.format(value=value) + en


def written(value: float, measure: Measure) -> str:
    """A number as its measure is written, with a decimal point."""
    if measure is Measure.SHARE:
        return f"{value:.0%}"
    if measure is Measure.COUNT or abs(value) >= 100:
        return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.1f}"
    return f"{value:.1f}"


def _against(value: float, usual: float, whose_vi: str, whose_en: str, measure: Measure) -> tuple[str, str]:
    """A value beside the usual one, in Vietnamese and English."""
    if measure is not Measure.SHARE and usual > 0 and value > 0:
        times, more = f"{value / usual:.1f}", value > usual
        return (
            f", {'gấp' if more else 'bằng'} {_vietnamese(times)} lần thường lệ {whose_vi}",
            f", {times} times the usual {whose_en}",
        )
    common = written(usual, measure)
    return f", thường lệ {whose_vi} là {_vietnamese(common)}", f", usually {common} {whose_en}"


def _vietnamese(number: str) -> str:
    """A written number with a decimal comma."""
    return number.replace(".", ",")


def _plain(value: float) -> str:
    return f"{value:.6g}"
