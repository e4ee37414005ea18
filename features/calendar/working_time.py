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
import numpy.typing as npt
import pyarrow as pa

Hours = tuple[tuple[time, time], ...]
Instants = npt.NDArray[np.int64]

HOUR = 3_600_000_000
DAY = 24 * HOUR
HOURS_A_DAY = 8
A_YEAR = 366
LONG_BREAK = 4
"""Days without work in a row that make a long break: more than any weekend, Tết or a holiday joined to one."""
FIRST, LAST = date(1990, 1, 1), date(2070, 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NONE = np.array([], dtype=np.int64)

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
        moment = self.when_worked(self.worked(microseconds(start)) + round(hours * HOUR))
        if moment is None:
            raise ValueError(f"the calendar {self.name} ends before {hours} hours after {start.isoformat()}")
        return (EPOCH + timedelta(microseconds=moment)).astimezone(start.tzinfo)

    def when_worked(self, worked: int) -> int | None:
        """The first moment (microseconds since 1970) at which `W` is `worked`; None where the calendar ends before."""
        starts, ends, before = self._spans
        span = bisect_right(before, worked - 1) - 1
        if span < 0:
            return starts[0] if starts else None
        moment = starts[span] + worked - before[span]
        return moment if moment <= ends[span] else None

    def stretches(self) -> pa.Table:
        """Every stretch of work: `start_us`, `end_us` (since 1970) and `before_w`, the time worked before; int64."""
        start, end, before = self._pieces
        return pa.table({"start_us": start, "end_us": end, "before_w": before})

    def worked(self, moment: int) -> int:
        """`W`: microseconds worked from the calendar's first day up to `moment` (microseconds since 1970)."""
        starts, ends, before = self._spans
        span = bisect_right(starts, moment) - 1
        if span < 0:
            return 0
        return before[span] + min(moment, ends[span]) - starts[span]

    def worked_each(self, moments: Instants) -> Instants:
        """`W` of many moments at once [n]."""
        start, end, before = self._pieces
        span = np.searchsorted(start, moments, side="right") - 1
        piece = np.maximum(span, 0)
        return np.where(span < 0, 0, before[piece] + np.minimum(moments, end[piece]) - start[piece])

    def days_each(self, moments: Instants) -> Instants:
        """The local day of many moments [n], as days since `FIRST`."""
        found: Instants = np.searchsorted(self._midnights, moments, side="right") - 1
        return found

    def when_worked_each(self, worked: Instants, *, none: int, last: bool = False) -> Instants:
        """`when_worked` of many [n], `none` where the calendar ends before. last: the last moment, not the first."""
        start, end, before = self._pieces
        if not len(start):
            return np.full(len(worked), none)
        span = np.maximum(np.searchsorted(before, worked if last else worked - 1, side="right") - 1, 0)
        moment = np.maximum(start[span], start[span] + worked - before[span])
        return np.where(moment <= end[span], moment, none)

    @cached_property
    def _overrides(self) -> dict[date, Hours]:
        return dict(self.days)

    @cached_property
    def _midnights(self) -> Instants:
        """Microseconds since 1970 of every local midnight from `FIRST` to `LAST`, both included."""
        zone = ZoneInfo(self.zone)
        days = range(FIRST.toordinal(), LAST.toordinal() + 1)
        offsets = [datetime.combine(date.fromordinal(n), time(), zone).utcoffset() or timedelta() for n in days]
        local = np.array(days, dtype=np.int64) - EPOCH.toordinal()
        return local * DAY - np.array([offset // timedelta(microseconds=1) for offset in offsets], dtype=np.int64)

    @cached_property
    def _pieces(self) -> tuple[Instants, Instants, Instants]:
        """Start, end (microseconds since 1970) and time worked before, of every stretch of work, as arrays."""
        zone = ZoneInfo(self.zone)
        midnights = self._midnights
        shifts = np.diff(midnights) != DAY
        weekday = (np.arange(len(shifts)) + FIRST.weekday()) % 7
        plain = ~shifts
        for day in self._overrides:
            if FIRST <= day < LAST:
                plain[(day - FIRST).days] = False
        starts: list[Instants] = []
        ends: list[Instants] = []
        for number, hours in enumerate(self.week):
            first = midnights[:-1][plain & (weekday == number)]
            for opens, closes in hours:
                starts.append(first + _since_midnight(opens))
                ends.append(first + _since_midnight(closes))
        for n in np.flatnonzero(~plain):  # single days of their own, and days on which the clock is set
            day = FIRST + timedelta(days=int(n))
            for opens, closes in self.hours(day):
                starts.append(np.array([microseconds(datetime.combine(day, opens, zone))]))
                ends.append(np.array([microseconds(datetime.combine(day, closes, zone))]))
        start, end = np.concatenate([*starts, _NONE]), np.concatenate([*ends, _NONE])
        order = np.argsort(start)
        start, end = start[order], end[order]
        return start, end, np.cumsum(end - start) - (end - start)

    @cached_property
    def _spans(self) -> tuple[list[int], list[int], list[int]]:
        start, end, before = self._pieces
        return start.tolist(), end.tolist(), before.tolist()

    def relation(self) -> pa.Table:
        """`W` as a table, one row a UTC day, all int64 and microseconds unless said otherwise.

        `day` (days since 1970), `worked_before`, `start_k`/`end_k` (k from 0; equal where there is none),
        `midnight` (offset of the local midnight in this UTC day), `local_day` (local day number before it),
        `break_w` (`W` at the beginning of the first long break that is not over when `local_day` begins, null
        where none begins within a year: a calendar that knows no holidays of those
        years must not count down to the first it knows).
        """
        return self._relation

    @cached_property
    def _relation(self) -> pa.Table:
        start, end, before = self._pieces
        first, count = (FIRST - EPOCH.date()).days, (LAST - FIRST).days
        day = first + np.arange(count, dtype=np.int64)
        # a stretch that goes over midnight UTC is two
        tail = end > (start // DAY + 1) * DAY
        cut = (start[tail] // DAY + 1) * DAY
        begin = np.concatenate([start, cut])
        until = np.concatenate([np.where(tail, (start // DAY + 1) * DAY, end), end[tail]])
        order = np.argsort(begin)
        begin, until = begin[order], until[order]
        home = begin // DAY - first
        nth = np.arange(len(home)) - np.searchsorted(home, home)
        at = np.clip(np.searchsorted(start, day * DAY, side="right") - 1, 0, None)
        midnights = self._midnights
        coming = np.searchsorted(midnights, day * DAY, side="right").clip(0, count)
        columns = {"day": day, "midnight": midnights[coming] - day * DAY, "local_day": first + coming - 1}
        columns["worked_before"] = np.zeros(count, dtype=np.int64)
        if len(start):
            worked = before[at] + np.minimum(day * DAY, end[at]) - start[at]
            columns["worked_before"] = np.where(day * DAY < start[0], 0, worked)
        for k in range(int(nth.max(initial=0)) + 1):
            for name, edge in (("start", begin), ("end", until)):
                column = np.zeros(count, dtype=np.int64)
                here = (nth == k) & (home >= 0) & (home < count)
                column[home[here]] = edge[here] - day[home[here]] * DAY
                columns[f"{name}_{k}"] = column
        table = {name: pa.array(values, pa.int64()) for name, values in columns.items()}
        return pa.table(table | {"break_w": self._breaks(columns["local_day"])})

    def _breaks(self, local_day: Instants) -> pa.Array:
        """`break_w` of each of `local_day`."""
        first, last = (FIRST - EPOCH.date()).days, (LAST - EPOCH.date()).days
        works = np.array([bool(self.hours(FIRST + timedelta(days=n))) for n in range(last - first)])
        edges = np.flatnonzero(np.diff(np.concatenate([[True], works, [True]]).astype(np.int8)))
        begins, ends = edges[::2], edges[1::2]
        long = (ends - begins >= LONG_BREAK) & (ends < len(works))
        begins, ends = begins[long], ends[long]
        if not len(begins):
            return pa.nulls(len(local_day), pa.int64())
        coming = np.searchsorted(ends, local_day - first, side="right")
        nearest = np.minimum(coming, len(ends) - 1)
        far = (coming == len(ends)) | (begins[nearest] - (local_day - first) > A_YEAR)
        worked = np.array([self.worked(int(at)) for at in self._midnights[begins]], dtype=np.int64)
        return pa.array(worked[nearest], pa.int64(), mask=far)


def _since_midnight(edge: time) -> int:
    return ((edge.hour * 60 + edge.minute) * 60 + edge.second) * 1_000_000 + edge.microsecond


PLAIN_WEEK = Calendar("plain week", "Asia/Ho_Chi_Minh", (OFFICE_HOURS,) * 5 + ((),) * 2)
"""Monday to Friday, 8:00 to 12:00 and 13:30 to 17:30, no holidays: eight hours a day."""
