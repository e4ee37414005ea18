"""The period of a report: whole months of one zone, half-open."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Period:
    """[start, until): `months` calendar months, the last of which is `month` (such as 2026-10)."""

    month: str
    months: int
    start: datetime
    until: datetime

    @classmethod
    def ending(cls, month: str, months: int, zone: ZoneInfo) -> "Period":
        """The period whose last month is `month`. ValueError for what is no month between 1990 and 2069."""
        found = _MONTH.fullmatch(month)
        if not found or not 1990 <= int(found[1]) < 2070:
            raise ValueError(f"wanted a month such as 2026-10, got {month[:20]!r}")
        last = int(found[1]) * 12 + int(found[2]) - 1
        return cls(month, months, _first(last - months + 1, zone), _first(last + 1, zone))

    @property
    def words(self) -> str:
        """`tháng 10 năm 2026`, `quý III năm 2026`, or from which to which month."""
        ends, year = int(self.month[5:]), f"năm {self.month[:4]}"
        named = {
            (12, 12): year, (6, 6): f"6 tháng đầu {year}", (6, 12): f"6 tháng cuối {year}",
            **{(3, 3 * number): f"quý {roman} {year}" for number, roman in enumerate(("I", "II", "III", "IV"), 1)},
        }  # fmt: skip
        last = f"tháng {ends} {year}"
        if self.months == 1:
            return last
        return named.get((self.months, ends), f"từ tháng {self.start.month} năm {self.start.year} đến {last}")

    def earlier(self, months: int, zone: ZoneInfo) -> "Period":
        """The period of the same length that ended so many months before."""
        last = int(self.month[:4]) * 12 + int(self.month[5:]) - 1 - months
        return Period.ending(_name(last), self.months, zone)

    def each(self, zone: ZoneInfo) -> list["Period"]:
        """Its months, one by one."""
        first = self.start.year * 12 + self.start.month - 1
        return [Period.ending(_name(first + n), 1, zone) for n in range(self.months)]


def _first(month: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(date(month // 12, month % 12 + 1, 1), datetime.min.time(), zone)


def _name(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"
