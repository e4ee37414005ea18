"""Working time: weekly hours, off days, make-up days and half days as data, in one time zone.

Time worked is a function of the instant, `W(t)` = microseconds worked since the calendar's first day; every
duration is a difference `W(b) - W(a)`, so durations add up exactly. `Calendar.relation()` gives the same
function to SQL as one row a UTC day, so that no engine needs time zones: with `day` and `offset` the parts of
an instant, `W = worked_before + sum over k of greatest(0, least(offset, end_k) - start_k)`.

Law: 1 working day = 8 working hours (as the one-stop systems count, domain.md 3.7).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

Hours = tuple[tuple[time, time], ...]

HOUR = 3_600_000_000
DAY = 24 * HOUR
HOURS_A_DAY = 8
FIRST, LAST = date(1990, 1, 1), date(2070, 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OFFICE_HOURS: Hours = ((time(8), time(12)), (time(13, 30), time(17, 30)))


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"wanted a datetime with a time zone, came {moment.isoformat()}")
    return (moment - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Calendar:
    """Working hours of one office: a weekly pattern and the days that differ from it.

    `week` has seven entries, Monday first. `days` overrides single days: `()` is an off day, office hours on a
    Saturday a make-up day, the morning alone a half day. Outside [1990, 2070) nothing is worked.
    """

    name: str
    zone: str
    week: tuple[Hours, ...]
    days: tuple[tuple[date, Hours], ...] = ()

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError(f"wanted the hours of seven weekdays, came {len(self.week)}")
        for hours in [*self.week, *(hours for _, hours in self.days)]:
            edges = [edge for span in hours for edge in span]
            if edges != sorted(set(edges)):
                raise ValueError(f"wanted working hours in order and apart, came {hours}")

    def with_days(self, days: Mapping[date, Hours]) -> Calendar:
        """The same calendar where `days` take the place of what stood for those days."""
        return replace(self, days=tuple(sorted((dict(self.days) | dict(days)).items())))

    def with_holidays(self, rows: Iterable[tuple[date, str]], make_up: Hours | None = None) -> Calendar:
        """The same calendar with rows of the `holiday` table: (date, `off` or `make_up`).

        A make-up day has the hours of `make_up`, else Monday's; ValueError for any other kind.
        """
        hours = {"off": (), "make_up": self.week[0] if make_up is None else make_up}
        days: dict[date, Hours] = {}
        for day, kind in rows:
            if kind not in hours:
                raise ValueError(f"wanted a holiday of kind off or make_up, came {kind!r} on {day}")
            days[day] = hours[kind]
        return self.with_days(days)

    def hours(self, day: date) -> Hours:
        """The working hours of one local day."""
        return self._overrides.get(day, self.week[day.weekday()])

    def working_hours(self, start: datetime, end: datetime) -> float:
        """Hours worked in [start, end), negative when end lies before start."""
        return (self.worked(microseconds(end)) - self.worked(microseconds(start))) / HOUR

    def add(self, start: datetime, hours: float) -> datetime:
        """The first moment at which `hours` (≥ 0) have been worked since `start`, in the zone of `start`.

        ValueError when the calendar ends before.
        """
        if hours < 0:
            raise ValueError(f"wanted hours of at least 0, came {hours}")
        if hours == 0:
            return start
        starts, ends, before = self._spans
        wanted = self.worked(microseconds(start)) + round(hours * HOUR)
        span = bisect_right(before, wanted - 1) - 1
        moment = starts[span] + wanted - before[span]
        if moment > ends[span]:
            raise ValueError(f"the calendar {self.name} ends before {hours} hours after {start.isoformat()}")
        return (EPOCH + timedelta(microseconds=moment)).astimezone(start.tzinfo)

    def worked(self, moment: int) -> int:
        """`W`: microseconds worked from the calendar's first day up to `moment` (microseconds since 1970)."""
        starts, ends, before = self._spans
        span = bisect_right(starts, moment) - 1
        if span < 0:
            return 0
        return before[span] + min(moment, ends[span]) - starts[span]

    @cached_property
    def _overrides(self) -> dict[date, Hours]:
        return dict(self.days)

    @cached_property
    def _spans(self) -> tuple[list[int], list[int], list[int]]:
        """Start, end (microseconds since 1970) and time worked before, of every stretch of work."""
        zone = ZoneInfo(self.zone)
        starts: list[int] = []
        ends: list[int] = []
        for ordinal in range(FIRST.toordinal(), LAST.toordinal()):
            day = date.fromordinal(ordinal)
            for begin, end in self.hours(day):
                starts.append(microseconds(datetime.combine(day, begin, zone)))
                ends.append(microseconds(datetime.combine(day, end, zone)))
        worked = np.cumsum(np.array([0, *(e - s for s, e in zip(starts, ends, strict=True))], dtype=np.int64))
        return starts, ends, worked[:-1].tolist()

    def relation(self) -> pa.Table:
        """`W` as a table, one row a UTC day, all int64 and microseconds unless said otherwise.

        `day` (days since 1970), `worked_before`, `start_k`/`end_k` (k from 0; equal where there is none),
        `midnight` (offset of the local midnight in this UTC day), `local_day` (local day number before it).
        """
        return self._relation

    @cached_property
    def _relation(self) -> pa.Table:
        zone = ZoneInfo(self.zone)
        first = (FIRST - EPOCH.date()).days
        count = (LAST - FIRST).days
        spans: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        for start, end in zip(*self._spans[:2], strict=True):
            while start < end:
                day = start // DAY
                until = min(end, (day + 1) * DAY)
                if 0 <= day - first < count:
                    spans[day - first].append((start - day * DAY, until - day * DAY))
                start = until
        width = max(1, *(len(day) for day in spans))
        columns: dict[str, list[int]] = {
            "day": [first + n for n in range(count)],
            "worked_before": [self.worked((first + n) * DAY) for n in range(count)],
            "midnight": [],
            "local_day": [],
        }
        for n in range(count):
            local = datetime.fromtimestamp((first + n) * 86400, zone)
            following = datetime.combine(local.date() + timedelta(days=1), time(), zone)
            columns["midnight"].append(microseconds(following) - (first + n) * DAY)
            columns["local_day"].append((local.date() - EPOCH.date()).days)
        for k in range(width):
            pieces = [day[k] if k < len(day) else (0, 0) for day in spans]
            columns[f"start_{k}"] = [piece[0] for piece in pieces]
            columns[f"end_{k}"] = [piece[1] for piece in pieces]
        return pa.table({name: pa.array(values, pa.int64()) for name, values in columns.items()})


PLAIN_WEEK = Calendar("plain week", "Asia/Ho_Chi_Minh", (OFFICE_HOURS,) * 5 + ((),) * 2)
"""Monday to Friday, 8:00 to 12:00 and 13:30 to 17:30, no holidays: eight hours a day."""


def plain_week(zone: str) -> Calendar:
    """`PLAIN_WEEK` in another time zone, for foreign logs."""
    return replace(PLAIN_WEEK, zone=zone)
