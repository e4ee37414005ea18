"""What late dossiers owe, counted anew: slow and plain, by the words of the law alone, dossier by dossier.

Nothing of `features.case_state` or of the calendar's arithmetic is used here: only the office's hours as data. What it
counts by (domain.md 1.7, 1.9, 3.1, 5.4; `features/case_state/state.py` has the same rules in words):

* the first promise is due to its moment; time in which the citizen must act, or processing is suspended, doesn't count;
* one extension with a reason, a working day ahead, gives a new promise; nothing else that the office sets does;
* a due moment told with the papers stands where it lies no more than a working day beyond that;
* refused, decided, withdrawn end it, else delivered; reopened within 30 days it goes on, later it begins anew;
* a dossier that is late and doesn't wait is owed a letter (S3 1l) and asked to explain (S0 1d).
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from features.calendar.working_time import Calendar

DAY = timedelta(hours=8)
"""A working day as time worked."""
NONE = timedelta()


class OfficeHours:
    """Time worked from the first day on, day by day: opening hours, minus nothing else."""

    def __init__(self, calendar: Calendar, first: date, last: date) -> None:
        zone, other = ZoneInfo(calendar.zone), dict(calendar.days)
        self.spans: list[tuple[datetime, datetime]] = []
        day = first
        while day <= last:
            for opens, closes in other.get(day, calendar.week[day.weekday()]):
                self.spans.append(
                    (datetime.combine(day, opens, zone).astimezone(UTC),
                     datetime.combine(day, closes, zone).astimezone(UTC))
                )  # fmt: skip
            day += timedelta(days=1)
        self.begins = [opens for opens, _ in self.spans]
        self.before = [NONE, *accumulate((closes - opens for opens, closes in self.spans), initial=None)]

    def worked(self, until: datetime) -> timedelta:
        """Time worked from the first day until a moment."""
        place = bisect_right(self.begins, until) - 1
        if place < 0:
            return NONE
        opens, closes = self.spans[place]
        return self.before[place] + min(until, closes) - opens


@dataclass(frozen=True)
class Told:
    """One event as told: kind, moment, the due moment that it gives, its reason."""

    kind: str
    at: datetime
    due_at: datetime | None = None
    reason: str | None = None


@dataclass
class Recount:
    """late: by the lawful clock. waits: open, the clock standing. ended_at: None while open."""

    late: bool = False
    waits: bool = False
    ended_at: datetime | None = None
    aside: bool = False
    begun_at: datetime | None = None
    extended_at: datetime | None = None


def recount(
    received_at: datetime, first_due_at: datetime | None, legal_days: float | None, told: Iterable[Told],
    until: datetime, hours: OfficeHours,
) -> Recount:  # fmt: skip
    """One dossier at `until`."""
    ends = ("refused", "decided", "withdrawn", "delivered")
    events = sorted((one for one in told if one.at < until), key=lambda one: one.at)
    skew = received_at - timedelta(minutes=15)
    early = any(one.kind in ends and one.at < skew for one in events)
    events = [one for one in events if one.at >= (skew if one.kind in ends else received_at)]
    found = Recount(begun_at=received_at)
    promise = _Promise(first_due_at, received_at, legal_days, hours)
    at, stopped = received_at, False
    for number, one in enumerate(events):
        now = max(one.at, received_at)
        if found.ended_at is not None:
            if one.kind != "reopened":
                continue
            if now - found.ended_at > timedelta(days=30):
                promise, stopped = _Promise(one.due_at, now, None, hours), False
                found.ended_at, found.extended_at, found.begun_at, at = None, None, now, now
                continue
            found.ended_at = None
        promise.passes(at, now, stopped)
        at = now
        if one.kind in ("papers_requested", "suspended"):
            stopped = True
        elif one.kind in (
            "papers_supplied", "resumed", "assigned", "forwarded", "consulted", "returned", "reopened",
        ):  # fmt: skip
            stopped = False
        if one.due_at is not None and promise.given(one, now):
            found.extended_at = now
        if _ends(events, number):
            found.ended_at, stopped = now, False
    if found.ended_at is None:
        promise.passes(at, max(until, received_at), stopped)
        found.aside, found.waits = early, stopped and not early
    found.late = promise.missed and not found.aside
    return found


def _ends(events: list[Told], number: int) -> bool:
    """Whether an event is the end of what lies between two reopenings."""
    start = max((place + 1 for place in range(number) if events[place].kind == "reopened"), default=0)
    stop = next((place for place in range(number, len(events)) if events[place].kind == "reopened"), len(events))
    if events[number].kind == "reopened":
        return False
    real = [place for place in range(start, stop) if events[place].kind in ("refused", "decided", "withdrawn")]
    found = real or [place for place in range(start, stop) if events[place].kind == "delivered"]
    return bool(found) and found[0] == number


class _Promise:
    """The lawful promise: a moment, and the time that didn't count since it was given."""

    def __init__(self, due_at: datetime | None, since: datetime, legal_days: float | None, hours: OfficeHours) -> None:
        self.hours, self.missed, self.extensions, self.stood = hours, False, 0, NONE
        self.by_law = due_at is None and legal_days is not None
        self.due_at, self.from_stood = due_at, NONE
        self.allowed = hours.worked(due_at) if due_at else None
        if due_at is None and legal_days is not None:
            self.allowed = hours.worked(since) + legal_days * DAY
        self.source: tuple[datetime, timedelta] | None = None

    def standing(self) -> tuple[datetime | None, timedelta, timedelta] | None:
        """Its moment, the time worked that it allows, and what had not counted when it was given."""
        if self.allowed is None:
            return None
        if self.source is not None:
            due_at, stood = self.source
            beyond = self.hours.worked(due_at) - stood - (self.allowed - self.from_stood)
            if NONE <= beyond <= DAY:
                return due_at, self.hours.worked(due_at), stood
        return self.due_at, self.allowed, self.from_stood

    def passes(self, since: datetime, until: datetime, stopped: bool) -> None:
        """Time goes by."""
        if self.missed:
            return
        if stopped:
            self.stood += self.hours.worked(until) - self.hours.worked(since)
            return
        promise = self.standing()
        if promise is None:
            return
        due_at, allowed, stood = promise
        if due_at is not None and stood == self.stood:
            self.missed = until > due_at
        else:
            self.missed = self.hours.worked(until) > allowed + self.stood - stood

    def given(self, one: Told, at: datetime) -> bool:
        """A due moment is given; whether it is the one lawful extension."""
        due_at = one.due_at
        assert due_at is not None
        if self.allowed is None or self.by_law:
            self.by_law, self.due_at, self.allowed, self.from_stood = (
                False,
                due_at,
                self.hours.worked(due_at),
                self.stood,
            )
            return False
        if one.kind in ("papers_supplied", "resumed"):
            self.source = due_at, self.stood
            return False
        if one.kind != "extended":
            return False
        self.extensions += 1
        promise = self.standing()
        assert promise is not None
        ahead = promise[1] + self.stood - promise[2] - self.hours.worked(at)
        if self.extensions > 1 or not one.reason or self.missed or ahead < DAY:
            return False
        self.due_at, self.allowed, self.from_stood, self.source = due_at, self.hours.worked(due_at), self.stood, None
        return True
