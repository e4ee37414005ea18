"""Vietnam's working days from 2018 to 2027: public holidays, days exchanged, offices' own hours.

The days off are those of Bộ luật Lao động 2019, Điều 112 (24 November from 2026: Nghị quyết 28/2026/QH16), as
the package `holidays` lays them on dates; `EXCHANGES` are the working days moved by a yearly notice, each with
the number of its document. What rests on no document at hand says so (`certain=False`): the yearly notice of
the ministry decides, and a `holiday` row of a delivery overrides everything here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

import holidays as published

from features.calendar.working_time import OFFICE_HOURS, PLAIN_WEEK, Calendar, Hours

FIRST_YEAR, LAST_YEAR = 2018, 2027
ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True)
class Exchange:
    """A working day given off against a Saturday worked. `document`: the notice, empty where none is at hand."""

    off: date
    worked: date
    document: str
    certain: bool = True


EXCHANGES = (
    Exchange(date(2018, 12, 31), date(2019, 1, 5), "6519/VPCP-KGVX (2018)"),
    Exchange(date(2019, 4, 29), date(2019, 5, 4), "6519/VPCP-KGVX (2018)"),
    Exchange(date(2024, 4, 29), date(2024, 5, 4), "2450/VPCP-KGVX (12/4/2024)"),
    Exchange(date(2025, 5, 2), date(2025, 4, 26), "6150/TB-BLĐTBXH (2024)"),
    Exchange(date(2026, 1, 2), date(2026, 1, 10), "12729/VPCP-KGVX (25/12/2025)"),
    Exchange(date(2026, 8, 31), date(2026, 8, 22), "", certain=False),
)
"""Documents: thuvienphapluat.vn as cited by the package `holidays`; 2450 also baotintuc.vn 12/4/2024; 12729 laodong.vn
25/12/2025. The exchange of 31 August 2026 is in domain.md 3.7 and the package without a number."""

UNCERTAIN_YEARS = frozenset({2027})
"""Years whose yearly notice had not been seen: Tết 2027 and Giỗ Tổ 2027 are estimates (domain.md 3.7)."""


@dataclass(frozen=True)
class Day:
    """One day that differs from its week: kind `off` or `make_up` as in the `holiday` table."""

    date: date
    kind: str
    name: str
    document: str
    certain: bool


@lru_cache(maxsize=1)
def special_days() -> tuple[Day, ...]:
    """All days of `FIRST_YEAR`–`LAST_YEAR` that differ from their week, by date."""
    law = "BLLĐ 2019, Điều 112"
    calendar = published.country_holidays("VN", years=range(FIRST_YEAR, LAST_YEAR + 1), language="vi")
    days = {day: Day(day, "off", name, law, day.year not in UNCERTAIN_YEARS) for day, name in sorted(calendar.items())}
    for exchange in EXCHANGES:
        name = f"nghỉ hoán đổi, làm bù {exchange.worked:%d/%m/%Y}"
        days[exchange.off] = Day(exchange.off, "off", name, exchange.document, exchange.certain)
        name = f"làm bù ngày {exchange.off:%d/%m/%Y}"
        days[exchange.worked] = Day(exchange.worked, "make_up", name, exchange.document, exchange.certain)
    return tuple(days[day] for day in sorted(days))


VIETNAM: Calendar = Calendar("Vietnam", ZONE, PLAIN_WEEK.week).with_holidays(
    (day.date, day.kind) for day in special_days()
)
"""Monday to Friday 8:00–12:00 and 13:30–17:30, less the days off, plus the Saturdays made up."""

_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


def hours_of(text: str) -> Hours:
    """Working hours as OpenCPS writes them (`07:30-11:30,13:00-17:00`); ValueError in another form."""
    spans = []
    for part in filter(str.strip, text.split(",")):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ValueError("wanted working hours such as 07:30-11:30,13:00-17:00")
        begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
        spans.append((time(begin_hour, begin_minute), time(end_hour, end_minute)))
    return tuple(spans)


def office(name: str, hours: Hours = OFFICE_HOURS, *, saturday: Hours = (), half_days: Iterable[date] = ()) -> Calendar:
    """The calendar of one office with hours of its own: `VIETNAM`'s days off and made up, its own times of day.

    `saturday`: hours worked every Saturday (a counter that only receives on Saturday works none for the
    clock, domain.md 3.7). `half_days`: days of which the morning alone is worked.
    """
    week = (hours,) * 5 + (saturday, ())
    own = Calendar(name, ZONE, week).with_holidays(((day.date, day.kind) for day in special_days()), make_up=hours)
    return own.with_days(dict.fromkeys(half_days, hours[:1]))
