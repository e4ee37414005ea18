"""Working time as one number: wall-clock moments to working seconds and back, for whole arrays at once.

The queues of the made-up province run in working seconds, where nights, weekends and holidays do not
exist. Wall-clock moments are whole seconds since 1970 in UTC (int64).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import holidays
import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.int64]

DAY = 86_400
WORKDAY = 8 * 3600
"""One working day in working seconds: the law's "1 day = 8 working hours"."""
UTC_OFFSET = 7 * 3600
"""Asia/Ho_Chi_Minh has had no daylight saving since 1975."""
SHIFTS = ((8 * 3600, 12 * 3600), (13 * 3600 + 1800, 17 * 3600 + 1800))
"""Opening hours of a working day in seconds after local midnight (samples/17_calendar.json)."""


def local_midnight(day: date) -> int:
    """The moment the local day begins, in seconds since 1970 UTC."""
    return (day - date(1970, 1, 1)).days * DAY - UTC_OFFSET


def vietnam_days(first: date, last: date) -> tuple[dict[date, str], dict[date, str]]:
    """Days off (with their names) and Saturdays worked instead, within [first, last]."""
    years = range(first.year, last.year + 1)
    off = dict(holidays.country_holidays("VN", years=years, language="vi").items())
    made_up: dict[date, str] = {}
    for day, name in off.items():
        if "thay cho ngày" in name:
            worked = datetime.strptime(name.rstrip(")").split()[-1], "%d/%m/%Y").date()  # noqa: DTZ007
            made_up[worked] = f"Làm bù cho {day:%d/%m/%Y}"
    return (
        {day: name for day, name in sorted(off.items()) if first <= day <= last},
        {day: name for day, name in sorted(made_up.items()) if first <= day <= last},
    )


@dataclass(frozen=True)
class WorkTime:
    """Working shifts: `opens`, `closes` (wall seconds) and the working seconds before each."""

    opens: Seconds
    closes: Seconds
    before: Seconds

    @classmethod
    def between(cls, first: date, last: date, off: set[date], made_up: set[date]) -> WorkTime:
        """The shifts of every working day in [first, last]: weekdays not off, and make-up days."""
        opens, closes = [], []
        day = first
        while day <= last:
            if (day.weekday() < 5 and day not in off) or day in made_up:
                midnight = local_midnight(day)
                for begin, end in SHIFTS:
                    opens.append(midnight + begin)
                    closes.append(midnight + end)
            day += timedelta(days=1)
        start, stop = np.array(opens, np.int64), np.array(closes, np.int64)
        return cls(start, stop, np.concatenate([[0], np.cumsum(stop - start)[:-1]]).astype(np.int64))

    def work(self, wall: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Working seconds that have passed at each wall-clock moment."""
        moment = np.asarray(wall, np.int64)
        shift = np.maximum(np.searchsorted(self.opens, moment, side="right") - 1, 0)
        inside: Seconds = np.clip(moment - self.opens[shift], 0, self.closes[shift] - self.opens[shift])
        work: npt.NDArray[np.float64] = (self.before[shift] + inside).astype(np.float64)
        return work

    def wall(self, work: npt.ArrayLike) -> Seconds:
        """The earliest moment at which so much has passed: the end of a shift, not the next opening."""
        amount = np.rint(np.asarray(work, np.float64)).astype(np.int64)
        shift = np.maximum(np.searchsorted(self.before, amount, side="left") - 1, 0)
        return self.opens[shift] + (amount - self.before[shift])

    def total(self) -> int:
        """Working seconds from the first to the last shift."""
        return int(self.before[-1] + self.closes[-1] - self.opens[-1])
