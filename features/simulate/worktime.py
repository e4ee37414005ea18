"""Working time as one number: wall-clock moments to working seconds and back, for whole arrays at once.

The queues of the made-up province run in working seconds, where nights, weekends and holidays do not
exist. Wall-clock moments are whole seconds since 1970 in UTC (int64).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features.calendar.working_time import Calendar

Seconds = npt.NDArray[np.int64]
DAY = 86_400
WORKDAY = 8 * 3600
"""One working day in working seconds: the law's "1 day = 8 working hours"."""
UTC_OFFSET = 7 * 3600
"""Asia/Ho_Chi_Minh has had no daylight saving since 1975."""


def local_midnight(day: date) -> int:
    """The moment the local day begins, in seconds since 1970 UTC."""
    return (day - date(1970, 1, 1)).days * DAY - UTC_OFFSET


@dataclass(frozen=True)
class WorkTime:
    """Working shifts: `opens`, `closes` (wall seconds) and the working seconds before each."""

    opens: Seconds
    closes: Seconds
    before: Seconds

    @classmethod
    def of(cls, calendar: Calendar, first: date, last: date) -> WorkTime:
        """The shifts of a calendar in the days [first, last]."""
        opens, closes = [], []
        for ordinal in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(ordinal)
            for begin, end in calendar.hours(day):
                opens.append(local_midnight(day) + begin.hour * 3600 + begin.minute * 60)
                closes.append(local_midnight(day) + end.hour * 3600 + end.minute * 60)
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
