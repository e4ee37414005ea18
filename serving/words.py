"""How numbers, moments and risks are said in the language spoken, a word beside the number.

In Vietnamese 1.234,5 and 05/03/2026, in English 1,234.5 and 5 Mar 2026 (both as the Unicode CLDR has them).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from zoneinfo import ZoneInfo

from features.calendar.working_time import HOURS_A_DAY
from features.sources import vietnamese_number
from models.conduct import ConductLine
from models.remaining_time import Remaining
from serving.language import SOURCE, chosen, language
from serving.language import LazyText as lazy
from serving.language import gettext as _

_DIRECTION = re.compile(r"\s*\((?:góp phần làm (?:tăng|giảm)|helps to (?:raise|lower))[^)]*\)")
WIDE = 0.25
"""From here on the range of a score is told beside it."""

NOT_A_FINDING = lazy("Điểm rủi ro chỉ gợi ý thứ tự kiểm tra; không phải kết luận vi phạm.")
"""Stands with every score that a page shows."""


@dataclass(frozen=True)
class Level:
    """A band of risk: its word, the class of its colour, and the least score that belongs to it."""

    word: str
    style: str
    least: float


LEVELS = (
    Level(lazy("Rất cao"), "r4", 0.7),
    Level(lazy("Cao"), "r3", 0.4),
    Level(lazy("Trung bình"), "r2", 0.2),
    Level(lazy("Thấp"), "r1", 0.0),
)

EVENT_WORDS = {
    "received": lazy("Tiếp nhận"),
    "assigned": lazy("Phân công"),
    "forwarded": lazy("Chuyển bước"),
    "papers_requested": lazy("Yêu cầu bổ sung"),
    "papers_supplied": lazy("Người nộp đã bổ sung"),
    "suspended": lazy("Tạm dừng"),
    "resumed": lazy("Tiếp tục"),
    "consulted": lazy("Lấy ý kiến"),
    "consultation_answered": lazy("Có ý kiến trả lời"),
    "extended": lazy("Gia hạn"),
    "reset": lazy("Đặt lại hạn"),
    "returned": lazy("Trả lại"),
    "refused": lazy("Từ chối"),
    "decided": lazy("Xử lý xong"),
    "delivered": lazy("Trả kết quả"),
    "withdrawn": lazy("Người nộp rút"),
    "apologised": lazy("Xin lỗi"),
    "reopened": lazy("Mở lại"),
    "note": lazy("Ghi chú"),
}


def decimal(value: float | None, places: int = 1) -> str:
    """A number in the language spoken: 12.345,7 or 12,345.7; – where unknown or endless."""
    if language() == SOURCE or value is None or not isfinite(value):
        return vietnamese_number.decimal(value, places)
    return f"{value:,.{places}f}".replace("-", "−")


def point(text: str) -> str:
    """A written number with the decimal sign of the language spoken."""
    return text.replace(".", ",") if language() == SOURCE else text


def lowered(words: str) -> str:
    """With its first letter small, as inside a sentence."""
    return words[:1].lower() + words[1:]


def level(score: float) -> Level:
    """The band of a probability."""
    return next(band for band in LEVELS if score >= band.least or band is LEVELS[-1])


def percent(share: float | None, places: int = 0) -> str:
    """A share as a percentage: 0.134 → 13 %. Certainty is never claimed: 0 and 1 show as < 1 % and > 99 %."""
    if share is None or share != share:
        return "–"
    if places == 0 and 0 < share < 0.01:
        return _("< 1 %")
    if places == 0 and 0.99 < share < 1:
        return _("> 99 %")
    return f"{decimal(100 * share, places)}{chosen(' %', '%')}"


def in_hundred(share: float) -> str:
    """A probability as a frequency: of 100 dossiers like this, so many."""
    return str(min(99, max(1, round(100 * share))))


def figure(text: str) -> str:
    """A figure that a reason carries as text: three significant digits; – where it is not known."""
    try:
        value = float(text)
    except ValueError:
        return point(text) if text else "–"
    return decimal(value, 0) if abs(value) >= 1000 else point(f"{value:.3g}").replace("-", "−")


def brief_reason(text: str) -> str:
    """A reason's sentence without the remark on its direction, where an arrow stands beside it."""
    return _DIRECTION.sub("", text)


def brief_id(key: str | None) -> str:
    """A long pseudonym cut to what an eye can compare; its full form stands on the page it leads to."""
    if not key:
        return _("chưa rõ")
    return key if len(key) <= 14 else f"{key[:11]}…"


def step_words(step: str | None) -> str:
    """The name of a step; where a system gave the kind of an event instead, the words of that kind."""
    return EVENT_WORDS.get(step, step) if step else "–"


def sign_of_dossier(line: ConductLine) -> str:
    """What the score of a dossier's line says: of tier `signal` how rare its signals are, of `discovered` a chance."""
    score = line.score or 0.0
    if line.tier == "discovered":
        return _("khả năng có phát hiện {chance}").format(chance=percent(score))
    return _("rất ít gặp") if score >= 0.99 else _("ít gặp") if score >= 0.9 else _("thường gặp")


def iso_day(text: str) -> str:
    """A day written yyyy-mm-dd, as it is said; a month written yyyy-mm likewise."""
    if language() == SOURCE or len(text) != len("yyyy-mm-dd"):
        return "/".join(reversed(text.split("-")))
    return calendar_day(date.fromisoformat(text))


def days_left(hours: float | None) -> str:
    """Working hours to the due moment, said in working days: 20 → còn 2,5 ngày; −8 → quá 1,0 ngày."""
    if hours is None or hours != hours:
        return _("chưa có hạn")
    if abs(hours) < HOURS_A_DAY:
        said = _("còn {number} giờ") if hours >= 0 else _("quá {number} giờ")
        return said.format(number=decimal(abs(hours), 0 if abs(hours) >= 1 else 1))
    said = _("còn {number} ngày") if hours >= 0 else _("quá {number} ngày")
    return said.format(number=decimal(abs(hours) / HOURS_A_DAY, 1))


def hours_between(low: float, high: float, brief: bool = False) -> str:
    """A range of working hours: 12–30 giờ; from two working days on in days: 2–4 ngày làm việc; brief: 2–4 ngày."""
    said, places = _("{number} giờ"), 0 if high >= 2 else 1
    if high >= 2 * HOURS_A_DAY:
        low, high = low / HOURS_A_DAY, high / HOURS_A_DAY
        said = _("{number} ngày") if brief else _("{number} ngày làm việc")
        places = 0 if high >= 10 else 1
    begin, end = decimal(max(low, 0.0), places), decimal(high, places)
    return said.format(number=end if begin == end else f"{begin}–{end}")


def against_promise(remaining: Remaining | None, brief: bool = False) -> str:
    """What the interval of 80 % says of the promise: "trễ khoảng 12–30 giờ"; empty where no time is told.

    brief: for a narrow cell, "trễ 2–4 ngày"; days are working days, as all days of a list are.
    """
    if remaining is None or remaining.late_low is None or remaining.late_high is None:
        return ""
    if remaining.late_low > 0:
        said = _("trễ {time}") if brief else _("trễ khoảng {time}")
        return said.format(time=hours_between(remaining.late_low, remaining.late_high, brief))
    if remaining.late_high > 0:
        return _("có thể trễ đến {time}").format(time=hours_between(remaining.late_high, remaining.late_high, brief))
    return _("dự kiến kịp hạn")


def calendar_day(day: date) -> str:
    """A day as it is said: 05/03/2026 or 5 Mar 2026."""
    return f"{day:%d/%m/%Y}" if language() == SOURCE else f"{day.day} {day:%b %Y}"


def wide_range(low: float | None, high: float | None) -> str:
    """The range of a score where it is so wide that one must know: "12–48 %"; else empty."""
    if low is None or high is None or high - low < WIDE:
        return ""
    return f"{decimal(100 * low, 0)}–{decimal(100 * high, 0)}{chosen(' %', '%')}"


class Clockface:
    """Moments as people of one zone read them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def day(self, moment: datetime | None) -> str:
        """The day, as `calendar_day`; – where unknown."""
        return "–" if moment is None else calendar_day(moment.astimezone(self._zone))

    def moment(self, moment: datetime | None) -> str:
        """Day and time of day, 05/03/2026 14:30; – where unknown."""
        if moment is None:
            return "–"
        local = moment.astimezone(self._zone)
        return local.strftime("%d/%m/%Y %H:%M") if language() == SOURCE else f"{calendar_day(local)} {local:%H:%M}"

    def iso_moment(self, text: str | None) -> str:
        """A moment written in ISO 8601, as `moment`; – where it is none."""
        try:
            return self.moment(datetime.fromisoformat(text or ""))
        except ValueError:
            return "–"
