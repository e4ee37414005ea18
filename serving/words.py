"""How numbers, moments and risks are said in Vietnamese: decimal comma, dd/mm/yyyy, word beside number."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from features.calendar.working_time import HOURS_A_DAY
from features.sources.vietnamese_number import decimal
from models.conduct import ConductLine
from models.remaining_time import Remaining

_DIRECTION = re.compile(r"\s*\(góp phần làm (?:tăng|giảm)[^)]*\)")
WIDE = 0.25
"""From here on the range of a score is told beside it."""

NOT_A_FINDING = "Điểm rủi ro chỉ gợi ý thứ tự kiểm tra; không phải kết luận vi phạm."
"""Stands with every score that a page shows."""


@dataclass(frozen=True)
class Level:
    """A band of risk: its word, the class of its colour, and the least score that belongs to it."""

    word: str
    style: str
    least: float


LEVELS = (
    Level("Rất cao", "r4", 0.7),
    Level("Cao", "r3", 0.4),
    Level("Trung bình", "r2", 0.2),
    Level("Thấp", "r1", 0.0),
)

EVENT_WORDS = {
    "received": "Tiếp nhận",
    "assigned": "Phân công",
    "forwarded": "Chuyển bước",
    "papers_requested": "Yêu cầu bổ sung",
    "papers_supplied": "Người nộp đã bổ sung",
    "suspended": "Tạm dừng",
    "resumed": "Tiếp tục",
    "consulted": "Lấy ý kiến",
    "consultation_answered": "Có ý kiến trả lời",
    "extended": "Gia hạn",
    "reset": "Đặt lại hạn",
    "returned": "Trả lại",
    "refused": "Từ chối",
    "decided": "Xử lý xong",
    "delivered": "Trả kết quả",
    "withdrawn": "Người nộp rút",
    "apologised": "Xin lỗi",
    "reopened": "Mở lại",
    "note": "Ghi chú",
}


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
        return "< 1 %"
    if places == 0 and 0.99 < share < 1:
        return "> 99 %"
    return f"{decimal(100 * share, places)} %"


def in_hundred(share: float) -> str:
    """A probability as a frequency: of 100 dossiers like this, so many."""
    return str(min(99, max(1, round(100 * share))))


def figure(text: str) -> str:
    """A figure that a reason carries as text: three significant digits, decimal comma; – where it is not known."""
    try:
        value = float(text)
    except ValueError:
        return text.replace(".", ",") if text else "–"
    return decimal(value, 0) if abs(value) >= 1000 else f"{value:.3g}".replace(".", ",").replace("-", "−")


def brief_reason(text: str) -> str:
    """A reason's sentence without the remark on its direction, where an arrow stands beside it."""
    return _DIRECTION.sub("", text)


def brief_id(key: str | None) -> str:
    """A long pseudonym cut to what an eye can compare; its full form stands on the page it leads to."""
    if not key:
        return "chưa rõ"
    return key if len(key) <= 14 else f"{key[:11]}…"


def step_words(step: str | None) -> str:
    """The name of a step; where a system gave the kind of an event instead, the words of that kind."""
    return EVENT_WORDS.get(step, step) if step else "–"


def sign_of_dossier(line: ConductLine) -> str:
    """What the score of a dossier's line says: of tier `signal` how rare its signals are, of `discovered` a chance."""
    score = line.score or 0.0
    if line.tier == "discovered":
        return f"khả năng có phát hiện {decimal(100 * score, 0)} %"
    return "rất ít gặp" if score >= 0.99 else "ít gặp" if score >= 0.9 else "thường gặp"


def iso_day(text: str) -> str:
    """A day written yyyy-mm-dd, as dd/mm/yyyy."""
    return "/".join(reversed(text.split("-")))


def days_left(hours: float | None) -> str:
    """Working hours to the due moment, said in working days: 20 → còn 2,5 ngày; −8 → quá 1,0 ngày."""
    if hours is None or hours != hours:
        return "chưa có hạn"
    word = "còn" if hours >= 0 else "quá"
    if abs(hours) < HOURS_A_DAY:
        return f"{word} {decimal(abs(hours), 0 if abs(hours) >= 1 else 1)} giờ"
    return f"{word} {decimal(abs(hours) / HOURS_A_DAY, 1)} ngày"


def hours_between(low: float, high: float, brief: bool = False) -> str:
    """A range of working hours: 12–30 giờ; from two working days on in days: 2–4 ngày làm việc; brief: 2–4 ngày."""
    unit, places = "giờ", 0 if high >= 2 else 1
    if high >= 2 * HOURS_A_DAY:
        low, high, unit = low / HOURS_A_DAY, high / HOURS_A_DAY, "ngày" if brief else "ngày làm việc"
        places = 0 if high >= 10 else 1
    begin, end = decimal(max(low, 0.0), places), decimal(high, places)
    return f"{end} {unit}" if begin == end else f"{begin}–{end} {unit}"


def against_promise(remaining: Remaining | None, brief: bool = False) -> str:
    """What the interval of 10 to 90 % says of the promise: "trễ khoảng 12–30 giờ"; empty where no time is told.

    brief: for a narrow cell, "trễ 2–4 ngày"; days are working days, as all days of a list are.
    """
    if remaining is None or remaining.late_low is None or remaining.late_high is None:
        return ""
    if remaining.late_low > 0:
        return f"trễ {'' if brief else 'khoảng '}{hours_between(remaining.late_low, remaining.late_high, brief)}"
    if remaining.late_high > 0:
        return f"có thể trễ đến {hours_between(remaining.late_high, remaining.late_high, brief)}"
    return "dự kiến kịp hạn"


def wide_range(low: float | None, high: float | None) -> str:
    """The range of a score where it is so wide that one must know: "12–48 %"; else empty."""
    if low is None or high is None or high - low < WIDE:
        return ""
    return f"{decimal(100 * low, 0)}–{decimal(100 * high, 0)} %"


class Clockface:
    """Moments as people of one zone read them."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def day(self, moment: datetime | None) -> str:
        """dd/mm/yyyy; – where unknown."""
        return "–" if moment is None else moment.astimezone(self._zone).strftime("%d/%m/%Y")

    def moment(self, moment: datetime | None) -> str:
        """dd/mm/yyyy HH:MM; – where unknown."""
        return "–" if moment is None else moment.astimezone(self._zone).strftime("%d/%m/%Y %H:%M")

    def iso_moment(self, text: str | None) -> str:
        """A moment written in ISO 8601, as dd/mm/yyyy HH:MM; – where it is none."""
        try:
            return self.moment(datetime.fromisoformat(text or ""))
        except ValueError:
            return "–"
